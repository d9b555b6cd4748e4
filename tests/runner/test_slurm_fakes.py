"""Slurm where it does not do as it is told; `test_r27_slurm` runs arrays on a real one."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from neurosteer.errors import NeurosteerError
from neurosteer.runner import slurm
from neurosteer.runner.slurm import QueueState, SlurmRequest, queue_state, submit


class Executor:
    """Of a fake submitit: takes arrays, and single jobs unless they are to be refused."""

    refuses = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def update_parameters(self, **_: object) -> None:
        pass

    def map_array(self, _: object, tasks: list[int]) -> list[SimpleNamespace]:
        return [SimpleNamespace(job_id=f"7_{task}") for task in tasks]

    def submit(self, *_: object) -> SimpleNamespace:
        if self.refuses:
            raise RuntimeError("sbatch: error: no such partition")
        return SimpleNamespace(job_id="8")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were run; squeue has nothing to say."""
    commands: list[list[str]] = []

    def ran(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", ran)
    monkeypatch.setattr(slurm, "_submitit", lambda: SimpleNamespace(SlurmExecutor=Executor))
    return commands


def submitted(run: Path, tasks: str = "3") -> slurm.Submitted:
    return submit(print, print, SlurmRequest.parse(tasks), run)


def test_an_array_that_nobody_would_join_is_cancelled(called, tmp_path, monkeypatch):
    monkeypatch.setattr(Executor, "refuses", True)
    with pytest.raises(NeurosteerError, match=r"^Slurm refuses: .*no such partition"):
        submitted(tmp_path)
    assert called == [["scancel", "7"]]
    assert queue_state(tmp_path) is None


def test_no_more_tasks_than_there_is_work():
    asked = SlurmRequest.parse("8%4")
    assert (asked.at_most_tasks(2).tasks, asked.at_most_tasks(2).at_most) == (2, 2)
    assert asked.at_most_tasks(100) == asked
    assert "time=240" in asked.in_words()[0]
    assert "time=30" in SlurmRequest.parse("8", ["time=30"]).in_words()[0]


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("slurm_load_jobs error: Invalid job id specified\n", QueueState(0, 0, 4)),
        ("slurm_load_jobs error: Unable to contact slurm controller\n", None),
        ("", None),
    ],
)
def test_a_controller_that_does_not_answer_has_lost_no_task(says, expected, called, tmp_path, monkeypatch):
    submitted(tmp_path)
    assert queue_state(tmp_path) == QueueState(0, 0, 4)

    def fails(command: list[str], **_: Any) -> None:
        raise subprocess.CalledProcessError(1, command, "", says)

    monkeypatch.setattr(subprocess, "run", fails)
    assert queue_state(tmp_path) == expected
    for name in ("0", "1", "2", "join"):
        (tmp_path / "slurm" / "ended" / name).touch()
    assert queue_state(tmp_path) == QueueState(0, 0, 0)
