"""POST /info about one user: state, orders, fills, funding, limits, fees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from itertools import groupby
from typing import TypeAlias

from apps.exchanges.mock.engine.api import AccountState, Fill
from apps.exchanges.mock.wire.hyperliquid import views, views_account
from apps.exchanges.mock.wire.hyperliquid.limits import cap
from apps.exchanges.mock.wire.hyperliquid.numbers import read_address, wire, wire_usd
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError, field, optional, read_order_id
from apps.exchanges.mock.wire.hyperliquid.venue import Venue
from apps.exchanges.mock.wire.hyperliquid.views import Json

UserHandler: TypeAlias = Callable[[str, Json], object]
MOST_FILLS = 2_000
_MOST_ROWS = 500
_PERIODS = ("day", "week", "month", "allTime", "perpDay", "perpWeek", "perpMonth", "perpAllTime")
_BPS = Decimal(10_000)
_ZERO = Decimal(0)


def read_user(request: Json) -> str:
    """Return the address in `request["user"]`. Raises MalformedError."""
    try:
        return read_address("user", request.get("user"))
    except ValueError as error:
        raise MalformedError(str(error)) from error


class AccountInfo:
    """The info types that name a user. An address without an account has an empty state, as at the venue."""

    def __init__(self, venue: Venue) -> None:
        """Answer about `venue`."""
        self._venue = venue
        self.handlers: Mapping[str, UserHandler] = {
            "clearinghouseState": lambda user, _: self.state(user),
            "spotClearinghouseState": lambda user, _: self.spot_state(user),
            "openOrders": lambda user, _: self.open_orders(user),
            "frontendOpenOrders": lambda user, _: self.frontend_orders(user),
            "orderStatus": self._order_status,
            "historicalOrders": lambda user, _: self._historical(user),
            "userFills": self._fills,
            "userFillsByTime": self._fills_by_time,
            "userFunding": self._funding,
            "userNonFundingLedgerUpdates": self._ledger,
            "userRateLimit": lambda user, _: self._rate_limit(user),
            "userFees": lambda user, _: self._fees(user),
            "userRole": lambda user, _: self._role(user),
            "extraAgents": lambda user, _: self._agents(user),
            "portfolio": lambda user, _: self._portfolio(user),
            "activeAssetData": lambda user, request: self.active_asset(user, field(request, "coin", str)),
            "referral": lambda user, _: self._referral(user),
            "delegatorSummary": lambda _user, _: _NO_STAKE,
            "maxBuilderFee": lambda user, request: self._venue.builders.approved(user, request.get("builder")),
            "userAbstraction": lambda _user, _: "disabled",
            "userDexAbstraction": lambda _user, _: None,
            "subAccounts": lambda _user, _: None,
            "userToMultiSigSigners": lambda _user, _: None,
            "isVip": lambda _user, _: False,
            **dict.fromkeys(_ALWAYS_EMPTY, lambda _user, _: []),
        }

    def state(self, user: str) -> Json:
        """Return the clearinghouse state."""
        state = self._venue.state(user)
        return views_account.no_account(self._venue.now_ms()) if state is None else views_account.account(state)

    def spot_state(self, user: str) -> Json:
        """Return what the user has at the spot market."""
        return self._venue.spot.state(user) if self._venue.has_account(user) else {"balances": []}

    def moved_in(self, user: str) -> Decimal:
        """Return the dollars that came to the margin account by other ways than trading, less those that left."""
        return sum((views_account.ledger_sign(row["delta"], user) for row in self.ledger(user)), _ZERO)

    def open_orders(self, user: str) -> list[Json]:
        """Return resting and waiting orders, newest first."""
        if not self._venue.has_account(user):
            return []
        return [views.open_order(order) for order in reversed(self._venue.exchange.open_orders(user))]

    def frontend_orders(self, user: str) -> list[Json]:
        """Return the same orders in full, those that wait for a parent inside it."""
        if not self._venue.has_account(user):
            return []
        orders = self._venue.exchange.open_orders(user)
        rows = {order.oid: views.frontend_order(order) for order in orders}
        nested: set[int] = set()
        for order in orders:
            children = [oid for oid in order.children if oid in rows]
            rows[order.oid]["children"] = [rows[oid] for oid in children]
            nested.update(children)
        return [row for oid, row in reversed(rows.items()) if oid not in nested]

    def fills(self, user: str, start_ms: int = 0, end_ms: int | None = None) -> list[Fill]:
        """Return the fills within the span, oldest first."""
        return self._venue.exchange.fills(user, start_ms, end_ms) if self._venue.has_account(user) else []

    def ledger(self, user: str) -> list[Json]:
        """Return deposits, transfers and liquidations, oldest first."""
        return self._venue.records.ledger.get(user, [])

    def active_asset(self, user: str, coin: str) -> Json | None:
        """Return leverage and what could still be traded of `coin`; null without account or coin."""
        state = self._venue.state(user)
        if state is None or coin not in self._venue.perps:
            return None
        leverage = self._venue.exchange.leverage(user, coin)
        mark = self._venue.exchange.mark(coin)
        lot = self._venue.perps[coin].lot
        available = _available(state, coin)
        sizes = [(usd * leverage / mark).quantize(lot, ROUND_DOWN) for usd in available]
        return {
            "user": user,
            "coin": coin,
            "leverage": self._leverage(user, state, coin),
            "maxTradeSzs": [wire(size) for size in sizes],
            "availableToTrade": [wire_usd(usd) for usd in available],
            "markPx": wire(mark),
        }

    def _leverage(self, user: str, state: AccountState, coin: str) -> Json:
        held = next((entry for entry in state.positions if entry.coin == coin), None)
        if held is not None:
            return views_account.leverage(held)
        leverage = self._venue.exchange.leverage(user, coin)
        if self._venue.exchange.is_isolated(user, coin):
            return {"type": "isolated", "value": leverage, "rawUsd": "0.0"}
        return {"type": "cross", "value": leverage}

    def _order_status(self, user: str, request: Json) -> Json:
        wanted = read_order_id(request.get("oid"))
        order = None
        if self._venue.has_account(user):
            exchange = self._venue.exchange
            if isinstance(wanted, int):
                order = exchange.order_by_oid(user, wanted)
            else:
                order = exchange.order_by_cloid(user, wanted)
        if order is None:
            return {"status": "unknownOid"}
        return {"status": "order", "order": views.order_record(order)}

    def _historical(self, user: str) -> list[Json]:
        return [views.order_record(order) for order in reversed(self._venue.records.orders.get(user, ()))]

    def _fills(self, user: str, request: Json) -> list[Json]:
        rows = _rows(self.fills(user), request)
        return [views.user_fill(fill, user) for fill in reversed(rows[-MOST_FILLS:])]

    def _fills_by_time(self, user: str, request: Json) -> list[Json]:
        start, end = field(request, "startTime", int), optional(request, "endTime", int)
        rows = _rows(self.fills(user, start, end), request)
        return [views.user_fill(fill, user) for fill in rows[:MOST_FILLS]]

    def _funding(self, user: str, request: Json) -> list[Json]:
        start, end = optional(request, "startTime", int) or 0, optional(request, "endTime", int)
        if not self._venue.has_account(user):
            return []
        payments = self._venue.exchange.funding_payments(user, start, end)
        return [views_account.funding_delta(payment) for payment in payments[:_MOST_ROWS]]

    def _ledger(self, user: str, request: Json) -> list[Json]:
        start = optional(request, "startTime", int) or 0
        end = optional(request, "endTime", int)
        return [row for row in self.ledger(user) if row["time"] >= start and (end is None or row["time"] <= end)][
            :_MOST_ROWS
        ]

    def _rate_limit(self, user: str) -> Json:
        volume = self._venue.volume(user)
        return {
            "cumVlm": wire_usd(volume),
            "nRequestsUsed": self._venue.addresses.used(user),
            "nRequestsCap": cap(volume),
            "nRequestsSurplus": 0,
        }

    def _fees(self, user: str) -> Json:
        config = self._venue.config
        taker, maker = (wire(bps / _BPS) for bps in (config.taker_fee_bps, config.maker_fee_bps))
        spot_taker, spot_maker = (wire(bps / _BPS) for bps in (config.spot_taker_fee_bps, config.spot_maker_fee_bps))
        return {
            "dailyUserVlm": self._daily_volume(user),
            "feeSchedule": {
                "cross": taker,
                "add": maker,
                "spotCross": spot_taker,
                "spotAdd": spot_maker,
                "tiers": {"vip": [], "mm": []},
                "referralDiscount": "0.04",
                "stakingDiscountTiers": [{"bpsOfMaxSupply": "0.0", "discount": "0.0"}],
            },
            "userCrossRate": taker,
            "userAddRate": maker,
            "userSpotCrossRate": spot_taker,
            "userSpotAddRate": spot_maker,
            "activeReferralDiscount": "0.0",
            "trial": None,
            "feeTrialEscrow": "0.0",
            "nextTrialAvailableTimestamp": None,
            "stakingLink": None,
            "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
        }

    def _daily_volume(self, user: str) -> list[Json]:
        day_ms = 86_400_000
        days: dict[int, list[Decimal]] = {}
        for fill in self.fills(user):
            sides = days.setdefault(fill.time_ms // day_ms, [_ZERO, _ZERO])
            sides[int(fill.crossed)] += fill.price * fill.size
        return [
            {
                "date": views.iso_date(day * day_ms),
                "userCross": wire_usd(cross),
                "userAdd": wire_usd(add),
                "exchange": wire_usd(cross + add),
            }
            for day, (add, cross) in sorted(days.items())
        ]

    def _role(self, user: str) -> Json:
        if self._venue.has_account(user):
            return {"role": "user"}
        master = self._venue.agents.master_of(user, self._venue.now_ms())
        return {"role": "missing"} if master is None else {"role": "agent", "data": {"user": master}}

    def _agents(self, user: str) -> list[Json]:
        return [
            {"name": agent.name, "address": agent.address, "validUntil": agent.valid_until}
            for agent in self._venue.agents.named(user)
        ]

    def _portfolio(self, user: str) -> list[object]:
        state = self._venue.state(user)
        now = self._venue.now_ms()
        value = _ZERO if state is None else state.account_value
        deposit = _ZERO if state is None else state.deposit
        opened = next((row["time"] for row in self.ledger(user)), now)
        history = {
            "accountValueHistory": [[opened, wire_usd(deposit)], [now, wire_usd(value)]],
            "pnlHistory": [[opened, "0.0"], [now, wire_usd(value - deposit)]],
            "vlm": wire_usd(self._venue.volume(user)),
        }
        return [[period, history] for period in _PERIODS]

    def _referral(self, user: str) -> Json:
        return {
            "referredBy": None,
            "cumVlm": wire_usd(self._venue.volume(user)),
            "unclaimedRewards": "0.0",
            "claimedRewards": "0.0",
            "builderRewards": "0.0",
            "referrerState": {"stage": "needToTrade", "data": {"required": "10000.0"}},
            "rewardHistory": [],
        }


_ALWAYS_EMPTY = (
    "delegations",
    "delegatorRewards",
    "delegatorHistory",
    "userTwapSliceFills",
    "userVaultEquities",
)
_NO_STAKE: Json = {
    "delegated": "0.0",
    "undelegated": "0.0",
    "totalPendingWithdrawal": "0.0",
    "nPendingWithdrawals": 0,
}


def _rows(fills: list[Fill], request: Json) -> list[Fill]:
    return aggregated(fills) if request.get("aggregateByTime") else fills


def aggregated(fills: list[Fill]) -> list[Fill]:
    """Return `fills` with the pieces of one crossing order at one time as one, at their average price."""
    merged: list[Fill] = []
    for (_, _, crossed), group in groupby(fills, key=lambda fill: (fill.oid, fill.time_ms, fill.crossed)):
        pieces = list(group)
        merged += [_merge(pieces)] if crossed else pieces
    return merged


def _merge(pieces: list[Fill]) -> Fill:
    size = sum((piece.size for piece in pieces), _ZERO)
    value = sum((piece.price * piece.size for piece in pieces), _ZERO)
    return replace(
        pieces[0],
        size=size,
        price=round(value / size, 8),
        closed_pnl=sum((piece.closed_pnl for piece in pieces), _ZERO),
        fee=sum((piece.fee for piece in pieces), _ZERO),
    )


def _available(state: AccountState, coin: str) -> tuple[Decimal, Decimal]:
    """Return the dollars a buy and a sell could put up; closing frees a position's margin twice."""
    free = max(_ZERO, state.account_value - state.margin_used - state.order_margin)
    held = next((entry for entry in state.positions if entry.coin == coin), None)
    if held is None:
        return free, free
    against = free + 2 * held.margin_used
    return (free, against) if held.size > _ZERO else (against, free)
