"""Phemex's account channel over its socket: signs in, subscribes, hands on.

ccxt's streaming client subscribes to this channel and delivers no orders or fills from it, so it is read here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import Credentials, ParseError, Stream, UserEvent, UserHandler, VenueConfig
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey, read_api_key
from apps.exchanges.venues.message_stream import MessageDialect, MessageStream
from apps.exchanges.venues.phemex.config import PATIENCE, endpoints
from apps.exchanges.venues.phemex.parse_account import account_events
from apps.exchanges.venues.phemex.stream_market import PING
from apps.exchanges.venues.phemex.stream_messages import AccountMessage, Reply
from apps.exchanges.venues.rows import reading
from apps.exchanges.venues.websocket import Patience, ReconnectingWebsocket, SubscriptionRefused
from moondev.domain.clock import Clock, milliseconds

# The venue takes no signature that lapses later than two minutes from now.
SIGNATURE_SECONDS = 60
_SIGN_IN, _SUBSCRIBE = 1, 2
_SUBSCRIPTION = msgspec.json.encode({"id": _SUBSCRIBE, "method": "aop_p.subscribe", "params": []})


def sign_in(key: ApiKey, expires: int) -> bytes:
    """Return the request that proves who we are, until the second `expires`."""
    signature = hmac.new(key.secret.encode(), f"{key.key}{expires}".encode(), hashlib.sha256).hexdigest()
    parameters = ["API", key.key, signature, expires]
    return msgspec.json.encode({"id": _SIGN_IN, "method": "user.auth", "params": parameters})


class UserDialect(MessageDialect):
    """Speaks for the stream of one account, of which no part can be done without."""

    def __init__(self, key: ApiKey, handler: UserHandler, clock: Clock) -> None:
        """Sign with `key`; hand events to `handler`."""
        super().__init__(handler)
        self._key, self._clock = key, clock
        self._standing = False
        self._account = msgspec.json.Decoder(AccountMessage)
        self._reply = msgspec.json.Decoder(Reply)

    def opening(self) -> Sequence[bytes]:
        """Return the sign-in; the subscription follows on its answer."""
        self._standing = False
        return [sign_in(self._key, milliseconds(self._clock.now()) // 1000 + SIGNATURE_SECONDS)]

    def ping(self) -> bytes:
        """Return the venue's own ping."""
        return PING

    @property
    def standing(self) -> bool:
        """Return whether the account's channel was granted."""
        return self._standing

    def events(self, message: bytes, received: datetime) -> Iterator[UserEvent]:
        """Yield the events in one message. Raises ParseError, and SubscriptionRefused when the venue refuses us."""
        if b'"orders_p"' in message or b'"positions_p"' in message or b'"accounts_p"' in message:
            with reading("account", message):
                found = list(account_events(self._account.decode(message), received))
            yield from found
            return
        if b'"index_market24h"' in message:
            # The venue is seen to send prices of indices over this channel, unasked.
            return
        with reading("answer", message):
            reply = self._reply.decode(message)
        self._answered(reply, message)

    def _answered(self, reply: Reply, message: bytes) -> None:
        if reply.error is not None:
            if reply.id in (_SIGN_IN, _SUBSCRIBE):
                raise SubscriptionRefused(f"{reply.error.code}: {reply.error.message}")
            raise ParseError("answer", "a request was refused", message)
        if reply.id == _SIGN_IN:
            self.say(_SUBSCRIPTION)
        elif reply.id == _SUBSCRIBE:
            self._standing = True
        elif reply.result != "pong":
            raise ParseError("answer", "neither an answer nor a channel we know", message)


def user_stream(
    venue: VenueConfig,
    credentials: Credentials,
    handler: UserHandler,
    tools: Tools,
    patience: Patience = PATIENCE,
) -> Stream:
    """Return the stream of one account. Raises Configuration for a bad address or key."""
    dialect = UserDialect(read_api_key(credentials.signer_key), handler, tools.clock)
    url = endpoints(venue).websocket_url
    return MessageStream(dialect, ReconnectingWebsocket(url, dialect, handler, tools.clock, patience))
