"""`NeuronSet`: chosen neurons, with what is known about them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.arguments import places
from neurosteer.artefacts import NEURONS
from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.results import RankedNeuron
from neurosteer.vocabulary import NOUNS, Grain, Json, Reach, Site, Stat, counted

from .frames import neuron_frame
from .from_python import HasUnits, given_metadata
from .grains import columns_of, grain_of
from .saving import saved
from .stats import check_measured, joined_stats, stats_arrays, stats_from, unmeasured

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class NeuronSet:
    """Some chosen units, in ascending (layer, unit) order, with their scores.

    A set iterates over its neurons as (layer, unit) and takes part in set algebra: `|`, `&`, `-`, `in`, `len`.

    Attributes:
        layers: block index of each neuron.
        units: coordinate of each neuron in its layer's activation.
        scores: of the ranking that chose each neuron, in its unit; 0 for neurons that no ranking scored.
        stats: mean and variance of all units of every layer that was ranked, for means and matched controls.
        model: fingerprint of the model that they are in.
        site: which activation.
        metadata: where they come from: task, source, split, seed, settings, hashes of the sentences seen.
        group: how many units go together: those of a head, whose set always has all of them; 1 for neurons.

    Example:
        >>> mine = ns.NeuronSet.of(model, [(2, 3), (1, 256)])
        >>> best = ranking.top(2)
        >>> list(best), (1, 167) in best, len(best | mine)
        ([(1, 167), (1, 256)], True, 3)
        >>> list(ranking.top(1).reaching("onward")), best.at("token_mean").shape
        ([(1, 256), (2, 256)], torch.Size([2]))
        >>> best.to_frame()[["layer", "unit"]].values.tolist()
        [[1, 167], [1, 256]]
        >>> path = best.save("best.safetensors")
        >>> ns.NeuronSet.load("best.safetensors")
        NeuronSet(2 neurons at resid_post, layer 1)
    """

    layers: Int[Tensor, "neuron"]
    units: Int[Tensor, "neuron"]
    scores: Float[Tensor, "neuron"]
    stats: UnitStats
    model: str
    site: Site
    metadata: Mapping[str, Json]
    group: int = 1

    @classmethod
    def of(
        cls,
        model: HasUnits,
        neurons: Iterable[tuple[int, int]],
        *,
        site: Site = "resid_post",
        by: Grain = "unit",
        stats: UnitStats | None = None,
    ) -> NeuronSet:
        """Take neurons of your own choice; with `by="head"` whole attention heads, which are units of `z`.

        Args:
            model: the model that they are in.
            neurons: as (layer, unit) or (layer, head), in any order; repeats count once.
            site: which activation they are units of.
            by: whether units or heads are named.
            stats: unit statistics of the site (`ranking.stats`). Without them the set can be ablated to zero,
                amplified or clamped, but not moved to its mean nor compared with matched controls.

        Raises:
            InputError: for what is no (layer, unit) of the model, an unknown site, and statistics of other units.
        """
        chosen = places(neurons, by)
        layers = sorted({layer for layer, _ in chosen})
        site = "z" if by == "head" else site
        width, group = model.site_width(site, layers), model.head_width(layers) if by == "head" else 1
        for layer, unit in chosen:
            if not 0 <= unit < width // group:
                last = width // group - 1
                raise InputError(f"no {by} {unit}: {site} has {by}s 0 to {last} at layer {layer}")
        chosen = [(layer, unit * group + i) for layer, unit in chosen for i in range(group)]
        stats = unmeasured(range(model.n_layers), width) if stats is None else stats
        if stats.token_mean.shape[1] != width or not {layer for layer, _ in chosen} <= set(stats.layers):
            raise InputError(f"stats= is of {stats!r}: not of these layers of {site}, which are {width} units wide")
        return cls(
            *columns_of(chosen),
            scores=torch.zeros(len(chosen)),
            stats=stats,
            model=model.fingerprint,
            site=site,
            metadata={"method": "given", **given_metadata(model)},
            group=group,
        )

    @property
    def by(self) -> Grain:
        """Whether it is a set of units, or of heads."""
        return grain_of(self.group)

    @property
    def members(self) -> list[tuple[int, int]]:
        """Its units or heads, as (layer, unit) or (layer, head), ascending."""
        return [(layer, unit // self.group) for layer, unit in zip(*self._firsts(), strict=True)]

    @property
    def member_scores(self) -> list[float]:
        """The score of each of them."""
        found: list[float] = self.scores[:: self.group].tolist()
        return found

    def with_members(self, members: Iterable[tuple[int, int]], metadata: Mapping[str, Json]) -> NeuronSet:
        """Others of the same grain, model, site and statistics, which no ranking scored."""
        chosen = [(layer, one * self.group + i) for layer, one in sorted(members) for i in range(self.group)]
        layers, units = columns_of(chosen)
        return replace(self, layers=layers, units=units, scores=torch.zeros(len(chosen)), metadata=metadata)

    def __len__(self) -> int:
        return len(self.units)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self.layers.tolist(), self.units.tolist(), strict=True))

    def __contains__(self, neuron: object) -> bool:
        return neuron in set(self)

    def __or__(self, other: NeuronSet) -> NeuronSet:
        """The neurons that are in either; of one in both the score in this set."""
        ours, theirs = (zip(one, one.scores.tolist(), strict=True) for one in (self, other))
        scores = dict(theirs) | dict(ours)
        chosen = sorted(scores)
        return NeuronSet(
            *columns_of(chosen),
            scores=torch.tensor([scores[neuron] for neuron in chosen]),
            stats=joined_stats(self.stats, other.stats),
            model=self.model,
            site=self.site,
            metadata=self._combined(other, "|"),
            group=self._common(other),
        )

    def __and__(self, other: NeuronSet) -> NeuronSet:
        """The neurons that are in both."""
        theirs = set(other)
        return self._keep([neuron in theirs for neuron in self], other, "&")

    def __sub__(self, other: NeuronSet) -> NeuronSet:
        """The neurons that are not in the other set."""
        theirs = set(other)
        return self._keep([neuron not in theirs for neuron in self], other, "-")

    def at(self, name: Stat) -> Float[Tensor, "neuron"]:
        """Return a statistic of each neuron.

        Args:
            name: `token_mean`, `token_var`, `eos_mean` or `eos_var`.

        Returns:
            Float `[neuron]`.

        Raises:
            InputError: for neurons whose statistics nobody has measured.
        """
        check_measured(self.stats, self._rows().tolist())
        values: Tensor = getattr(self.stats, name)
        return values[self._rows(), self.units]

    def reaching(self, reach: Reach) -> NeuronSet:
        """Take the same coordinates at other layers too: later blocks write to a residual coordinate again.

        Args:
            reach: `own` layers, `onward` (every later layer too), or `all` ranked layers.
        """
        if reach == "own":
            return self
        first: dict[tuple[int, int], float] = {}
        for (layer, unit), score in zip(self, self.scores.tolist(), strict=True):
            for other in self.stats.layers:
                if other >= layer or reach == "all":
                    first.setdefault((other, unit), score)
        chosen = sorted(first)
        layers, units = columns_of(chosen)
        scores = torch.tensor([first[neuron] for neuron in chosen])
        return replace(self, layers=layers, units=units, scores=scores, metadata={**self.metadata, "reach": reach})

    def listed(self) -> tuple[RankedNeuron, ...]:
        """Its neurons or heads as results name them, best first."""
        rows = [
            RankedNeuron(layer, unit, round(score, 6), unit // self.group if self.group > 1 else None)
            for layer, unit, score in zip(*self._firsts(), self.member_scores, strict=True)
        ]
        return tuple(sorted(rows, key=lambda row: -row.score))

    def to_frame(self) -> pd.DataFrame:
        """A row per neuron or head: `layer`, `unit` (or `head`), `score`, `massive` (missing if not measured)."""
        every = slice(None, None, self.group)
        return neuron_frame(self.stats, self._rows()[every], self.units[every], self.scores[every], self.group)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a safetensors file with a digest.

        Args:
            path: the file.

        Returns:
            The path.

        Raises:
            NeurosteerError: where it cannot be written.
        """
        return saved(path, NEURONS.kind, self.arrays(), self.described())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> NeuronSet:
        """Read what `save` wrote.

        Args:
            path: the file.

        Raises:
            InputError: for another kind of file, and for content that no set has.
            CorruptFileError: for a damaged one.
        """
        return cls.from_arrays(*NEURONS.read(Path(path)))

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of its artefact; `from_arrays` reads them back."""
        own = {"layers": self.layers.numpy(), "units": self.units.numpy(), "scores": self.scores.numpy()}
        return own | stats_arrays(self.stats)

    def described(self) -> dict[str, Json]:
        """The metadata of its artefact."""
        own = {"model": self.model, "site": self.site}
        return {**self.metadata, **own, **({} if self.group == 1 else {"group": self.group})}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], metadata: dict[str, Json]) -> NeuronSet:
        """What `arrays` and `described` were made of."""
        own = {name: torch.from_numpy(arrays[name]) for name in ("layers", "units", "scores")}
        model, site, group = metadata.pop("model"), metadata.pop("site"), metadata.pop("group", 1)
        return cls(**own, stats=stats_from(arrays), model=model, site=site, metadata=metadata, group=group)

    def _rows(self) -> Int[Tensor, "neuron"]:
        return torch.tensor([self.stats.layers.index(layer) for layer in self.layers.tolist()], dtype=torch.long)

    def _combined(self, other: NeuronSet, sign: str) -> Mapping[str, Json]:
        """The provenance of a set made of two: it has seen what either has seen."""
        if (self.model, self.site) != (other.model, other.site):
            raise InputError("these neuron sets belong to different models or sites")
        ours, theirs = (
            [one.metadata.get("network", {}).get(name) for name in ("bos", "eos")] for one in (self, other)
        )
        if ours != theirs and "network" in self.metadata and "network" in other.metadata:
            raise InputError(f"these neuron sets were found under different BOS and EOS: tokens {ours} and {theirs}")
        seen = sorted({*self.metadata.get("seen", ()), *other.metadata.get("seen", ())})
        both = [dict(self.metadata), dict(other.metadata)]
        return {**self.metadata, "from": both, "operation": sign, "seen": seen}

    def _firsts(self) -> tuple[list[int], list[int]]:
        """Layer and first unit of each member."""
        return self.layers[:: self.group].tolist(), self.units[:: self.group].tolist()

    def _common(self, other: NeuronSet) -> int:
        """The grain of a set made of two: heads where both are of heads, else units."""
        return self.group if self.group == other.group else 1

    def _keep(self, mask: Sequence[bool], other: NeuronSet, sign: str) -> NeuronSet:
        chosen = torch.tensor(mask, dtype=torch.bool)
        layers, units, scores = self.layers[chosen], self.units[chosen], self.scores[chosen]
        metadata = self._combined(other, sign)
        return replace(self, layers=layers, units=units, scores=scores, metadata=metadata, group=self._common(other))

    def __repr__(self) -> str:
        layers = sorted(set(self.layers.tolist()))
        where = f"layer {layers[0]}" if len(layers) == 1 else f"{len(layers)} layers"
        return f"NeuronSet({counted(len(self.members), NOUNS[self.by])} at {self.site}, {where})"
