"""The processes of the platform as containers ought to run them."""

from __future__ import annotations

import re
from functools import cache

from django.core.management import get_commands, load_command_class

from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import platform_processes
from tests.support.config_files import PROJECT_ROOT

VENUES = ("hyperliquid", "binance", "bybit", "phemex", "dydx")
PORTS = Ports(mock=8001, web=8000, metrics=9108)
# What other programs than ours read.
OF_OTHERS = frozenset({"DJANGO_SETTINGS_MODULE", "FORWARDED_ALLOW_IPS", "MOONDEV_PROCESS"})


def signs(process: str) -> bool:
    """Return whether a process needs the keys of accounts."""
    return process in {"portfolio", "risk_guard"} or process.startswith(("orders-", "vetoes-", "stream-user-"))


def platform_commands(settings: object) -> dict[str, list[str]]:
    """Return what each process is run as in a container, where it listens to all and not only to itself."""
    settings.TELEGRAM_COMMANDS_TOKEN = "given"  # type: ignore[attr-defined]  pytest-django's settings take anything
    found = {}
    for spec in platform_processes(VENUES, PORTS):
        words = [word.replace("127.0.0.1", "0.0.0.0") for word in spec.command[1:]]
        found[spec.name] = ["python", *words]
    return found


def require_parses(command: list[str]) -> None:
    """Fail unless the program of a command line takes it: Django's commands by their own parser."""
    program = command[1:]
    if program[0] != "manage.py":
        assert program[:2] in (["-m", "celery"], ["-m", "uvicorn"]), command
        return
    name, arguments = program[1], program[2:]
    app = get_commands()[name]
    loaded = load_command_class(app, name) if isinstance(app, str) else app
    loaded.create_parser("manage.py", name).parse_args(arguments)


@cache
def known_variables() -> frozenset[str]:
    """Return every environment variable that the platform reads."""
    read = re.compile(r"""env_\w+\(\s*"([A-Z][A-Z0-9_]*)\"""")
    files = [*PROJECT_ROOT.glob("moondev/settings/*.py"), *PROJECT_ROOT.glob("apps/monitor/**/*.py")]
    return frozenset(name for path in files for name in read.findall(path.read_text(encoding="utf-8"))) | OF_OTHERS


def is_known(variable: str) -> bool:
    """Return whether anybody reads a variable, itself or as the name of a file."""
    return variable in known_variables() or variable.removesuffix("_FILE") in known_variables()
