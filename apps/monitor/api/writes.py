"""What every write takes and may answer with."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Header
from pydantic import BaseModel, ConfigDict, Field

from apps.monitor.api.problems import answers

Reason = Annotated[str, Field(min_length=3, max_length=250, description="Why, for the record.", examples=["hedge"])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1, max_length=100, description="The same key with the same request is done once, for a day.",
        examples=["5f0c-rebalance-1"],
    ),
]  # fmt: skip


def _names_key(idempotency_key: IdempotencyKey = None) -> None:
    """Take an idempotency key, for the description."""


KEYED = [Depends(_names_key)]
READ = answers(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
WRITE: dict[int | str, dict[str, Any]] = {
    **READ,
    **answers(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
}
EDIT: dict[int | str, dict[str, Any]] = {
    **WRITE,
    **answers(HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED),
}


class Why(BaseModel):
    """A reason and nothing else."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "spread looks wrong"}]})

    reason: Reason
