"""Install the Debian packages of the servers, where that is allowed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from moondev.servers.errors import ServiceError

_APT_TIMEOUT_S = 600


def install(packages: Sequence[str]) -> None:
    """Install packages with apt-get, as root or through a sudo that asks no password.

    Raises:
        ServiceError: it is not allowed or failed; the message is the command to run.
    """
    by_hand = f"sudo apt-get install -y --no-install-recommends {' '.join(packages)}"
    prefix = _root_prefix()
    if prefix is None or shutil.which("apt-get") is None:
        raise ServiceError(f"missing: {', '.join(packages)}. Install them, then run this again:\n  {by_hand}")
    print(f"Installing {', '.join(packages)} ...", file=sys.stderr)  # noqa: T201  a script's progress
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*prefix, "apt-get", "-q", *command],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            timeout=_APT_TIMEOUT_S,
        )
        if done.returncode != 0:
            raise ServiceError(f"apt-get {command[0]} failed:\n{done.stderr[-2000:]}\nBy hand:\n  {by_hand}")


def _root_prefix() -> list[str] | None:
    """Return what to put before a command so that it runs as root, or None when there is no way."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True, timeout=10)
    return ["sudo", "-n"] if allowed.returncode == 0 else None
