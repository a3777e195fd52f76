"""The faults at a venue's HTTP door that look the same everywhere."""

from __future__ import annotations

import asyncio

from aiohttp import web

from apps.exchanges.mock.faults import BANS, FaultBook, FaultKind, FaultRule

_BROKEN = "Internal Server Error"
_BANNED_SECONDS = 120


class Door:
    """Lets requests to one venue in, late, or not at all."""

    def __init__(self, venue: str, faults: FaultBook) -> None:
        """Ask `faults` about `venue`."""
        self._venue, self._faults = venue, faults

    async def refusal(self, request: web.Request, path: str, action: str) -> web.StreamResponse | None:
        """Return how this request fails before anything is done, or None; waits out a latency fault."""
        delay = self._faults.strike(FaultKind.LATENCY_MS, self._venue, path, action)
        if delay is not None:
            await asyncio.sleep(delay.number(0) / 1000)
        if self.strikes(FaultKind.DROP_BEFORE, path, action):
            return dropped(request)
        ban = self._faults.strike(FaultKind.BAN, self._venue, path, action)
        if ban is not None:
            return banned(ban)
        broken = self._faults.strike(FaultKind.ERROR_5XX, self._venue, path, action)
        if broken is not None:
            return web.Response(status=int(broken.number(502)), text=_BROKEN)
        return None

    def answered(
        self, request: web.Request, path: str, action: str, response: web.StreamResponse
    ) -> web.StreamResponse:
        """Return `response`, unless the line drops after the request was carried out."""
        return dropped(request) if self.strikes(FaultKind.ACCEPT_THEN_DROP, path, action) else response

    def strikes(self, kind: FaultKind, path: str, action: str) -> bool:
        """Return whether a fault of `kind` strikes this request, and count it."""
        return self._faults.strike(kind, self._venue, path, action) is not None

    def rejection(self, path: str, action: str) -> str | None:
        """Return the sentence with which this request is to be refused in the venue's form; None: it is not."""
        rule = self._faults.strike(FaultKind.REJECT, self._venue, path, action)
        return None if rule is None else str(rule.value or "rejected")


def banned(rule: FaultRule) -> web.Response:
    """Refuse an address that has not slowed down, as the machines before a venue do: in no venue's own form."""
    headers = {"Retry-After": str(_BANNED_SECONDS)}
    return web.Response(status=int(rule.number(BANS[-1])), text="access too frequent", headers=headers)


def dropped(request: web.Request) -> web.Response:
    """Close the connection; the response is never seen."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
