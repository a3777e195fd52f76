"""Put the triggers on the watched tables: at the commit of whatever changes them the trail says so."""

from __future__ import annotations

from pathlib import Path

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from apps.monitor.audit.watched import CHANGED, WATCHED, Watched

NAME = "zz_audit"  # PostgreSQL fires in the order of names: after the checks of foreign keys, which may still wait
FUNCTIONS = Path(__file__).with_name("chain.sql")
TRAIL, GUARDS = "monitor_auditentry", ("audit_chain", "audit_refuse", "audit_refuse_all")


def triggers_install() -> None:
    """Write the functions and have every watched table under watch; nothing is done where all is as it should be."""
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS.read_text(encoding="utf-8"))
        _guard_trail(cursor)
        present = _present(cursor)
        for watched in WATCHED:
            columns = _columns(cursor, watched)
            if columns and present.get(watched.table) != _mark(watched, columns):
                # In one piece: whoever changes the table meanwhile waits, and does not slip through unwritten.
                with transaction.atomic():
                    _watch(cursor, watched, columns)


def triggers_remove() -> None:
    """Take every watch away."""
    with connection.cursor() as cursor:
        for table in _present(cursor):
            cursor.execute(_sql("DROP TRIGGER {} ON {}", NAME, table))


def triggers_off() -> list[str]:
    """Return the tables of which changes are not written down now, since their trigger is gone or switched off.

    The trail itself is one of them when it may be altered.
    """
    wanted = [(watched.table, NAME) for watched in WATCHED] + [(TRAIL, name) for name in GUARDS]
    with connection.cursor() as cursor:
        cursor.execute(_ON)
        on = set(cursor.fetchall())
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        there = {table for (table,) in cursor.fetchall()}
    return sorted({table for table, name in wanted if table in there and (table, name) not in on})


# D is off, R is only where changes come from another server.
_ON = (
    "SELECT c.relname::text, t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()"
    " AND t.tgenabled IN ('O', 'A') AND NOT t.tgisinternal"
)


def _guard_trail(cursor: CursorWrapper) -> None:
    """Let the trail grow and nothing else."""
    for statement in (
        (
            "CREATE OR REPLACE TRIGGER audit_chain BEFORE INSERT ON monitor_auditentry"
            " FOR EACH ROW EXECUTE FUNCTION monitor_audit_chain()"
        ),
        (
            "CREATE OR REPLACE TRIGGER audit_refuse BEFORE UPDATE OR DELETE ON monitor_auditentry"
            " FOR EACH ROW EXECUTE FUNCTION monitor_audit_refuse()"
        ),
        (
            "CREATE OR REPLACE TRIGGER audit_refuse_all BEFORE TRUNCATE ON monitor_auditentry"
            " FOR EACH STATEMENT EXECUTE FUNCTION monitor_audit_refuse()"
        ),
    ):
        cursor.execute(statement)


def _watch(cursor: CursorWrapper, watched: Watched, columns: list[str]) -> None:
    """Put a table under watch. Only changes of columns that say something fire at all: some rows are written often."""
    cursor.execute(_sql("DROP TRIGGER IF EXISTS {} ON {}", NAME, watched.table))
    events: sql.Composable = sql.SQL(watched.events)
    if watched.events == CHANGED:
        events += sql.SQL(" OF {}").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    arguments = (watched.label, *(",".join(names) for names in (watched.subject, watched.omitted, watched.hidden)))
    statement = sql.SQL(
        "CREATE CONSTRAINT TRIGGER {name} AFTER {events} ON {table} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION monitor_audit_row({arguments})"
    ).format(
        name=sql.Identifier(NAME),
        events=events,
        table=sql.Identifier(watched.table),
        arguments=sql.SQL(", ").join(map(sql.Literal, arguments)),
    )
    cursor.execute(statement)
    note = sql.SQL("COMMENT ON TRIGGER {} ON {} IS {}").format(
        sql.Identifier(NAME), sql.Identifier(watched.table), sql.Literal(_mark(watched, columns))
    )
    cursor.execute(note)


def _mark(watched: Watched, columns: list[str]) -> str:
    """Return what tells one watch from another."""
    return f"{watched} over {columns}"


def _present(cursor: CursorWrapper) -> dict[str, str]:
    """Return the tables under watch, each with its mark."""
    cursor.execute(
        "SELECT c.relname, coalesce(obj_description(t.oid, 'pg_trigger'), '') FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE t.tgname = %s AND n.nspname = current_schema() AND t.tgenabled IN ('O', 'A')",
        (NAME,),
    )
    return dict(cursor.fetchall())


def _columns(cursor: CursorWrapper, watched: Watched) -> list[str]:
    """Return the columns of a table that say something, in the order of their names; none when it is not there yet."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = %s"
        " ORDER BY column_name",
        (watched.table,),
    )
    return [name for (name,) in cursor.fetchall() if name not in watched.omitted]


def _sql(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))
