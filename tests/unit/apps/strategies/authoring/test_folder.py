"""The folder is read whatever lies in it: nothing in it can keep us waiting or make us fail."""

import os

import pytest

from apps.strategies.authoring.folder import MOST_BYTES, FolderGone, look, read


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


def test_python_files_are_read_by_path_and_others_are_not_there(tmp_path):
    write(tmp_path, one="1", _two="2", test_one="3", conftest="4")
    for hidden in (".git", "__pycache__", "pkg", "not-a-name"):
        (tmp_path / hidden).mkdir()
        write(tmp_path / hidden, inner="5")
    (tmp_path / "notes.txt").write_text("no")
    (tmp_path / "9lives.py").write_text("no name of a module")
    contents = read(tmp_path)
    assert set(contents.texts) == {"one.py", "_two.py", "test_one.py", "conftest.py", "pkg/inner.py"}
    assert contents.candidates == ("one.py",)


def test_a_look_changes_with_a_file_and_not_by_itself(tmp_path):
    write(tmp_path, one="1")
    before = look(tmp_path)
    assert look(tmp_path) == before
    (tmp_path / "new.py.tmp").write_text("2")
    (tmp_path / "new.py.tmp").rename(tmp_path / "one.py")
    assert look(tmp_path) != before


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path):
    write(tmp_path, good="1")
    (tmp_path / "latin.py").write_bytes(b"# \xe9")
    (tmp_path / "huge.py").write_bytes(b"#" * (MOST_BYTES + 1))
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "nowhere.py").symlink_to(tmp_path / "gone")
    contents = read(tmp_path)
    assert dict(contents.texts) == {"good.py": "1"}
    assert contents.problems["latin.py"] == "is not UTF-8: byte 2 is 0xe9"
    assert contents.problems["huge.py"] == f"is longer than {MOST_BYTES} bytes"
    assert contents.problems["pipe.py"] == "is no plain file"
    assert "symbolic links" in contents.problems["loop.py"]
    look(tmp_path)


def test_folders_linked_in_a_circle_are_read_once(tmp_path):
    (tmp_path / "pkg").mkdir()
    write(tmp_path / "pkg", inner="1")
    (tmp_path / "pkg" / "again").symlink_to(tmp_path)
    (tmp_path / "same").symlink_to(tmp_path / "pkg")
    assert list(read(tmp_path).texts.values()) == ["1"]


def test_a_folder_that_is_not_there_is_told_apart_from_an_empty_one(tmp_path):
    assert read(tmp_path).candidates == ()
    with pytest.raises(FolderGone, match="No such file"):
        look(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderGone, match="Not a directory"):
        read(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try this as somebody else")
def test_files_and_folders_that_are_not_ours_to_read_are_named(tmp_path):
    write(tmp_path, mine="1", theirs="2")
    (tmp_path / "theirs.py").chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    os.seteuid(65_534)
    try:
        contents = read(tmp_path)
        os.seteuid(0)
        tmp_path.chmod(0)
        os.seteuid(65_534)
        with pytest.raises(FolderGone, match="Permission denied"):
            read(tmp_path)
    finally:
        os.seteuid(0)
        tmp_path.chmod(0o700)
    assert dict(contents.problems) == {"theirs.py": "Permission denied"}
    assert set(contents.texts) == {"mine.py"}
