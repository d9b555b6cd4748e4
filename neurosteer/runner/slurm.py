"""A run on a cluster with Slurm: an array of workers that share the run's folder, and a task that joins and draws.

`submitit` (extra `slurm`) submits them, and keeps their logs below the run's folder. A task that is stopped or
requeued loses its unit: it goes on with what is free then.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neurosteer import hub
from neurosteer.errors import InputError, NeurosteerError, one_line
from neurosteer.store import canonical_json, refuse_link, write_bytes
from neurosteer.vocabulary import MOST_WORKERS

FOLDER = "slurm"  # in the run's
_JOBS, _ENDED = "jobs.json", "ended"
_MINUTES = 240  # unless an option says otherwise
_OURS = ("array", "dependency", "job_name", "output", "error", "open_mode", "requeue", "signal")
_JOIN = "join"


@dataclass(frozen=True)
class SlurmRequest:
    """How many tasks, how many of them at a time, and options of sbatch (`partition`, `gpus_per_node`, ...)."""

    tasks: int
    at_most: int
    options: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def parse(cls, tasks: str, options: Sequence[str] = ()) -> SlurmRequest:
        """From `8` or `8%4`, and `key=value` each. Raises `InputError`."""
        match = re.fullmatch(r"([0-9]{1,6})(?:%([0-9]{1,6}))?", tasks)
        if not match or not 1 <= int(match[1]) <= MOST_WORKERS or match[2] == "0":
            raise InputError(f"slurm '{tasks}' is no number of tasks from 1 to {MOST_WORKERS:,}, like 8, or 8%4")
        given: dict[str, str | int] = {}
        for text in options:
            key, sign, value = (part.strip() for part in text.partition("="))
            key = key.lstrip("-").replace("-", "_")
            if not sign or not re.fullmatch(r"[a-z][a-z0-9_]*", key) or not value.isprintable() or not value:
                raise InputError(f"slurm-opt '{text}' is not KEY=VALUE, like partition=gpu")
            if key in _OURS:
                raise InputError(f"slurm-opt '{key}' is neurosteer's own to set; leave it out")
            if key in given:
                raise InputError(f"slurm-opt gives '{key}' twice")
            given[key] = int(value) if re.fullmatch(r"[0-9]{1,9}", value) else value
        if not isinstance(given.get("time", 1), int):
            raise InputError(f"slurm-opt time is a number of minutes, not '{given['time']}'")
        return cls(int(match[1]), min(int(match[1]), int(match[2] or match[1])), given)

    def at_most_tasks(self, most: int) -> SlurmRequest:
        """The same with no more tasks than there is work for."""
        return replace(self, tasks=min(self.tasks, most), at_most=min(self.at_most, most))

    def in_words(self) -> list[str]:
        """What is submitted, a line each."""
        options = " ".join(f"{key}={value}" for key, value in {"time": _MINUTES, **self.options}.items())
        return [
            f"array   {self.tasks} tasks, at most {self.at_most} at a time, each a worker: {options}",
            "then    1 task with the same options, when they have ended: it joins and draws",
        ]


@dataclass(frozen=True)
class Submitted:
    """The ids of what was submitted."""

    array: str
    join: str
    tasks: int
    logs: Path


@dataclass(frozen=True)
class QueueState:
    """How many of the tasks are running, waiting, and gone without having ended well."""

    running: int
    waiting: int
    failed: int


def submit(work: Callable[[], object], join: Callable[[], object], asked: SlurmRequest, run: Path) -> Submitted:
    """Submit `work` as an array and `join` to follow it; both must be importable on the nodes, in this folder.

    Raises `InputError` where there is no Slurm or no submitit, and `NeurosteerError` where Slurm refuses.
    """
    submitit = _submitit()
    folder = (run / FOLDER).absolute()
    refuse_link(folder)
    shutil.rmtree(folder / _ENDED, ignore_errors=True)
    (folder / _ENDED).mkdir(parents=True)
    try:
        array = _executor(submitit, asked, folder, array_parallelism=asked.at_most)
        jobs = array.map_array(SlurmTask(work, folder), list(range(asked.tasks)))
    except Exception as error:  # submitit raises what it likes, and repeats what sbatch says
        raise _refused(error) from error
    number = jobs[0].job_id.partition("_")[0]
    try:
        last = _executor(submitit, asked, folder, dependency=f"afterany:{number}")
        joining = last.submit(SlurmTask(join, folder), _JOIN)
    except Exception as error:
        subprocess.run(["scancel", number], capture_output=True, check=False)  # nobody would join what it does
        raise _refused(error) from error
    submitted = Submitted(number, joining.job_id, asked.tasks, folder)
    ids = {"array": submitted.array, "join": submitted.join, "tasks": submitted.tasks}
    write_bytes(folder / _JOBS, canonical_json(ids).encode())
    return submitted


def _refused(error: Exception) -> NeurosteerError:
    return NeurosteerError(f"Slurm refuses: {one_line(error)[-300:]}")


@dataclass(frozen=True)
class SlurmTask:
    """What a node calls. When Slurm asks it to make room, or its time is over, it is put back into the queue."""

    job: Callable[[], object]
    folder: Path

    def __call__(self, name: int | str) -> None:
        hub.go_offline()  # nodes have no network: all was fetched before
        if "SLURM_CPUS_PER_TASK" in os.environ:
            os.environ.setdefault("OMP_NUM_THREADS", os.environ["SLURM_CPUS_PER_TASK"])
        self.job()
        (self.folder / _ENDED / str(name)).touch()

    def checkpoint(self, name: int | str) -> Any:
        """The same again: what is done is done."""
        return _submitit().helpers.DelayedSubmission(self, name)


def queue_state(run: Path) -> QueueState | None:
    """Of a run that was submitted; None of others, and where Slurm cannot be asked."""
    folder = run / FOLDER
    try:
        ids = json.loads((folder / _JOBS).read_bytes())
        jobs, total = [str(ids["array"]), str(ids["join"])], int(ids["tasks"]) + 1
        ended = sum(1 for _ in (folder / _ENDED).iterdir())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    queued = [_queued(job) for job in jobs]
    states = [state for of_job in queued for state in of_job or ()]
    if None in queued and total > ended:
        return None
    waiting = sum(state == "PD" for state in states)
    return QueueState(len(states) - waiting, waiting, max(0, total - ended - len(states)))


def _queued(job: str) -> list[str] | None:
    """The states of a job's tasks that Slurm still knows of; None where it does not answer."""
    command = ["squeue", "--noheader", "--array", f"--jobs={job}", "--format=%t"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except subprocess.CalledProcessError as error:
        return [] if "Invalid job id" in error.stderr else None  # it knows it no longer
    except (OSError, subprocess.SubprocessError):
        return None
    return [state for state in found.stdout.split() if state not in ("CD", "F", "CA", "TO", "OOM", "NF")]


def _executor(submitit: Any, asked: SlurmRequest, folder: Path, **own: object) -> Any:
    """The options are handed on to sbatch as they are."""
    executor = submitit.SlurmExecutor(folder=folder)
    options: dict[str, object] = {**asked.options, "job_name": "neurosteer", "requeue": True}
    executor.update_parameters(time=options.pop("time", _MINUTES), **own, additional_parameters=options)
    return executor


def _submitit() -> Any:
    try:
        import submitit
    except ImportError as error:
        raise InputError("--slurm needs submitit: pip install 'neurosteer[slurm]'") from error
    if shutil.which("sbatch") is None:
        raise InputError("--slurm: no sbatch here; give the command on a login node of the cluster")
    return submitit
