"""`Ranking`: a score for every unit, and the neuron sets that can be taken from it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.arguments import one_of, places, whole
from neurosteer.artefacts import RANKING
from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.results import RankingComparison
from neurosteer.vocabulary import GRAINS, NOUNS, Grain, Json, Layers, Reach, Site

from .compare import compare_rankings
from .controls import matched_controls
from .frames import neuron_frame
from .from_python import HasUnits, given_metadata, given_scores
from .grains import grain_of, units_of_members
from .saving import saved
from .sets import NeuronSet
from .stats import stats_arrays, stats_from, unmeasured
from .topk import best_units, resolve_rows, resolve_topk

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Ranking:
    """A score for every unit of some layers: the larger, the more of the task is read from it, or rests on it.

    Attributes:
        scores: `[layer, unit]`; `neurosteer.rankings` has what they are for each method.
        best_layer: the layer that validation pairs chose; None where none did.
        method: what made the scores.
        stats: mean and variance of every unit.
        model: fingerprint of the model.
        site: which activation the units are of.
        metadata: where it comes from: task, source, split, seed, settings, hashes of the sentences seen.
        group: how many units rank together, those of a head: all have its score. 1 where each has its own.

    Example:
        >>> list(ranking.top(2)), list(ranking.pick([(2, 30), (0, 1)])), len(ranking.suggested(2))
        ([(1, 167), (1, 256)], [(0, 1), (2, 30)], 2)
        >>> len(ranking.controls(top, 19)), ranking.to_frame().shape
        (19, (1152, 4))
        >>> path = ranking.save("mine.safetensors")
        >>> ns.Ranking.load("mine.safetensors").compare(ranking, topk=12)
        RankingComparison(Spearman 1.00, top 12: 1.00 shared, 0.01 by chance; 3 layers)
    """

    scores: Float[Tensor, "layer unit"]
    best_layer: int | None
    method: str
    stats: UnitStats
    model: str
    site: Site
    metadata: Mapping[str, Json]
    group: int = 1

    @classmethod
    def from_scores(
        cls,
        model: HasUnits,
        scores: ArrayLike,
        *,
        layers: Sequence[int] | None = None,
        site: Site = "resid_post",
        by: Grain = "unit",
        stats: UnitStats | None = None,
        best_layer: int | None = None,
        method: str = "given",
        task: str | None = None,
    ) -> Ranking:
        """Take your own score for every unit of some layers.

        Args:
            model: the model that the units are in.
            scores: `[layer, unit]`; the larger, the higher a unit ranks. One that is not above 0 is never chosen.
            layers: block index of each row; None is all blocks of the model.
            site: which activation the units are of.
            by: with "head" the scores are `[layer, head]`, of attention heads (site `z`).
            stats: unit statistics of the site (`ranking.stats`), for controls and ablation to the mean. Without them
                the commands measure what they need.
            best_layer: where `top` looks by default.
            method: what to call it in tables and figures.
            task: which task it is about, if any.

        Raises:
            InputError: for scores of another shape or that are not finite, and for a layer that the model lacks.

        Example:
            >>> own = ns.Ranking.from_scores(model, [range(384)], layers=[2], best_layer=2)
            >>> list(own.top(2))
            [(2, 382), (2, 383)]
        """
        one_of(by, GRAINS, "by")
        named = range(model.n_layers) if layers is None else layers
        rows = tuple(whole(layer, "each of layers") for layer in named)
        site = "z" if by == "head" else site
        values, width = given_scores(scores), model.site_width(site, rows)
        group = model.head_width(rows) if by == "head" else 1
        if values.shape != (len(rows), width // group):
            wanted = f"[{len(rows)} layers, {width // group} {by}s of {site}]"
            raise InputError(f"scores are {list(values.shape)}, not {wanted}")
        values = values.repeat_interleave(group, dim=1)
        if list(rows) != sorted(set(rows)):
            raise InputError(f"layers must ascend, each once, not {list(rows)}")
        if best_layer is not None and best_layer not in rows:
            raise InputError(f"best_layer {best_layer} is not among the layers {list(rows)}")
        stats = unmeasured(rows, width) if stats is None else stats
        if stats.layers != rows or stats.token_mean.shape[1] != width:
            raise InputError(f"stats= is of {stats!r}: not of these layers of {site}, which are {width} units wide")
        metadata = given_metadata(model) | ({} if task is None else {"task": task})
        best = None if best_layer is None else int(best_layer)
        return cls(values, best, str(method), stats, model.fingerprint, site, metadata, group)

    @property
    def by(self) -> Grain:
        """Whether units or heads are ranked."""
        return grain_of(self.group)

    @property
    def member_scores(self) -> Float[Tensor, "layer member"]:
        """The score of every unit, or of every head."""
        return self.scores[:, :: self.group]

    @property
    def layers(self) -> tuple[int, ...]:
        """Block index of each row of `scores`."""
        return self.stats.layers

    def top(self, topk: int | str, layers: Layers | None = None) -> NeuronSet:
        """Choose the best units, or heads: of the best layer, of one layer, or of several together.

        Args:
            topk: how many: a count (`40`), or a share of all units (heads) of these layers (`"1%"`).
            layers: a block index, several, or `"all"`; None is the best layer.

        Returns:
            The units in ascending order. Ties go to the lower layer and index. A unit whose score is not above 0 (an
            L0 mask closed it, or the margin would rise without it) is never chosen, so the set can be smaller.

        Raises:
            InputError: for a `topk` of no or too many units, a layer that was not ranked, or where no layer is best.
        """
        rows = resolve_rows(layers, self.layers, self.best_layer)
        scores = self.member_scores[rows]
        width = scores.shape[1]
        what = f"{self.by}s of {'a layer' if len(rows) == 1 else f'{len(rows)} layers'}"
        best = best_units(scores.flatten(), resolve_topk(topk, scores.numel(), what), above=0.0)
        order = best[best >= 0].sort().values
        metadata = {**self.metadata, "method": self.method, "k": str(topk)}
        return self._set(torch.tensor(rows)[order // width], order % width, metadata)

    def suggested(self, topk: int | str, layers: Layers | None = None) -> NeuronSet:
        """Choose the set whose size the search itself chose, as a causal mask does; else `top(topk, layers)`.

        Args:
            topk: as in `top`, where the search chose none.
            layers: as in `top`; None is the layers that were searched.
        """
        chosen = self.metadata.get("set")
        if chosen is None:
            return self.top(topk, layers)
        among = chosen["layers"] if layers is None else layers
        found = self.top(chosen["k"], among)
        return replace(found, metadata={**found.metadata, "among": among}) if layers is None else found

    def pick(self, neurons: Iterable[tuple[int, int]]) -> NeuronSet:
        """Choose neurons by name.

        Args:
            neurons: as (layer, unit); of a ranking by head as (layer, head).

        Raises:
            InputError: for a neuron that is not ranked here.
        """
        chosen = places(neurons, self.by)
        for layer, unit in chosen:
            if layer not in self.layers or not 0 <= unit < self.member_scores.shape[1]:
                raise InputError(f"no {NOUNS[self.by]} (layer {layer}, {self.by} {unit}) in {self!r}")
        rows = torch.tensor([self.layers.index(layer) for layer, _ in chosen], dtype=torch.long)
        units = torch.tensor([unit for _, unit in chosen], dtype=torch.long)
        return self._set(rows, units, {**self.metadata, "method": "picked"})

    def every_unit(self, layer: int) -> NeuronSet:
        """All units of a layer, one by one."""
        width = self.scores.shape[1]
        rows = torch.full((width,), self.layers.index(layer))
        return replace(self, group=1)._set(rows, torch.arange(width), {**self.metadata, "method": "picked"})

    def controls(self, neurons: NeuronSet, n: int, seed: int = 0, *, reach: Reach = "own") -> list[NeuronSet]:
        """Draw matched controls of a set, by the statistics of this ranking; see `matched_controls`.

        Args:
            neurons: the set that they resemble.
            n: how many.
            seed: decides the draw.
            reach: of the edit that they are controls for.

        Returns:
            The control sets.
        """
        if (self.model, self.site) != (neurons.model, neurons.site):
            raise InputError("this neuron set belongs to another model or site than the ranking")
        return matched_controls(replace(neurons, stats=self.stats), n, seed, reach=reach)

    def compare(self, other: Ranking, topk: int | str = "1%") -> RankingComparison:
        """Compare with another ranking of the same model and site.

        Args:
            other: by another method, of another task, or from other pairs; only common layers are compared.
            topk: how many of the best, of all layers together and of each: a count or a share.

        Returns:
            Spearman's rank correlation of all units, the share of the top k that both have, and the share
            expected by chance; of all layers together, and of each in `layers`.

        Raises:
            InputError: for rankings of different models or sites, or without a common layer.
        """
        return compare_rankings(self, other, topk)

    def to_frame(self) -> pd.DataFrame:
        """A row per unit or head: `layer`, `unit` (or `head`), `score`, `massive` (missing if not measured)."""
        scores = self.member_scores
        places = torch.cartesian_prod(torch.arange(len(self.layers)), torch.arange(scores.shape[1]))
        return neuron_frame(self.stats, places[:, 0], places[:, 1] * self.group, scores.flatten(), self.group)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a safetensors file with a digest.

        Args:
            path: the file.

        Returns:
            The path.

        Raises:
            NeurosteerError: where it cannot be written.
        """
        arrays = {"scores": self.scores.numpy(), **stats_arrays(self.stats)}
        metadata = {
            **self.metadata,
            "best_layer": self.best_layer,
            "method": self.method,
            "model": self.model,
            "site": self.site,
            **({} if self.group == 1 else {"group": self.group}),
        }
        return saved(path, RANKING.kind, arrays, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Ranking:
        """Read what `save` wrote.

        Args:
            path: the file.

        Raises:
            InputError: for another kind of file, and for content that no ranking has.
            CorruptFileError: for a damaged one.
        """
        arrays, metadata = RANKING.read(Path(path))
        own = {name: metadata.pop(name) for name in ("best_layer", "method", "model", "site")}
        group = metadata.pop("group", 1)
        scores = torch.from_numpy(arrays["scores"])
        return cls(scores, stats=stats_from(arrays), metadata=metadata, group=group, **own)

    def _set(
        self, rows: Int[Tensor, "member"], members: Int[Tensor, "member"], metadata: Mapping[str, Json]
    ) -> NeuronSet:
        rows, units = rows.repeat_interleave(self.group), units_of_members(members, self.group)
        return NeuronSet(
            layers=torch.tensor(self.layers)[rows],
            units=units,
            scores=self.scores[rows, units],
            stats=self.stats,
            model=self.model,
            site=self.site,
            metadata=metadata,
            group=self.group,
        )

    def __repr__(self) -> str:
        shape = f"{len(self.layers)} layers x {self.member_scores.shape[1]} {self.by}s"
        return f"Ranking({self.method} of {self.metadata.get('task')}, {shape}, best layer {self.best_layer})"
