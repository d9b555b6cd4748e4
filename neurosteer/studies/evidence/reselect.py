"""The same search again: on other pairs, or on labels exchanged by lot, with topk, layers and settings as found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.forward import attribute, attribute_pairs
from neurosteer.forward.cache import can_cache
from neurosteer.neurons import NeuronSet, best_units, member_scores, resolve_topk
from neurosteer.pairs import Pairs
from neurosteer.probes import L0Settings, l1_order, welch
from neurosteer.probes.l0_settings import recorded_settings
from neurosteer.seeds import generator
from neurosteer.studies.examples import BLOCK, Examples
from neurosteer.studies.finding.state_scores import state_scores
from neurosteer.studies.masked_probes import fit_masks, mask_noise
from neurosteer.studies.masks import MaskSettings, MaskSite, Paths, mask_texts
from neurosteer.vocabulary import FixedReference

from .work import AskedSet, States

Flips = Bool[Tensor, "search pair"]


@dataclass(frozen=True, eq=False)
class RepeatedSearch:
    """How the set was found, to be repeated."""

    work: AskedSet

    @property
    def to(self) -> FixedReference:
        """What attribution ablated to."""
        assert self.work.ranking is not None
        found: FixedReference = self.work.ranking.metadata.get("to", "zero")
        return found

    @property
    def steps(self) -> int:
        assert self.work.ranking is not None
        return int(self.work.ranking.metadata.get("steps", 1))

    @property
    def l0(self) -> L0Settings:
        assert self.work.ranking is not None
        return recorded_settings(self.work.ranking.metadata.get("l0", {}))

    def lam(self, layer: int) -> float:
        """The penalty that the find chose at a layer."""
        assert self.work.ranking is not None
        chosen: float = self.work.ranking.metadata["l0"]["lambda"][str(layer)]
        return chosen

    def masks(self, train: Pairs) -> Paths:
        """The paths of causal masks on some pairs, as the find trained them."""
        work = self.work
        assert work.ranking is not None
        known = {**work.ranking.metadata["mask"]}
        text = known.pop("text") or mask_texts(None).train
        stats = work.neurons.stats.at_layers(work.layers)
        place = MaskSite(work.neurons.site, work.layers, self.to, stats)
        progress = work.passes.progress
        cache = can_cache(work.model, progress)
        settings = MaskSettings(**known)
        return Paths(work.model, train, place, settings, text, work.seed, cache=cache, progress=progress)

    def masked(self, paths: Paths, signs: Float[Tensor, "pair"] | None = None) -> NeuronSet:
        """The set that one path finds, where each pair counts with a sign."""
        return self._top(paths.follow(signs=signs).scores)

    def on(self, train: Pairs, states: States) -> NeuronSet:
        """The set that the method finds on some pairs, whose states these are."""
        if self.work.method == "causal-l0":
            return self.masked(self.masks(train))
        if self.work.method == "attribution":
            found = attribute(
                self.work.model,
                train,
                site=self.work.neurons.site,
                layers=self.work.layers,
                to=self.to,
                steps=self.steps,
                progress=self.work.passes.progress,
            )
            return self._top(found.drop(self._mean()))
        never = torch.zeros(1, len(train), dtype=torch.bool)
        return self.exchanged(states, never, "again")[0]

    def exchanged(self, states: States, flips: Flips, label: str) -> list[NeuronSet]:
        """The set that the method finds after each exchange of good and bad, by what a probe reads."""
        sets: list[NeuronSet] = []
        for start in range(0, len(flips), BLOCK):
            some = flips[start : start + BLOCK, :, None, None, None]
            turned = [torch.where(flip, states.flip(1), states) for flip in some]
            sets += [self._top(scores) for scores in self._scores(turned, f"{label} {start}")]
        return sets

    def signed(self, drops: Float[Tensor, "pair layer unit"], signs: Float[Tensor, "search pair"]) -> list[NeuronSet]:
        """The set that attribution finds where each pair counts with a sign; 0 leaves a pair out."""
        sums = torch.einsum("sp,plu->slu", signs, drops) / signs.abs().sum(dim=1)[:, None, None]
        return [self._top(scores) for scores in sums]

    def drops(self, pairs: Pairs) -> Float[Tensor, "pair layer unit"]:
        """The predicted drop of each pair's margin for every unit of the layers."""
        found = attribute_pairs(
            self.work.model,
            pairs,
            site=self.work.neurons.site,
            layers=self.work.layers,
            to=self.to,
            steps=self.steps,
            progress=self.work.passes.progress,
        )
        return found.drop(self._mean())

    def _mean(self) -> Float[Tensor, "layer unit"] | None:
        """The mean that attribution ablates to, over the tokens of the find's train sentences."""
        stats = self.work.neurons.stats
        rows = [stats.layers.index(layer) for layer in self.work.layers]
        return stats.token_mean[rows] if self.to == "mean" else None

    def _scores(self, problems: Sequence[States], label: str) -> list[Float[Tensor, "layer unit"]]:
        """Of each problem a score for every unit."""
        layers = problems[0].shape[2]
        stacked = torch.cat(list(problems), dim=2).to(self.work.model.float64_device)
        each = [stacked[:, :, i : i + 1] for i in range(stacked.shape[2])]
        method, pairs = self.work.method, range(len(stacked))
        assert method is not None
        if method == "l0":
            every = torch.stack([self._mask(one, i, label) for i, one in enumerate(each)])
        elif method == "l1":
            every = torch.cat([_entering(one) for one in each])
        else:
            every = state_scores(stacked, pairs, welch(stacked, pairs), {method})[method]
        return list(every.split(layers))

    def _mask(self, states: States, i: int, label: str) -> Float[Tensor, "unit"]:
        """The size of a masked probe's weights at one layer of one problem."""
        layer = self.work.layers[i % len(self.work.layers)]
        examples = Examples.of_values((layer,), {"train": states})
        if label.startswith("again"):
            noise = mask_noise(self.work.pairs.task, (layer,), self.work.seed)
        else:
            noise = [generator(self.work.seed, self.work.pairs.task, layer, "l0", label, i)]
        masks = fit_masks(examples, (self.lam(layer),), noise, self.l0, self.work.neurons.group)
        return masks.probes.weights[0, 0].abs().cpu()

    def _top(self, scores: Float[Tensor, "layer unit"]) -> NeuronSet:
        """The top k above 0, as the find takes them."""
        work = self.work
        assert work.ranking is not None
        assert work.method is not None
        scores = member_scores(scores, work.method, work.ranking.group)
        width = scores.shape[1]
        best = best_units(scores.float().flatten(), resolve_topk(work.topk, scores.numel()), above=0.0)
        chosen: Int[Tensor, "k"] = best[best >= 0]
        return work.ranking.pick((work.layers[int(i) // width], int(i) % width) for i in chosen)


def _entering(states: States) -> Float[Tensor, "layer unit"]:
    """In which order units enter the L1 path of one layer."""
    examples = Examples.of_values((0,), {"train": states})
    return l1_order(examples.x["train"], examples.y["train"])
