"""Probes of one task on the sentences of another: all against all, and a general probe for an unseen phenomenon.

Accuracy at threshold 0 asks whether a probe's very boundary carries over; pairwise accuracy, whether of two sentences
the good one scores higher, asks for its direction alone.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.probes import STRENGTHS, Probes, Standard, fit_logistic, labelled
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import file_stem
from neurosteer.studies.examples import best_strength

from .one_layer import PROBES, ProbedTask, ProbeName, one_layer_name

Kind = Literal["accuracy", "pairwise"]  # at threshold 0; whether the good sentence of a pair scores higher
KINDS: tuple[Kind, ...] = get_args(Kind)
GENERAL = (*KINDS, "pairs")  # of a general probe, by task
Accuracies = Float[np.ndarray, "trained tested"]
TRANSFER = "transfer"


def transfer_unit(tasks: Sequence[str]) -> Unit:
    """`accuracy_<probe>` and `pairwise_<probe>` `[trained tested]` of every probe, and the `pairs` each rests on."""
    names = [one_layer_name(task) for task in tasks]

    def compute(read: Read) -> UnitResult:
        probed = [read(name).typed(ProbedTask) for name in names]
        unseen = [_unseen(target, probed) for target in probed]
        arrays: dict[str, np.ndarray] = {}
        for probe in PROBES:
            weights, bias = (np.stack(rows) for rows in zip(*(one.raw(probe) for one in probed), strict=True))
            columns = [
                _judge(weights, bias, target.states_test, kept) for target, kept in zip(probed, unseen, strict=True)
            ]
            for name, column in zip(KINDS, zip(*columns, strict=True), strict=True):
                arrays[f"{name}_{probe}"] = np.stack(column, axis=1)
        return UnitResult({**arrays, "pairs": np.stack([kept.sum(axis=1) for kept in unseen], axis=1)}, {})

    return Unit(TRANSFER, "", 0.05 * len(tasks), compute, needs=tuple(names))


def _judge(
    weights: Float[np.ndarray, "source unit"],
    bias: Float[np.ndarray, "source"],
    test: Float[np.ndarray, "pair side unit"],
    unseen: Bool[np.ndarray, "source pair"],
) -> tuple[Float[np.ndarray, "source"], Float[np.ndarray, "source"]]:
    """Accuracy and pairwise accuracy on a task's test pairs, without those that a source's training has seen."""
    scores = test.astype(float) @ weights.T + bias  # pair side source
    kept = unseen.T
    right = ((scores[:, 0] > 0).astype(float) + (scores[:, 1] < 0)) / 2
    ordered = _ordered(scores[:, 0], scores[:, 1])
    count = np.maximum(kept.sum(axis=0), 1)
    empty = np.where(kept.any(axis=0), 0.0, np.nan)
    return (right * kept).sum(axis=0) / count + empty, (ordered * kept).sum(axis=0) / count + empty


def _ordered(good: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """1 where the good sentence scores higher, one half in a tie: a closed mask gives all the same score."""
    return (np.sign(good - bad) + 1) / 2


def _unseen(target: ProbedTask, sources: Sequence[ProbedTask]) -> Bool[np.ndarray, "source pair"]:
    """The target's test pairs of which a source's train and validation parts hold no sentence."""
    test = target.tested
    return np.array([[not pair & seen for pair in test] for seen in (source.seen for source in sources)])


@dataclass(frozen=True, eq=False)
class Transferred:
    """What `transfer_unit` leaves behind: accuracies of every probe, and the test pairs that each rests on."""

    accuracy_sparse: Accuracies
    accuracy_dense: Accuracies
    accuracy_null_sparse: Accuracies
    accuracy_null_dense: Accuracies
    pairwise_sparse: Accuracies
    pairwise_dense: Accuracies
    pairwise_null_sparse: Accuracies
    pairwise_null_dense: Accuracies
    pairs: Int[np.ndarray, "trained tested"]

    def of(self, kind: Kind, probe: ProbeName) -> Accuracies:
        found: np.ndarray = getattr(self, f"{kind}_{probe}")
        return found


@dataclass(frozen=True, eq=False)
class Generalised:
    """What a unit of `general_units` leaves behind, by task."""

    accuracy: Float[np.ndarray, "task"]
    pairwise: Float[np.ndarray, "task"]
    pairs: Float[np.ndarray, "task"]


@dataclass(frozen=True)
class Member:
    """A task and the phenomenon it belongs to; one without a phenomenon is one of its own."""

    task: str
    phenomenon: str


def general_name(phenomenon: str) -> str:
    return f"general-{file_stem(phenomenon)}"


def general_units(members: Sequence[Member]) -> list[Unit]:
    """For each phenomenon a dense probe that has learned from all others, tested on its tasks."""
    return [_general(phenomenon, members) for phenomenon in dict.fromkeys(member.phenomenon for member in members)]


def _general(phenomenon: str, members: Sequence[Member]) -> Unit:
    others = [one_layer_name(member.task) for member in members if member.phenomenon != phenomenon]
    own = [one_layer_name(member.task) for member in members if member.phenomenon == phenomenon]

    def compute(read: Read) -> UnitResult:
        if not others:
            return UnitResult({name: np.full(len(own), np.nan) for name in GENERAL}, {})
        learned = [read(name).typed(ProbedTask) for name in others]
        train = _joined([one.states_train for one in learned])
        validation = _joined([one.states_validation for one in learned])
        x, y = labelled(train)
        standard = Standard.of(x)
        probes = fit_logistic(standard(x), y, torch.tensor([STRENGTHS]))
        vx, vy = labelled(validation)
        best = probes.pick(best_strength(probes.accuracy(standard(vx), vy)))
        seen = set().union(*(one.seen for one in learned))
        judged = np.array([_tested(best, standard, read(name).typed(ProbedTask), seen) for name in own])
        return UnitResult(dict(zip(GENERAL, judged.T, strict=True)), {})

    cost = 0.02 * len(others)
    return Unit(general_name(phenomenon), "", cost, compute, needs=(*others, *own))


def _joined(states: Sequence[Float[np.ndarray, "pair side unit"]]) -> Float[Tensor, "pair side layer unit"]:
    """The states of several tasks, at the one layer."""
    return torch.from_numpy(np.concatenate(states))[:, :, None]


def _tested(probe: Probes, standard: Standard, target: ProbedTask, seen: Set[str]) -> tuple[float, float, int]:
    """Accuracy, pairwise accuracy, and the number of test pairs with no sentence that any of the others has seen."""
    kept = [i for i, pair in enumerate(target.tested) if not seen & pair]
    if not kept:
        return np.nan, np.nan, 0
    x, y = labelled(_joined([target.states_test[kept]]))
    good, bad = (standard(x) @ probe.weights[0, 0])[0].chunk(2)
    pairwise = float(_ordered(good.numpy(), bad.numpy()).mean())
    return float(probe.accuracy(standard(x), y)[0, 0]), pairwise, len(kept)
