"""The effect of an edit: one element of `results` in the JSON of `neurosteer ablate` and `amplify`.

Margins, their changes and KL are in nats (KL per token of neutral text); accuracies and shares are in [0, 1]; `low`
and `high` are the ends of a 95 % interval over pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from neurosteer.shown import short_repr
from neurosteer.vocabulary import NOUNS, Convention, Edited, EditKind, EffectVerdict, MoreOrLess, Reach, Site, Where

from .find import RankedNeuron
from .pairs_used import MeasuredPairs
from .record import WHERE_KNOWN, key


@dataclass(frozen=True, kw_only=True)
class AppliedEdit:
    """What was done to how many neurons, and where."""

    kind: EditKind
    scale: float
    value: float | None = None  # what a clamp sets them to, in units of the activation
    where: Where
    reach: Reach = "own"
    seed: int | None = None  # which decides the donors of a resampling
    site: Site
    layers: tuple[int, ...]
    k: int  # neurons, or heads
    by: Annotated[Edited, WHERE_KNOWN] = "unit"
    rest: Annotated[bool, WHERE_KNOWN] = False  # of a direction: all but the component along it is edited

    __repr__ = short_repr

    @property
    def noun(self) -> str:
        """What it is done to: `neuron`, `head`."""
        return NOUNS[self.by]


@dataclass(frozen=True, kw_only=True)
class EditedNeuron(RankedNeuron):
    massive: bool  # whether its activations are far larger than those of its layer


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class Margin:
    """The mean margin without and with the edit, and its change."""

    before: float
    before_low: float
    before_high: float
    after: float
    delta: float
    low: float  # of the change
    high: float
    p: float  # two-sided, of flipping the signs of the changes: says nothing of these neurons in particular

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class Flipped:
    """Pairs whose good sentence is no longer, or only now, the more probable one."""

    lost: int
    gained: int


@dataclass(frozen=True, kw_only=True)
class Detectable:
    """The smallest change that the controls would have shown with 80 % power; None where no change is large enough.

    `share` is of the unedited mean margin, where that is above 0.
    """

    nats: float | None
    share: float | None


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What matched neuron sets do under the same edit, and how unusual the chosen set is among them."""

    n: int
    accuracy: float  # mean over the sets
    delta_mean: float
    delta_low: float  # the lowest and the highest change of all sets
    delta_high: float
    p: float  # two-sided, among all n + 1 sets
    verdict: EffectVerdict
    direction: MoreOrLess | None  # of a set that stands out
    detectable: Detectable
    unmatched: float  # distance left between chosen and control units, in standard deviations
    overlap: float  # mean share of the chosen neurons that a control has too
    deltas: tuple[float, ...]  # of each set

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class TextControls(Controls):
    """Controls that were tried on neutral text too; None in runs of version 0.1 that did not try them."""

    kl: float | None = None  # mean over the sets
    kls: tuple[float, ...] | None = None  # of each set

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one edit does to accuracy and margin, beside its controls."""

    accuracy: float
    delta: float
    low: float
    high: float
    controls: Controls | None
    kl: float | None  # None where it was not tried on neutral text


@dataclass(frozen=True, kw_only=True)
class _Scale:  # as the first of two bases: its field comes first in the JSON
    scale: float


@dataclass(frozen=True, kw_only=True)
class _Kind:
    kind: EditKind


@dataclass(frozen=True, kw_only=True)
class _Size:
    k: int


@dataclass(frozen=True, kw_only=True)
class Dose(Change, _Scale):
    """The edit at one scale; 1 is the unedited model."""

    kl: float

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class KindOfEdit(Change, _Kind):
    """The edit with one reference."""

    kl: float

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class WithoutMassive(Change, _Size):
    """The edit of the `k` neurons that are not massive."""

    controls: TextControls | None
    kl: float

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class SideEffects:
    """What the edit does to neutral text."""

    kl: float
    perplexity_before: float
    perplexity_after: float
    tokens: int
    text: str  # its name
    digest: str | None = None

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class EqualDisturbance:
    """The edit and its controls, each at the scale where it disturbs neutral text as much.

    A set that does not disturb it so much even at scale 0 is kept there, and counted in `unreached`.
    """

    kl: float  # asked for
    scale: float  # of the set
    reached: float  # KL of the set at its scale
    scales: tuple[float, ...]  # of each control
    unreached: int  # sets, the chosen one among them

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class OtherTask:
    """What the same edit does to a task that a specific effect leaves alone."""

    task: str
    pairs: int
    groups: int
    accuracy: Accuracy
    margin: Margin
    flipped: Flipped
    controls: Controls | None
    nothing_to_lose: bool | None
    verdict: EffectVerdict | None

    __repr__ = short_repr

    @property
    def change(self) -> Change:
        """The row that it makes in a table of several edits."""
        return change_of(self.accuracy, self.margin, self.controls, None)


@dataclass(frozen=True, kw_only=True)
class PairEffect:
    """The margins of one pair; its sentences are None in runs of version 0.1."""

    pair: str  # id
    sentence_good: str | None = None
    sentence_bad: str | None = None
    margin_before: float
    margin_after: float
    margin_controls: float | None  # mean over the control sets


@dataclass(frozen=True, kw_only=True)
class EffectFiles:
    """Where a run keeps what is no JSON."""

    neurons: str
    pairs: str
    controls: str | None = None  # None in runs of version 0.1, which kept only their mean
    tokens: Annotated[str | None, WHERE_KNOWN] = None  # log-probabilities token by token

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class EffectResult:
    """What an edit does to the preference for grammatical sentences. The headline is `controls.p`."""

    task: str
    phenomenon: str | None
    data: MeasuredPairs
    method: str | None  # of the ranking that chose the neurons
    edit: AppliedEdit
    neurons: tuple[EditedNeuron, ...]  # highest score first
    groups: int  # of pairs that share an item or a sentence, which are resampled together
    accuracy: Accuracy
    margin: Margin
    flipped: Flipped
    controls: TextControls | None
    nothing_to_lose: bool | None  # whether there is no clean preference; None where too few groups tell
    verdict: EffectVerdict | None  # None without controls
    without_massive: WithoutMassive | None  # None where no neuron, or every one, is massive
    exchanged: Annotated[Controls | None, WHERE_KNOWN] = None  # directions of exchanged labels, of a direction
    side_effects: SideEffects
    by_scale: Annotated[tuple[Dose, ...], key("doses")]  # ascending; empty where there is but one
    kinds: tuple[KindOfEdit, ...]
    kinds_agree: bool | None
    also: tuple[OtherTask, ...]
    notices: tuple[str, ...]
    reading: str  # in words
    neurons_from: str | None = None  # the run or file
    files: EffectFiles | None = None  # in a run folder
    convention: Annotated[Convention | None, WHERE_KNOWN] = None  # how sentences are scored, where it is not `sum`
    equal: Annotated[EqualDisturbance | None, WHERE_KNOWN] = None  # where sets are compared at the same KL

    __repr__ = short_repr

    @property
    def change(self) -> Change:
        """The row that it makes in a table of several edits."""
        return change_of(self.accuracy, self.margin, self.controls, self.side_effects.kl)


def change_of(accuracy: Accuracy, margin: Margin, controls: Controls | None, kl: float | None) -> Change:
    return Change(
        accuracy=accuracy.after, delta=margin.delta, low=margin.low, high=margin.high, controls=controls, kl=kl
    )
