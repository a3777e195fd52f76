"""Everything that is counted where it happens. What is read when it is asked for stands in `apps.monitor.metrics`.

Labels are few and known: strategies, venues, queues, codes. An order's or a person's name is never one.
"""

from __future__ import annotations

from moondev.counting.measures import SECONDS, Counter, Gauge, Histogram, Measure

# --- Tasks ---------------------------------------------------------------------------------------------------------
TASKS = Counter("moondev_tasks_total", "Celery tasks by what happened to them.", ("task", "event"))
TASK_SECONDS = Histogram("moondev_task_seconds", "How long the bodies of Celery tasks took.", ("task",), bounds=SECONDS)
TASK_WAIT_SECONDS = Histogram(
    "moondev_task_wait_seconds", "From the sending of a message to the start of its task.", ("queue",)
)
TASK_NEWEST = Gauge(
    "moondev_task_newest_timestamp_seconds",
    "When the newest message that was taken from a queue had been sent, in seconds since 1970.",
    ("queue",),
    over="max",
)

# --- Ticks and orders ----------------------------------------------------------------------------------------------
TICKS = Counter("moondev_ticks_total", "Ticks by how they ended.", ("strategy", "outcome"))
ORDER_STAGES = Histogram(
    "moondev_stage_seconds",
    "From one moment of a trade to the next: decision (since the tick was due), approval (since the decision), submit"
    " (since the approval), acknowledge (since it was sent), fill (since it was sent, the first one).",
    ("stage", "strategy", "venue"),
)
ORDERS = Counter(
    "moondev_orders_total",
    "Orders that reviews have passed and refused, and the states that venues and senders gave to orders.",
    ("strategy", "venue", "status"),
)
REFUSALS = Counter("moondev_refusals_total", "Orders that the review refused, by code.", ("strategy", "code"))
FILLS = Counter("moondev_fills_total", "Fills that were booked.", ("strategy", "venue"))
TRADED = Counter(
    "moondev_traded_notional_total",
    "What fills moved, in the currencies that their instruments are quoted in.",
    ("strategy", "venue"),
)

# --- Venues --------------------------------------------------------------------------------------------------------
VENUE_CALLS = Counter(
    "moondev_venue_calls_total", "Calls to a venue's trading API by how they ended.", ("venue", "call", "outcome")
)
VENUE_REJECTS = Counter("moondev_venue_rejects_total", "What a venue has refused, by its code.", ("venue", "code"))

# --- People and programs -------------------------------------------------------------------------------------------
API_SECONDS = Histogram(
    "moondev_api_seconds", "How long requests to the API took, by what was asked for.", ("route", "method", "status")
)

MEASURES: tuple[Measure, ...] = (
    TASKS, TASK_SECONDS, TASK_WAIT_SECONDS, TASK_NEWEST, TICKS, ORDER_STAGES, ORDERS, REFUSALS, FILLS, TRADED,
    VENUE_CALLS, VENUE_REJECTS, API_SECONDS,
)  # fmt: skip
