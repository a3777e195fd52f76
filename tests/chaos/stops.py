"""Stop a process of the platform at an exact statement, from outside: nothing of the product knows about it.

Triggers in the tests' own database take a shared advisory lock at the points named here; whoever holds that lock
exclusively stops the process there, in the middle of its transaction. A killed process leaves such a transaction
waiting on the server, so the server is told that its client is gone, as it would notice itself a moment later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg2

from tests.chaos.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Point:
    """A statement at which a process can be stopped. `who` is the column that tells whose row it is."""

    number: int
    table: str
    event: str
    when: str
    who: str


POINTS = {
    # The sender's lease is about to be taken: nothing of the claim is committed.
    "claim": Point(9001, "exchanges_account", "UPDATE", "NEW.fence > OLD.fence", "id"),
    # Claimed; SENDING is about to be written.
    "begin": Point(
        9002, "exchanges_order", "UPDATE", "OLD.status = 'approved' AND NEW.status = 'sending'", "account_id"
    ),
    # The answer was heard and is about to be written.
    "apply": Point(
        9003, "exchanges_order", "UPDATE", "OLD.status = 'sending' AND NEW.status <> 'sending'", "account_id"
    ),
    # Everything is written; the lease is about to be given back.
    "give back": Point(9004, "exchanges_account", "UPDATE", "OLD.sender <> '' AND NEW.sender = ''", "id"),
    # The same for cancels and amends.
    "begin command": Point(
        9005, "exchanges_ordercommand", "UPDATE", "OLD.status = 'approved' AND NEW.status = 'sending'", "account_id"
    ),
    "settle command": Point(
        9006, "exchanges_ordercommand", "UPDATE", "OLD.status = 'sending' AND NEW.status <> 'sending'", "account_id"
    ),
    # A tick is about to write its orders.
    "record": Point(9007, "exchanges_order", "INSERT", "true", "account_id"),
    # A halt is about to note how far it has got.
    "halt": Point(9008, "exchanges_veto", "UPDATE", "NEW.stage <> OLD.stage", ""),
}
_FUNCTION = """
CREATE OR REPLACE FUNCTION chaos_stop() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE whose int := 0;
BEGIN
    IF TG_ARGV[1] <> '' THEN
        whose := (to_jsonb(NEW) ->> TG_ARGV[1])::int;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::int, whose);
    RETURN NEW;
END $$
"""


def install(database_url: str) -> None:
    """Make the triggers in a database of the tests' own."""
    with closing(psycopg2.connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_FUNCTION)
        for point in POINTS.values():
            cursor.execute(
                f"CREATE OR REPLACE TRIGGER chaos_{point.number} BEFORE {point.event} ON {point.table}"
                f" FOR EACH ROW WHEN ({point.when}) EXECUTE FUNCTION chaos_stop('{point.number}', '{point.who}')"
            )


class Stop:
    """One point held for one account; whoever comes there waits."""

    def __init__(self, cursor: psycopg2.extensions.cursor, point: Point, whose: int) -> None:
        self._cursor, self._key = cursor, (point.number, whose)

    def waiting(self) -> list[int]:
        """Return the server's pids of the sessions that are stopped here."""
        self._cursor.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND NOT granted",
            self._key,
        )
        return [pid for (pid,) in self._cursor.fetchall()]

    def reached(self, seconds: float = 30.0) -> None:
        """Wait until a process stands here; when none comes, say what they all are doing instead."""
        try:
            wait_until(f"a process at point {self._key}", self.waiting, seconds)
        except AssertionError as error:
            self._cursor.execute(
                "SELECT pid, state, wait_event_type, wait_event, pg_blocking_pids(pid), left(query, 120)"
                " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND (state <> 'idle' OR wait_event_type = 'Lock')"
            )
            raise AssertionError(f"{error}; sessions: {self._cursor.fetchall()}") from error

    def end_sessions(self) -> None:
        """Tell the server that the clients stopped here are gone: their transactions are rolled back.

        Whoever took the place of a killed process meanwhile may stand here already; it lives, and waits.
        """
        gone = set(self.waiting())
        for pid in gone:
            self._cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
        wait_until("the sessions to end", lambda: gone.isdisjoint(self.waiting()))


@contextmanager
def stopped_at(database_url: str, name: str, whose: int = 0) -> Iterator[Stop]:
    """Hold a point while the block runs; afterwards whoever waits there goes on."""
    point = POINTS[name]
    with closing(psycopg2.connect(database_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", (point.number, whose))
            # Closing the connection, by the end of the block or an error in it, gives the lock back.
            yield Stop(cursor, point, whose)


@contextmanager
def table_locked(database_url: str, table: str) -> Iterator[None]:
    """Let nobody so much as read a table while the block runs."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


def waiting_for_table(database_url: str, table: str) -> int:
    """Return how many sessions wait for a table that is locked."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted AND mode = 'AccessShareLock'",
            (table,),
        )
        return int(cursor.fetchone()[0])


def end_waiting_for_table(database_url: str, table: str) -> None:
    """Tell the server that the clients which wait for a table are gone."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = %s::regclass AND NOT granted", (table,)
        )
