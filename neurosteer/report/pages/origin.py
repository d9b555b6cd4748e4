"""The find that a run took its neurons from, where it lies beside the run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from neurosteer.results import FindResult, read_record
from neurosteer.vocabulary import Json

from .command import command_of_run
from .top_sentences import Heights

RESULTS = "results.json"


@dataclass(frozen=True)
class OriginFind:
    """A run folder of `find`, and its results."""

    folder: Path
    run: Json

    @classmethod
    def of(cls, folder: Path, options: Json) -> OriginFind | None:
        """That of the run in `folder`; None where no find is named, or where it is gone."""
        found = folder.parent / Path(options.get("from") or "").name
        if not options.get("from") or not (found / RESULTS).is_file():
            return None
        return cls(found, json.loads((found / RESULTS).read_text("utf-8")))

    @property
    def command(self) -> str:
        """That found the neurons."""
        return command_of_run(self.run)

    def heights(self) -> Heights | None:
        """What is known of its best neurons, sentence by sentence; None of a find of several tasks."""
        if self.run["command"] != "find" or len(self.run["results"]) != 1:
            return None
        return Heights.of(self.folder, read_record(FindResult, self.run["results"][0]))
