"""Sufficient: is the set enough? It is kept, and every other unit of the site at its layers is moved to its mean.

f = (m(keep the set) - m(keep none)) / (m(clean) - m(keep none)): 1 where nothing is lost, 0 where nothing is kept.
Controls are orders of the units shuffled within blocks of like ones, so that they exist at every size. Beside moving
the others to their mean stands replacing them by a donor's activations, of several donors: each donor is tried on a
part of the pairs, the same for the set and for its controls. Of a direction the component along it is kept; its
controls are random directions, and there is no curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.neurons import NeuronSet, Order, shuffled_orders
from neurosteer.pairs import Pairs
from neurosteer.results import Estimate
from neurosteer.results.evidence import Answer, Beside, CurvePoint
from neurosteer.seeds import seed_of
from neurosteer.studies.margins import interval, ratio
from neurosteer.vocabulary import Reference, counted

from .numbers import GRID, areas, holds, one_sided_p, shares_of, too_few
from .wording import against, capitalised, percent, share
from .work import AnswerParts, AskedSet

Margins = Float[np.ndarray, "pair"]


def sufficient(work: AskedSet) -> AnswerParts:
    """What is kept by the set alone, and by every share of its ranking."""
    orders = _orders(work) if work.direction is None else []
    found = {"mean": _kept_by_mean(work, orders), "resample": _kept_by_donors(work, orders)}
    little = {name: _nothing_to_keep(work, margins) for name, margins in found.items()}
    if little["mean"]:
        return work.cannot_tell("sufficient", little["mean"])
    tested = {name: _tested(work, margins) for name, margins in found.items() if not little[name]}
    few = too_few(len(work.test), work.n_groups, work.controls)
    curve = _curve(work, orders) if work.ranking is not None else ()
    cpr, cmd = areas([one.share for one in curve], [one.f for one in curve]) if curve else (None, None)
    answer = _answer(work, tested, few, little["resample"])
    more = [Beside(what=f"{name}, the area of the ranking", value=value) for name, value in _areas(cpr, cmd)]
    more += [
        Beside(what=f"{name}, mean of {counted(len(curve[0].controls), 'shuffled order')}", value=value)
        for name, value in _areas(*_control_areas(curve))
    ]
    answer = replace(answer, beside=(*answer.beside, *more))
    return AnswerParts(answer=answer, curve=curve, cpr=cpr, cmd=cmd)


def keep(work: AskedSet, kept: Sequence[tuple[int, int]]) -> Edit:
    """The edit that moves all units (or heads) of the layers but these to their mean."""
    return Edit.ablate(work.units.without(kept), "mean")


def _orders(work: AskedSet) -> list[Order]:
    """The order that the set heads, then its controls. A set without a ranking heads an order of no meaning."""
    own = _headed_by(work, work.neurons) if work.ranking is None else work.order
    return [own, *shuffled_orders(own, work.neurons, work.controls, work.seed)]


def _headed_by(work: AskedSet, neurons: NeuronSet) -> Order:
    rest = work.units.without(neurons.members)
    return torch.tensor([*neurons.members, *rest.members])


def _first(order: Order, k: int) -> list[tuple[int, int]]:
    return [(int(layer), int(one)) for layer, one in order[:k]]


def _keeping(
    work: AskedSet, orders: Sequence[Order], to: Reference, donors: Pairs | Sequence[str] = (), seed: int = 0
) -> list[Edit]:
    """The edits that keep nothing, then the set and its controls; or the direction, then random ones."""
    k, none = len(work.neurons.members), Edit.ablate(work.units.without([]), to, donors=donors, seed=seed)
    if work.direction is None:
        rest = [work.units.without(_first(order, k)) for order in orders]
        return [none, *(Edit.ablate(one, to, donors=donors, seed=seed) for one in rest)]
    along = [work.direction, *work.random_directions]
    return [none, *(Edit.keep_only(one, to, donors=donors, seed=seed) for one in along)]


def _kept_by_mean(work: AskedSet, orders: Sequence[Order]) -> Float[np.ndarray, "set pair"]:
    """Margins where nothing is kept, then where each set is."""
    return work.passes.edited(work.test, _keeping(work, orders, "mean"))


def _kept_by_donors(work: AskedSet, orders: Sequence[Order]) -> Float[np.ndarray, "set pair"]:
    """The same where the others take a donor's activations: of each group of pairs one of the donors, in turn."""
    train = work.split.train
    margins = np.empty((2 + work.controls, len(work.test)))
    for turn in range(work.donors):
        pairs = np.flatnonzero(work.groups % work.donors == turn)
        if len(pairs):
            seed = seed_of(work.seed, work.pairs.task, "donors", turn)
            edits = _keeping(work, orders, "resample", train, seed)
            margins[:, pairs] = work.passes.edited(work.test.take(pairs.tolist()), edits)
    return margins


def _nothing_to_keep(work: AskedSet, margins: Float[np.ndarray, "set pair"]) -> str:
    """Why there is nothing to keep; empty where there is."""
    gap = work.clean - margins[0]
    low, high = interval(gap, work.seed, work.groups)
    if low > 0:
        return ""
    return (
        f"there is nothing to keep: without any unit of these layers the mean margin falls by {gap.mean():+.2f} nats "
        f"(95 % interval {low:+.2f} to {high:+.2f})"
    )


def _tested(work: AskedSet, margins: Float[np.ndarray, "set pair"]) -> tuple[Estimate, list[float]]:
    """f of the set, and of each control."""
    none, own, *controls = margins
    whole = work.clean - none
    found = ratio(own - none, whole, work.groups, work.seed)
    return found, [float((one - none).sum() / whole.sum()) for one in controls]


def _answer(work: AskedSet, tested: dict[str, tuple[Estimate, list[float]]], few: str, little: str) -> Answer:
    """It holds only under both: what fails under one does not, whatever cannot be told of the other."""
    ps = {name: one_sided_p(_value(f), others) for name, (f, others) in tested.items() if others}
    each = {name: holds(ps[name], f.low, 0.0) for name, (f, _) in tested.items() if name in ps}
    verdict: bool | None = None
    if not few and each:
        verdict = None if all(each.values()) and little else all(each.values())
    f, others = tested["mean"]
    p = max(ps.values()) if ps else None
    one = work.direction is not None or len(work.neurons.members) == 1
    said = f"{capitalised(work.counted)} alone keep{'s' * one} {share(f)} of it"
    beside, words = [], ""
    if "resample" in tested:
        g, theirs = tested["resample"]
        what = f"kept where the others take the activations of {counted(work.donors, 'donor')}"
        beside = [Beside(what=what, value=g.value, low=g.low, high=g.high, p=ps.get("resample"))]
        words = f"; where the others take donors' activations {percent(g.value)}" + (
            f" (controls {100 * min(theirs):.0f} to {100 * max(theirs):.0f} %)" if theirs else ""
        )
    return Answer(
        question="sufficient",
        value=f.value,
        low=f.low,
        high=f.high,
        p=p,
        holds=verdict,
        why="" if verdict is not None else few or little,
        sentence=f"{said}{against(others, ps.get('mean'), f'{work.compared} keep')}{words}.",
        measures=f"share of the preference kept by {work.called} alone",
        n=len(others),
        controls=tuple(others),
        overlap=work.overlap,
        tested=len(work.test),
        beside=tuple(beside),
    )


def _value(one: Estimate) -> float:
    assert one.value is not None
    return one.value


def _curve(work: AskedSet, orders: Sequence[Order]) -> tuple[CurvePoint, ...]:
    """f at each share of the grid, of the ranking, of its reverse, and of the first shuffled orders."""
    order, *shuffled = orders
    lines = [order, order.flip(0), *shuffled[: work.curve_controls]]
    sizes = shares_of(GRID, work.units.count)
    edits = [keep(work, _first(line, size)) for size in sizes for line in lines]
    found = work.passes.edited(work.test, [keep(work, []), *edits])
    none, by_size = found[0], found[1:].reshape(len(sizes), len(lines), -1)
    whole = work.clean - none
    points = []
    for at, size, (own, reverse, *others) in zip(GRID, sizes, by_size, strict=True):
        f = ratio(own - none, whole, work.groups, work.seed)
        value = _value(f)
        points.append(
            CurvePoint(
                share=at,
                units=size,
                f=value,
                low=value if f.low is None else f.low,
                high=value if f.high is None else f.high,
                reverse=float((reverse - none).sum() / whole.sum()),
                controls=tuple(float((one - none).sum() / whole.sum()) for one in others),
            )
        )
    return tuple(points)


def _areas(cpr: float | None, cmd: float | None) -> list[tuple[str, float]]:
    return [(name, value) for name, value in (("CPR", cpr), ("CMD", cmd)) if value is not None]


def _control_areas(curve: Sequence[CurvePoint]) -> tuple[float | None, float | None]:
    """Means over the shuffled orders."""
    if not curve or not curve[0].controls:
        return None, None
    shares = [one.share for one in curve]
    both = [areas(shares, line) for line in zip(*(one.controls for one in curve), strict=True)]
    return float(np.mean([cpr for cpr, _ in both])), float(np.mean([cmd for _, cmd in both]))
