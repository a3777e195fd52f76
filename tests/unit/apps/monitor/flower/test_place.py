"""Where Flower is must be said in a way that can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.monitor.flower.place import LONGEST_PATH, flower_place
from moondev.domain.errors import Configuration


def test_it_is_at_a_socket_or_at_an_address(settings):
    settings.FLOWER_AT = "unix:/run/flower/socket"
    assert (flower_place().socket, flower_place().url) == (Path("/run/flower/socket"), "http://flower")
    settings.FLOWER_AT = "http://flower:5556/"
    assert (flower_place().socket, flower_place().url, flower_place().port) == (None, "http://flower:5556", 5556)


@pytest.mark.parametrize(
    "at", ["", "flower:5555", "unix:relative", f"unix:/{'x' * LONGEST_PATH}", "http://a/b", "ftp://a"]
)
def test_anything_else_is_named(settings, at):
    settings.FLOWER_AT = at
    with pytest.raises(Configuration, match="FLOWER_AT is"):
        flower_place()
