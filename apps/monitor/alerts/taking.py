"""Take readings. One that cannot be taken is not known, and never keeps the others from being taken."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import redis
from django.db import InterfaceError, OperationalError, connection

from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measure, Readings
from apps.monitor.alerts.measures import MEASURES
from moondev.domain.errors import Connectivity

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look has seen: readings by measure, and why there are none of some."""

    at: datetime
    readings: Mapping[str, Readings]
    failures: Mapping[str, str] = field(default_factory=dict)


def take(look: Look, names: Iterable[str]) -> Taken:
    """Take the named readings. Raises OperationalError or InterfaceError when the database is away."""
    readings: dict[str, Readings] = {}
    failures: dict[str, str] = {}
    for name in sorted(set(names)):
        measure = MEASURES.get(name)
        if measure is None:
            # A rule of a newer or an older release than this process.
            failures[name] = "there is no such reading"
            continue
        try:
            readings[name] = measure.take(look)
        except (OperationalError, InterfaceError) as error:
            # A question that took too long, or stood in another's way, is broken off by a database that is there: one
            # slow reading must not make the watch blind for all the others.
            if not connection.is_usable():
                raise
            failures[name] = _words(measure, error)
        except (Connectivity, redis.RedisError) as error:
            failures[name] = f"{measure.source}: {error}"[:300]
        except Exception as error:
            # Whatever is wrong with one reading, the others have people to wake; and this one says that it is unknown.
            logger.exception("the reading %s could not be taken", name)
            failures[name] = _words(measure, error)
    return Taken(look.now, readings, failures)


def _words(measure: Measure, error: Exception) -> str:
    return f"{measure.name} could not be read: {type(error).__name__}: {error}"[:300]
