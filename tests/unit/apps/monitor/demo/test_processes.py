from pathlib import Path

import celeryconfig
from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import TICK_SOURCES, mock_process, platform_processes, web_process

PORTS = Ports(mock=1, web=2)


def test_every_process_of_the_design_is_there():
    names = [spec.name for spec in platform_processes(["hyperliquid"], PORTS)]
    assert sorted(names) == sorted(
        [
            "stream-market-hyperliquid",
            "stream-user-hyperliquid",
            "orders-hyperliquid",
            "vetoes-hyperliquid",
            "ticks",
            "portfolio",
            "general",
            "notices",
            "research",
            "risk_guard",
            "dispatcher",
            "alert_watch",
            "beat",
            "metrics",
            "web",
            "flower",
        ]
    )
    assert set(TICK_SOURCES) <= set(names)


def test_every_queue_is_consumed():
    commands = [word for spec in platform_processes(["hyperliquid"], PORTS) for word in spec.command]
    consumed = {q for word in commands if word.startswith("--queues=") for q in word[9:].split(",")}
    assert consumed == {queue.name for queue in celeryconfig.task_queues}


def test_the_veto_worker_is_a_process_of_its_own():
    (veto,) = [spec for spec in platform_processes(["hyperliquid"], PORTS) if spec.name.startswith("vetoes")]
    assert "--queues=vetoes.hyperliquid" in veto.command


def test_no_password_is_on_a_command_line():
    words = " ".join(word for spec in platform_processes(["hyperliquid"], PORTS) for word in spec.command)
    assert "basic" not in words
    assert "redis://" not in words


def test_the_web_process_has_as_many_workers_as_it_is_told(settings):
    assert "--workers" not in web_process(PORTS).command
    settings.WEB_WORKERS = 3
    assert list(web_process(PORTS).command)[-2:] == ["--workers", "3"]


def test_the_mock_gets_the_feed_only_when_there_is_one():
    assert "--feed" not in mock_process(PORTS, None, ["hyperliquid"]).command
    assert list(mock_process(PORTS, Path("/x.parquet"), ["hyperliquid"]).command)[-2:] == ["--feed", "/x.parquet"]


def test_every_venue_has_its_own_streams_senders_and_veto_worker():
    names = [spec.name for spec in platform_processes(["binance", "dydx"], PORTS)]
    for kind in ("stream-market", "stream-user", "orders", "vetoes"):
        assert [name for name in names if name.startswith(kind)] == [f"{kind}-binance", f"{kind}-dydx"]


def test_the_mock_speaks_the_venues_of_the_run():
    assert "binance,dydx" in mock_process(PORTS, None, ["binance", "dydx"]).command


def test_nobody_listens_to_telegram_unless_somebody_said_to_whom(settings):
    settings.TELEGRAM_COMMANDS_TOKEN = "123456:AAbbCCddEEff"
    [listener] = [spec for spec in platform_processes([], PORTS) if spec.name == "telegram"]
    assert list(listener.command[1:]) == ["manage.py", "telegram"]
