"""Listening to a bot: what is told there, and what it outlives."""

from __future__ import annotations

import html
import threading

import pytest
from django.db import InterfaceError

from apps.monitor.alerts.telegram import listening

UPDATE = {"update_id": 1, "message": {"date": 1, "chat": {"id": 7, "type": "private"}, "text": "status"}}


@pytest.fixture
def said(monkeypatch):
    """What was said to Telegram; each time it is asked there is one update."""
    said = []

    def ask(_token, method, arguments, **_):
        said.append((method, arguments))
        return [UPDATE] if method == "getUpdates" else True

    monkeypatch.setattr(listening, "ask", ask)
    monkeypatch.setattr(listening, "next_update", lambda *_: 0)
    monkeypatch.setattr(listening, "take_update", lambda *_: True)
    return said


@pytest.fixture
def listener():
    return listening.Listener("12345:AbCdEfGhIjKlMnOp")


def test_no_secret_is_told_in_a_chat(said, listener, monkeypatch):
    monkeypatch.setattr(listening, "answer_to", lambda *_: "turtle is paused: 401 for ?apiKey=AKIAABCDEFGH&x=1")
    assert listener.listen_once(0) == 1
    text = said[-1][1]["text"]
    assert "turtle is paused" in text
    assert "AKIAABCDEFGH" not in text


def test_an_answer_that_is_too_long_is_cut_and_not_lost(said, listener, monkeypatch):
    monkeypatch.setattr(listening, "answer_to", lambda *_: "trading: active\n" + 30 * (300 * "<" + "\n"))
    listener.listen_once(0)
    text = html.unescape(said[-1][1]["text"]).removeprefix("<pre>").removesuffix("</pre>")
    assert text.startswith("trading: active")
    assert text.endswith("…")
    assert len(text) <= 4_096


def test_a_session_that_broke_off_ends_no_listening(said, listener, monkeypatch):
    stop, rounds = threading.Event(), []

    def broken(*_):
        raise InterfaceError("connection already closed")

    def turned():
        rounds.append(len(rounds))
        if len(rounds) == 2:
            stop.set()

    monkeypatch.setattr(listening, "answer_to", broken)
    monkeypatch.setattr(listening, "FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(listening, "close_old_connections", lambda: None)
    listener.run(stop, turned)
    assert len(rounds) == 2
    assert "look before you ask again" in said[-1][1]["text"]
