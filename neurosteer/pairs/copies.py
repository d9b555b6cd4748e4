"""The copies of data sets of the hub in the cache: where they lie, and whether they are whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neurosteer.store import file_stem, home

PROVENANCE = "neurosteer.json"


@dataclass(frozen=True)
class Copy:
    """What a copy is of, and its files with their sizes (bytes)."""

    repository: str
    revision: str | None  # as it was asked for
    commit: str
    files: Mapping[str, int]


def folder_of(repo: str) -> Path:
    """Where the copy of a data set lies, or would lie."""
    return home() / "data" / file_stem(repo.replace("/", "--"))


def files_of(folder: Path, commit: str) -> Path:
    """Where the files of a copy lie: `datasets` takes folders of one name for one set, whatever they hold."""
    return folder / f"{folder.name}-{commit[:12]}"


def fetched(repo: str) -> Path | None:
    """The copy of a data set in the cache; None where it was not fetched, or is no longer whole."""
    folder = folder_of(repo)
    copy = copy_in(folder)
    return None if copy is None else files_of(folder, copy.commit)


def copy_in(folder: Path) -> Copy | None:
    """What is known of a copy; None where there is none, or not all of it."""
    try:
        copy = Copy(**json.loads((folder / PROVENANCE).read_text("utf-8")))
        place = files_of(folder, copy.commit)
        whole = all((place / file).stat().st_size == size for file, size in copy.files.items())
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return copy if whole else None
