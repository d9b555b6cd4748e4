"""From what a search measured to its result: the numbers that are reported, without any tensor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.neurons import Ranking
from neurosteer.pairs import Pairs, Split, Tokenise
from neurosteer.probes.l1 import LAST, PENALTIES
from neurosteer.results import (
    CausalMask,
    FindData,
    FindIntervals,
    FindLayer,
    FindResult,
    Json,
    MaskedProbe,
    NewWords,
    PairsUsed,
    PredictedDrop,
    RandomSets,
    SplitSizes,
)
from neurosteer.studies.bootstrap import groups_in
from neurosteer.vocabulary import NOUNS, DirectionKind, Method, Position, Site

from .agreement import agreement
from .interpretation import interpret
from .layers import Equivalent, LayerResult, ProbeSettings
from .uncertainty import baseline_intervals, layer_intervals


@dataclass(frozen=True, eq=False)
class SearchParts:
    """Everything that a `find` measured."""

    pairs: Pairs
    settings: ProbeSettings
    results: Sequence[LayerResult]  # one per layer
    significant: Sequence[int]  # units per layer that pass at a false discovery rate of .05
    equivalent: Equivalent | None = None  # how many times k random units reach the top k of the best layer
    held_out: Split | None = None  # the lexical split, beside a split by pair
    unseen: Sequence[LayerResult] = ()  # the layers on it
    notices: Sequence[str] = ()
    mask: CausalMask | None = None
    mask_text: str | None = None  # that it was trained on; None: the built-in one

    def best_layer(self, method: Method) -> int:
        """The layer whose top-k probe has the highest validation accuracy, or by attribution the largest drop.

        By a causal mask the one whose gates stay open longest, in sum. Of equal ones the lowest.
        """
        if method == "causal-l0":
            return max(self.results, key=lambda result: float(result.scores[method].sum())).layer
        if method == "attribution":
            return max(self.results, key=lambda result: result.drop or 0.0).layer
        return max(self.results, key=lambda result: result.topk[method].validation).layer

    def best_along(self, kind: DirectionKind) -> int:
        """The layer along whose direction validation states are read best; of equal ones the lowest."""
        return max(self.results, key=lambda result: result.along[kind].validation).layer

    def result_at(self, layer: int) -> LayerResult:
        return next(result for result in self.results if result.layer == layer)

    def unit_scores(self, method: Method) -> Float[Tensor, "layer unit"]:
        """The ranking of every unit; those of a head share its score."""
        scores = torch.stack([result.scores[method] for result in self.results])
        return scores.repeat_interleave(self.settings.group, dim=1)

    def settings_of(self, method: Method) -> dict[str, Json]:
        """How a method's ranking was made; for `l0` how masks were trained, and the lambda chosen at each layer."""
        if method == "l1":
            return {"l1": {"penalties": PENALTIES, "last": LAST, "solver": "liblinear"}}
        if method == "causal-l0" and self.mask is not None:
            set_of = {"k": self.mask.k, "layers": list(self.mask.layers)} if self.mask.found else None
            return {
                "to": self.mask.to,
                "mask": {**self.settings.mask.settings(), "text": self.mask_text},
                "set": set_of,
            }
        if method != "l0":
            return {}
        chosen = {str(result.layer): result.l0.lam for result in self.results if result.l0}
        return {"l0": {**self.settings.l0.settings(), "lambda": chosen}}


def result_of(
    search: SearchParts,
    parts: Split,
    rankings: Mapping[Method, Ranking],
    *,
    site: Site,
    position: Position,
    width: int,
    tokenise: Tokenise,
) -> FindResult:
    """What is reported of a search on `parts`; the paths of rankings are known when they are saved."""
    pairs, settings, held_out = search.pairs, search.settings, search.held_out
    unseen = {result.layer: result for result in search.unseen}
    groups, new_groups = groups_in(parts.test), groups_in(held_out.test) if held_out else None
    intervals = layer_intervals(search.results, settings, groups)
    for layer, new in layer_intervals(search.unseen, settings, new_groups).items():
        intervals[layer] = replace(intervals[layer], new_words_dense=new.dense, new_words_topk=new.topk)
    baselines = pairs.baselines(parts, tokenise)
    on_new_words = pairs.baselines(held_out, tokenise) if held_out else None
    new_baseline_intervals = baseline_intervals(on_new_words, settings, new_groups) if on_new_words else None
    times, ends = _equivalent(search.equivalent)
    result = FindResult(
        task=pairs.task,
        phenomenon=pairs.phenomenon,
        data=FindData(
            **vars(PairsUsed.of(pairs)),
            split=SplitSizes.of(parts),
            split_new_words=SplitSizes.of(held_out) if held_out else None,
        ),
        site=site,
        position=position,
        by=settings.by,
        width=width // settings.group,
        baselines=baselines,
        baselines_intervals=baseline_intervals(baselines, settings, groups),
        baselines_new_words=on_new_words,
        baselines_new_words_intervals=new_baseline_intervals,
        layers=tuple(
            _layer(measured, count, settings, unseen.get(measured.layer), intervals[measured.layer])
            for measured, count in zip(search.results, search.significant, strict=True)
        ),
        best_layer=search.best_layer(settings.methods[0]),
        best_layers={method: search.best_layer(method) for method in settings.methods},
        direction_layers={kind: search.best_along(kind) for kind in settings.directions} or None,
        topk=settings.topk,
        methods=settings.methods,
        random_equivalent=times,
        random_equivalent_interval=ends,
        neurons={method: ranking.top(settings.topk).listed() for method, ranking in rankings.items()},
        mask=search.mask,
        notices=(*search.notices, *_short_sets(rankings, settings)),
        interpretation="",
    )
    return replace(result, interpretation=interpret(result))


def _short_sets(rankings: Mapping[Method, Ranking], settings: ProbeSettings) -> list[str]:
    topk = settings.topk
    sizes = {method: len(ranking.top(topk).members) for method, ranking in rankings.items()}
    return [
        f"{method} keeps only {size} {NOUNS[settings.by]}s at its best layer, fewer than {topk}"
        for method, size in sizes.items()
        if size < topk
    ]


def _layer(
    measured: LayerResult,
    significant: int,
    settings: ProbeSettings,
    unseen: LayerResult | None,
    intervals: FindIntervals,
) -> FindLayer:
    drawn, l0, first = [accuracy.test for accuracy in measured.random], measured.l0, settings.methods[0]
    return FindLayer(
        layer=measured.layer,
        dense=measured.dense.test,
        topk=measured.topk[first].test,
        topk_by_method={method: accuracy.test for method, accuracy in measured.topk.items()},
        random=RandomSets(
            mean=sum(drawn) / len(drawn) if drawn else None,
            low=min(drawn, default=None),
            high=max(drawn, default=None),
        ),
        l0=MaskedProbe(lam=l0.lam, kept=l0.kept, accuracy=l0.accuracy.test, reached=l0.reached) if l0 else None,
        spearman=l0.spearman if l0 else None,
        agreement=agreement(measured.scores, settings.topk),
        attribution=None if measured.drop is None else PredictedDrop(measured.drop),
        significant=significant,
        new_words=NewWords(dense=unseen.dense.test, topk=unseen.topk[first].test) if unseen else None,
        l2=measured.l2,
        along={kind: one.test for kind, one in measured.along.items()} or None,
        intervals=intervals,
    )


def _equivalent(
    found: Equivalent | None,
) -> tuple[float | None, tuple[float | None, float | None] | None]:
    """How many times k random units are worth the top k, and the interval; None is no end, or no number that does."""
    if found is None:
        return None, None
    times, low, high = (value if math.isfinite(value) else None for value in (found.times, found.low, found.high))
    return times, (low, high)
