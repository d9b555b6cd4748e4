"""Encoded: can the contrast be read from the set on words never seen?

The method selects again on the train pairs of the lexical split (the set itself was chosen on others), a probe on
what it selects is fitted there, and judged on words that no train contrast has, against the baseline of the same
split that is best on validation. A direction is computed again in the same way, and the probe reads the component
along it alone. Where words allow no such split, the find's own takes its place, and the answer says
so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

import numpy as np
import torch
from jaxtyping import Float

from neurosteer.model import Model, sentence_tokens
from neurosteer.neurons import Direction, NeuronSet, matched_controls
from neurosteer.pairs import LexicalSplitError, Split
from neurosteer.pairs.baselines import Baselines, fit_baselines
from neurosteer.report.numbers import p_equals
from neurosteer.results import Estimate
from neurosteer.results.evidence import Answer, Beside
from neurosteer.studies.bootstrap import Groups, groups_in, interval, resampled_pairs
from neurosteer.studies.effects.direction_controls import random_directions, searched_again
from neurosteer.studies.examples import Examples, fit_dense
from neurosteer.vocabulary import NOUNS

from .numbers import holds, one_sided_p, too_few
from .reselect import RepeatedSearch
from .work import AnswerParts, AskedSet, States

Shares = Float[np.ndarray, "tested"]  # of each test pair's sentences that are right


def encoded(work: AskedSet) -> AnswerParts:
    """The accuracy of a probe on the set, above the best baseline's, among matched controls."""
    split, unseen = held_out(work)
    if work.direction is not None:
        right = _along_directions(work, work.direction, split)
        return AnswerParts(answer=_answer(work, split, right, unseen))
    search = RepeatedSearch(work)
    layers = _layers_of_sets(work)
    states = work.states(layers)
    own = states[:, :, [layers.index(layer) for layer in work.layers]]
    train = torch.as_tensor(split.train_indices)
    chosen = search.on(split.train, own[train]) if work.method else work.neurons
    if not len(chosen):
        return work.cannot_tell(
            "encoded", f"searched again, the method finds no {NOUNS[work.neurons.by]} at all", len(split.test)
        )
    sets = [chosen, *matched_controls(chosen, work.controls, work.seed)]
    right = probe_shares(work, split, states, layers, sets)
    return AnswerParts(answer=_answer(work, split, right, unseen))


def _along_directions(work: AskedSet, direction: Direction, split: Split) -> list[Shares]:
    """What a probe gets right that reads the component along the direction, then along each random one."""
    states = work.states(work.layers)[:, :, 0].double()
    train = states[torch.as_tensor(split.train_indices)]
    [again] = searched_again(direction, train, torch.zeros(1, len(train), dtype=torch.bool)) or [direction.vector]
    vectors = [again, *random_directions(train, work.controls, work.seed)]
    along = states @ torch.stack([one.double() / one.double().norm() for one in vectors], dim=1)
    read = _examples(work, split, along[..., None])
    l2 = fit_dense(_examples(work, split, states[:, :, None])).l2
    judged = read.judge_units(torch.zeros(len(vectors), 1, dtype=torch.long), l2.expand(len(vectors), 1))
    return [np.array(one.right) / 2 for one in judged]


def _examples(work: AskedSet, split: Split, states: States) -> Examples:
    parts = {part: states[torch.as_tensor(indices)] for part, indices in split.indices.items()}
    values = {part: one.float().to(work.model.float64_device) for part, one in parts.items()}
    return Examples.of_values(tuple(range(states.shape[2])), values)


def _layers_of_sets(work: AskedSet) -> tuple[int, ...]:
    """The layers of the set; controls of heads may be of neighbouring ones."""
    return work.neurons.stats.layers if work.neurons.by == "head" else work.layers


def held_out(work: AskedSet) -> tuple[Split, str]:
    """The lexical split, or the find's own; and in words, on what its probe is judged."""
    if work.split.kind == "lexical":
        return work.split, "words never seen"
    try:
        return work.pairs.split("lexical", work.split.seed), "words never seen"
    except LexicalSplitError as error:
        return work.split, f"pairs never seen, not on new words ({error})"


def probe_shares(
    work: AskedSet, split: Split, states: States, layers: Sequence[int], sets: Sequence[NeuronSet]
) -> list[Shares]:
    """What a probe on each set gets right, all at the L2 strength that the dense one chooses on validation.

    `layers` are those of the states, of which the dense probe has the ones that the set was chosen among.
    """
    width = states.shape[3]

    @cache
    def examples_of(some: tuple[int, ...]) -> Examples:
        pooled = states[:, :, [layers.index(layer) for layer in some]].flatten(2)[:, :, None]
        return _examples(work, split, pooled)

    l2 = fit_dense(examples_of(work.layers)).l2
    found = []
    for one in sets:
        there = tuple(sorted({*work.layers, *one.layers.tolist()}))
        units = torch.tensor([[there.index(layer) * width + unit for layer, unit in one]])
        [accuracy] = examples_of(there).judge_units(units, l2)
        found.append(np.array(accuracy.right) / 2)
    return found


def best_baseline(model: Model, split: Split) -> tuple[str, Shares]:
    """The baseline of words or tokens that is best on validation, and what it gets right of each test pair."""
    tokenise = partial(sentence_tokens, model)
    train = split.train.sentences
    chosen, judged = (fit_baselines(train, part.sentences, tokenise) for part in (split.validation, split.test))
    name = max(chosen.shares, key=lambda one: (_mean(chosen, one), one))
    return name, np.array(judged.shares[name])


def _mean(found: Baselines, name: str) -> float:
    return float(np.mean(found.shares[name]))


def _answer(work: AskedSet, split: Split, right: Sequence[Shares], unseen: str) -> Answer:
    name, known = best_baseline(work.model, split)
    groups = groups_in(split.test)
    why = too_few(len(split.test), len(np.unique(groups)), work.controls)
    own, *others = (float(one.mean()) for one in right)
    base = float(known.mean())
    controls = [one - base for one in others]
    low, high = interval(_difference(right[0], known, work, groups))
    value = Estimate(own - base, float(low), float(high))
    assert value.value is not None
    p = one_sided_p(value.value, controls) if controls else None
    verdict = None if why or p is None else holds(p, value.low, 0.0)
    spread = f"; {len(controls)} {work.compared}: {_points(min(others))} to {_points(max(others))}" if others else ""
    again = "searched again on train pairs, " if work.searched else ""
    said = (
        f"A probe on {work.called}, {again}is right in {_points(own)} on {unseen}, the best baseline ({name}) in "
        f"{_points(base)}{spread}{'' if p is None else f', {p_equals(p)}'}"
    )
    shares = np.stack([right[0], known])
    ends = interval(resampled_pairs(shares, task=work.pairs.task, seed=work.seed, groups=groups))
    names = (f"accuracy of a probe on {work.called}", f"accuracy of the best baseline ({name})")
    rows = [
        Beside(what=what, value=at, low=float(lower), high=float(upper))
        for what, at, lower, upper in zip(names, (own, base), *ends, strict=True)
    ]
    return Answer(
        question="encoded",
        value=value.value,
        low=value.low,
        high=value.high,
        p=p,
        holds=verdict,
        why=why,
        sentence=f"{said}.",
        measures="accuracy above the best baseline",
        n=len(controls),
        controls=tuple(controls),
        overlap=work.overlap,
        tested=len(split.test),
        beside=tuple(rows),
    )


def _difference(own: Shares, base: Shares, work: AskedSet, groups: Groups) -> Float[np.ndarray, "resample"]:
    """The difference of two accuracies in every resample of the test pairs."""
    found = resampled_pairs(np.stack([own, base]), task=work.pairs.task, seed=work.seed, groups=groups)
    return np.asarray(found[:, 0] - found[:, 1])


def _points(accuracy: float) -> str:
    return f"{100 * accuracy:.0f} %"
