"""The servers out of wheels: they answer, they are closed to others, and nothing of them stays."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
import redis

from moondev.embedded import embedded_servers
from moondev.servers import state
from moondev.servers.errors import ServiceError
from moondev.servers.probes import reachable
from moondev.servers.users import User

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def test_serve_postgres_and_redis_and_are_gone_afterwards(tmp_path):
    with embedded_servers(tmp_path) as urls:
        assert set(urls) == {"DATABASE_URL", "BROKER_URL", "REDIS_URL"}
        with contextlib.closing(psycopg2.connect(urls["DATABASE_URL"])) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 0.1::numeric + 0.2::numeric")
            assert str(cursor.fetchone()[0]) == "0.3"
        with redis.Redis.from_url(urls["REDIS_URL"]) as client:
            assert client.ping()
            assert client.config_get("save") == {"save": ""}
        processes = [process for instance in state.load(tmp_path).values() for process in instance.processes]
        assert {process.name for process in processes} == {"postgres", "redis"}
    assert not any(process.alive() for process in processes)
    assert not any(reachable(url) for url in urls.values())


def test_refuse_whoever_has_no_password_and_listen_on_loopback_only(tmp_path):
    with embedded_servers(tmp_path) as urls:
        place = urlsplit(urls["DATABASE_URL"])
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(host="127.0.0.1", port=place.port, user="moondev", dbname="moondev")
        with redis.Redis(port=urlsplit(urls["REDIS_URL"]).port) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        for url in urls.values():
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(("127.0.0.2", urlsplit(url).port), timeout=1)


def test_refuse_a_second_run_in_the_same_folder(tmp_path):
    with embedded_servers(tmp_path), pytest.raises(ServiceError, match="another run"), embedded_servers(tmp_path):
        pass


def test_end_what_a_killed_run_left_behind(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from moondev.embedded import embedded_servers\n"
        "with embedded_servers(Path(sys.argv[1])): print('ready', flush=True); time.sleep(100)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as run:
        assert run.stdout.readline() == b"ready\n"
        left = [process for instance in state.load(tmp_path).values() for process in instance.processes]
        os.kill(run.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert all(process.alive() for process in left)

    with embedded_servers(tmp_path):
        assert not any(process.alive() for process in left)


def test_run_from_a_copy_when_their_user_cannot_enter_the_environment(tmp_path, monkeypatch):
    monkeypatch.setattr(User, "can_run", lambda _self, _program: False)
    with embedded_servers(tmp_path) as urls:
        processes = [process for instance in state.load(tmp_path).values() for process in instance.processes]
        programs = {Path(f"/proc/{process.pid}/exe").readlink() for process in processes}
        assert not any("site-packages" in str(program) for program in programs)
        assert all(reachable(url) for url in urls.values())
