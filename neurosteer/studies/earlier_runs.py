"""Runs that were made before: the same question about the same things, answered from its run folder.

Neither a model is loaded nor anything slow imported. What a run was made from is in its question: the command and its
options, the model, the pairs, files. The run counts as long as its folder is as it was left.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from neurosteer.artefacts import check_path
from neurosteer.memo import recall, remember
from neurosteer.pairs import Pairs
from neurosteer.results import record
from neurosteer.results.model import ModelDescription
from neurosteer.store import MANIFEST, digest_of, file_digest
from neurosteer.vocabulary import Json

from .runs import read_run

_KIND = "answers"  # a folder of the cache


@runtime_checkable
class Described(Protocol):
    """A model, loaded or known by its files."""

    def describe(self) -> ModelDescription: ...


@dataclass(frozen=True)
class RunRequest:
    """What a command was asked to do."""

    command: str
    out: Path
    options: Mapping[str, Json]  # as the run keeps them
    made_from: Sequence[Json]  # identities of all that decides the answer beside the model


def pairs_identity(pairs: Pairs) -> Json:
    """Everything that pairs hold, and where they are from."""
    rows = digest_of([asdict(pair) for pair in pairs])
    return [pairs.task, pairs.source, pairs.phenomenon, pairs.layout, asdict(pairs.left_out), rows]


def made_before(asked: RunRequest, model: Described) -> tuple[Path, dict[str, Json]] | None:
    """The folder of the run and its JSON object; it is the newest run now. None where it was not made, or changed."""
    found = recall(_KIND, _key(asked, model))
    if found is None:
        return None
    folder = asked.out / found["folder"]
    manifest = folder / MANIFEST
    try:
        if file_digest(manifest) != found["manifest"] or not check_path(manifest)[0]["ok"]:
            return None
        result = read_run(folder)
    except (OSError, ValueError):
        return None
    with suppress(OSError):
        manifest.touch()
    return folder, result


def remember_run(asked: RunRequest, model: Described, folder: Path) -> None:
    """Remember that this run is the answer."""
    with suppress(OSError):
        remember(_KIND, _key(asked, model), {"folder": folder.name, "manifest": file_digest(folder / MANIFEST)})


def _key(asked: RunRequest, model: Described) -> list[Json]:
    place = [str(asked.out), os.path.abspath(asked.out)]  # paths in results are as they were typed
    return [asked.command, place, dict(asked.options), record(model.describe()), list(asked.made_from)]
