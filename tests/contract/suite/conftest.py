"""The venues of the suite: each is served once per module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.suite.scene import Trader, VenueScene, served
from tests.contract.suite.venue import venues_under_test


@pytest.fixture(scope="module", params=venues_under_test(), ids=lambda venue: venue.name)
def scene(request: pytest.FixtureRequest) -> Iterator[VenueScene]:
    """Serve one venue's mock for all tests of a module."""
    with served(request.param) as scene:
        yield scene


@pytest.fixture(autouse=True)
def _healed(scene: VenueScene) -> Iterator[None]:
    """Let no fault outlive its test."""
    yield
    scene.heal()


@pytest.fixture
def trader(scene: VenueScene) -> Iterator[Trader]:
    """Open an account of the test's own."""
    with scene.trader() as trader:
        yield trader
