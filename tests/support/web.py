"""The web application, served by the real web server for as long as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from moondev.asgi import web_application
from moondev.servers.probes import free_port


@contextmanager
def serving() -> Iterator[str]:
    """Serve the web application in a thread, websockets included, while the block runs; yield its host and port."""
    port = free_port()
    config = uvicorn.Config(web_application(), host="127.0.0.1", port=port, log_level="error", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the web server does not end"
