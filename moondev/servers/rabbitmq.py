"""A private RabbitMQ node with an epmd of its own.

The stock wrapper in /usr/sbin insists on root or its own user and on fixed ports; the script in /usr/lib runs for
anybody. The distribution port is set because its default, node port + 20000, collides with a stock node's.
"""

import secrets
import shutil
from functools import partial
from pathlib import Path

from moondev.servers.errors import ServiceError
from moondev.servers.instance import Instance
from moondev.servers.probes import answers_amqp, free_port
from moondev.servers.processes import Launch, Process, start, wait_ready
from moondev.servers.users import User

_SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
# Five seconds on a calm machine, 37 were seen on a busy one.
_START_TIMEOUT_S = 120.0
_LOCALHOST = "127.0.0.1"


def debian_rabbitmq() -> Path | None:
    """Return the node's start script of Debian's package, when Erlang's epmd is there too."""
    return _SCRIPT if _SCRIPT.is_file() and shutil.which("epmd") else None


def start_rabbitmq(folder: Path, user: User, script: Path) -> Instance:
    """Start a node on free ports of 127.0.0.1.

    Raises:
        ServiceError: the node or its epmd ended or did not answer in time; the message ends with its log.
    """
    user.make_folder(folder)
    home = user.make_folder(folder / "home")
    _write_cookie(home, user)
    ports = {name: free_port() for name in ("node", "distribution", "epmd")}
    # Started by us, the node finds it and starts none of its own: so we know its pid and can end it.
    epmd = _start_epmd(folder, user, ports["epmd"])
    environment = _environment(folder, home, ports)
    try:
        node = start(Launch("rabbitmq", [str(script)], folder, user, environment))
        log = folder / "rabbitmq.log"
        ready = partial(answers_amqp, _LOCALHOST, ports["node"])
        wait_ready(node, ready, timeout_s=_START_TIMEOUT_S, log=log)
    except ServiceError:
        epmd.stop()
        raise
    return Instance(f"amqp://guest:guest@{_LOCALHOST}:{ports['node']}//", (node, epmd))


def _start_epmd(folder: Path, user: User, port: int) -> Process:
    program = shutil.which("epmd")
    if program is None:
        raise ServiceError("epmd, Erlang's port mapper, is not on the path: install erlang-base")
    # -relaxed_command_check lets a node that died unregister; without it epmd keeps its name.
    command = [program, "-address", _LOCALHOST, "-port", str(port), "-relaxed_command_check"]
    return start(Launch("epmd", command, folder, user, {}))


def _write_cookie(home: Path, user: User) -> None:
    cookie = home / ".erlang.cookie"
    cookie.touch(mode=0o600)
    cookie.write_text(secrets.token_hex(16), encoding="ascii")
    # The node refuses to boot with any other mode.
    cookie.chmod(0o400)
    user.own(cookie)


def _environment(folder: Path, home: Path, ports: dict[str, int]) -> dict[str, str]:
    """Return the variables a node needs to touch nothing outside its folder."""
    return {
        "HOME": str(home),
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": _LOCALHOST,
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        # A host name that does not resolve hangs the boot without a word.
        "RABBITMQ_NODENAME": f"moondev{ports['node']}@localhost",
        "RABBITMQ_NODE_PORT": str(ports["node"]),
        "RABBITMQ_NODE_IP_ADDRESS": _LOCALHOST,
        "RABBITMQ_DIST_PORT": str(ports["distribution"]),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced"),
        "RABBITMQ_SCHEMA_DIR": str(folder / "schema"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(folder / "node.pid"),
        # Makes the script replace itself by the node instead of waiting beside it: our pid is the node's.
        "RUNNING_UNDER_SYSTEMD": "true",
    }
