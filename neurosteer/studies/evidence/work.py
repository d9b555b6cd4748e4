"""What the six questions are asked about: a neuron set or a direction, and the pairs held out from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import check_edit, states_and_stats
from neurosteer.model import Model
from neurosteer.neurons import Direction, NeuronSet, Order, Ranking, UnitPool, check_count, matched_controls, order_of
from neurosteer.pairs import Pairs, Split, sentence_hashes
from neurosteer.results.effect import EqualDisturbance
from neurosteer.results.evidence import Answer, CurvePoint, Elsewhere, MapCell, NeutralText
from neurosteer.studies.bootstrap import Groups, groups_in
from neurosteer.studies.effects.direction_controls import is_searched, like, random_directions
from neurosteer.studies.margins import Preference, clean_preference
from neurosteer.vocabulary import NOUNS, FixedReference, Method, Position, Question, counted

from .passes import Passes

States = Float[torch.Tensor, "pair side layer unit"]


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
    """One neuron set, or direction, with everything that its questions need."""

    model: Model
    neurons: NeuronSet  # of a direction, the units that it has a value for
    direction: Direction | None = None  # where that is asked about
    layers: tuple[int, ...]  # among whose units it was chosen
    method: Method | None  # whose ranking chose it; None for a set of your own choice, and a direction
    ranking: Ranking | None  # which it heads; None for a set of your own choice, and a direction
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
    def sets(self) -> list[NeuronSet | Direction]:
        """The set, then its matched controls; or the direction, then random ones of the same states."""
        if self.direction is None:
            return [self.neurons, *matched_controls(self.neurons, self.controls, self.seed)]
        return [self.direction, *self.random_directions]

    @cached_property
    def random_directions(self) -> list[Direction]:
        """The controls of the direction: within the covariance of the find's train states."""
        assert self.direction is not None
        states = self.states(self.layers)[torch.as_tensor(self.split.train_indices), :, 0].double()
        return [like(self.direction, one, states) for one in random_directions(states, self.controls, self.seed)]

    def states(self, layers: Sequence[int]) -> States:
        """The EOS states of all pairs at some layers, from the cache where the find has left them."""
        known = self.neurons.stats.layers
        found, _ = states_and_stats(
            self.model,
            self.pairs,
            self.split.train_indices,
            site=self.neurons.site,
            layers=known,
            position=self.position,
            progress=self.passes.progress,
        )
        return found.values[:, :, [known.index(layer) for layer in layers]]

    @property
    def overlap(self) -> float | None:
        """The mean share of the set's neurons that a control has too; of a direction, the mean squared cosine."""
        shares = [one.metadata["overlap"] for one in self.sets[1:]]
        return float(np.mean(shares)) if shares else None

    @property
    def counted(self) -> str:
        """`40 neurons`, `2 heads`, `the direction`."""
        return counted(len(self.target.members), NOUNS[self.target.by]) if self.direction is None else self.called

    @property
    def called(self) -> str:
        """`the set`, or `the direction`."""
        return "the set" if self.direction is None else "the direction"

    @property
    def compared(self) -> str:
        """What its controls are called."""
        return "matched sets" if self.direction is None else "random directions"

    @property
    def searched(self) -> bool:
        """Whether a search chose what is asked about, so that it can be repeated."""
        return self.method is not None or (self.direction is not None and is_searched(self.direction))

    @property
    def target(self) -> NeuronSet | Direction:
        """What is asked about."""
        return self.neurons if self.direction is None else self.direction

    @property
    def units(self) -> UnitPool:
        """All units of the layers."""
        return UnitPool(self.neurons, self.layers)

    @cached_property
    def order(self) -> Order:
        """The units of the layers as the ranking has them. Not to be asked of a set without a ranking."""
        assert self.ranking is not None
        return order_of(self.ranking, self.layers)

    def ablation(self, target: NeuronSet | Direction) -> Edit:
        """The edit that takes neurons, or the component along a direction, away."""
        if isinstance(target, Direction):
            return Edit.project_out(target, self.to)
        return Edit.ablate(target, self.to)

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
    check_edit(work.model, work.ablation(work.target))
    check_count(work.controls)
    if not 0 <= work.nulls <= 10_000:
        raise InputError(f"nulls must be from 0 to 10,000 (each is a search), not {work.nulls}")
    if work.direction is None and len(work.neurons.members) >= work.units.count:
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
