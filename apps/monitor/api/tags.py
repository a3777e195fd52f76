"""ETags: what version of a thing somebody has seen."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, HTTPException
from pydantic import BaseModel

IfMatch = Annotated[
    str | None,
    Header(description="The ETag that GET gave. Required, so that nobody overwrites what he has not seen."),
]


def tag_of(thing: BaseModel) -> str:
    """Return the ETag of what is told about a thing."""
    return f'"{hashlib.sha256(thing.model_dump_json().encode()).hexdigest()[:32]}"'


def matches(header: str, tag: str) -> bool:
    """Return whether `tag` is among those of a header; a weak one names the same version."""
    names = (one.strip().removeprefix("W/") for one in header.split(","))
    return any(one in {"*", tag} for one in names)


def require_match(header: str | None, now: BaseModel) -> None:
    """Raise HTTPException: 428 where no version is named, 412 where it is not the present one."""
    if header is None:
        raise HTTPException(HTTPStatus.PRECONDITION_REQUIRED, "send If-Match with the ETag that GET gave")
    if not matches(header, tag_of(now)):
        raise HTTPException(HTTPStatus.PRECONDITION_FAILED, "it has changed since; read it again")
