"""The whole description, asked at random by schemathesis: nothing makes the server fail; each has examples."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from apps.monitor.access.roles import ADMINISTRATOR
from tests.integration.api_world import Client, served, small_world, tokens_of_roles

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
EXAMPLES_EACH = 6
REFUSALS = {"400", "401", "403", "404", "409", "412", "413", "422", "428", "429", "503"}


@pytest.fixture
def home():
    with served() as address:
        yield address


@pytest.fixture
def administrator(home, settings, monkeypatch):
    """Somebody who may do everything, as often as he likes; what he does wakes nobody."""
    settings.API_RATE_PER_CALLER = settings.API_RATE_PER_ADDRESS = "100000/second"
    monkeypatch.setattr("apps.risk.vetoes.send", lambda *_, **__: None)
    for module in ("exchanges.orders.wake", "strategies.backtest.services"):
        monkeypatch.setattr(f"apps.{module}.wake", lambda *_, **__: None)
    return Client(home, tokens_of_roles()[ADMINISTRATOR])


def test_nothing_that_can_be_asked_makes_the_server_fail(home, administrator, tmp_path, settings):
    settings.MOONDEV_DATA_DIR = tmp_path
    small_world()
    schema = schemathesis.openapi.from_dict(administrator.get("/openapi.json").json())
    schema.config.update(base_url=home)
    token = administrator.headers["Authorization"]
    asked = []
    for found in schema.get_all_operations():
        operation = found.ok()
        ask_at_random(operation, token, asked)
    assert len({method_path for method_path, _ in asked}) == sum(1 for _ in schema.get_all_operations())
    failed = [(method_path, status) for method_path, status in asked if status >= 500]
    assert not failed


def ask_at_random(operation, token, asked):
    """Ask one operation a few times with what its description allows, and with what it does not."""
    cases = operation.as_strategy() | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

    @seed(7)
    @settings(
        max_examples=EXAMPLES_EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, known=st.booleans())
    def ask(case, known):
        if known and "slug" in (case.path_parameters or {}):
            case.path_parameters["slug"] = "turtle"
        answer = case.call(headers={"Authorization": token})
        asked.append((f"{operation.method} {operation.path}", answer.status_code))
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    ask()


def test_every_operation_is_described_with_examples(administrator):
    described = administrator.get("/openapi.json").json()
    schemas = described["components"]["schemas"]

    def shows(schema):
        """Return whether a schema, or what it is made of, has an example."""
        if "$ref" in schema:
            return shows(schemas[schema["$ref"].rpartition("/")[2]])
        if "examples" in schema or "example" in schema:
            return True
        parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), schema.get("items", {})]
        return any(shows(part) for part in parts if part)

    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            name = f"{method} {path}"
            assert operation["summary"], name
            assert operation["description"], name
            assert operation["tags"], name
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            assert body is None or shows(body), f"{name}: what it takes has no example"
            for status, answer in operation["responses"].items():
                if status in REFUSALS:
                    continue
                content = answer.get("content", {}).get("application/json")
                assert content is None or shows(content["schema"]), f"{name}: {status} has no example"
            assert {"401", "403", "429"} <= set(operation["responses"]), name
