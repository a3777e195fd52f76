"""What went wrong, as RFC 9457 says it: a type, a title, the status and what exactly. No traces, no paths."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.db import DataError, InterfaceError, OperationalError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from moondev.domain.errors import Configuration, Connectivity, InvalidValue

MEDIA_TYPE = "application/problem+json"
REFUSED = HTTPStatus.UNPROCESSABLE_ENTITY


class Problem(BaseModel):
    """A problem. `type` is about:blank: the status says all there is to classify; `detail` says what exactly."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
                    "detail": "rule is 'soon'; allowed: next-open or bar-close", "instance": "/api/v1/backtests",
                }
            ]
        }
    )  # fmt: skip

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str


def answers(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the problems that a route may answer with, for its description."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status.value: {"description": status.phrase, "content": content} for status in statuses}


def problem(request: Request, status: int, detail: str) -> JSONResponse:
    """Return a problem as an answer."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, instance=request.url.path)
    return JSONResponse(told.model_dump(), status, media_type=MEDIA_TYPE)


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> None:
    """Answer a request with a problem before any route is asked."""
    answer = problem(Request(scope), status, detail)
    answer.headers.update(headers or {})
    await answer(scope, receive, send)


def tell_problems(app: FastAPI) -> None:
    """Make `app` answer with problems, whoever notices them: routes, services, FastAPI or nobody."""

    @app.exception_handler(HTTPException)
    async def told(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(request, error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def misshapen(request: Request, error: RequestValidationError) -> JSONResponse:
        lines = (f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
        return problem(request, REFUSED, "; ".join(lines))

    @app.exception_handler(InvalidValue)
    @app.exception_handler(Configuration)
    async def refused(request: Request, error: Exception) -> JSONResponse:
        return problem(request, REFUSED, str(error))

    @app.exception_handler(DataError)
    async def unkeepable(request: Request, _: Exception) -> JSONResponse:
        return problem(request, REFUSED, "a number or a text that no column here can hold")

    @app.exception_handler(Connectivity)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(OperationalError)
    async def unreachable(request: Request, error: Exception) -> JSONResponse:
        words = str(error) if isinstance(error, Connectivity) else "the database does not answer"
        return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, words)

    @app.exception_handler(Exception)
    async def unknown(request: Request, _: Exception) -> JSONResponse:
        # Starlette raises it again after this answer, so the log has the trace and the client has none of it.
        return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here; the log says what")
