"""What clients may say, checked at the door."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from moondev.domain.errors import InvalidValue

MESSAGE_MOST = 4_096
TOPICS_MOST = 32


class Subscribe(BaseModel):
    """Follow topics: each is sent whole, then what changes in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    do: Literal["subscribe"]
    topics: Annotated[tuple[str, ...], Field(min_length=1, max_length=TOPICS_MOST)]


class Unsubscribe(BaseModel):
    """Follow topics no longer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    do: Literal["unsubscribe"]
    topics: Annotated[tuple[str, ...], Field(min_length=1, max_length=TOPICS_MOST)]


class Pace(BaseModel):
    """Be sent news at most so often: what changes in between arrives together."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    do: Literal["pace"]
    per_second: Annotated[float, Field(ge=0.1, le=50)]


class Ping(BaseModel):
    """Be answered, to see that the other end lives."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    do: Literal["ping"]


Asked = Annotated[Subscribe | Unsubscribe | Pace | Ping, Field(discriminator="do")]
_asked: TypeAdapter[Subscribe | Unsubscribe | Pace | Ping] = TypeAdapter(Asked)


def parse(text: str) -> Subscribe | Unsubscribe | Pace | Ping:
    """Return what a client says. Raises InvalidValue naming the field, the value and what is allowed."""
    if len(text) > MESSAGE_MOST:
        raise InvalidValue("message", f"{len(text)} characters", f"at most {MESSAGE_MOST}")
    try:
        return _asked.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "message"
        raise InvalidValue(field, str(first.get("input"))[:80], first["msg"]) from None
