"""The copies of data sets of the hub in the cache: where they lie, and whether they are whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurosteer.store import file_stem, home

PROVENANCE = "neurosteer.json"


def folder_of(repo: str) -> Path:
    """Where the copy of a data set lies, or would lie."""
    return home() / "data" / file_stem(repo.replace("/", "--"))


def files_of(folder: Path, about: Mapping[str, Any]) -> Path:
    """Where the files of a copy lie: `datasets` takes folders of one name for one set, whatever they hold."""
    return folder / f"{folder.name}-{about['commit'][:12]}"


def fetched(repo: str) -> Path | None:
    """The copy of a data set in the cache; None where it was not fetched, or is no longer whole."""
    folder = folder_of(repo)
    about = about_of(folder)
    return None if about is None else files_of(folder, about)


def about_of(folder: Path) -> Mapping[str, Any] | None:
    """What is known of a whole copy: its revision, its commit, and how large its files are."""
    try:
        about = json.loads((folder / PROVENANCE).read_text("utf-8"))
        place = files_of(folder, about)
        whole = all((place / file).stat().st_size == size for file, size in about["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return about if whole else None
