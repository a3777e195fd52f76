"""Servers that play Discord, Telegram, a webhook's receiver and a mail server, and remember what they got."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from moondev.domain.clock import LiveClock

RESET, HANG = "reset", "hang"


@dataclass(frozen=True)
class Asked:
    """A request that arrived."""

    path: str
    headers: Any
    body: bytes

    @property
    def json(self):
        """Return its body as an object."""
        return json.loads(self.body)


@dataclass
class Played:
    """A server that plays a part. `answers` are given one after the other; then it does what it should."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: deque = field(default_factory=deque)
    updates: deque = field(default_factory=deque)
    over: threading.Event = field(default_factory=threading.Event)

    def will(self, status, body=b"", **headers):
        """Answer the next request like this, once."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, content, {name.replace("_", "-"): value for name, value in headers.items()}))

    def usual(self, path):
        """Return what the real one answers."""
        if "/bot" not in path:
            return (200, b'{"id": "11"}', {}) if "/webhooks/" in path else (204, b"", {})
        if not path.endswith("/getUpdates"):
            return 200, b'{"ok": true, "result": {"message_id": 5}}', {}
        batch = self.updates.popleft() if self.updates else []
        return 200, json.dumps({"ok": True, "result": batch}).encode(), {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        played: Played = self.server.played
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        played.asked.append(Asked(self.path, self.headers, body))
        answer = played.answers.popleft() if played.answers else played.usual(self.path)
        if answer == HANG:
            played.over.wait(20)
            self.close_connection = True
        elif answer == RESET:
            # With nothing to linger for, closing sends a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        else:
            status, content, headers = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (OSError, ValueError):
            self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True


@contextmanager
def playing() -> Iterator[Played]:
    """Serve all three HTTP parts at one address while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    played = server.played = Played(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield played
    finally:
        played.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Post:
    """A mail server's other half: `mails` that arrived, `refusals` to give, by step."""

    def __init__(self):
        self.mails, self.refusals, self.logins = [], {}, []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  the library's name
        """Take a recipient, or not."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  the library's name
        """Take a mail, or not."""
        if "DATA" in self.refusals:
            return self.refusals["DATA"]
        self.mails.append(SimpleNamespace(to=list(envelope.rcpt_tos), content=envelope.content))
        return "250 OK"

    def login(self, server, session, envelope, mechanism, data):
        """Take one password."""
        self.logins.append(data.password.decode())
        return AuthResult(success=data.password == b"right-password", handled=False)


def certificate(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 that nobody has signed, and its key, into one file; return where."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a mail server")])
    now = LiveClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return path


@contextmanager
def taking_mail(proof: Path | None = None) -> Iterator[tuple[Post, int]]:
    """Serve SMTP while the block runs, with a certificate only after STARTTLS; yield what it does and its port."""
    tls = None
    if proof is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(proof)
    post = Post()
    # The library's own choice of a free port: it asks itself whether it listens, and cannot for port 0.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        post,
        hostname="127.0.0.1",
        port=port,
        authenticator=post.login,
        auth_require_tls=tls is not None,
        auth_exclude_mechanism=(),
        tls_context=tls,
        require_starttls=tls is not None,
    )
    controller.start()
    try:
        yield post, port
    finally:
        controller.stop()
