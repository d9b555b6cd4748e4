"""Selective: would the same search find as much where there is nothing to find?

Each item (all its pairs together) exchanges good and bad with probability 1/2, in all pairs that the search saw; the
search is repeated, and each set that it finds is ablated on the true test pairs. Layers, topk, lambda and `to` stay
as they were found, so only the train pairs matter. Under an exchange an attribution changes its sign: its null
searches are signed sums of what each pair gives, and need no further pass. A causal mask is trained again,
by one seed; the loss of an exchanged pair changes its sign. A direction is computed again from the exchanged states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.pairs import Pairs
from neurosteer.results import Estimate
from neurosteer.results.evidence import Answer, Beside
from neurosteer.seeds import generator
from neurosteer.studies.bootstrap import groups_in
from neurosteer.studies.effects.direction_controls import like, searched_again
from neurosteer.studies.margins import ratio
from neurosteer.vocabulary import counted

from .numbers import holds, one_sided_p, too_few
from .reselect import RepeatedSearch
from .wording import against, capitalised, percent, share
from .work import AnswerParts, AskedSet

RESPLITS = 5
PART = 0.75  # of train and validation pairs that a resplit searches, as a find does


def selective(work: AskedSet) -> AnswerParts:
    """How much more the set takes of the margin than sets that the same search finds on exchanged labels."""
    if not work.searched:
        who = "ranking of a find chose the set" if work.direction is None else "find has searched the direction"
        return work.cannot_tell("selective", f"no {who}, so there is no search to repeat")
    if why := work.no_preference():
        return work.cannot_tell("selective", why)
    found = _null_directions(work, work.direction) if work.direction is not None else _null_sets(work)
    after = work.passes.edited(work.test, [work.ablation(work.target), *found.edits])
    few = too_few(len(work.test), work.n_groups, len(found.edits), what="null search")
    return AnswerParts(answer=_answer(work, after, found, few))


@dataclass(frozen=True, eq=False)
class Repeated:
    """What the same search finds on exchanged labels, and how much of it on other parts of the true pairs."""

    edits: Sequence[Edit]  # that take away what a search on exchanged labels finds
    overlap: float  # with searches on other pairs
    chance: float  # the overlap of what is drawn by lot
    empty: int = 0  # searches on exchanged labels that find nothing


def _null_sets(work: AskedSet) -> Repeated:
    nulls, again = null_sets(work)
    k, chosen = len(work.neurons.members), set(work.neurons.members)
    overlap = float(np.mean([len(chosen & set(one.members)) / k for one in again]))
    empty = sum(not len(one) for one in nulls)
    return Repeated([work.ablation(one) for one in nulls], overlap, k / work.units.count, empty)


def _null_directions(work: AskedSet, direction: Direction) -> Repeated:
    """The same of a direction; its overlap with another is the square of the cosine."""
    states, train = work.states(work.layers)[:, :, 0].double(), torch.as_tensor(work.split.train_indices)
    flips = exchanges(work.split.train, work.nulls, work.seed)
    nulls = [like(direction, one, states[train]) for one in searched_again(direction, states[train], flips)]
    both = torch.tensor(known_pairs(work))
    parts = [states[both[part]] for part in resplits(work.pairs.take(both.tolist()), work.seed)]
    never = [torch.zeros(1, len(part), dtype=torch.bool) for part in parts]
    again = [searched_again(direction, part, flip)[0] for part, flip in zip(parts, never, strict=True)]
    overlap = float(np.mean([like(direction, one, states[train]).metadata["overlap"] for one in again]))
    chance = [one.metadata["overlap"] for one in work.random_directions]
    return Repeated([work.ablation(one) for one in nulls], overlap, float(np.mean(chance)) if chance else 0.0)


def known_pairs(work: AskedSet) -> tuple[int, ...]:
    """The pairs that the find has seen: those of train, then those of validation."""
    return (*work.split.train_indices, *work.split.indices["validation"])


def null_sets(work: AskedSet) -> tuple[list[NeuronSet], list[NeuronSet]]:
    """What the search finds on exchanged labels, and what it finds again on other parts of the true pairs."""
    search, split = RepeatedSearch(work), work.split
    known = known_pairs(work)
    both = work.pairs.take(known)
    n_train = len(split.train)
    flips = exchanges(split.train, work.nulls, work.seed)
    again = resplits(both, work.seed)
    if work.method == "attribution":
        drops = search.drops(both)
        signs = 1.0 - 2.0 * flips.double()
        nulls = search.signed(drops[:n_train], signs)
        return nulls, search.signed(drops, again.double())
    if work.method == "causal-l0":
        paths = search.masks(split.train)
        nulls = [search.masked(paths, 1.0 - 2.0 * flip.float()) for flip in flips]
        return nulls, [search.masked(search.masks(both.take(one.nonzero()[:, 0].tolist()))) for one in again]
    states = work.states(work.layers)[torch.as_tensor(known)]
    nulls = search.exchanged(states[:n_train], flips, "exchange")
    return nulls, [search.on(both.take(one.nonzero()[:, 0].tolist()), states[one]) for one in again]


def exchanges(pairs: Pairs, draws: int, seed: int) -> Tensor:
    """Which pairs each draw exchanges `[draw pair]`; those of one item go together."""
    groups = torch.from_numpy(groups_in(pairs))
    count = int(groups.max()) + 1
    draws_of = [torch.rand(count, generator=generator(seed, pairs.task, "exchange", i)) < 0.5 for i in range(draws)]
    return torch.stack(draws_of)[:, groups] if draws_of else torch.zeros(0, len(pairs), dtype=torch.bool)


def resplits(pairs: Pairs, seed: int) -> Tensor:
    """Which pairs each resplit searches `[resplit pair]`; those of one item go together."""
    groups = torch.from_numpy(groups_in(pairs))
    count = int(groups.max()) + 1
    found = []
    for i in range(RESPLITS):
        order = torch.randperm(count, generator=generator(seed, pairs.task, "resplit", i))
        inside = torch.zeros(count, dtype=torch.bool)
        inside[order[: max(1, round(PART * count))]] = True
        found.append(inside[groups])
    return torch.stack(found)


def _answer(work: AskedSet, after: np.ndarray, found: Repeated, why: str) -> Answer:
    own, *nulls = after
    lost = float((work.clean - own).sum() / work.clean.sum())
    theirs = [float((work.clean - one).sum() / work.clean.sum()) for one in nulls]
    beyond = ratio(np.mean(nulls, axis=0) - own, work.clean, work.groups, work.seed) if nulls else Estimate(lost)
    p = one_sided_p(lost, theirs) if theirs else None
    verdict = None if why or p is None else holds(p, beyond.low, 0.0)
    things = "sets" if work.direction is None else "directions"
    said = (
        f"{capitalised(work.called)} takes {percent(lost)} of the mean margin"
        f"{against(theirs, p, f'{things} found on exchanged labels')}; "
        f"beyond their mean {share(beyond)}"
    )
    nothing = f"; {counted(found.empty, 'of these searches')} found nothing" if found.empty else ""
    return Answer(
        question="selective",
        value=beyond.value,
        low=beyond.low,
        high=beyond.high,
        p=p,
        holds=verdict,
        why=why,
        sentence=f"{said}{nothing}. Searched again on other pairs, {percent(found.overlap)} of it is found "
        f"({percent(found.chance)} by chance).",
        measures=f"share of the mean margin lost, beyond {things} found on exchanged labels",
        n=len(theirs),
        controls=tuple(one - float(np.mean(theirs)) for one in theirs),
        tested=len(work.test),
        beside=(
            Beside(what=f"share of the mean margin lost without {work.called}", value=lost, p=p),
            Beside(what="the same, mean of the null searches", value=float(np.mean(theirs)) if theirs else None),
            Beside(what=f"overlap of {work.called} with {RESPLITS} searches on other pairs", value=found.overlap),
            Beside(what="that overlap by chance", value=found.chance),
        ),
    )
