"""`Ranking`: a score for every unit, and the neuron sets that can be taken from it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.store import read_artefact, write_artefact

from .controls import matched_controls
from .sets import NeuronSet, stats_arrays, stats_from


def resolve_k(topk: int | str, width: int) -> int:
    """How many units `40` or `"1%"` are of a layer `width` wide: a share rounds to the nearest count, at least 1.

    Raises `InputError` for anything that is not a count from 1 to the width or a share above 0 up to 100 %.
    """
    text = str(topk).strip()
    try:
        count = max(1, round(width * float(text[:-1]) / 100)) if text.endswith("%") else int(text)
        share = float(text[:-1]) if text.endswith("%") else 100.0
    except (ValueError, OverflowError):
        raise InputError(f"topk must be a count or a share like 40 or 1%, not '{topk}'") from None
    if not 0 < share <= 100 or count < 1:
        raise InputError(f"topk must be at least 1, or a share above 0% and up to 100%, not '{topk}'")
    if count > width:
        raise InputError(f"topk {count} is more than the {width} units of a layer")
    return count


@dataclass(frozen=True, eq=False)
class Ranking:
    """A score for every unit of some layers: the larger, the more of the task is read from it, or rests on it.

    `welch` scores are |t|, `l0` scores the size of a masked probe's effective weight (0 where the mask is closed),
    `attribution` scores the predicted drop of the mean margin in nats (negative where it would rise).
    `about` holds the provenance: task, source, split, seed, settings, and hashes of the sentences it has seen.
    """

    scores: Float[Tensor, "layer unit"]
    best_layer: int | None  # highest validation accuracy of the top-k probe; None where none was measured
    method: str
    stats: UnitStats
    model: str  # fingerprint
    site: str
    about: Mapping[str, Any]

    @property
    def layers(self) -> tuple[int, ...]:
        """Block index of each row of `scores`."""
        return self.stats.layers

    def top(self, k: int | str, layers: str | int | Sequence[int] | None = None) -> NeuronSet:
        """The `k` best units (`40`, `"1%"` of a layer's width): of the best layer, of one, or pooled over several.

        `layers="all"` or a list pools the scores of those layers; `"1%"` is then the share of all their units.
        Ties go to the lower layer and index. A unit whose score is not above 0 (an L0 mask closed it, or the margin
        would rise without it) is never chosen, so the set can be smaller than `k`.
        """
        rows = self._rows(layers)
        width = self.scores.shape[1]
        count = resolve_k(k, width * len(rows))
        flat = self.scores[rows].flatten()
        best = torch.sort(flat, descending=True, stable=True).indices[:count]
        order = best[flat[best] > 0].sort().values
        about = {**self.about, "method": self.method, "k": str(k)}
        return self._set(torch.tensor(rows)[order // width], order % width, about)

    def pick(self, neurons: Iterable[tuple[int, int]]) -> NeuronSet:
        """Neurons of your own choice, as (layer, unit). Raises `InputError` for one that is not ranked here."""
        chosen = sorted(set(neurons))
        for layer, unit in chosen:
            if layer not in self.layers or not 0 <= unit < self.scores.shape[1]:
                raise InputError(f"no neuron (layer {layer}, unit {unit}) in {self!r}")
        rows = torch.tensor([self.layers.index(layer) for layer, _ in chosen], dtype=torch.long)
        units = torch.tensor([unit for _, unit in chosen], dtype=torch.long)
        return self._set(rows, units, {**self.about, "method": "picked"})

    def controls(self, neurons: NeuronSet, n: int, seed: int = 0, *, reach: str = "own") -> list[NeuronSet]:
        """`n` matched controls of a set; see `matched_controls`."""
        if (self.model, self.site) != (neurons.model, neurons.site):
            raise InputError("this neuron set belongs to another model or site than the ranking")
        return matched_controls(replace(neurons, stats=self.stats), n, seed, reach=reach)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as a digested safetensors file."""
        arrays = {"scores": self.scores.numpy(), **stats_arrays(self.stats)}
        about = {
            **self.about,
            "best_layer": self.best_layer,
            "method": self.method,
            "model": self.model,
            "site": self.site,
        }
        write_artefact(Path(path), "ranking", arrays, about)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Ranking:
        """Read what `save` wrote. Raises `InputError` for another kind of file, `CorruptFileError` if damaged."""
        arrays, about = read_artefact(Path(path), "ranking")
        own = {name: about.pop(name) for name in ("best_layer", "method", "model", "site")}
        return cls(torch.from_numpy(arrays["scores"]), stats=stats_from(arrays), about=about, **own)

    def _rows(self, layers: str | int | Sequence[int] | None) -> list[int]:
        if layers is None and self.best_layer is None:
            raise InputError("this ranking has no best layer (no validation pairs chose one); name layers=")
        if layers is None:
            wanted: Sequence[int] = [self.best_layer]  # type: ignore[list-item]
        elif layers == "all":
            wanted = self.layers
        elif isinstance(layers, str):
            raise InputError(f"layers must be 'all' or block indices, not '{layers}'")
        else:
            wanted = [layers] if isinstance(layers, int) else sorted(set(map(int, layers)))
        unknown = [layer for layer in wanted if layer not in self.layers]
        if unknown or not wanted:
            asked, there = (", ".join(map(str, layers)) for layers in (unknown, self.layers))
            raise InputError(
                f"this ranking has no layer {asked}; it has {there}" if unknown else "name a layer at least"
            )
        return [self.layers.index(layer) for layer in wanted]

    def _set(self, rows: Int[Tensor, "neuron"], units: Int[Tensor, "neuron"], about: Mapping[str, Any]) -> NeuronSet:
        return NeuronSet(
            layers=torch.tensor(self.layers)[rows],
            units=units,
            scores=self.scores[rows, units],
            stats=self.stats,
            model=self.model,
            site=self.site,
            about=about,
        )

    def __repr__(self) -> str:
        shape = f"{len(self.layers)} layers x {self.scores.shape[1]} units"
        return f"Ranking({self.method} of {self.about.get('task')}, {shape}, best layer {self.best_layer})"
