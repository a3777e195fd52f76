"""One ccxt exchange object: our addresses, our clock, our HTTP session, one request at a time.

ccxt signs and sends; its unified methods are not used where they lose facts. The answer is handed on as the text
the venue sent, so that no amount has been a float on its way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

import ccxt

from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.ccxt_generic.errors import sorted_error
from apps.exchanges.venues.ccxt_generic.http import Judge, JudgedSession
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.errors import Connectivity, NotSent, TradingError

# ccxt logs whole requests, keys and signatures too, at DEBUG.
_SILENT = logging.getLogger("moondev.ccxt.silent")
_SILENT.disabled = True

Parameters = Mapping[str, object] | Sequence[object]
Options = Mapping[str, object]


class CcxtSession:
    """Sends requests of one venue through ccxt, each once. Thread-safe: a second caller waits."""

    def __init__(
        self,
        exchange_id: str,
        *,
        addresses: Mapping[str, object],
        judge: Judge,
        clock: Clock,
        key: ApiKey | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        """Prepare without touching the network. `addresses` replace those of ``urls["api"]``."""
        self._http = JudgedSession(judge)
        self._lock = Lock()
        settings: dict[str, Any] = {
            "urls": {"api": dict(addresses)},
            "session": self._http,
            # The shared budgets are kept elsewhere; ccxt's own limiter knows only this process.
            "enableRateLimit": False,
            "options": dict(options or {}),
        }
        if key is not None:
            settings |= {"apiKey": key.key, "secret": key.secret}
        self.exchange: Any = getattr(ccxt, exchange_id)(settings)
        self.exchange.logger = _SILENT
        # In a replay the run's clock is not the machine's, and the venue judges signatures by the run's.
        self.exchange.milliseconds = lambda: milliseconds(clock.now())
        self.exchange.seconds = lambda: milliseconds(clock.now()) // 1000
        self.exchange.nonce = lambda: milliseconds(clock.now())

    def ask(
        self, method: str, parameters: Parameters | None = None, options: Callable[[], Options] | None = None
    ) -> str:
        """Return the text of the answer to one of ccxt's implicit methods, e.g. ``privateGetV5OrderRealtime``.

        `options` is asked right before signing, when earlier callers are done, for options of the exchange that
        hold from this request on (how long it is valid, say); what it raises keeps the request from being sent.
        Raises NotSent, Connectivity, and what the judge says of the answer.
        """
        with self._lock:
            if options is not None:
                self.exchange.options |= options()
            try:
                getattr(self.exchange, method)(parameters if parameters is not None else {})
            except TradingError:
                raise
            except ccxt.NetworkError as error:
                # Whatever ccxt still finds after the judge: the answer, if there was one, said nothing we know.
                raise Connectivity(f"{method}: {type(error).__name__}") from None
            except ccxt.ArgumentsRequired as error:
                raise NotSent(f"{method}: {error}") from None
            except ccxt.BaseError as error:
                raise Connectivity(f"{method}: ccxt found fault with an answer: {type(error).__name__}") from None
            return str(self.exchange.last_http_response)

    def call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - any answer
        """Return what one of ccxt's unified methods makes of the venue's answers.

        Raises what the judge says of an answer, and what ccxt's own error means (`errors.py`).
        """
        with self._lock:
            try:
                return getattr(self.exchange, method)(*arguments)
            except TradingError:
                raise
            except ccxt.BaseError as error:
                raise sorted_error(method, error) from None
            except Exception as error:
                # A slip of ccxt's in building or reading: whether anything left nobody can say.
                raise Connectivity(f"{method}: ccxt failed: {type(error).__name__}") from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
