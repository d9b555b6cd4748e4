"""`NeuronSet`: some chosen units, and what is known about all units of their layers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.store import read_artefact, write_artefact
from neurosteer.vocabulary import Reach, Site

STATS = ("token_mean", "token_var", "eos_mean", "eos_var")


@dataclass(frozen=True, eq=False)
class NeuronSet:
    """Some chosen units, in ascending (layer, unit) order, with their scores.

    `stats` covers all units of every layer that was ranked, so that a set can be compared with its surroundings.
    """

    layers: Int[Tensor, "neuron"]
    units: Int[Tensor, "neuron"]
    scores: Float[Tensor, "neuron"]
    stats: UnitStats
    model: str  # fingerprint
    site: Site
    about: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.units)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self.layers.tolist(), self.units.tolist(), strict=True))

    def __contains__(self, neuron: object) -> bool:
        return neuron in set(self)

    def __and__(self, other: NeuronSet) -> NeuronSet:
        """The neurons that are in both."""
        theirs = set(other)
        return self._keep([neuron in theirs for neuron in self], self._combined(other, "&"))

    def __sub__(self, other: NeuronSet) -> NeuronSet:
        """The neurons that are not in the other set."""
        theirs = set(other)
        return self._keep([neuron not in theirs for neuron in self], self._combined(other, "-"))

    def at(self, name: str) -> Float[Tensor, "neuron"]:
        """One statistic of each neuron: `token_mean`, `token_var`, `eos_mean` or `eos_var`."""
        values: Tensor = getattr(self.stats, name)
        return values[self._rows(), self.units]

    def reaching(self, reach: Reach) -> NeuronSet:
        """The same coordinates at their own layers, at every later layer too, or at all ranked layers.

        Later blocks write to the same residual coordinate again: an edit that should hold has to reach onward.
        """
        if reach == "own":
            return self
        first: dict[tuple[int, int], float] = {}
        for (layer, unit), score in zip(self, self.scores.tolist(), strict=True):
            for other in self.stats.layers:
                if other >= layer or reach == "all":
                    first.setdefault((other, unit), score)
        chosen = sorted(first)
        return replace(
            self,
            layers=torch.tensor([layer for layer, _ in chosen], dtype=torch.long),
            units=torch.tensor([unit for _, unit in chosen], dtype=torch.long),
            scores=torch.tensor([first[neuron] for neuron in chosen]),
            about={**self.about, "reach": reach},
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as a digested safetensors file."""
        arrays = {"layers": self.layers.numpy(), "units": self.units.numpy(), "scores": self.scores.numpy()}
        about = {**self.about, "model": self.model, "site": self.site}
        write_artefact(Path(path), "neurons", arrays | stats_arrays(self.stats), about)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> NeuronSet:
        """Read what `save` wrote. Raises `InputError` for another kind of file, `CorruptFileError` if damaged."""
        arrays, about = read_artefact(Path(path), "neurons")
        own = {name: torch.from_numpy(arrays[name]) for name in ("layers", "units", "scores")}
        return cls(**own, stats=stats_from(arrays), model=about.pop("model"), site=about.pop("site"), about=about)

    def _rows(self) -> Int[Tensor, "neuron"]:
        return torch.tensor([self.stats.layers.index(layer) for layer in self.layers.tolist()], dtype=torch.long)

    def _combined(self, other: NeuronSet, sign: str) -> Mapping[str, Any]:
        """The provenance of a set made of two: it has seen what either has seen."""
        if (self.model, self.site) != (other.model, other.site):
            raise InputError("these neuron sets belong to different models or sites")
        seen = sorted({*self.about.get("seen", ()), *other.about.get("seen", ())})
        return {**self.about, "from": [dict(self.about), dict(other.about)], "operation": sign, "seen": seen}

    def _keep(self, mask: Sequence[bool], about: Mapping[str, Any]) -> NeuronSet:
        chosen = torch.tensor(mask, dtype=torch.bool)
        return replace(
            self, layers=self.layers[chosen], units=self.units[chosen], scores=self.scores[chosen], about=about
        )

    def __repr__(self) -> str:
        layers = sorted(set(self.layers.tolist()))
        where = f"layer {layers[0]}" if len(layers) == 1 else f"{len(layers)} layers"
        return f"NeuronSet({len(self)} neurons at {self.site}, {where})"


def stats_arrays(stats: UnitStats) -> dict[str, np.ndarray]:
    """The statistics as arrays of an artefact; `stats_from` reads them back."""
    arrays = {name: getattr(stats, name).numpy() for name in STATS}
    return arrays | {"stats_layers": np.array(stats.layers), "stats_tokens": np.array([stats.tokens])}


def stats_from(arrays: Mapping[str, np.ndarray]) -> UnitStats:
    values = {name: torch.from_numpy(arrays[name]) for name in STATS}
    layers = tuple(int(layer) for layer in arrays["stats_layers"])
    return UnitStats(**values, tokens=int(arrays["stats_tokens"][0]), layers=layers)
