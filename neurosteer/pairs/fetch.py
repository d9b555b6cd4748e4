"""Data sets of the hub put into the cache, for machines without network."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from neurosteer import hub
from neurosteer.errors import InputError, did_you_mean
from neurosteer.hub import Fetched, Repository
from neurosteer.progress import AUTO, Progress
from neurosteer.store import locked, write_bytes

from .copies import PROVENANCE, Copy, copy_in, files_of, folder_of
from .hub import config_names
from .published import PUBLISHED

_READ = (".parquet", ".jsonl", ".json", ".csv", ".tsv", ".txt", ".arrow", ".gz", ".zip", ".zst", ".xz")
_CARD = "README.md"  # says which files are which configuration


def fetch_data(
    name: str, *, revision: str | None = None, offline: bool = False, progress: Progress = AUTO
) -> Fetched:
    """Put a data set into the cache, where it is found without network by every later `--data NAME --offline`.

    The whole set is taken, in all its configurations; another revision takes the place of the one that is there.

    Args:
        name: a published set (`rublimp`, `multiblimp:deu`) or a hub id, with `:CONFIGURATION` or without.
        revision: a branch, tag or commit.
        offline: never reach for the network: only look whether it is there.
        progress: what is shown meanwhile.

    Raises:
        InputError: for what the hub has not, and where the hub cannot be reached and the set is not here.

    Example:
        fetch_data("multiblimp:deu").folder
    """
    source, _, configuration = name.partition(":")
    repo = PUBLISHED[source].hub_id if source in PUBLISHED else source
    folder = folder_of(repo)
    if offline or not hub.is_reachable():
        copy = copy_in(folder)
        if copy is None or revision not in (None, copy.revision, copy.commit):
            at = "" if revision is None else f" at revision '{revision}'"
            raise InputError(f"'{repo}'{at} is not in the cache and the hub cannot be reached; fetch it with network")
        _check_configuration(repo, files_of(folder, copy.commit), configuration)
        return _as_fetched(name, folder, copy, was_there=True)
    found = hub.repository(repo, "dataset", revision)
    if found is None:
        close = did_you_mean(repo, [row.hub_id for row in PUBLISHED.values()])
        raise InputError(f"no dataset '{repo}' on the hub, or no access to it{close}")
    with locked(folder):
        copy = copy_in(folder)
        was_there = copy is not None and copy.commit == found.commit
        if not was_there:
            _replace(folder, found, revision, configuration, progress)
    copy = copy_in(folder)
    assert copy is not None
    _check_configuration(repo, files_of(folder, copy.commit), configuration)
    return _as_fetched(name, folder, copy, was_there=was_there)


def _replace(folder: Path, found: Repository, revision: str | None, configuration: str, progress: Progress) -> None:
    """Put a copy in the place of the one that is there, whole or not at all. To be called with the folder locked."""
    files = [file for file in found.sizes if file == _CARD or file.lower().endswith(_READ)]
    if not set(files) - {_CARD}:
        raise InputError(f"'{found.name}' holds no files that can be read as pairs ({', '.join(_READ[:6])})")
    for left in folder.parent.glob(f".{folder.name}-*"):  # of a killed process
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        made = Path(scratch) / "made"
        place = hub.download(found, files, progress, into=files_of(made / folder.name, found.commit))
        shutil.rmtree(place / ".cache", ignore_errors=True)  # huggingface_hub's own notes
        _check_configuration(found.name, place, configuration)
        sizes = {file: (place / file).stat().st_size for file in files}
        copy = Copy(repository=found.name, revision=revision, commit=found.commit, files=sizes)
        write_bytes(made / folder.name / PROVENANCE, json.dumps(asdict(copy), indent=2).encode())
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        (made / folder.name).rename(folder)


def _check_configuration(repo: str, folder: Path, configuration: str) -> None:
    """Raise `InputError` for one that the copy lacks."""
    known = config_names(str(folder), online=False) if configuration else ()
    if configuration not in ("", *known):
        close = did_you_mean(configuration, known)
        raise InputError(f"'{repo}' has no configuration '{configuration}' (it has {len(known)}){close}")


def _as_fetched(name: str, folder: Path, copy: Copy, *, was_there: bool) -> Fetched:
    size = sum(copy.files.values())
    return Fetched(name, "dataset", files_of(folder, copy.commit), size, copy.commit, was_there)
