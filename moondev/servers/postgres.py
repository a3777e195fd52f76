"""A private PostgreSQL server."""

import os
import secrets
import signal
import subprocess
from functools import partial
from pathlib import Path

from moondev.servers.errors import ServiceError
from moondev.servers.instance import Instance
from moondev.servers.probes import answers_postgres, free_port
from moondev.servers.processes import Launch, start, tail, wait_ready
from moondev.servers.users import User

_ROLE = "moondev"
_DATABASE = "moondev"
_START_TIMEOUT_S = 60.0


def debian_binaries() -> Path | None:
    """Return the program folder of the newest PostgreSQL that Debian's packages installed."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


def start_postgres(folder: Path, user: User, binaries: Path) -> Instance:
    """Create an empty cluster in ``folder`` and start it on a free port of 127.0.0.1.

    The one role has a random password; access without it is refused.

    Raises:
        ServiceError: initdb or the server failed; the message ends with its log.
    """
    user.make_folder(folder)
    password = secrets.token_urlsafe(18)
    _initdb(folder, user, binaries, password)
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    launch = Launch(
        "postgres",
        [str(binaries / "postgres"), "-D", str(folder / "data"), *options],
        folder,
        user,
        {"TZ": "UTC"},
        # "Fast" shutdown: SIGTERM would wait for every client to leave.
        stop_signal=signal.SIGINT,
    )
    process = start(launch)
    wait_ready(process, partial(answers_postgres, "127.0.0.1", port), timeout_s=_START_TIMEOUT_S, log=_log(folder))
    _create_database(binaries, user, port, password, folder)
    return Instance(f"postgres://{_ROLE}:{password}@127.0.0.1:{port}/{_DATABASE}", (process,))


def _log(folder: Path) -> Path:
    return folder / "postgres.log"


def _initdb(folder: Path, user: User, binaries: Path, password: str) -> None:
    password_file = folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="utf-8")
    user.own(password_file)
    command = [
        str(binaries / "initdb"),
        *("-D", str(folder / "data"), "-U", _ROLE, "-E", "UTF8", "--locale=C", "-A", "scram-sha-256"),
        *("--no-sync", f"--pwfile={password_file}"),
    ]
    with (folder / "initdb.log").open("wb") as log:
        done = subprocess.run(
            command, check=False, cwd=folder, stdout=log, stderr=log, timeout=120, **user.popen_arguments()
        )
    password_file.unlink()
    if done.returncode != 0:
        raise ServiceError(f"initdb failed:\n{tail(folder / 'initdb.log')}")


def _create_database(binaries: Path, user: User, port: int, password: str, folder: Path) -> None:
    """Create our database. The server may still refuse logins for an instant after its port answers."""
    command = [str(binaries / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", _ROLE, _DATABASE]
    environment = {**os.environ, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5"}
    error = ""
    for _ in range(100):
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=folder,
            env=environment,
            timeout=30,
            **user.popen_arguments(),
        )
        if done.returncode == 0:
            return
        error = done.stderr.strip()
        if "starting up" not in error:
            break
    raise ServiceError(f"createdb failed: {error}")
