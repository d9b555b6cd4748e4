"""Jobs for a real Slurm: work on the stubbed units of a run, and join them. Nodes import this module."""

from __future__ import annotations

import os
import time
from pathlib import Path

from stub_recipe import DIGEST, logging_to, stub_plan, stub_units

from neurosteer.runner.execution import run_units
from neurosteer.runner.result_store import ResultStore


def work(place: Path) -> None:
    """One unit never ends the first time that it is begun."""

    def started(name: str) -> None:
        logging_to(place / "log")(name)
        if name == "block-2-1":
            try:
                with (place / "stopped").open("x") as file:
                    file.write("{SLURM_ARRAY_JOB_ID}_{SLURM_ARRAY_TASK_ID}".format_map(os.environ))
            except FileExistsError:
                return
            time.sleep(600)

    run_units(stub_units(started, pause=0.02), place / "run", DIGEST)


def join(place: Path) -> None:
    run_units(stub_units(), place / "run", DIGEST)
    found = stub_plan().results(ResultStore(place / "run", DIGEST).read)["stub"]["sums"]
    (place / "sums").write_text(" ".join(map(str, found)))
