"""The HTTP session under a ccxt exchange: bounded waits, nothing sent twice, every failure sorted at once.

ccxt sorts failures by the text of URLs and messages, calls refusals network errors and network errors refusals
(`RateLimitExceeded` and `InvalidNonce` are `NetworkError` there). What reaches it here has been judged before: our
own errors pass through it untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError

from moondev.domain.errors import Connectivity, NotSent

CONNECT_TIMEOUT_SECONDS = 2.0
READ_TIMEOUT_SECONDS = 5.0
CONNECTIONS = 10

# Given status, headers and body; raises what the answer means when it is not one to be read.
Judge = Callable[[int, Mapping[str, str], str], None]


class JudgedSession(requests.Session):
    """A session whose every answer is judged before ccxt sees it."""

    def __init__(self, judge: Judge, *, read_timeout_seconds: float = READ_TIMEOUT_SECONDS) -> None:
        """Prepare; the network is first touched by a request."""
        super().__init__()
        self._judge = judge
        self._timeout = (CONNECT_TIMEOUT_SECONDS, read_timeout_seconds)
        # A proxy or .netrc found in the environment must not stand between us and the venue.
        self.trust_env = False
        adapter = requests.adapters.HTTPAdapter(pool_connections=2, pool_maxsize=CONNECTIONS, max_retries=0)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def request(self, method: str | bytes, url: str | bytes, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401
        """Send one request, once. Raises NotSent, Connectivity, or what the judge says."""
        where = str(url).partition("?")[0]
        options |= {"timeout": self._timeout, "allow_redirects": False}
        try:
            response = super().request(method, url, **options)
        except requests.exceptions.ConnectTimeout as error:
            raise NotSent(f"no connection to {where} in time") from error
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise NotSent(f"no connection to {where}") from error
            raise Connectivity(f"{where}: the connection broke: {type(error).__name__}") from error
        except requests.exceptions.RequestException as error:
            # The text of such an error may hold the signed URL.
            raise Connectivity(f"{where}: {type(error).__name__}") from error
        if 300 <= response.status_code < 400:
            # Following it would send the request twice, perhaps to somebody else.
            raise Connectivity(f"HTTP {response.status_code}: redirected to {response.headers.get('Location')}")
        response.encoding = "utf-8"
        self._judge(response.status_code, response.headers, response.text)
        return response


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, NewConnectionError | NameResolutionError)
