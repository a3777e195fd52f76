"""Where trained filters are kept: two files each, named by their content, so that a name can mean only one thing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

from apps.strategies.library.learned.card import ID_LENGTH, Card, artefact_of, card_of
from apps.strategies.library.learned.features import NAMES
from apps.strategies.library.learned.models import Classifier, model_of
from moondev.domain.errors import InvalidValue

# A worker runs few filters; each may hold a forest.
KEPT_LOADED = 8
_ARTEFACT = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class Trained:
    """A filter ready to be asked."""

    card: Card
    model: Classifier


def folder() -> Path:
    """Return where filters lie (MOONDEV_MODELS_DIR); every worker must see the same."""
    return Path(settings.MOONDEV_MODELS_DIR)


def save(card: Card, model: bytes, where: Path) -> str:
    """Write a filter and return its name. Raises InvalidValue when the card speaks of another model."""
    if card.model_sha256 != hashlib.sha256(model).hexdigest():
        raise InvalidValue("model_sha256", card.model_sha256[:12], "the hash of the model that is saved")
    where.mkdir(parents=True, exist_ok=True)
    (where / f"{card.artefact}.model").write_bytes(model)
    (where / f"{card.artefact}.json").write_bytes(card.to_bytes())
    return card.artefact


def trained(artefact: str) -> Trained:
    """Return the filter called `artefact`.

    Raises InvalidValue when it is not there, is not what its name says, or was made by other libraries or features.
    """
    return _trained(artefact, folder())


@lru_cache(maxsize=KEPT_LOADED)
def _trained(artefact: str, where: Path) -> Trained:
    if not _ARTEFACT.fullmatch(artefact):
        raise InvalidValue("artefact", artefact, f"{ID_LENGTH} hexadecimal digits, as train_filter prints them")
    written, model = _read(artefact, where, "json"), _read(artefact, where, "model")
    if artefact_of(written) != artefact:
        raise InvalidValue("artefact", artefact, "a card that is what its name says; this one was changed")
    card = card_of(written)
    # Before a single byte of it is interpreted.
    if hashlib.sha256(model).hexdigest() != card.model_sha256:
        raise InvalidValue("artefact", artefact, "the model its card speaks of; this one was changed")
    if card.library != library_of(card.model):
        raise InvalidValue(
            "artefact", f"{artefact} by {card.library}", f"one made by {library_of(card.model)}; train anew"
        )
    if card.features != NAMES or card.features_hash != features_hash():
        raise InvalidValue("artefact", artefact, "one made from the features as they are computed now; train anew")
    return Trained(card, model_of(card.model, model))


def library_of(model: str) -> str:
    """Return the library that computes a kind of model, with its version: another may read the same bytes otherwise."""
    name = "numpy" if model == "network" else "scikit-learn"
    return f"{name} {version(name)}"


@lru_cache(maxsize=1)
def features_hash() -> str:
    """Return a hash of the file the features are computed in."""
    return hashlib.sha256((Path(__file__).parent / "features.py").read_bytes()).hexdigest()


def _read(artefact: str, where: Path, suffix: str) -> bytes:
    path = where / f"{artefact}.{suffix}"
    if not path.is_file():
        raise InvalidValue("artefact", artefact, f"one that lies in MOONDEV_MODELS_DIR; there is no {path.name}")
    return path.read_bytes()
