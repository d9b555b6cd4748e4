"""What a run of a recipe is about: known before any of its units has run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from neurosteer.experiments.recipe.recipe import CHOSEN
from neurosteer.pairs import Baselines, Pairs, Split, Tokenise
from neurosteer.report.canvas import short_name
from neurosteer.report.numbers import count_range
from neurosteer.results import Json, key
from neurosteer.results.model import ModelDescription
from neurosteer.results.record import WHERE_KNOWN
from neurosteer.shown import short_repr
from neurosteer.vocabulary import counted

from .design import Design
from .intervals import Resampled


@dataclass(frozen=True)
class Data:
    """Where the pairs come from; `pairs` are those of all tasks together."""

    source: str
    pairs: int
    split: str
    seed: int


@dataclass(frozen=True)
class TaskInfo:
    """One task: how many pairs are in each part, and what a bag of words or tokens reads without a model."""

    task: str
    phenomenon: str | None
    pairs: int
    train: int
    validation: int
    test: int
    dropped: int  # pairs that the split dropped
    baselines: Baselines

    __repr__ = short_repr

    @classmethod
    def of(cls, pairs: Pairs, split: Split, tokenise: Tokenise) -> TaskInfo:
        return cls(
            task=pairs.task,
            phenomenon=pairs.phenomenon,
            pairs=len(pairs),
            train=len(split.train),
            validation=len(split.validation),
            test=len(split.test),
            dropped=split.dropped,
            baselines=pairs.baselines(split, tokenise),
        )


@dataclass(frozen=True)
class Skipped:
    """A task that is not in the run, and why."""

    task: str
    reason: str


@dataclass(frozen=True)
class ScopeSettings:
    """What the recipe asks for, made definite for the model."""

    k: int
    width: int  # units of a layer
    n_layers: int
    layers: tuple[int, ...]
    ks: tuple[int, ...]
    sizes: tuple[int, ...]  # of random sets
    lambdas: tuple[float, ...]
    draws: int
    layer: int  # the one that fig6, overlap and causal ask about
    lam: Annotated[float | str, key("lambda")]  # of that layer; or how it is chosen
    site: str
    position: str
    l0: Mapping[str, Json]  # how masks are trained
    resampled: Resampled

    __repr__ = short_repr

    @classmethod
    def of(cls, design: Design, n_layers: int, resampled: Resampled) -> ScopeSettings:
        return cls(
            k=design.k,
            width=design.width,
            n_layers=n_layers,
            layers=design.layers,
            ks=design.ks,
            sizes=design.sizes,
            lambdas=design.lambdas,
            draws=design.draws,
            layer=design.layer,
            lam=CHOSEN if design.lam is None else design.lam,
            site=design.site,
            position=design.position,
            l0=design.l0.settings(),
            resampled=resampled,
        )


@dataclass(frozen=True)
class Scope:
    """Model, data, tasks and settings of a run."""

    model: ModelDescription
    data: Data
    tasks: tuple[TaskInfo, ...]
    skipped: tuple[Skipped, ...]
    settings: ScopeSettings
    models: Annotated[tuple[ModelDescription, ...], WHERE_KNOWN] = ()  # of several all; `model` is the first

    __repr__ = short_repr

    def subtitle(self, *more: str) -> list[str]:
        """What every figure says of where it comes from: model, data, split, tasks, dropped pairs, and `more`."""
        one = counted(len(self.models), "model") if self.models else short_name(self.model.name)
        names = one, short_name(self.data.source)
        return [*names, f"{self.data.split} split", self.tasks_in_words, *self.used_in_words, *more]

    @property
    def tasks_in_words(self) -> str:
        """`67 tasks of 1,000 pairs`."""
        return f"{counted(len(self.tasks), 'task')} of {count_range(task.pairs for task in self.tasks)} pairs"

    @property
    def used_in_words(self) -> list[str]:
        """`[42,210 pairs of 67,000 used]` where the split dropped any."""
        every, dropped = sum(task.pairs for task in self.tasks), sum(task.dropped for task in self.tasks)
        return [f"{every - dropped:,} pairs of {every:,} used"] if dropped else []

    @property
    def mean_in_words(self) -> list[str]:
        """What lines by layer are, where there is more than one task."""
        if len(self.tasks) < 2:
            return []
        over = self.settings.resampled.in_words
        return [f"mean over tasks with 95 % bootstrap interval over {over}"] if over else ["mean over tasks"]

    @property
    def bands_in_words(self) -> str:
        """What a caption says of bands and bars, where there is more than one task; with a space before it."""
        resampled = self.settings.resampled
        if len(self.tasks) < 2:
            return ""
        if not resampled.in_words:
            return f" There are no intervals: of fewer than {resampled.least} tasks they would tell nothing."
        whole = ", resampled whole, as the tasks of one are alike" if resampled.what == "phenomena" else ""
        return f" Bands and bars are 95 % bootstrap intervals over the {resampled.in_words}{whole}."
