"""R27 on a real Slurm of one node: an array of three, one task killed and requeued, joined; the bytes of one process.

Skipped where no Slurm can be started: `apt-get install slurm-wlm munge`, as root.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import slurm_jobs
from real_slurm import real_slurm, why_not
from stub_recipe import DIGEST, NAMES, contents, expected_sums, stub_units

from neurosteer.errors import NeurosteerError
from neurosteer.runner.execution import run_units
from neurosteer.runner.slurm import FOLDER, QueueState, SlurmRequest, queue_state, submit

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())
SECONDS = 120


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Slurm for the commands of this process, and for the jobs that they submit."""
    package, tests = Path(__file__).resolve().parents[2], Path(__file__).resolve().parents[1]
    with real_slurm(tmp_path_factory.mktemp("slurm") / "here") as env, pytest.MonkeyPatch.context() as patch:
        for name, value in {**env, "PYTHONPATH": f"{package}:{tests}"}.items():
            patch.setenv(name, value)
        yield


def wait_until(holds: Callable[[], object], what: str, place: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            logs = "\n".join(path.read_text()[-500:] for path in place.rglob("*.err"))
            queue = subprocess.run(["squeue", "--array"], capture_output=True, text=True, check=False).stdout
            pytest.fail(f"{what}\n{queue}\n{logs}")
        time.sleep(0.1)


def test_an_array_with_a_task_that_is_requeued(slurm, tmp_path):
    run = tmp_path / "run"
    asked = SlurmRequest.parse("3%2", ["partition=main", "cpus_per_task=1", "mem=200"])
    work, join = partial(slurm_jobs.work, tmp_path), partial(slurm_jobs.join, tmp_path)
    sent = submit(work, join, asked, run)
    assert (sent.tasks, sent.logs) == (3, run / FOLDER)
    stopped = tmp_path / "stopped"
    wait_until(
        lambda: stopped.exists() and stopped.read_text(), "no task comes to the unit that never ends", tmp_path
    )
    seen = queue_state(run)
    assert seen is not None
    assert (seen.running + seen.waiting, seen.failed) == (4, 0)
    assert seen.waiting >= 1  # the one that joins

    task = stopped.read_text()
    subprocess.run(["scontrol", "requeue", task], check=True)

    def is_joined() -> bool:
        at_once = ["scontrol", "update", f"JobId={task}", "StartTime=now"]  # not in two minutes, as Slurm would
        subprocess.run(at_once, capture_output=True, check=False)
        return (tmp_path / "sums").exists()

    wait_until(is_joined, "nothing is joined", tmp_path)
    assert [float(one) for one in (tmp_path / "sums").read_text().split()] == expected_sums()
    wait_until(lambda: queue_state(run) == QueueState(0, 0, 0), "tasks stay in the queue", tmp_path)

    begun = (tmp_path / "log").read_text().split()
    assert sorted(begun) == sorted([*NAMES, "block-2-1"])
    run_units(stub_units(), tmp_path / "one", DIGEST)
    found = {name: text for name, text in contents(run).items() if not name.startswith(f"{FOLDER}/")}
    assert found == contents(tmp_path / "one")
    assert list((run / FOLDER).glob("*_log.out"))


def test_what_slurm_refuses(slurm, tmp_path):
    asked = SlurmRequest.parse("2", ["partition=nowhere"])
    with pytest.raises(NeurosteerError, match=r"Slurm refuses: .*invalid partition"):
        submit(partial(slurm_jobs.work, tmp_path), partial(slurm_jobs.join, tmp_path), asked, tmp_path / "run")
    assert queue_state(tmp_path / "run") is None
