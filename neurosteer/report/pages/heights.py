"""After which sentences a neuron is highest and lowest, from the states that a find has kept of its best neurons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from neurosteer.artefacts import PROBES, TOP_STATES
from neurosteer.report.table import Table
from neurosteer.results.find import FindResult
from neurosteer.store import SUFFIX, file_stem
from neurosteer.vocabulary import Position

SENTENCES = 4  # at either end
AT: dict[Position, str] = {"eos": "at EOS", "last": "at the last token"}


@dataclass(frozen=True, eq=False)
class Heights:
    """The activations of some neurons after every sentence of a task."""

    values: Float[np.ndarray, "pair side neuron"]
    columns: dict[tuple[int, int], int]  # of layer and unit
    sentences: Sequence[tuple[str, str]]  # good and bad, of every pair
    at: str

    @classmethod
    def of(cls, folder: Path, found: FindResult) -> Heights | None:
        """Those of a run folder; None where it has kept none."""
        stem = file_stem(found.task)
        states, probes = (folder / f"{stem}.{name}{SUFFIX}" for name in ("states", "probes"))
        if not states.is_file() or not probes.is_file():
            return None
        arrays, _ = TOP_STATES.read(states)
        _, metadata = PROBES.read(probes)
        places = zip(arrays["top_layers"].tolist(), arrays["top_units"].tolist(), strict=True)
        sentences = [(pair["good"], pair["bad"]) for pair in metadata["pairs"]]
        return cls(arrays["top_states"], {place: i for i, place in enumerate(places)}, sentences, AT[found.position])

    def tables(self, layer: int, unit: int) -> Iterator[Table]:
        """The sentences of the highest and of the lowest values, each once; none of a neuron that is not known."""
        column = self.columns.get((layer, unit))
        if column is None:
            return
        values = self.values[:, :, column]
        good, bad = values.mean(axis=0)
        order = np.argsort(values.ravel(), kind="stable")
        for word, ends in (("highest", order[::-1]), ("lowest", order)):
            rows: dict[str, tuple[str, ...]] = {}
            for pair, side in np.stack(np.unravel_index(ends, values.shape), axis=1).tolist():
                text = self.sentences[pair][side]
                rows.setdefault(text, (("good", "bad")[side], text, f"{values[pair, side]:.4g}"))
                if len(rows) == SENTENCES:
                    break
            caption = f"Sentences after which it is {word}, {self.at}"
            if word == "highest":
                caption += f" (on average {good:.4g} after good ones, {bad:.4g} after bad ones)"
            yield Table(caption, ("", "sentence", "value"), tuple(rows.values()), left=2)
