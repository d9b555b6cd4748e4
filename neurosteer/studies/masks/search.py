"""The search for a causal mask: paths of several seeds, their mean as the ranking, and the set that it gives.

Massive units are left out at first: a few of them carry much of the whole model. Where there are any, the search is
repeated with them, by its first seed. Validation pairs choose the size; test pairs are only reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from neurosteer.model import Model
from neurosteer.neurons import massive
from neurosteer.pairs import Split
from neurosteer.progress import Progress
from neurosteer.results import Estimate
from neurosteer.results.mask import CausalMask, MaskedNeuron, MaskPoint, WithMassive
from neurosteer.studies.bootstrap import groups_in
from neurosteer.studies.margins import accuracy, clean_preference, ratio

from .choosing import Judge, Tested, first, on_test, smallest
from .paths import MaskSite, Paths, mask_texts
from .settings import MaskSettings
from .training import MaskPath, Units


@dataclass(frozen=True, eq=False)
class MaskSearch:
    """A score for every unit, and what is reported."""

    scores: Units
    mask: CausalMask
    text: str | None  # of one's own, that masks were trained on


def search_mask(
    model: Model,
    parts: Split,
    place: MaskSite,
    settings: MaskSettings,
    *,
    neutral: Path | None = None,
    seed: int,
    cache: bool,
    progress: Progress,
) -> MaskSearch:
    """The ranking of all seeds together, and the smallest set that was asked for; `neutral` is one's own text."""
    texts = mask_texts(neutral)
    own = None if neutral is None else texts.train
    judge = Judge(model, parts.validation, place.gated, texts.judge, settings, progress)
    whole = clean_preference((judge.clean - judge.none).numpy(), groups_in(parts.validation), seed)
    if whole.low <= 0:
        nothing = torch.zeros_like(place.gated.to)
        why = (
            f"there is nothing to take away: without any unit the mean margin changes by {-whole.margin:+.2f} nats "
            f"(95 % interval {-whole.high:+.2f} to {-whole.low:+.2f})"
        )
        return MaskSearch(nothing, _mask(place, settings, judge, why=why), own)

    paths = Paths(model, parts.train, place, settings, texts.train, seed, cache=cache, progress=progress)
    found = [paths.follow(number) for number in range(settings.seeds)]
    scores = torch.stack([path.scores for path in found]).mean(dim=0)
    curve = judge.curve(scores, int((scores > 0).sum()))
    chosen, heavy = smallest(curve, settings), None
    if not bool(place.light.all()):
        heavy = _with_massive(paths.follow(light=False), judge, scores, chosen, place)
    if chosen is None:
        why = _closest(curve, settings)
        return MaskSearch(scores, _mask(place, settings, judge, found, curve, heavy, why=why), own)
    gates = first(scores, chosen.k)
    tested = on_test(model, parts.test, place.gated, gates, progress)
    lost = ratio(
        (tested.clean - tested.without).numpy(), (tested.clean - tested.none).numpy(), groups_in(parts.test), seed
    )
    neurons = _neurons(scores, gates, place)
    made = _mask(place, settings, judge, found, curve, heavy, chosen, lost=lost, tested=tested, neurons=neurons)
    return MaskSearch(scores, made, own)


def _mask(
    place: MaskSite,
    settings: MaskSettings,
    judge: Judge,
    found: Sequence[MaskPath] = (),
    curve: Sequence[MaskPoint] = (),
    heavy: WithMassive | None = None,
    chosen: MaskPoint | None = None,
    *,
    why: str = "",
    lost: Estimate = Estimate(None),  # noqa: B008  (frozen)
    tested: Tested | None = None,
    neurons: tuple[MaskedNeuron, ...] = (),
) -> CausalMask:
    k, units = None if chosen is None else chosen.k, place.light.numel()
    overlap = None if k is None else _overlap(found, k)
    return CausalMask(
        to=place.to,
        layers=place.layers,
        units=units,
        massive=units - int(place.light.sum()),
        share=settings.share,
        most_kl=settings.kl,
        seeds=settings.seeds,
        steps=settings.steps,
        start=found[0].start if found else None,
        clean=float(judge.clean.mean()),
        none=float(judge.none.mean()),
        found=chosen is not None,
        why=why,
        k=k,
        lost=lost,
        kl=None if chosen is None else chosen.kl,
        before=None if tested is None else accuracy(tested.clean.numpy()),
        after=None if tested is None else accuracy(tested.without.numpy()),
        overlap=overlap,
        chance=None if overlap is None or k is None else k / int(place.light.sum()),
        curve=tuple(curve),
        with_massive=heavy,
        neurons=neurons,
    )


def _closest(curve: Sequence[MaskPoint], settings: MaskSettings) -> str:
    """What comes nearest to what was asked for."""
    within = [point for point in curve if point.kl <= settings.kl]
    if not within:
        return "no gate stayed open" if not curve else f"every set disturbs neutral text by more than {settings.kl:g}"
    best = max(within, key=lambda point: point.lost)
    return (
        f"no set takes {100 * settings.share:.0f} % of the margin within a KL of {settings.kl:g}; the first "
        f"{best.k} units take {100 * best.lost:.0f} % at {best.kl:.3f}"
    )


def _with_massive(
    path: MaskPath, judge: Judge, light: Units, chosen: MaskPoint | None, place: MaskSite
) -> WithMassive:
    """What the search finds where massive units may be in the set."""
    point = smallest(judge.curve(path.scores, int((path.scores > 0).sum())), judge.settings)
    if point is None:
        return WithMassive(k=None, massive=0, lost=None, kl=None, shared=None)
    gates = first(path.scores, point.k)
    both = None if chosen is None else gates * first(light, chosen.k)
    return WithMassive(
        k=point.k,
        massive=int((gates * massive(place.stats)).sum()),
        lost=point.lost,
        kl=point.kl,
        shared=None if both is None or chosen is None else float(both.sum()) / min(point.k, chosen.k),
    )


def _overlap(found: Sequence[MaskPath], k: int) -> float | None:
    """The share of their first k units that two seeds have in common, in the mean over all two."""
    sets = [first(path.scores, k).bool() for path in found]
    shared = [float((a & b).sum()) / k for a, b in combinations(sets, 2)]
    return float(np.mean(shared)) if shared else None


def _neurons(scores: Units, gates: Units, place: MaskSite) -> tuple[MaskedNeuron, ...]:
    """The units whose gates are open, best first."""
    rows = [
        MaskedNeuron(place.layers[row], unit, round(float(scores[row, unit]), 6))
        for row, unit in gates.nonzero().tolist()
    ]
    return tuple(sorted(rows, key=lambda neuron: -neuron.score))
