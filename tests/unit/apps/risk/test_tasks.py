from __future__ import annotations

import pytest

from apps.exchanges.models import ExposureCounter
from apps.risk.models import RiskEvent
from apps.risk.tasks import exposures_recompute_task
from moondev.celery import app

pytestmark = pytest.mark.django_db


def test_the_recompute_task_is_known_by_its_name_and_has_a_queue() -> None:
    assert app.tasks["risk.exposures_recompute"].name == "risk.exposures_recompute"
    assert app.amqp.router.route({}, "risk.exposures_recompute")["queue"].name == "portfolio"


def test_running_the_recompute_task_twice_has_the_effect_of_once() -> None:
    ExposureCounter.objects.create(scope_kind="strategy", scope_key="gone", used=5)
    exposures_recompute_task()
    exposures_recompute_task()
    assert ExposureCounter.objects.get().used == 0
    assert RiskEvent.objects.count() == 1
