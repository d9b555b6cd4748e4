"""Folders appear whole; whatever is killed, a finished one is never lost and nothing stays for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from neurosteer.artefacts import check_path
from neurosteer.store import MANIFEST, write_manifest
from neurosteer.studies import drafts
from neurosteer.studies.drafts import draft_of, sweep_drafts


def fill(folder: Path, text: str) -> None:
    with draft_of(folder) as draft:
        (draft / "text").write_text(text)


def names(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir())


def test_a_folder_takes_the_place_of_an_older_one(tmp_path):
    for text in ("first", "second"):
        fill(tmp_path / "run", text)
        assert (tmp_path / "run" / "text").read_text() == text
        assert names(tmp_path) == ["run"]


def test_what_fails_leaves_the_older_one(tmp_path):
    fill(tmp_path / "run", "first")
    with pytest.raises(ZeroDivisionError), draft_of(tmp_path / "run") as draft:  # noqa: PT012
        (draft / "text").write_text("half")
        _ = 1 / 0
    assert (tmp_path / "run" / "text").read_text() == "first"
    assert names(tmp_path) == ["run"]


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_killed_between_any_two_moves(tmp_path, moves):
    """After none, one or both of the two renames: the older or the newer folder is there, whole."""
    fill(tmp_path / "run", "first")
    if os.fork() == 0:
        left = iter(range(moves))
        rename = os.rename

        def move_or_die(*places: Path) -> None:
            if next(left, None) is None:
                os._exit(9)
            rename(*places)

        drafts.os.rename = move_or_die
        drafts.shutil.rmtree = lambda *_, **__: os._exit(9)
        fill(tmp_path / "run", "second")
    os.wait()
    assert names(tmp_path) != ["run"]
    sweep_drafts(tmp_path)
    assert names(tmp_path) == ["run"]
    assert (tmp_path / "run" / "text").read_text() == ("second" if moves == 2 else "first")


def test_a_draft_that_is_being_filled_is_left_alone(tmp_path):
    held = tmp_path / ".run.draft-abc"
    held.mkdir()
    with FileLock(held / ".lock"):
        sweep_drafts(tmp_path)
        assert held.is_dir()
    sweep_drafts(tmp_path)
    assert names(tmp_path) == []


def test_what_was_not_even_locked_is_swept_after_a_while(tmp_path):
    left = tmp_path / ".run.draft-abc"
    left.mkdir()
    sweep_drafts(tmp_path)
    assert left.is_dir()
    os.utime(left, (0, 0))
    sweep_drafts(tmp_path)
    assert names(tmp_path) == []


def test_what_was_half_deleted_is_swept_after_a_while(tmp_path):
    """Killed while it deleted its draft: the lock is gone, files are left. A folder of the user's stays as it is."""
    left, theirs = tmp_path / ".run.draft-abc", tmp_path / ".novel.draft-2"
    for file in (left / "draft" / "table.csv", theirs / "chapter.txt", theirs / "notes" / "plot.txt"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("words")
    sweep_drafts(tmp_path)
    assert names(tmp_path) == [".novel.draft-2", ".run.draft-abc"]
    for folder in (left, theirs):
        os.utime(folder, (0, 0))
    sweep_drafts(tmp_path)
    assert names(tmp_path) == [".novel.draft-2"]
    assert sorted(path.name for path in theirs.rglob("*.txt")) == ["chapter.txt", "plot.txt"]


def test_a_draft_is_no_run_to_check(tmp_path):
    """Neither as sound nor as damaged: it is being made, or was when it was killed."""
    fill(tmp_path / "run", "whole")
    write_manifest(tmp_path / "run")
    draft = tmp_path / ".run.draft-abc" / "draft"
    draft.mkdir(parents=True)
    (draft / "half.safetensors").write_bytes(b"half")
    write_manifest(draft)
    assert [row["path"] for row in check_path(tmp_path)] == [str(tmp_path / "run" / MANIFEST)]
