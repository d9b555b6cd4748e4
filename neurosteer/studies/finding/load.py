"""A `find` read back from its run folder."""

from __future__ import annotations

from pathlib import Path

from neurosteer.errors import CorruptFileError, InputError
from neurosteer.neurons import Ranking
from neurosteer.pairs import LeftOut, Pair, Pairs, Split
from neurosteer.results import FindResult, read_record
from neurosteer.store import MANIFEST, check_path, file_stem, read_artefact
from neurosteer.studies.runs import read_run

from .directions import directions_from
from .found import Found
from .save import PROBES


def load_found(folder: Path, task: str | None = None) -> Found:
    """The `find` of one task as it was saved. Raises `InputError` or `CorruptFileError`, in one line."""
    result = _result_in(folder, task)
    rankings = {method: Ranking.load(folder / Path(path).name) for method, path in result.rankings.items()}
    path = folder / f"{file_stem(result.task)}{PROBES}"
    if not path.is_file():
        raise InputError(f"{folder} holds no probes and pairs: an earlier version wrote it; find again")
    arrays, about = read_artefact(path, "probes")
    pairs = Pairs(
        result.task,
        about["source"],
        tuple(Pair(**pair) for pair in about["pairs"]),
        result.phenomenon,
        LeftOut(**about["left_out"]),
    )
    indices = {part: tuple(arrays[part].tolist()) for part in ("train", "validation", "test")}
    train, validation, test = map(pairs.take, indices.values())
    split = Split(train=train, validation=validation, test=test, indices=indices, **about["split"])
    layers = [layer.layer for layer in result.layers]
    return Found(result, rankings, directions_from(arrays, layers), pairs, split)


def _result_in(folder: Path, task: str | None) -> FindResult:
    """The numbers of one task in an intact run folder of `find`."""
    if not (folder / MANIFEST).is_file():
        raise InputError(f"no finished run in '{folder}'")
    [checked] = check_path(folder / MANIFEST)
    if not checked["ok"]:
        raise CorruptFileError(checked["message"])
    run = read_run(folder)
    if run["command"] != "find":
        raise InputError(f"{folder} is a run of `neurosteer {run['command']}`, not of `neurosteer find`")
    entries = {entry["task"]: entry for entry in run["results"]}
    if task is None and len(entries) > 1:
        raise InputError(f"{folder} holds {', '.join(entries)}; name one as task=")
    task = next(iter(entries)) if task is None else task
    if task not in entries:
        raise InputError(f"no task '{task}' in {folder}; there is {', '.join(entries)}")
    try:
        return read_record(FindResult, entries[task])
    except ValueError as error:
        raise InputError(f"{folder} is of another version of neurosteer ({error}); find again") from None
