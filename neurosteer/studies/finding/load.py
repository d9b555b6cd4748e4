"""A `find` read back from its run folder."""

from __future__ import annotations

from pathlib import Path

from neurosteer.errors import InputError
from neurosteer.neurons import Ranking
from neurosteer.results import FindResult, read_record
from neurosteer.studies.runs import read_run, refuse_unfinished

from .found_parts import FoundParts
from .probes_file import read_probes
from .top_states import read_top_states, states_path


def load_parts(folder: Path, task: str | None = None) -> FoundParts:
    """The `find` of one task as it was saved. Raises `InputError` or `CorruptFileError`, in one line."""
    result = _result_in(folder, task)
    rankings = {method: Ranking.load(folder / Path(path).name) for method, path in result.rankings.items()}
    directions, pairs, split = read_probes(folder, result)
    top = read_top_states(states_path(folder, result.task))
    return FoundParts(result, rankings, directions, pairs, split, top)


def _result_in(folder: Path, task: str | None) -> FindResult:
    """The numbers of one task in an intact run folder of `find`."""
    refuse_unfinished(folder)
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
