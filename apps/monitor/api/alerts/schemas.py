"""What is told of alerts and rules, and what is taken."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from apps.monitor.api.amounts import Amount
from apps.monitor.api.writes import Reason
from apps.monitor.models.alerts import DAY, MONTH

Severity = Literal["info", "warning", "critical"]
State = Literal["pending", "firing", "acknowledged", "resolved"]
Label = Literal["right", "false"]
# A number that the columns can hold; a rule's own check says what it may be of its reading.
Threshold = Annotated[Decimal, Field(ge=0, le=Decimal(10) ** 12, max_digits=24, decimal_places=12, examples=["0.8"])]
Seconds = Annotated[int, Field(ge=0, le=MONTH)]

Days = Annotated[int, Query(ge=1, le=365, description="How far back to look.")]


def _on_the_wall(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError("allowed: a time without an offset, as clocks in quiet_zone show it")
    return moment.replace(microsecond=0)


TimeOfDay = Annotated[time, AfterValidator(_on_the_wall)]
Slugs = Annotated[list[Annotated[str, Field(min_length=1, max_length=50)]], Field(max_length=20)]

ALERT: JsonDict = {
    "id": 41, "rule": "drawdown", "about": "breach", "severity": "critical", "scope": "strategy:turtle-btc",
    "title": "Drawdown is near its limit: turtle-btc", "detail": "strategy drawdown of turtle-btc: 0.13 of 0.15",
    "value": "0.866667", "threshold": "0.8", "state": "acknowledged", "since": "2026-11-26T12:00:05Z",
    "resolved_at": None, "acknowledged_by": "ana", "acknowledged_at": "2026-11-26T12:03:00Z",
    "acknowledge_reason": "halving it", "label": "right", "count": 0, "held": "",
    "advice": "The breaker trips at the limit. Reduce or pause now if you would rather choose the moment.",
}  # fmt: skip
RULE: JsonDict = {
    "slug": "drawdown", "title": "Drawdown is near its limit", "advice": "The breaker trips at the limit.",
    "reading": "drawdown_use", "scope": "*", "severity": "critical", "comparison": "at_least", "threshold": "0.8",
    "for_seconds": 10, "resolve_seconds": 30, "cool_down_seconds": 600, "unknown_severity": "",
    "unknown_seconds": 300, "group": "money", "muted_by": [], "channels": [], "tell_resolved": True,
    "escalate_seconds": None, "escalate_channels": [], "remind_seconds": 900, "quiet_from": None, "quiet_until": None,
    "quiet_zone": "UTC", "critical_pierces": True, "enabled": True,
}  # fmt: skip


class AlertTold(BaseModel):
    """One thing that is wrong in one scope, or was. `since` is null while it has not been so for long enough.

    `value` null: there is no reading, and that is what it is about. `held` says why nobody was told.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [ALERT]})

    id: int
    rule: str
    about: Literal["breach", "unknown"]
    severity: Severity
    scope: str
    title: str
    detail: str
    value: Amount | None
    threshold: Amount
    state: State
    since: datetime | None
    resolved_at: datetime | None
    acknowledged_by: str
    acknowledged_at: datetime | None
    acknowledge_reason: str
    label: str
    count: int
    held: str
    advice: str


class Acknowledged(BaseModel):
    """That somebody has it in hand; `label` says whether it was right to tell, for the report."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "the venue's maintenance", "label": "false"}]}
    )

    reason: Reason
    label: Label | None = None


class RuleTold(BaseModel):
    """One rule, as its page in the admin has it. `measures` and `unit` say what its reading is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                RULE | {"measures": "drawdown, as a part of its limit", "unit": "share (1 is all)", "version": 2,
                        "updated_by": "ana", "updated_at": "2026-11-26T12:00:00Z"}
            ]
        }
    )  # fmt: skip

    slug: str
    title: str
    advice: str
    reading: str
    measures: str
    unit: str
    scope: str
    severity: Severity
    comparison: Literal["above", "at_least", "below", "at_most"]
    threshold: Amount
    for_seconds: int
    resolve_seconds: int
    cool_down_seconds: int
    unknown_severity: str
    unknown_seconds: int
    group: str
    muted_by: list[str]
    channels: list[str]
    tell_resolved: bool
    escalate_seconds: int | None
    escalate_channels: list[str]
    remind_seconds: int | None
    quiet_from: time | None
    quiet_until: time | None
    quiet_zone: str
    critical_pierces: bool
    enabled: bool
    version: int
    updated_by: str
    updated_at: datetime


class WorthTold(BaseModel):
    """What one rule was worth. `brief` are those over by themselves within a minute; `right` and `false` as called.

    `fired` counts each coming back, `told` those that somebody was told of, `unknown` those of a missing reading.
    """

    rule: str
    severity: Severity
    fired: int
    told: int
    acknowledged: int
    brief: int
    right: int
    false: int
    unknown: int
    false_share: float | None = Field(description="Of those that somebody has judged; null: nobody has.")


class Report(BaseModel):
    """What every rule was worth, the noisiest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "since": "2026-11-19T12:00:00Z",
                    "items": [
                        {
                            "rule": "data-old", "severity": "warning", "fired": 7, "told": 5, "acknowledged": 2,
                            "brief": 4, "right": 1, "false": 1, "unknown": 0, "false_share": 0.5,
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    since: datetime
    items: list[WorthTold]


class TriedTold(BaseModel):
    """What a rule would have done with other numbers: `again` are those that came back within their cool-down."""

    threshold: Amount
    for_seconds: int
    fired: int
    again: int
    seconds: float
    present: bool


class Trials(BaseModel):
    """A rule tried on what was recorded; `present` is the rule as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "since": "2026-11-19T12:00:00Z",
                    "items": [
                        {
                            "threshold": "45", "for_seconds": 30, "fired": 2, "again": 0, "seconds": 340.0,
                            "present": False,
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    since: datetime
    items: list[TriedTold]


class RuleList(BaseModel):
    """Every rule, by its slug."""

    items: list[RuleTold]


class RuleChanged(BaseModel):
    """What to change of a rule; null ends what may be empty. What is not named stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"threshold": "0.9", "for_seconds": 60, "reason": "too touchy at night"}]},
    )

    reason: Reason
    title: str = Field("", min_length=1, max_length=80)
    advice: str = Field("", max_length=300)
    scope: str = Field("*", min_length=1, max_length=120)
    severity: Severity = "warning"
    comparison: Literal["above", "at_least", "below", "at_most"] = "at_least"
    threshold: Threshold = Decimal(1)
    for_seconds: Seconds = 0
    resolve_seconds: Seconds = 30
    cool_down_seconds: Seconds = 600
    unknown_severity: Literal["", "info", "warning", "critical"] = "warning"
    unknown_seconds: Seconds = 300
    group: str = Field("", max_length=40)
    muted_by: Slugs = []
    channels: Slugs = []
    tell_resolved: bool = True
    escalate_seconds: Annotated[int, Field(ge=10, le=DAY)] | None = None
    escalate_channels: Slugs = []
    remind_seconds: Annotated[int, Field(ge=60, le=MONTH)] | None = None
    quiet_from: TimeOfDay | None = None
    quiet_until: TimeOfDay | None = None
    quiet_zone: str = Field("UTC", min_length=1, max_length=60)
    critical_pierces: bool = True
    enabled: bool = True
