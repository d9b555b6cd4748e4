"""Rankings of neurons, and sets of them, with where they come from.

A `Ranking` scores every unit of some layers for one task; `top` takes the best as a `NeuronSet`. Both know the model
they belong to and the sentences they have seen, so that they are never applied to another model or tested on what
chose them.
"""

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

from .data import UnitStats
from .errors import InputError
from .store import read_artefact, write_artefact

METHODS = ("welch", "l0")
_STATS = ("token_mean", "token_var", "eos_mean", "eos_var")


def resolve_k(k: int | str, width: int) -> int:
    """How many units `40` or `"1%"` are of a layer `width` wide: a share rounds to the nearest count, at least 1.

    Raises `InputError` for anything that is not a count from 1 to the width or a share above 0 up to 100 %.
    """
    text = str(k).strip()
    try:
        wanted = max(1, round(width * float(text[:-1]) / 100)) if text.endswith("%") else int(text)
        share = float(text[:-1]) if text.endswith("%") else 100.0
    except (ValueError, OverflowError):
        raise InputError(f"k must be a count or a share like 40 or 1%, not '{k}'") from None
    if not 0 < share <= 100 or wanted < 1:
        raise InputError(f"k must be at least 1, or a share above 0% and up to 100%, not '{k}'")
    if wanted > width:
        raise InputError(f"k {wanted} is more than the {width} units of a layer")
    return wanted


@dataclass(frozen=True, eq=False)
class Ranking:
    """A score for every unit of some layers: larger means more of the task is read from it.

    `welch` scores are |t|, `l0` scores the size of a masked probe's effective weight (0 where the mask is closed).
    `about` holds the provenance: task, source, split, seed, settings, and hashes of the sentences it has seen.
    """

    scores: Float[Tensor, "layer unit"]
    layers: tuple[int, ...]  # block index of each row of `scores`
    best_layer: int | None  # highest validation accuracy of the top-k probe; None where none was measured
    method: str
    stats: UnitStats
    model: str  # fingerprint
    site: str
    about: Mapping[str, Any]

    def top(self, k: int | str, layers: str | int | Sequence[int] | None = None) -> NeuronSet:
        """The `k` best units (`40`, `"1%"` of a layer's width): of the best layer, of one, or pooled over several.

        `layers="all"` or a list pools the scores of those layers; `"1%"` is then the share of all their units.
        Ties go to the lower layer and index. A unit whose score is 0 (an L0 mask closed it) is never chosen, so the
        set can be smaller than `k`.
        """
        rows = self._rows(layers)
        width = self.scores.shape[1]
        count = resolve_k(k, width * len(rows))
        flat = self.scores[rows].flatten()
        best = torch.sort(flat, descending=True, stable=True).indices[:count]
        order = best[flat[best] > 0].sort().values
        which = torch.tensor(rows)[order // width]
        return NeuronSet(
            layers=torch.tensor(self.layers)[which],
            units=order % width,
            scores=flat[order],
            stats=_at(self.stats, which, order % width),
            model=self.model,
            site=self.site,
            about={**self.about, "method": self.method, "k": str(k)},
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as a digested safetensors file."""
        stats = {name: getattr(self.stats, name).numpy() for name in _STATS}
        arrays = {"scores": self.scores.numpy(), "layers": np.array(self.layers), **stats}
        about = {
            **self.about,
            "best_layer": self.best_layer,
            "method": self.method,
            "model": self.model,
            "site": self.site,
            "tokens": self.stats.tokens,
        }
        write_artefact(Path(path), "ranking", arrays, about)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Ranking:
        """Read what `save` wrote. Raises `InputError` for another kind of file, `CorruptFileError` if damaged."""
        arrays, about = read_artefact(Path(path), "ranking")
        own = {name: about.pop(name) for name in ("best_layer", "method", "model", "site", "tokens")}
        stats = UnitStats(**{name: torch.from_numpy(arrays[name]) for name in _STATS}, tokens=own.pop("tokens"))
        layers = tuple(int(layer) for layer in arrays["layers"])
        return cls(torch.from_numpy(arrays["scores"]), layers, stats=stats, about=about, **own)

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
            raise InputError(f"this ranking has no layer {unknown}; it has {list(self.layers)}")
        return [self.layers.index(layer) for layer in wanted]

    def __repr__(self) -> str:
        shape = f"{len(self.layers)} layers x {self.scores.shape[1]} units"
        return f"Ranking({self.method} of {self.about.get('task')}, {shape}, best layer {self.best_layer})"


@dataclass(frozen=True, eq=False)
class NeuronSet:
    """Some chosen units, in ascending (layer, unit) order, with their scores and statistics."""

    layers: Int[Tensor, "neuron"]
    units: Int[Tensor, "neuron"]
    scores: Float[Tensor, "neuron"]
    stats: Mapping[str, Float[Tensor, "neuron"]]  # token_mean, token_var, eos_mean, eos_var
    model: str  # fingerprint
    site: str
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
        return self._keep([neuron in theirs for neuron in self], other, "&")

    def __sub__(self, other: NeuronSet) -> NeuronSet:
        """The neurons that are not in the other set."""
        theirs = set(other)
        return self._keep([neuron not in theirs for neuron in self], other, "-")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as a digested safetensors file."""
        arrays = {"layers": self.layers.numpy(), "units": self.units.numpy(), "scores": self.scores.numpy()}
        arrays |= {name: value.numpy() for name, value in self.stats.items()}
        write_artefact(Path(path), "neurons", arrays, {**self.about, "model": self.model, "site": self.site})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> NeuronSet:
        """Read what `save` wrote. Raises `InputError` for another kind of file, `CorruptFileError` if damaged."""
        arrays, about = read_artefact(Path(path), "neurons")
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        stats = {name: tensors.pop(name) for name in _STATS}
        return cls(**tensors, stats=stats, model=about.pop("model"), site=about.pop("site"), about=about)

    def _keep(self, mask: Sequence[bool], other: NeuronSet, sign: str) -> NeuronSet:
        if (self.model, self.site) != (other.model, other.site):
            raise InputError("these neuron sets belong to different models or sites")
        chosen = torch.tensor(mask, dtype=torch.bool)
        about = {"from": [dict(self.about), dict(other.about)], "operation": sign}
        return replace(
            self,
            layers=self.layers[chosen],
            units=self.units[chosen],
            scores=self.scores[chosen],
            stats={name: value[chosen] for name, value in self.stats.items()},
            about=about,
        )

    def __repr__(self) -> str:
        layers = sorted(set(self.layers.tolist()))
        where = f"layer {layers[0]}" if len(layers) == 1 else f"{len(layers)} layers"
        return f"NeuronSet({len(self)} neurons at {self.site}, {where})"


def _at(stats: UnitStats, rows: Int[Tensor, "neuron"], units: Int[Tensor, "neuron"]) -> dict[str, Tensor]:
    return {name: getattr(stats, name)[rows, units] for name in _STATS}
