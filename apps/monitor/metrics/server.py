"""Answers scrapes of this machine: ``GET /metrics``, and nothing else, for nobody from elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

from apps.monitor.access.networks import lies_in
from apps.monitor.metrics.scrape import CONTENT_TYPE

logger = logging.getLogger(__name__)

PATH = "/metrics"
# Whoever is slower to ask, or to take the answer, is not waited for: others wait behind him.
PATIENCE_SECONDS = 5.0


class MetricsServer(HTTPServer):
    """Serves one scrape after the other, from one thread: one database session, and a rest between questions."""

    allow_reuse_address = True

    def __init__(
        self,
        address: tuple[str, int],
        networks: Sequence[str],
        answer: Callable[[], bytes],
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        """Listen on `address` for askers from `networks`; call `turned` each time round the loop.

        Raises OSError when the address is taken.
        """
        self.networks, self.answer, self._turned = networks, answer, turned
        super().__init__(address, _Handler)

    def service_actions(self) -> None:
        """Say that the loop goes round."""
        self._turned()


class _Handler(BaseHTTPRequestHandler):
    """One scrape."""

    server: MetricsServer
    timeout = PATIENCE_SECONDS
    server_version = "moondev"
    sys_version = ""

    def do_GET(self) -> None:
        if not lies_in(self.client_address[0], self.server.networks):
            self.send_error(HTTPStatus.FORBIDDEN, "this address is not among METRICS_NETWORKS")
            return
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND, f"there is {PATH} only")
            return
        body = self.server.answer()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        logger.debug(format, *args)
