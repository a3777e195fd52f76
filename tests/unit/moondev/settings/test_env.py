from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from moondev.settings import env


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("THING", "THING_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_a_required_text_that_is_missing_is_named():
    with pytest.raises(ImproperlyConfigured, match="THING is not set"):
        env.env_str("THING")


def test_an_empty_text_counts_as_missing(monkeypatch):
    monkeypatch.setenv("THING", "")
    assert env.env_str("THING", default="x") == "x"


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("True", True), ("FALSE", False)])
def test_a_boolean_is_true_or_false(monkeypatch, text, value):
    monkeypatch.setenv("THING", text)
    assert env.env_bool("THING", default=not value) is value


@pytest.mark.parametrize("text", ["yes", "1", "0", "on", "wahr", " true"])
def test_a_boolean_is_nothing_else(monkeypatch, text):
    monkeypatch.setenv("THING", text)
    with pytest.raises(ImproperlyConfigured, match=r"THING=.*allowed are true and false"):
        env.env_bool("THING", default=False)


@given(st.text(min_size=1).filter(lambda text: "\0" not in text and text.lower() not in {"true", "false"}))
def test_no_other_text_is_a_boolean(text):
    with pytest.MonkeyPatch.context() as patch:
        try:
            patch.setenv("THING", text)
        except UnicodeEncodeError:
            return
        with pytest.raises(ImproperlyConfigured):
            env.env_bool("THING", default=True)


def test_a_number_below_its_minimum_is_refused(monkeypatch):
    monkeypatch.setenv("THING", "-1")
    with pytest.raises(ImproperlyConfigured, match="THING=-1: allowed is at least 0"):
        env.env_int("THING", default=3)
    monkeypatch.setenv("THING", "many")
    with pytest.raises(ImproperlyConfigured, match="THING='many': allowed is a whole number"):
        env.env_int("THING", default=3)


def test_a_secret_comes_from_the_file_before_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("THING", "from the variable")
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "secret"))
    assert env.env_secret("THING") == "from the file"


def test_a_secret_file_that_is_missing_or_empty_is_an_error_even_with_a_default(monkeypatch, tmp_path):
    monkeypatch.setenv("THING_FILE", str(tmp_path / "none"))
    with pytest.raises(ImproperlyConfigured, match=r"THING_FILE=.*cannot be read"):
        env.env_secret("THING", default="x")
    (tmp_path / "none").write_text(" \n")
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        env.env_secret("THING", default="x")


def test_a_choice_outside_the_list_is_refused(monkeypatch):
    monkeypatch.setenv("THING", "yes")
    with pytest.raises(ImproperlyConfigured, match="THING='yes': allowed are"):
        env.env_choice("THING", allowed=frozenset({"", "yes-trade-real-money"}), default="")


def test_a_broker_of_another_kind_is_refused_without_showing_its_password(monkeypatch):
    monkeypatch.setenv("THING", "sqs://key:hidden@")
    with pytest.raises(ImproperlyConfigured, match="starts with 'sqs'") as caught:
        env.env_broker_url("THING", default="redis://x")
    assert "hidden" not in str(caught.value)


def test_only_postgres_is_a_database(monkeypatch):
    monkeypatch.setenv("THING", "sqlite:////tmp/x")
    with pytest.raises(ImproperlyConfigured, match="THING: allowed is a postgres:// URL"):
        env.env_database("THING", default="")


def test_a_database_url_is_taken_apart(monkeypatch):
    monkeypatch.setenv("THING", "postgres://user:p%40ss@127.0.0.1:5433/name")
    database = env.env_database("THING", default="")
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["USER"], database["PASSWORD"], database["HOST"], database["PORT"], database["NAME"]) == (
        "user",
        "p@ss",
        "127.0.0.1",
        5433,
        "name",
    )


def test_an_env_file_does_not_override_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("THING", "mine")
    (tmp_path / "env").write_text("THING=file\n")
    env.load_env_file(tmp_path / "env")
    assert env.env_str("THING") == "mine"
    env.load_env_file(tmp_path / "missing")


def test_a_path_that_may_be_missing_is_none_then_and_knows_home_and_project(monkeypatch):
    assert env.env_optional_path("THING") is None
    monkeypatch.setenv("THING", "")
    assert env.env_optional_path("THING") is None
    monkeypatch.setenv("THING", "strategies")
    assert env.env_optional_path("THING") == env.PROJECT_ROOT / "strategies"
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("THING", "~/strategies")
    assert env.env_optional_path("THING") == Path("/home/me/strategies")


def test_where_traces_go_is_an_address_and_needs_its_packages(monkeypatch):
    monkeypatch.delenv("TRACES", raising=False)
    assert env.env_traces_endpoint("TRACES") == ""
    monkeypatch.setenv("TRACES", "http://collector:4318/v1/traces")
    assert env.env_traces_endpoint("TRACES") == "http://collector:4318/v1/traces"
    monkeypatch.setattr("moondev.settings.env.find_spec", lambda _: None)
    with pytest.raises(ImproperlyConfigured, match="requirements-traces"):
        env.env_traces_endpoint("TRACES")
    monkeypatch.setenv("TRACES", "grpc://collector:4317")
    with pytest.raises(ImproperlyConfigured, match="http:// or https://"):
        env.env_traces_endpoint("TRACES")


def test_how_lines_are_written_may_be_chosen(monkeypatch):
    chosen = {}
    for style in ("", "plain"):
        if style:
            monkeypatch.setenv("LOG_STYLE", style)
        config = env.log_lines(style="json", level="INFO", environment="production")
        chosen[style] = config["formatters"]["line"]["()"]
    assert chosen == {"": "moondev.logs.lines.JsonLines", "plain": "moondev.logs.lines.PlainLines"}
    monkeypatch.setenv("LOG_STYLE", "xml")
    with pytest.raises(ImproperlyConfigured, match="json"):
        env.log_lines(style="json", level="INFO", environment="production")


def test_the_page_that_alerts_lead_to_is_an_address(monkeypatch):
    for page in ("", "https://example.com/dashboard/"):
        monkeypatch.setenv("THING", page)
        assert env.env_page("THING") == page
    for none in ("example.com/dashboard", "javascript:alert(1)", "https://", "http://[", "https://x/" + 500 * "y"):
        monkeypatch.setenv("THING", none)
        with pytest.raises(ImproperlyConfigured, match=r"THING=.*allowed is an http"):
            env.env_page("THING")
