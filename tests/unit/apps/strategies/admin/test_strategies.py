from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse

from apps.exchanges.models import Account, InstrumentRow
from apps.strategies.admin.forms import StrategyForm
from apps.strategies.models import StrategyEvent, StrategyInstrument, StrategyRow
from apps.strategies.services import strategy_enable
from moondev.domain.clock import LiveClock
from moondev.domain.errors import InvalidValue

LIST = "/admin/strategies/strategyrow/"
NEW = {
    "slug": "turtle-new", "idea": "turtle_trend/fast", "trigger": "interval", "cadence_seconds": "60",
    "book_move_bps": "2", "deadline_ms": "5000", "priority": "5", "capital": "1000", "leverage": "1",
    "reprice_bps": "1", "slippage_bps": "50",
}  # fmt: skip


def instrument(symbol="BTC", venue="hyperliquid"):
    return InstrumentRow.objects.get(venue=venue, symbol=symbol).pk


def page_of(strategy):
    return reverse("admin:strategies_strategyrow_change", args=[strategy.pk])


def filled_in(client, strategy):
    """Return the values of the strategy's form as a browser would send them back unchanged."""
    form = client.get(page_of(strategy)).context["adminform"].form
    values = {name: form.get_initial_for_field(form.fields[name], name) for name in form.fields}
    values["instruments"] = [row.pk for row in values["instruments"]]
    return {name: value for name, value in values.items() if value is not None and value is not False}


def errors_of(answer):
    return {name: list(messages) for name, messages in answer.context["adminform"].form.errors.items()}


def told(answer):
    return unescape(
        " | ".join(re.findall(r'<li class="(?:success|error|warning)">(.*?)</li>', answer.content.decode(), re.DOTALL))
    )


def act(client, strategy, action, **form):
    return client.post(
        LIST, {"action": action, "_selected_action": strategy.pk, "confirmed": "yes", **form}, follow=True
    )


def test_a_new_strategy_is_created_through_the_services(operator, account):
    answer = operator.post(f"{LIST}add/", {**NEW, "account": account.pk, "instruments": [instrument()]})
    row = StrategyRow.objects.get()
    assert answer.url == page_of(row)
    assert (row.kind, row.enabled, row.parameters["s1_entry_bars"]) == ("turtle_trend", False, 3)
    assert [event.message for event in StrategyEvent.objects.all()] == ["by operator"]


def test_a_new_strategy_may_trade_at_a_second_venue_on_an_account_there(operator, account):
    there = Account.objects.create(
        code="paper-elsewhere", venue_id="elsewhere", portfolio=account.portfolio, address="0x2", currency="USDC"
    )
    both = [instrument(), instrument(venue="elsewhere")]
    form = {**NEW, "account": account.pk, "instruments": both, "accounts_abroad": [there.pk]}
    operator.post(f"{LIST}add/", form)
    links = StrategyInstrument.objects.values_list("instrument__venue", "account__code").order_by("pk")
    assert sorted(links) == [("elsewhere", "paper-elsewhere"), ("hyperliquid", account.code)]
    Account.objects.filter(pk=there.pk).update(currency="USDT")
    errors = errors_of(operator.post(f"{LIST}add/", {**form, "slug": "turtle-mixed"}))
    assert "other money is not converted" in errors["account"][0]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"slug": "Turtle BTC"}, "slug", "lower-case letters"),
        ({"idea": "nonsense/none"}, "idea", "nonsense/none"),
        ({"capital": "-1"}, "capital", "capital is -1; allowed: at least 0"),
        ({"leverage": "0"}, "leverage", "leverage is 0; allowed: at least 0.01"),
        ({"cadence_seconds": "0"}, "cadence_seconds", "cadence_seconds is 0; allowed: at least 1"),
        ({"priority": "10"}, "priority", "priority is 10; allowed: at most 9"),
        ({"deadline_ms": "5"}, "deadline_ms", "deadline_ms is 5; allowed: at least 100"),
        ({"capital": "NaN"}, "capital", "capital is not a number"),
    ],
)
def test_a_wrong_setting_is_named_at_its_field_and_nothing_is_created(operator, account, change, field, message):
    form = {**NEW, "account": account.pk, "instruments": [instrument()], **change}
    errors = errors_of(operator.post(f"{LIST}add/", form))
    assert list(errors) == [field]
    assert message in errors[field][0]
    assert not StrategyRow.objects.exists()
    assert not StrategyEvent.objects.exists()


def test_an_instrument_of_another_venue_is_named_at_its_field(operator, account):
    form = {**NEW, "account": account.pk, "instruments": [instrument(venue="elsewhere")]}
    errors = errors_of(operator.post(f"{LIST}add/", form))
    assert errors == {
        "instruments": ["instrument is 'elsewhere:BTC'; allowed: an instrument of hyperliquid, as the account"]
    }
    assert not StrategyRow.objects.exists()


def test_parameters_are_saved_as_a_new_version(operator, strategy):
    form = {**filled_in(operator, strategy), "parameter_n_bars": "33", "capital": "1234.5"}
    assert operator.post(page_of(strategy), form).status_code == 302
    row = StrategyRow.objects.get()
    assert (row.parameters["n_bars"], row.parameters_version, row.capital) == (33, 2, 1234.5)


def test_a_form_sent_back_unchanged_changes_no_version(operator, strategy):
    operator.post(page_of(strategy), filled_in(operator, strategy))
    row = StrategyRow.objects.get()
    assert (row.parameters, row.parameters_version) == (strategy.parameters, 1)


def test_every_wrong_parameter_is_named_and_nothing_is_saved(operator, strategy):
    form = {**filled_in(operator, strategy), "parameter_n_bars": "1", "parameter_max_units": "99", "capital": "7"}
    errors = errors_of(operator.post(page_of(strategy), form))
    assert errors == {
        "parameter_n_bars": ["n_bars is 1; allowed: a whole number of at least 2 and of at most 200"],
        "parameter_max_units": ["max_units is 99; allowed: a whole number of at least 1 and of at most 12"],
    }
    row = StrategyRow.objects.get()
    assert (row.parameters, row.parameters_version, row.capital) == (strategy.parameters, 1, 10_000)


@pytest.mark.parametrize("nonsense", ["NaN", "inf", "a lot", ""])
def test_a_parameter_that_is_no_number_is_named(operator, strategy, nonsense):
    form = {**filled_in(operator, strategy), "parameter_risk_percent": nonsense}
    errors = errors_of(operator.post(page_of(strategy), form))
    assert "risk_percent is" in errors["parameter_risk_percent"][0]
    assert StrategyRow.objects.get().parameters_version == 1


def test_instruments_of_a_running_strategy_stay(operator, strategy):
    strategy_enable(strategy.pk, actor="test", now=LiveClock().now())
    form = {**filled_in(operator, strategy), "instruments": [instrument("ETH")]}
    errors = errors_of(operator.post(page_of(strategy), form))
    assert errors == {"instruments": ["instruments is 'turtle-btc'; allowed: a change while the strategy is disabled"]}
    assert [row.symbol for row in strategy.instruments.all()] == ["BTC"]


def test_a_save_that_somebody_overtook_is_told_and_undone(operator, strategy, monkeypatch):
    form, real = {**filled_in(operator, strategy), "capital": "5"}, StrategyForm._rehearse

    def overtaken(self):
        real(self)
        monkeypatch.setattr(type(self), "carry_out", refused)

    def refused(self, actor):
        StrategyRow.objects.update(capital=5)
        raise InvalidValue("account", "paper-1", "an enabled account")

    monkeypatch.setattr(StrategyForm, "_rehearse", overtaken)
    answer = operator.post(page_of(strategy), form, follow=True)
    assert "Nothing was saved: account is 'paper-1'; allowed: an enabled account" in told(answer)
    assert StrategyRow.objects.get().capital == 10_000


def test_a_second_owner_of_an_instrument_is_named_and_not_enabled(operator, strategy, another):
    second = another("turtle-two")
    assert "Enabled turtle-btc" in told(act(operator, strategy, "enable"))
    message = told(act(operator, second, "enable"))
    assert "hyperliquid:BTC" in message
    assert "turtle-btc does" in message
    assert not StrategyRow.objects.get(pk=second.pk).enabled


def test_an_action_that_was_not_confirmed_asks_and_does_nothing(operator, strategy):
    answer = operator.post(LIST, {"action": "enable", "_selected_action": strategy.pk})
    assert "It trades from its next tick on" in answer.content.decode()
    assert not StrategyRow.objects.get().enabled


@pytest.mark.parametrize("action", ["pause", "halt", "flatten"])
def test_a_step_that_wants_a_reason_does_nothing_without_one(operator, strategy, action):
    act(operator, strategy, "enable")
    answer = act(operator, strategy, action, reason=" ")
    assert "reason is empty; allowed: a sentence that says why" in told(answer).lower()
    assert StrategyRow.objects.get().paused_reason == ""


def test_a_paused_strategy_shows_why_and_runs_again(operator, strategy):
    act(operator, strategy, "enable")
    assert "Paused turtle-btc" in told(act(operator, strategy, "pause", reason="odd prices"))
    assert "odd prices" in operator.get(LIST).content.decode()
    assert "Resumed turtle-btc" in told(act(operator, strategy, "resume"))
    assert StrategyRow.objects.get().paused_reason == ""


def test_a_strategy_whose_kind_is_gone_can_still_be_looked_at(operator, strategy):
    StrategyRow.objects.update(kind="from_an_old_release")
    page = operator.get(page_of(strategy)).content.decode()
    assert "s1_entry_bars" in page


def test_a_strategy_cannot_be_deleted(operator, strategy):
    assert operator.post(f"{LIST}{strategy.pk}/delete/", {"post": "yes"}).status_code == 403
    assert StrategyRow.objects.exists()
