"""The find that a run took its neurons from, where it lies beside the run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from neurosteer.results import FindResult, read_record
from neurosteer.results.run import RunRecord

from .command import command_of_run
from .top_sentences import Heights

RESULTS = "results.json"
R = TypeVar("R")


@dataclass(frozen=True)
class OriginFind:
    """A run folder of `find`, and its results."""

    folder: Path
    run: RunRecord

    @classmethod
    def of(cls, beside: Path, run: RunRecord) -> OriginFind | None:
        """That of a run, in the same folder of runs; None where no find is named, or where it is gone."""
        taken = run.options.get("from")
        found = beside / Path(taken or "").name
        return cls(found, read_results(RunRecord, found)) if taken and (found / RESULTS).is_file() else None

    @property
    def command(self) -> str:
        """That found the neurons."""
        return command_of_run(self.run)

    def heights(self) -> Heights | None:
        """What is known of its best neurons, sentence by sentence; None of a find of several tasks."""
        if self.run.command != "find" or len(self.run.results) != 1:
            return None
        return Heights.of(self.folder, read_record(FindResult, self.run.results[0]))


def read_results(kind: type[R], folder: Path) -> R:
    """The results of a run. Raises `ValueError` for those of another program."""
    return read_record(kind, json.loads((folder / RESULTS).read_text("utf-8")))
