"""A model card: everything a reader, and a worker that is about to trust the model, has to know of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from moondev.domain.errors import InvalidValue

ID_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Card:
    """What the model was made from and how well it did where it had not looked.

    `threshold` is the probability of a winning trade from which on a trade is let through. `scores` are out of sample,
    by purged cross-validation; `data` are content hashes by instrument key; `code_hash` is that of the strategy whose
    trades were learnt from, `features_hash` that of the file the features are computed in.
    """

    kind: str
    parameters: Mapping[str, Any]
    interval_s: int
    model: str
    model_sha256: str
    library: str
    features: tuple[str, ...]
    features_hash: str
    code_hash: str
    data: Mapping[str, str]
    threshold: float
    trades: int
    folds: tuple[Mapping[str, Any], ...]
    scores: Mapping[str, float | None]
    trained_at: str

    def to_bytes(self) -> bytes:
        """Return the card as it is kept: JSON whose every byte is determined."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True, allow_nan=False) + "\n").encode()

    @property
    def artefact(self) -> str:
        """Return the name of the artefact: a hash of the card, which itself holds the hash of the model."""
        return artefact_of(self.to_bytes())


def artefact_of(card: bytes) -> str:
    """Return the name of an artefact by the bytes of its card."""
    return hashlib.sha256(card).hexdigest()[:ID_LENGTH]


def card_of(written: bytes) -> Card:
    """Return the card that `to_bytes` wrote. Raises InvalidValue for other bytes."""
    try:
        stored = json.loads(written)
        names = {field.name for field in fields(Card)}
        if set(stored) != names:
            raise InvalidValue("card", sorted(set(stored) ^ names), f"exactly {', '.join(sorted(names))}")
        lists = {name: tuple(stored[name]) for name in ("features", "folds")}
        return Card(**{**stored, **lists})
    except (ValueError, TypeError, KeyError) as error:
        if isinstance(error, InvalidValue):
            raise
        raise InvalidValue("card", f"{len(written)} bytes", f"a model card ({error})") from error
