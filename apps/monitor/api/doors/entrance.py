"""Let in who says who he is and does not ask too often."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus

from django.conf import settings
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from apps.monitor.access.lately import Lately
from apps.monitor.access.rates import Refusal, api_rates
from apps.monitor.api.people import SAFE, Caller, identify, said_digest
from apps.monitor.api.problems import refuse
from apps.monitor.api.threads import ACTING, Acting, in_thread


class Entrance:
    """Asks every request who makes it, and counts."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            # Whoever asked a moment ago is let in without asking the database or Redis, so no thread is needed for it.
            caller = _known(scope)
            if caller is None:
                caller = await in_thread(admit, scope)
        except HTTPException as error:
            await refuse(scope, receive, send, error.status_code, str(error.detail), error.headers)
            return
        scope.setdefault("state", {})["caller"] = caller
        if scope["method"] not in SAFE:
            # Whatever the request changes carries this name; the context ends with the request's task.
            ACTING.set(Acting(caller.name, caller.address))
        await self._app(scope, receive, send)


def admit(scope: Scope) -> Caller:
    """Return who makes a request.

    Raises HTTPException: 401 or 403 for who may not come in, 429 for who asks too often.
    """
    rates, address = api_rates(), _address(scope)
    _pass(rates.take(settings.API_RATE_PER_ADDRESS, "address", address))
    try:
        reads = scope["method"] in SAFE
        caller = _lately().get(said_digest(scope), lambda: identify(scope)) if reads else identify(scope)
    except HTTPException:
        _pass(rates.hit(settings.API_RATE_OF_FAILURES, "failures", address))
        raise
    _pass(rates.take(settings.API_RATE_PER_CALLER, "caller", caller.owner))
    return caller


def _known(scope: Scope) -> Caller | None:
    """Return who makes a request to read something, if he has been let in lately and this one is counted already."""
    caller = _lately().known(said_digest(scope)) if scope["method"] in SAFE else None
    if caller is None:
        return None
    per_address = (settings.API_RATE_PER_ADDRESS, ("address", _address(scope)))
    per_caller = (settings.API_RATE_PER_CALLER, ("caller", caller.owner))
    return caller if api_rates().take_counted(per_address, per_caller) else None


def _address(scope: Scope) -> str:
    return str(scope["client"][0]) if scope.get("client") else ""


@lru_cache(maxsize=1)
def _lately() -> Lately[Caller]:
    return Lately()


def _pass(refusal: Refusal | None) -> None:
    if refusal is not None:
        wait = str(refusal.retry_after_seconds)
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, f"more than {refusal.rate}", {"Retry-After": wait})
