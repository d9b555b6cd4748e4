"""After which sentences a neuron is highest and lowest, from the states that a find has kept of its best neurons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurosteer.artefacts import PROBES, TOP_STATES
from neurosteer.report.table import Table
from neurosteer.results.find import FindResult
from neurosteer.store import SUFFIX, file_stem
from neurosteer.vocabulary import Position

AT: dict[Position, str] = {"eos": "at EOS", "last": "at the last token"}


@dataclass(frozen=True, eq=False)
class Heights:
    """What a find has kept of its best neurons."""

    rows: dict[tuple[int, int], int]  # of layer and unit
    arrays: Mapping[str, np.ndarray]
    sentences: Sequence[tuple[str, str]]  # good and bad, of every pair
    at: str

    @classmethod
    def of(cls, folder: Path, found: FindResult) -> Heights | None:
        """That of a run folder; None where there is none."""
        stem = file_stem(found.task)
        states, probes = (folder / f"{stem}.{name}{SUFFIX}" for name in ("states", "probes"))
        if not states.is_file() or not probes.is_file():
            return None
        arrays, _ = TOP_STATES.read(states)
        _, metadata = PROBES.read(probes)
        places = zip(arrays["top_layers"].tolist(), arrays["top_units"].tolist(), strict=True)
        sentences = [(pair["good"], pair["bad"]) for pair in metadata["pairs"]]
        return cls({place: i for i, place in enumerate(places)}, arrays, sentences, AT[found.position])

    def tables(self, layer: int, unit: int) -> Iterator[Table]:
        """The sentences of the highest and of the lowest values; none of a neuron that is not known."""
        row = self.rows.get((layer, unit))
        if row is None:
            return
        good, bad = self.arrays["top_means"][row].tolist()
        means = f" (on average {good:.4g} after good ones, {bad:.4g} after bad ones)"
        for end, word in enumerate(("highest", "lowest")):
            values, places = (self.arrays[f"top_{name}"][row, end].tolist() for name in ("values", "sentences"))
            rows = [
                (("good", "bad")[place % 2], self.sentences[place // 2][place % 2], f"{value:.4g}")
                for value, place in zip(values, places, strict=True)
            ]
            caption = f"Sentences after which it is {word}, {self.at}" + means * (end == 0)
            yield Table(caption, ("", "sentence", "value"), tuple(rows), left=2)
