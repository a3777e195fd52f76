"""What one process knows of the user's own strategies, and when it looks again."""

from apps.strategies.authoring.catalogue import Catalogue
from apps.strategies.authoring.source import source_of
from tests.unit.apps.strategies.authoring.texts import idea


class Shelf:
    """A shelf in memory that counts how often it was asked what there is."""

    def __init__(self):
        self.sources, self.looks = {}, 0

    def current(self):
        self.looks += 1
        return {kind: source.code_hash for kind, source in self.sources.items()}

    def source(self, kind, code_hash):
        assert self.sources[kind].code_hash == code_hash
        return self.sources[kind]

    def failed(self, kind, message):
        raise AssertionError(f"{kind}: {message}")


def test_what_was_published_a_moment_after_the_last_look_is_found_when_it_is_asked_for():
    shelf = Shelf()
    catalogue = Catalogue(shelf, lambda: 100.0)
    assert catalogue.names() == ()
    shelf.sources["holder"] = source_of("holder.py", {"holder.py": idea()})
    assert catalogue.version("holder").code_hash == shelf.sources["holder"].code_hash
    assert catalogue.names() == ("holder",)


def test_a_strategy_that_is_known_costs_one_look_a_second():
    shelf, now = Shelf(), [100.0]
    catalogue = Catalogue(shelf, lambda: now[0])
    shelf.sources["holder"] = source_of("holder.py", {"holder.py": idea()})
    for _ in range(50):
        catalogue.version("holder")
    before, now[0] = shelf.looks, now[0] + 1.1
    for _ in range(50):
        catalogue.version("holder")
    assert shelf.looks == before + 1


def test_a_strategy_that_nobody_published_is_none():
    assert Catalogue(Shelf(), lambda: 100.0).version("nobody") is None
