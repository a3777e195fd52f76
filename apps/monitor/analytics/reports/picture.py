"""A line of equity as a PNG: mail programs show neither scripts nor SVG. Drawn here, for it is forty lines."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 1120, 240
# Drawn so many times larger and scaled down: that makes the edges smooth.
FINE = 2
THICK = 3
MARGIN = 12
GOOD, BAD, PAPER, RULE = (22, 128, 92), (196, 64, 58), (255, 255, 255), (222, 226, 230)
_PNG = b"\x89PNG\r\n\x1a\n"
Pixels = NDArray[np.float64]


def equity_png(values: Sequence[float | None]) -> bytes:
    """Return a picture of values at even distances, 2:1 for sharp screens; empty bytes for fewer than two known ones.

    Where nothing is known there is a gap. Green when it ended above where it began, red below; a rule marks the
    beginning.
    """
    line = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    known = np.flatnonzero(np.isfinite(line))
    if len(known) < 2:
        return b""
    first, last = line[known[0]], line[known[-1]]
    low, high = float(np.nanmin(line)), float(np.nanmax(line))
    width, height, margin = WIDTH * FINE, HEIGHT * FINE, MARGIN * FINE
    # A line that does not move lies in the middle.
    scale = (height - 2 * margin) / (high - low) if high > low else 0.0
    places = height / 2 - (line - (low + high) / 2) * scale
    at = np.linspace(0, len(line) - 1, width)
    heights = _between(at, places)
    colour = np.array(GOOD if last >= first else BAD, dtype=np.float64)
    return _png(_drawn(heights, float(places[known[0]]), colour, height))


def _between(at: Pixels, places: Pixels) -> Pixels:
    """Return the line's height at each pixel: straight between neighbours that are known, nothing over a gap."""
    left = np.floor(at).astype(int)
    right = np.minimum(left + 1, len(places) - 1)
    share = at - left
    return np.asarray(places[left] * (1 - share) + np.where(share > 0, places[right], places[left]) * share)


def _drawn(heights: Pixels, start: float, colour: Pixels, height: int) -> NDArray[np.uint8]:
    rows = np.arange(height)[:, None]
    image = np.empty((height, len(heights), 3))
    image[:] = PAPER
    image[np.abs(np.arange(height) - start) < FINE / 2] = RULE
    with np.errstate(invalid="ignore"):
        # Steep pieces are as thick as flat ones: what lies between a pixel's height and its neighbour's is filled.
        after = np.append(heights[1:], heights[-1])
        after = np.where(np.isfinite(after), after, heights)
        low, high = np.minimum(heights, after) - THICK * FINE / 2, np.maximum(heights, after) + THICK * FINE / 2
        below, on = rows > heights, (rows >= low) & (rows <= high)
    image[below] = image[below] * 0.88 + colour * 0.12
    image[on] = colour
    small = image.reshape(height // FINE, FINE, len(heights) // FINE, FINE, 3).mean(axis=(1, 3))
    return np.asarray(np.round(small), dtype=np.uint8)


def _png(image: NDArray[np.uint8]) -> bytes:
    """Return pixels as a PNG (https://www.w3.org/TR/png-3/): header, one compressed piece of rows, end."""
    height, width, _ = image.shape
    rows = np.hstack([np.zeros((height, 1), dtype=np.uint8), image.reshape(height, width * 3)])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [_PNG, _piece(b"IHDR", header), _piece(b"IDAT", zlib.compress(rows.tobytes(), 9)), _piece(b"IEND", b"")]
    )


def _piece(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
