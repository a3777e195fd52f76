"""Read settings from the environment with typed functions that fail loudly.

Every reader names the variable, the value and what is allowed. Secrets are never shown.
"""

import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

from moondev.logs.redaction import redaction
from moondev.logs.setup import STYLES, logging_config, this_service

PROJECT_ROOT = Path(__file__).resolve().parents[2]

LONGEST_PAGE = 500
_BOOLEANS = {"true": True, "false": False}


def load_env_file(path: Path) -> None:
    """Take KEY=VALUE lines of a file into the environment; what is set already wins.

    A missing file is not an error: it means "nothing configured here".
    """
    if path.is_file():
        environ.Env.read_env(path, overwrite=False)


def env_str(name: str, *, default: str | None = None) -> str:
    """Return a text variable; None as default means "required"."""
    value = os.environ.get(name)
    if value is not None and value != "":
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set: a value is required")
    return default


def env_bool(name: str, *, default: bool) -> bool:
    """Return a boolean variable; only ``true`` and ``false`` are accepted."""
    value = env_str(name, default=str(default)).lower()
    if value not in _BOOLEANS:
        raise ImproperlyConfigured(f"{name}={value!r}: allowed are true and false")
    return _BOOLEANS[value]


def env_int(name: str, *, default: int, minimum: int = 0) -> int:
    """Return a whole number that is at least ``minimum``."""
    value = env_str(name, default=str(default))
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r}: allowed is a whole number") from error
    if number < minimum:
        raise ImproperlyConfigured(f"{name}={number}: allowed is at least {minimum}")
    return number


def env_list(name: str, *, default: str) -> list[str]:
    """Return the non-empty items of a comma separated variable."""
    return [item.strip() for item in env_str(name, default=default).split(",") if item.strip()]


def env_choice(name: str, *, allowed: frozenset[str], default: str) -> str:
    """Return a variable that must be one of ``allowed``."""
    value = os.environ.get(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r}: allowed are {sorted(allowed)}")
    return value


def env_zone(name: str, *, default: str) -> str:
    """Return the name of a time zone that this machine knows."""
    value = env_str(name, default=default)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ImproperlyConfigured(f"{name}={value!r}: allowed is a time zone such as Europe/Berlin") from error
    return value


def env_path(name: str, *, default: Path) -> Path:
    """Return an absolute path; a relative one counts from the project."""
    return PROJECT_ROOT / Path(env_str(name, default=str(default)))


def env_optional_path(name: str) -> Path | None:
    """Return an absolute path, a relative one from the project, or None where nothing is set."""
    value = env_str(name, default="")
    return PROJECT_ROOT / Path(value).expanduser() if value else None


def env_secret(name: str, *, default: str | None = None) -> str:
    """Return a secret from ``NAME``, or from the file that ``NAME_FILE`` points to.

    None as default means "required". A file that cannot be read or is empty is an error, never "unset". From then on no
    line that this process logs shows it.
    """
    file_name = os.environ.get(f"{name}_FILE", "")
    if not file_name:
        value = env_str(name, default=default)
        if value != default:
            redaction().learn(value)
        return value
    try:
        value = Path(file_name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE={file_name!r} cannot be read: {error.strerror}") from error
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE={file_name!r} is empty: a secret is required")
    redaction().learn(value)
    return value


def env_broker_url(name: str, *, default: str) -> str:
    """Return the URL of a message broker this project is built for: RabbitMQ or Redis."""
    value = env_secret(name, default=default)
    scheme = value.partition("://")[0]
    if scheme not in {"amqp", "amqps", "redis", "rediss"}:
        raise ImproperlyConfigured(f"{name} starts with {scheme!r}: allowed are amqp://, amqps://, redis://, rediss://")
    return value


def env_database(name: str, *, default: str) -> dict[str, Any]:
    """Return Django's description of a PostgreSQL database from a ``postgres://`` URL.

    A unix socket folder is written ``postgres://user@/name?host=/folder``.
    """
    url = env_secret(name, default=default)
    if url.partition("://")[0] not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name}: allowed is a postgres:// URL (one SQL dialect everywhere)")
    database: dict[str, Any] = environ.Env.db_url_config(url)
    socket_folder = database.get("OPTIONS", {}).pop("host", None)
    if socket_folder:
        database["HOST"] = socket_folder
    return database


def env_page(name: str) -> str:
    """Return the address of a page of ours as people reach it, empty for none.

    Alerts carry it: one that is none would keep each of them from being told, and nobody would know.
    """
    address = env_str(name, default="")
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if address and (parts.scheme not in {"http", "https"} or not parts.netloc or len(address) > LONGEST_PAGE):
        allowed = (
            f"an http:// or https:// URL of at most {LONGEST_PAGE} characters, such as https://example.com/dashboard/"
        )
        raise ImproperlyConfigured(f"{name}={address!r}: allowed is {allowed}")
    return address


def env_traces_endpoint(name: str) -> str:
    """Return where traces go, empty for nowhere. What they need must be there before anybody relies on them."""
    endpoint = env_secret(name, default="")
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name}: allowed is an http:// or https:// URL, such as http://host:4318/v1/traces")
    if endpoint and find_spec("opentelemetry.exporter") is None:
        raise ImproperlyConfigured(f"{name} is set: it needs the packages of requirements-traces.txt")
    return endpoint


def log_lines(*, style: str, level: str, environment: str) -> dict[str, Any]:
    """Return how this process logs; LOG_STYLE says otherwise than `style`."""
    chosen = env_choice("LOG_STYLE", allowed=STYLES, default=style)
    return logging_config(
        style=chosen,
        level=level,
        environment=environment,
        service=this_service(),
        host=socket.gethostname(),
    )


def process_name() -> str:
    """Return what this process is and whose, as PostgreSQL shows it (at most 63 characters)."""
    path, arguments = Path(sys.argv[0]), sys.argv[1:]
    program = path.parent.name if path.name == "__main__.py" else path.name
    what = arguments[0] if program == "manage.py" and arguments else ""
    return " ".join(part for part in (program, what, f"of {os.environ.get('USER') or os.getuid()}") if part)[:63]
