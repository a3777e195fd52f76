"""Whatever one look at the folder meets, the next one looks again."""

from django.db import OperationalError

from apps.strategies.authoring import watch as module
from apps.strategies.authoring.watch import FolderWatch, watching
from moondev.domain.clock import LiveClock


class Review:
    """Settles when it has no more troubles."""

    def __init__(self, *troubles):
        self.troubles, self.settled = list(troubles), []

    def settle(self, contents):
        if self.troubles:
            raise self.troubles.pop(0)
        self.settled.append(dict(contents.texts))
        return True

    def waits(self):
        return False

    def gone(self, contents):
        return {}


def test_a_database_that_is_away_and_a_fault_of_ours_cost_a_look_and_no_more(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "close_old_connections", lambda: None)
    (tmp_path / "one.py").write_text("1")
    review, now = Review(OperationalError("gone"), KeyError("a bug")), iter(range(100))
    watch = FolderWatch(tmp_path, review, LiveClock(), lambda: float(next(now)))
    for _ in range(6):
        watch._look()
    assert review.settled == [{"one.py": "1"}]
    assert [record.message for record in caplog.records] == [
        "folder of strategies: no database: gone",
        "folder of strategies: this look failed",
    ]


def test_what_has_been_settled_is_left_alone_until_it_changes(tmp_path):
    review, now = Review(), iter(range(100))
    watch = FolderWatch(tmp_path, review, LiveClock(), lambda: float(next(now)))
    (tmp_path / "one.py").write_text("1")
    for _ in range(5):
        watch._look()
    (tmp_path / "one.py").write_text("2, longer")
    for _ in range(5):
        watch._look()
    assert review.settled == [{"one.py": "1"}, {"one.py": "2, longer"}]


def test_without_a_folder_nothing_is_watched(settings):
    settings.MOONDEV_STRATEGIES_DIR = None
    assert watching(LiveClock(), None) is None
