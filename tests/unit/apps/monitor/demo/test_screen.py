import io
from decimal import Decimal

from rich.console import Console

from apps.monitor.demo.screen import Frame, LiveScreen, PlainScreen, line_of, panel_of, screen_for
from apps.monitor.demo.snapshot import CpuTimes, Holding, Snapshot, as_json, read_cpu_times

SNAPSHOT = Snapshot(
    ticks=1234,
    ticks_failed=1,
    ticks_outstanding=2,
    orders=56,
    refused=7,
    open_orders=8,
    fills=90,
    realised=Decimal("10.5"),
    fees=Decimal("2.25"),
    funding=Decimal("-0.25"),
    unrealised=Decimal(-3),
    positions=tuple(Holding(f"maker-{n}", "hyperliquid:BTC", Decimal("-0.5"), Decimal(60000)) for n in range(14)),
)


def frame(**changes):
    values = {
        "elapsed_s": 12.0,
        "note": "trading",
        "snapshot": SNAPSHOT,
        "queues": {"ticks": 3, "default": 1},
        "steal_percent": 4.2,
        "restarts": 0,
    }
    return Frame(**(values | changes))


def text_of(shown):
    console = Console(file=io.StringIO(), width=160)
    console.print(shown)
    return console.file.getvalue()


def test_the_line_has_every_number_people_ask_for():
    line = line_of(frame())
    for part in ("ticks 1234", "orders 56", "open 8", "refused 7", "fills 90", "positions 14", "pnl +5.00", "queued 4"):
        assert part in line
    assert "steal 4%" in line
    assert "\n" not in line


def test_a_broker_that_does_not_answer_is_not_shown_as_empty():
    assert "queued ?" in line_of(frame(queues=None))
    assert "does not answer" in text_of(panel_of(frame(queues=None)))


def test_the_panel_shows_positions_and_says_how_many_it_leaves_out():
    shown = text_of(panel_of(frame()))
    assert "maker-0" in shown
    assert "-0.5" in shown
    assert "and 2 more" in shown
    assert "PNL" in shown


def test_a_plain_screen_writes_a_line_every_five_seconds():
    now = [100.0]
    output = io.StringIO()
    with PlainScreen(output, monotonic=lambda: now[0]) as screen:
        for _ in range(11):
            screen.show(frame())
            now[0] += 1.0
    assert len(output.getvalue().splitlines()) == 3


def test_a_pipe_gets_the_plain_screen_and_a_terminal_the_live_one():
    assert isinstance(screen_for(io.StringIO()), PlainScreen)

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    screen = screen_for(terminal)
    assert isinstance(screen, LiveScreen)
    with screen:
        screen.show(frame())
        screen.say("a process ended")
    assert "a process ended" in terminal.getvalue()


def test_json_amounts_are_numbers_and_zero_is_zero():
    fields = as_json(SNAPSHOT)
    assert fields["realised_pnl"] == 10.5
    assert fields["unrealised_pnl"] == -3
    assert type(fields["unrealised_pnl"]) is int


def test_steal_is_the_share_of_time_since_the_last_look():
    assert CpuTimes(200, 30).steal_percent_since(CpuTimes(100, 20)) == 10.0
    assert CpuTimes(100, 20).steal_percent_since(CpuTimes(100, 20)) == 0.0
    assert read_cpu_times().total > 0
