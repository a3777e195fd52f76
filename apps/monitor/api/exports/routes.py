"""Exports: a file, written whole before its first byte goes out, so that what breaks is told and never half a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from threading import BoundedSemaphore
from typing import Annotated, BinaryIO, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse

from apps.monitor.analytics.exports.columns import Method, Wanted, file_name
from apps.monitor.analytics.exports.formats import MEDIA_TYPES
from apps.monitor.analytics.exports.writing import export_named, export_note, export_write
from apps.monitor.analytics.period import Period
from apps.monitor.api.moments import Moment
from apps.monitor.api.paging import Word
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import WRITE
from moondev.domain.clock import process_clock

# A viewer too: an export has nothing that its pages of orders and fills have not. Who took what is in the audit trail.
Taker = Annotated[Caller, Depends(allowed("exchanges.view_fill"))]
KINDS = Literal["orders", "fills", "ledger", "positions", "equity", "round_trips", "tax_lots"]
DAYS = 30
# At once in a process: each holds a thread and a transaction while it lasts.
MOST_AT_ONCE = 2
PIECE = 256 * 1024

router = APIRouter(prefix="/exports", tags=["exports"], responses=WRITE)


@router.get("/{kind}", response_class=StreamingResponse)
async def taken(
    kind: KINDS,
    caller: Taker,
    format: Annotated[Literal["csv", "parquet"], Query(description="How it is written.")] = "csv",  # noqa: A002  its name
    start: Annotated[Moment | None, Query(description="From then on; left out: thirty days before the end.")] = None,
    end: Annotated[Moment | None, Query(description="Before then; left out: now.")] = None,
    account: Word = None,
    strategy: Word = None,
    method: Annotated[Method, Query(description="Of tax lots: which lot a sale is set against.")] = Method.FIFO,
) -> StreamingResponse:
    """Return orders, fills, ledger, positions, equity, round trips or tax lots of a period as one file."""
    wanted = Wanted(_period(start, end), account, strategy, method)
    file = await in_thread(_written, kind, wanted, format, caller)
    name = file_name(export_named(kind), wanted, format)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(os.fstat(file.fileno()).st_size),
    }
    return StreamingResponse(_pieces(file), media_type=MEDIA_TYPES[format], headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _written(kind: str, wanted: Wanted, ending: str, caller: Caller) -> BinaryIO:
    """Return an open file without a name: it is gone as soon as nobody reads it, whatever becomes of the reader."""
    export = export_named(kind)
    with _turn():
        handle, name = tempfile.mkstemp(prefix="moondev-export-", suffix=f".{ending}")
        os.close(handle)
        path = Path(name)
        try:
            count = export_write(export, wanted, ending, path)
            export_note(export, wanted, count, actor=caller.name, address=caller.address)
            return path.open("rb")
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns().acquire(blocking=False):
        words = f"{MOST_AT_ONCE} exports are being written already; ask again in a moment"
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, words, {"Retry-After": "5"})
    try:
        yield
    finally:
        _turns().release()


@lru_cache(maxsize=1)
def _turns() -> BoundedSemaphore:
    return BoundedSemaphore(MOST_AT_ONCE)


def _period(start: datetime | None, end: datetime | None) -> Period:
    last = end or process_clock().now()
    return Period(start or last - timedelta(days=DAYS), last)
