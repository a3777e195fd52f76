"""Imported by a test's own Celery worker: adds the scripted strategy to its library."""

from apps.strategies import registry
from tests.integration.tick_world import Scripted

registry._BY_NAME = {**registry._BY_NAME, Scripted.name: Scripted}
