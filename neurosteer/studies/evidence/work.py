"""What the six questions are asked about: a neuron set, where it comes from, and the pairs held out from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import check_edit
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, Order, Ranking, UnitPool, check_count, matched_controls, order_of
from neurosteer.pairs import Pairs, Split, sentence_hashes
from neurosteer.results.effect import EqualDisturbance
from neurosteer.results.evidence import Answer, CurvePoint, Elsewhere, MapCell, NeutralText
from neurosteer.studies.bootstrap import Groups, groups_in
from neurosteer.studies.margins import Preference, clean_preference
from neurosteer.vocabulary import NOUNS, FixedReference, Method, Position, Question, counted

from .passes import Passes


@dataclass(frozen=True, kw_only=True)
class AnswerParts:
    """What one question gives: its answer, and what is drawn beside it."""

    answer: Answer
    curve: tuple[CurvePoint, ...] = ()
    cpr: float | None = None
    cmd: float | None = None
    elsewhere: tuple[Elsewhere, ...] = ()
    neutral: NeutralText | None = None
    equal: EqualDisturbance | None = None
    map: tuple[MapCell, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class AskedSet:
    """One neuron set with everything that its questions need."""

    model: Model
    neurons: NeuronSet
    layers: tuple[int, ...]  # among whose units it was chosen
    method: Method | None  # that chose it; None for a set of your own choice
    ranking: Ranking | None  # which it heads; None for a set of your own choice
    topk: int | str  # as it was asked for
    position: Position
    pairs: Pairs  # all of the task
    split: Split
    to: FixedReference = "mean"
    controls: int = 19
    nulls: int = 39
    curve_controls: int = 5
    donors: int = 5
    other_pairs: int = 50
    others: Sequence[Pairs] | None = None  # tasks that it should leave alone; None: they are looked for
    meaning: Sequence[Pairs] | None = None
    neutral: str  # text
    neutral_name: str
    kl: float | None = None  # at which sets are compared
    auto_kl: bool = False
    map: bool = False
    seed: int = 0
    offline: bool = False
    passes: Passes

    @property
    def test(self) -> Pairs:
        """The pairs that every margin is measured on."""
        return self.split.test

    @cached_property
    def groups(self) -> Groups:
        """Of the test pairs that share an item or a sentence."""
        return groups_in(self.test)

    @property
    def n_groups(self) -> int:
        return len(np.unique(self.groups))

    @cached_property
    def clean(self) -> Float[np.ndarray, "pair"]:
        """The margin of every test pair, unedited."""
        return self.passes.clean(self.test)

    @cached_property
    def preference(self) -> Preference:
        """Whether there is one that can be lost."""
        return clean_preference(self.clean, self.groups, self.seed)

    @cached_property
    def sets(self) -> list[NeuronSet]:
        """The set, then its matched controls."""
        return [self.neurons, *matched_controls(self.neurons, self.controls, self.seed)]

    @property
    def overlap(self) -> float | None:
        """The mean share of the set's neurons that a control has too."""
        shares = [one.metadata["overlap"] for one in self.sets[1:]]
        return float(np.mean(shares)) if shares else None

    @property
    def counted(self) -> str:
        """How many neurons, or heads, the set has, in words."""
        return counted(len(self.neurons.members), NOUNS[self.neurons.by])

    @property
    def units(self) -> UnitPool:
        """All units of the layers."""
        return UnitPool(self.neurons, self.layers)

    @cached_property
    def order(self) -> Order:
        """The units of the layers as the ranking has them. Not to be asked of a set without a ranking."""
        assert self.ranking is not None
        return order_of(self.ranking, self.layers)

    def ablation(self, neurons: NeuronSet) -> Edit:
        """The edit that takes neurons away."""
        return Edit.ablate(neurons, self.to)

    def no_preference(self) -> str:
        """Why a share of the margin cannot be told; empty where it can."""
        clean = self.preference
        if clean.clean or clean.nothing_to_lose is None:
            return ""
        return (
            f"there is no clean preference to lose: the unedited mean margin is {clean.margin:+.2f} nats "
            f"(95 % interval {clean.low:+.2f} to {clean.high:+.2f})"
        )

    def cannot_tell(self, question: Question, why: str, tested: int | None = None) -> AnswerParts:
        """The answer where a question cannot be tested."""
        answer = Answer(
            question=question,
            value=None,
            low=None,
            high=None,
            p=None,
            holds=None,
            why=why,
            sentence=f"Cannot tell: {why}.",
            tested=len(self.test) if tested is None else tested,
        )
        return AnswerParts(answer=answer)


def check_work(work: AskedSet) -> None:
    """Raise `InputError` for what no question can be asked about."""
    if not len(work.neurons):
        raise InputError("no neurons to ask about: the set is empty")
    check_edit(work.model, work.ablation(work.neurons))
    check_count(work.controls)
    if not 0 <= work.nulls <= 10_000:
        raise InputError(f"nulls must be from 0 to 10,000 (each is a search), not {work.nulls}")
    if len(work.neurons.members) >= work.units.count:
        raise InputError(
            f"the set has all {work.units.count} {work.neurons.by}s of its layers: nothing is left to compare it "
            "with; take a smaller --topk"
        )
    outside = sorted(set(work.neurons.layers.tolist()) - set(work.layers))
    if outside:
        raise InputError(f"the set has neurons at layer {outside[0]}, which is not among the layers asked about")
    seen = set(work.neurons.metadata.get("seen", ()))
    known = [pair.id for pair in work.test if seen & set(sentence_hashes([pair]))]
    if known:
        raise InputError(
            f"{work.pairs.task}: the finding of these neurons has seen sentences of {len(known)} of the "
            f"{len(work.test)} test pairs (pair {known[0]} is the first); find again with this split"
        )
