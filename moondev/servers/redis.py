"""A private Redis server."""

import secrets
import shutil
from functools import partial
from pathlib import Path

from moondev.servers.instance import Instance
from moondev.servers.probes import answers_redis, free_port
from moondev.servers.processes import Launch, start, wait_ready
from moondev.servers.users import User

_START_TIMEOUT_S = 30.0


def debian_redis() -> Path | None:
    """Return the redis-server that the system has on its path."""
    found = shutil.which("redis-server")
    return Path(found) if found else None


def start_redis(folder: Path, user: User, program: Path) -> Instance:
    """Start a Redis that keeps nothing on disk, on a free port of 127.0.0.1, behind a random password.

    Raises:
        ServiceError: it ended or did not answer in time; the message ends with its log.
    """
    user.make_folder(folder)
    port, password = free_port(), secrets.token_urlsafe(18)
    # A file, because a command line is everybody's to read. Without "bind" it would listen on every interface.
    config = folder / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir "{folder}"\n'
        "databases 16\ndaemonize no\n",
        encoding="utf-8",
    )
    user.own(config)
    process = start(Launch("redis", [str(program), str(config)], folder, user, {}))
    wait_ready(process, partial(answers_redis, "127.0.0.1", port), timeout_s=_START_TIMEOUT_S, log=folder / "redis.log")
    return Instance(f"redis://:{password}@127.0.0.1:{port}/0", (process,))
