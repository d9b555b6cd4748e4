"""Files of pairs in a folder and below it, and the names of their tasks."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neurosteer.errors import InputError
from neurosteer.store import MANIFEST

from .files import READERS, is_text_of_pairs, refuse_irregular
from .layouts import ORDERS, Layout

_OF_RUNS = (MANIFEST, "recipe.json")  # what is in a folder of results: none of its files are pairs


@dataclass(frozen=True)
class FolderOfPairs:
    """The files by the names that they give their tasks, and what a notice says of them."""

    files: dict[str, Path]
    remarks: tuple[str, ...] = ()


def files_below(source: str, folder: Path, asked: Layout) -> FolderOfPairs:
    """All files of pairs, hidden ones and results of neurosteer left out.

    A file is named by its stem, and by its path from the folder where other folders hold the same stem.

    Raises:
        InputError: for a folder that cannot be read or holds no such files, one stem twice in a folder, and a file
            that is no regular one.
    """
    shut: list[str] = []
    there = [path for path in _walk(source, folder, shut) if _may_be_of_pairs(path)]
    passed = [path for path in there if not (asked.one_a_row or _says_which_are_good(path))]
    found = [path for path in there if path not in passed]
    if not found and passed:
        how = " or ".join(f"--layout {order}" for order in ORDERS)
        raise InputError(f"{passed[0]}: nothing says which of its lines are good ({how} does)")
    if not found:
        raise InputError(f"'{source}' holds no files of pairs ({', '.join(READERS)})")
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in found:
        by_stem[path.stem].append(path)
    files: dict[str, Path] = {}
    for path in found:
        own = path.relative_to(folder).with_suffix("").as_posix()
        name = path.stem if len(by_stem[path.stem]) == 1 or path.parent == folder else own
        if name in files:
            raise InputError(f"'{source}' holds task '{name}' twice: {files[name].name} and {path.name}")
        files[name] = path
    below = [name for name, path in files.items() if path.parent != folder]
    remarks = (
        [f"{len(below)} of its files are in folders below it ({below[0]})"] if 0 < len(below) < len(files) else []
    )
    if passed:
        more = f" and {len(passed) - 1} more" if len(passed) > 1 else ""
        how = " or ".join(f"--layout {order}" for order in ORDERS)
        remarks.append(f"{passed[0].name}{more} left out: nothing says which of its lines are good ({how} does)")
    return FolderOfPairs(files, (*remarks, *(f"cannot read the folder '{one}'" for one in shut)))


def _may_be_of_pairs(path: Path) -> bool:
    if path.suffix.lower() not in READERS or path.name.startswith("."):
        return False
    try:
        refuse_irregular(path)
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from error
    return True


def _says_which_are_good(path: Path) -> bool:
    """A plain text may be a licence or a list of words; other files say what they lack when they are read."""
    return path.suffix.lower() != ".txt" or is_text_of_pairs(path)


def _walk(source: str, folder: Path, shut: list[str]) -> Iterator[Path]:
    """Every file, folder by folder, also through links; those that cannot be read are added to `shut`."""
    seen: set[str] = set()

    def failed(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise InputError(f"cannot read '{source}': {error.strerror}") from error
        shut.append(str(error.filename))

    for place, inner, names in os.walk(folder, followlinks=True, onerror=failed):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        real = os.path.realpath(place)
        below = Path(place) != folder
        if real in seen or (below and any(name in names for name in _OF_RUNS)):
            inner.clear()
            continue
        seen.add(real)
        yield from (Path(place, name) for name in sorted(names))
