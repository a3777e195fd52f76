"""Writes what a process says of itself, every few seconds, from a thread of its own.

The thread only carries: that the process works is what its loop says (`Pulse.turn`), so a loop that is stuck grows old
here although the thread lives. And a store that is away never makes the loop wait.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from moondev.domain.clock import LiveClock, monotonic
from moondev.heartbeat.beat import Beat
from moondev.heartbeat.code import code_digest
from moondev.heartbeat.local import LocalBeats
from moondev.heartbeat.pulse import Pulse
from moondev.heartbeat.stores import RedisBeats, SqlBeats, beats_redis

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# How often the database is told while Redis is there: what it knows is only needed when Redis is gone.
SQL_SECONDS = 60.0
_ENDS_SECONDS = 3.0


class Heart:
    """Beats for one process from `start` to `end`."""

    def __init__(self, name: str) -> None:
        """Beat under the name that the list of processes has for it (apps/monitor/demo/processes.py)."""
        self.pulse = Pulse()
        self._name, self._host, self._pid = name, socket.gethostname(), os.getpid()
        self._started = LiveClock().now()
        self._code = ""
        self._redis, self._sql, self._local = RedisBeats(beats_redis()), SqlBeats(), LocalBeats(settings.BEATS_DIR)
        self._told_sql = float("-inf")
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> Pulse:
        """Begin to beat; return what the loop is to turn."""
        self._thread.start()
        atexit.register(self.end)
        return self.pulse

    def end(self) -> None:
        """Say that the process ends of its own accord, and beat no more. In a child that was forked: do nothing."""
        if os.getpid() != self._pid or self._ending.is_set():
            return
        self._ending.set()
        self._thread.join(_ENDS_SECONDS)
        atexit.unregister(self.end)

    def _run(self) -> None:
        self._code = _code()
        while True:
            self._beat(None)
            if self._ending.wait(BEAT_SECONDS):
                break
        self._beat(LiveClock().now())

    def _beat(self, ended: datetime | None) -> None:
        load = self.pulse.load
        beat = Beat(
            name=self._name, host=self._host, pid=self._pid, started=self._started, beaten=LiveClock().now(),
            turned=self.pulse.turned, ended=ended, code=self._code, slots=load.slots, busy=load.busy,
        )  # fmt: skip
        self._tell_machine(beat)
        told = self._tell_redis(beat)
        if not told or ended is not None or monotonic() - self._told_sql >= SQL_SECONDS:
            self._tell_sql(beat)

    def _tell_machine(self, beat: Beat) -> None:
        try:
            if beat.turned is None:
                self._local.forget_others(beat)
            self._local.write(beat)
        except OSError as error:
            logger.debug("heartbeat: %s", error)

    def _tell_redis(self, beat: Beat) -> bool:
        try:
            self._redis.write(beat)
        except redis.RedisError as error:
            logger.debug("heartbeat: Redis: %s", error)
            return False
        return True

    def _tell_sql(self, beat: Beat) -> None:
        try:
            self._sql.write(beat)
            self._told_sql = monotonic()
        except (DatabaseError, InterfaceError) as error:
            logger.debug("heartbeat: database: %s", error)
        finally:
            # Once a minute is no reason to keep a session, and a child that is forked must not inherit one.
            connection.close()


@contextmanager
def beating(name: str) -> Iterator[Pulse]:
    """Beat under `name` while the block runs; yield what its loop is to turn."""
    heart = Heart(name)
    pulse = heart.start()
    try:
        yield pulse
    finally:
        heart.end()


def _code() -> str:
    try:
        return code_digest()
    except OSError as error:
        # A file may go away while it is read, as when a new version is being put there.
        logger.warning("which code runs here cannot be told: %s", error)
        return ""
