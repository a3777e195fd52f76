"""The audit trail: it only grows, it stays one chain, and whatever was done to it is found."""

from __future__ import annotations

import threading
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from apps.exchanges.models import Portfolio, ScopeKind
from apps.monitor import apps as monitor
from apps.monitor.audit.acting import acting, because
from apps.monitor.audit.append import audit_append
from apps.monitor.audit.triggers import triggers_install, triggers_remove
from apps.monitor.audit.verify import Anchor, recent_flaws, verify
from apps.monitor.audit.watched import WATCHED
from apps.monitor.models import AuditEntry, AuditHead
from apps.risk.models import Limit, LimitKind
from apps.risk.services import limit_set
from moondev.domain.clock import LiveClock
from moondev.domain.errors import InvalidValue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portfolio():
    Portfolio.objects.create(code="paper", currency="USDC", environment="paper")


def set_leverage(value, actor="ana"):
    return limit_set(
        kind=LimitKind.MAX_LEVERAGE, scope_kind=ScopeKind.PORTFOLIO, scope_key="paper", value=Decimal(value),
        actor=actor, now=LiveClock().now(),
    )  # fmt: skip


def tamper(statement, parameters=()):
    """Do to the trail what only the owner of the database can, past its triggers."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, parameters)


def words(anchors=()):
    return [(flaw.seq, flaw.words) for flaw in verify(anchors).flaws]


@pytest.fixture
def five():
    """Five entries, and where the chain ended."""
    for number in range(1, 6):
        audit_append(
            action="noted", subject=f"thing {number}", actor="ana", after={"number": number, "é": "ü, \U0001f600"}
        )
    return verify().head


@pytest.mark.usefixtures("portfolio")
def test_a_change_of_a_watched_row_says_who_what_and_what_it_was_before():
    set_leverage(5)
    with acting("ana via token bot", "10.1.2.3"):
        set_leverage(3)
    changed = AuditEntry.objects.get(action="limit changed")
    assert (changed.actor, changed.address) == ("ana via token bot", "10.1.2.3")
    assert changed.subject == "max_leverage:portfolio:paper"
    assert changed.before["value"] == 5
    assert changed.after["value"] == 3
    assert changed.after["version"] == 2
    # Nobody acts any more: the row's own author is named, and where there is none this process.
    set_leverage(2, actor="guard")
    assert AuditEntry.objects.filter(action="limit's change added").first().actor == "guard"
    Limit.objects.update(active=False)
    assert AuditEntry.objects.first().actor.endswith(connection.settings_dict["OPTIONS"]["application_name"])
    assert not verify().flaws


@pytest.mark.usefixtures("portfolio")
def test_what_was_rolled_back_or_changes_nothing_leaves_no_entry():
    set_leverage(5)
    before = AuditEntry.objects.count()
    with transaction.atomic():
        Limit.objects.update(value=9)
        transaction.set_rollback(True)
    Limit.objects.update(value=5)
    assert AuditEntry.objects.count() == before


def test_secrets_and_what_changes_by_itself_stay_out(django_user_model):
    user = django_user_model.objects.create_user("ana", password="first")
    user.set_password("second")
    user.save()
    last = AuditEntry.objects.filter(action="user changed").first()
    assert last.before == {"password": "hidden"}
    assert last.after == {"password": "hidden, another"}
    assert not AuditEntry.objects.filter(after__password__startswith="md5").exists()
    count = AuditEntry.objects.count()
    user.last_login = LiveClock().now()
    user.save()
    assert AuditEntry.objects.count() == count


@pytest.mark.parametrize(
    "statement",
    ["UPDATE monitor_auditentry SET actor = 'x'", "DELETE FROM monitor_auditentry", "TRUNCATE monitor_auditentry"],
)
def test_the_database_refuses_to_change_the_trail(five, statement):
    with pytest.raises(DatabaseError, match="only grows"), connection.cursor() as cursor:
        cursor.execute(statement)
    assert verify().head == five


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE monitor_auditentry SET actor = 'bea' WHERE seq = 3", [(3, "was altered")]),
        ("UPDATE monitor_auditentry SET at = at + interval '1 microsecond' WHERE seq = 3", [(3, "was altered")]),
        ("UPDATE monitor_auditentry SET after = after || '{\"number\": 4}' WHERE seq = 3", [(3, "was altered")]),
        # From one field into the next.
        ("UPDATE monitor_auditentry SET actor = 'an', address = 'a' WHERE seq = 3", [(3, "was altered")]),
        (
            ("UPDATE monitor_auditentry e SET actor = 'bea', hash = monitor_audit_hash(jsonb_populate_record(e,"
            " '{\"actor\": \"bea\"}')) WHERE seq = 3"),
            [(4, "does not follow")],
        ),
        ("DELETE FROM monitor_auditentry WHERE seq = 3", [(3, "is missing, up to 3")]),
        ("DELETE FROM monitor_auditentry WHERE seq < 3", [(1, "is missing, up to 2")]),
        ("DELETE FROM monitor_auditentry WHERE seq = 5", [(4, "is the last entry, but the chain had come to 5")]),
        (
            ("WITH gone AS (DELETE FROM monitor_auditentry WHERE seq = 5)"
            " UPDATE monitor_audithead SET seq = 4, hash = (SELECT hash FROM monitor_auditentry WHERE seq = 4)"),
            [(5, "was noted elsewhere and is not there")],
        ),
        (
            ("UPDATE monitor_auditentry a SET action = b.action, subject = b.subject, after = b.after, hash = b.hash"
            " FROM monitor_auditentry b WHERE (a.seq, b.seq) IN ((2, 4), (4, 2))"),
            [(2, "was altered"), (3, "does not follow"), (4, "was altered"), (5, "does not follow")],
        ),
        ("DELETE FROM monitor_audithead", [(5, "is the last entry and there is no head")]),
        (
            ("INSERT INTO monitor_auditentry SELECT 6, at, 'eve', address, action, subject, reason, before, after,"
            " previous_hash, hash FROM monitor_auditentry WHERE seq = 5"),
            [(6, "does not follow"), (6, "was altered"), (6, "is the last entry, but")],
        ),
    ],
)  # fmt: skip
def test_what_was_done_to_the_trail_is_found(five, statement, found):
    anchors = [five] if "SET seq = 4" in statement else []
    tamper(statement)
    told = words(anchors)
    assert [seq for seq, _ in told] == [seq for seq, _ in found]
    for (_, told_words), (_, expected) in zip(told, found, strict=True):
        assert told_words.startswith(expected)
    with pytest.raises(CommandError, match="the trail was touched"):
        call_command("audit", "verify", *(f"--anchor={a.seq}:{a.hash}" for a in anchors))


def test_a_chain_computed_anew_is_found_by_what_was_noted_elsewhere(five, capsys):
    tamper("UPDATE monitor_auditentry SET actor = 'bea' WHERE seq = 3")
    for seq in (3, 4, 5):
        tamper(
            "UPDATE monitor_auditentry e SET previous_hash = p.hash FROM monitor_auditentry p"
            " WHERE e.seq = %s AND p.seq = e.seq - 1",
            [seq],
        )
        tamper("UPDATE monitor_auditentry e SET hash = monitor_audit_hash(e) WHERE seq = %s", [seq])
    tamper("UPDATE monitor_audithead SET hash = (SELECT hash FROM monitor_auditentry WHERE seq = 5)")
    assert not verify().flaws
    assert words([five]) == [(5, "is another than the one noted elsewhere")]


def test_the_chain_goes_on_after_its_head_was_lost(five):
    tamper("DELETE FROM monitor_audithead")
    assert audit_append(action="noted") == 6
    assert not verify([five]).flaws


@pytest.mark.usefixtures("portfolio")
def test_entries_written_at_once_make_one_chain():
    def write(name):
        try:
            for number in range(10):
                set_leverage(1 + number, actor=name)
                audit_append(action="noted", actor=name)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(f"writer {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    checked = verify()
    assert not checked.flaws
    assert checked.entries == AuditEntry.objects.count() >= 40
    assert checked.head == Anchor(*AuditHead.objects.values_list("seq", "hash").get())


def test_the_trail_is_shown_and_its_end_named(five, capsys):
    call_command("audit", "verify")
    assert f"{five.seq}:{five.hash}" in capsys.readouterr().out
    call_command("audit", "head")
    assert capsys.readouterr().out.strip() == f"{five.seq}:{five.hash}"
    call_command("audit", "show", "--last", "1")
    assert capsys.readouterr().out.rstrip().endswith("ana noted thing 5")
    with pytest.raises(InvalidValue, match="seq:hash"):
        Anchor.parsed("5:short")


def test_every_watched_table_is_watched_whatever_was_there_before():
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'zz_audit'")
            assert cursor.fetchone() == (len(WATCHED),)
            triggers_remove()
            triggers_install()


@pytest.mark.usefixtures("five")
def test_a_table_that_is_watched_no_more_is_a_flaw_until_it_is_watched_again():
    statements = {
        "risk_limit": "ALTER TABLE risk_limit DISABLE TRIGGER zz_audit",
        "auth_user": "DROP TRIGGER zz_audit ON auth_user",
        "monitor_auditentry": "ALTER TABLE monitor_auditentry DISABLE TRIGGER audit_refuse",
    }
    assert not verify().flaws
    try:
        with connection.cursor() as cursor:
            for statement in statements.values():
                cursor.execute(statement)
        found = {flaw.words.partition("done to ")[2].partition(" ")[0] for flaw in verify().flaws}
        assert found == set(statements)
        assert {flaw.words for flaw in recent_flaws(3)} == {flaw.words for flaw in verify().flaws}
    finally:
        triggers_install()
    assert not verify().flaws


@pytest.mark.usefixtures("portfolio")
def test_a_session_that_breaks_off_meanwhile_takes_nothing_from_what_was_done():
    try:
        with acting("ana"), because("fire"):
            connection.ensure_connection()
            connection.connection.close()
            done = True
    finally:
        connection.close()
    assert done
    set_leverage(3)
    assert AuditEntry.objects.get(action="limit added").actor != "ana"


@pytest.mark.usefixtures("five")
def test_a_migrate_that_fails_leaves_every_table_watched_when_it_ends(monkeypatch):
    at_the_end = []
    monkeypatch.setattr(monitor, "atexit", SimpleNamespace(register=at_the_end.append))
    try:
        monitor._stop_watching(plan=["one that fails"])
        assert len(verify().flaws) == len(WATCHED)
        [again] = at_the_end
        again()
        assert not verify().flaws
    finally:
        triggers_install()
