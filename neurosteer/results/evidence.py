"""The six questions of `neurosteer evidence` and their answers: one element of `results` in its JSON.

Shares are of the clean mean margin (1 is all of it, more than 1 and less than 0 are possible); margins are in nats,
KL in nats per token of neutral text; `low` and `high` are the ends of a 95 % interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from neurosteer.shown import short_repr
from neurosteer.vocabulary import NOUNS, Edited, FixedReference, Question, Reach, Region, Site, counted

from .effect import EqualDisturbance
from .find import RankedNeuron
from .pairs_used import MeasuredPairs
from .record import WHERE_KNOWN


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A number that stands beside an answer, and what it is in words."""

    what: str
    value: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to one question about one neuron set.

    `holds` is true where p <= .05 and the interval lies above `null`, false where the question was tested and does
    not hold, None where it cannot be tested; `why` then says the reason.
    """

    question: Question
    value: float | None
    low: float | None
    high: float | None
    p: float | None  # one-sided, among the set and its controls
    q: float | None = None  # Benjamini-Hochberg over all questions of one call
    holds: bool | None
    why: str = ""  # it cannot be told; empty where it can
    sentence: str  # the answer in words
    measures: str = ""  # what `value` is, in few words: "share of the margin lost"
    null: float = 0.0  # the value where there is nothing
    n: int = 0  # control sets; of selective, null searches
    controls: tuple[float, ...] = ()  # the value of each
    overlap: float | None = None  # mean share of the set's neurons that a control has too
    tested: int = 0  # pairs or items
    beside: tuple[Beside, ...] = ()

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """The share of the preference that is kept where only the first `units` of an order are left as they are."""

    share: float  # of all units
    units: int
    f: float
    low: float
    high: float
    reverse: float  # of the reversed order
    controls: tuple[float, ...] = ()  # of orders shuffled within blocks of like units

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """What the edit does where it should do nothing: on a task of another phenomenon, or on pairs about meaning.

    `effect` is the fall of the mean margin over the standard deviation of the clean margins.
    """

    task: str
    kind: Literal["grammar", "meaning"]
    source: str
    pairs: int
    margin: float  # clean
    sd: float  # of the clean margins
    effect: float | None  # None where there is no clean preference: left out of the mean
    controls: tuple[float, ...] = ()

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class NeutralText:
    """What the edit, and that of each control, does to neutral text."""

    kl: float
    controls: tuple[float, ...]
    text: str  # its name
    tokens: int

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class MapCell:
    """What swapping one region at one layer does to the preference: the whole layer, and the set's coordinates."""

    layer: int
    region: Region
    whole: float  # effect: 0 is none, 1 the donor's preference
    chosen: float | None
    items: int


@dataclass(frozen=True, kw_only=True)
class EvidenceFiles:
    """Where a run keeps what is no JSON."""

    neurons: str
    answers: str
    curve: str | None = None
    map: str | None = None

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class EvidenceResult:
    """Six questions about one neuron set, or direction, and the verdict."""

    task: str
    phenomenon: str | None
    data: MeasuredPairs
    method: str | None  # of the ranking that chose the neurons; None for those of your own choice
    site: Site
    layers: tuple[int, ...]
    k: int  # neurons, or heads; 1 for a direction
    by: Annotated[Edited, WHERE_KNOWN] = "unit"
    width: int  # units, or heads, of these layers together
    to: FixedReference  # what the edits move units towards
    reach: Reach = "own"
    seed: int
    groups: int  # of test pairs that share an item or a sentence, which are resampled together
    margin: float  # clean mean margin of the test pairs
    margin_low: float
    margin_high: float
    tests: Mapping[Question, Answer]  # those that were asked, in their order
    family: int  # how many p-values q is adjusted for
    curve: tuple[CurvePoint, ...] = ()  # ascending shares; empty without a ranking
    cpr: float | None = None  # area under f, as MIB has it
    cmd: float | None = None  # area between f and 1
    elsewhere: tuple[Elsewhere, ...] = ()
    neutral: NeutralText | None = None
    equal: EqualDisturbance | None = None
    map: tuple[MapCell, ...] = ()
    neurons: tuple[RankedNeuron, ...]  # highest score first
    notices: tuple[str, ...] = ()
    verdict: str  # the words that hold, and those that do not
    reading: str  # in sentences
    neurons_from: str | None = None  # the run or file
    files: EvidenceFiles | None = None  # in a run folder

    __repr__ = short_repr

    @property
    def noun(self) -> str:
        """What is asked about: `neuron`, `head`, `direction`."""
        return NOUNS[self.by]

    @property
    def asked_about(self) -> str:
        """`40 neurons by welch`, `mean direction`."""
        chosen = self.method or "given"
        if self.by == "direction":
            return "given direction" if chosen == "given" else chosen
        return f"{counted(self.k, self.noun)} by {chosen}"

    @property
    def holding(self) -> tuple[Question, ...]:
        """The questions that hold."""
        return tuple(question for question, answer in self.tests.items() if answer.holds)
