"""Runs of recipes that are not finished: what is running, waiting, failed, missing."""

from __future__ import annotations

import json
from pathlib import Path

from neurosteer.results.run import UnfinishedRun
from neurosteer.store import MANIFEST, SUFFIX
from neurosteer.vocabulary import Json, RunState, counted

from .claims import Claims
from .result_store import FOLDER
from .run_metadata import METADATA
from .slurm import QueueState, queue_state

_NO_QUEUE = QueueState(0, 0, 0)


def unfinished_runs(out: Path) -> list[UnfinishedRun]:
    """Those below a folder, by name. Files are not verified."""
    found = [_unfinished(path.parent) for path in sorted(out.glob(f"*/{METADATA}"))]
    return [one for one in found if one is not None]


def _unfinished(folder: Path) -> UnfinishedRun | None:
    """None where it is finished, or not ours."""
    if (folder / MANIFEST).is_file():
        return None
    try:
        asked: dict[str, Json] = json.loads((folder / METADATA).read_bytes())
        units, scratch = int(asked["units"]), set(asked["scratch"])
        recipe, several = str(asked["recipe"]["name"]), asked.get("models", ())
        model = counted(len(several), "model") if several else str(asked["model"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    there = {path.name.removesuffix(SUFFIX) for path in (folder / FOLDER).glob(f"*{SUFFIX}")}
    queue, running = queue_state(folder) or _NO_QUEUE, len(Claims(folder).held())
    return UnfinishedRun(
        run=folder.name,
        recipe=recipe,
        model=model,
        path=str(folder),
        state=_state(queue, running),
        units=units,
        missing=units - len(there - scratch),
        running=running,
        tasks_running=queue.running,
        tasks_waiting=queue.waiting,
        tasks_failed=queue.failed,
    )


def _state(queue: QueueState, running: int) -> RunState:
    if running or queue.running:
        return "running"
    if queue.waiting:
        return "waiting"
    return "failed" if queue.failed else "stopped"
