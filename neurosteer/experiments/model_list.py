"""The models of a recipe that asks about several: how they are named, what is known of them, and loading them.

What is known of a model that was loaded before is remembered by its files, so that it is loaded when its units are
computed, and not before. In memory are the first model, which the run is planned by, and the one that was asked for
last. Nothing slow is imported here before a model is asked for.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosteer.errors import InputError
from neurosteer.experiments.recipe.recipe import Recipe
from neurosteer.progress import Progress
from neurosteer.results.model import ModelDescription
from neurosteer.store import expanded

if TYPE_CHECKING:
    from neurosteer.model import Model

UNTRAINED = "untrained"
KEY = "models"  # of a recipe; and the name of the experiment that takes it
_STEP = re.compile(r"(?:^|[^a-z])(?:step|checkpoint|ckpt)[-_]?([0-9]{1,12})(?![0-9a-z.])")


@dataclass(frozen=True)
class Reference:
    """One model as a recipe names it: `NAME`, `NAME@REVISION`, `NAME@untrained`, or a folder."""

    text: str
    name: str
    revision: str | None = None  # of the hub
    untrained: bool = False  # of the same shape, with random weights

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Raises `InputError` for an `@` with nothing before or after it."""
        name, sign, revision = text.rpartition("@")
        if not sign or expanded(text).exists():
            return cls(text, text)
        if not name.strip() or not revision.strip():
            raise InputError(f"{KEY}: '{text}' is neither NAME, NAME@REVISION nor NAME@{UNTRAINED}")
        return cls(text, name, untrained=True) if revision == UNTRAINED else cls(text, name, revision)

    @property
    def step(self) -> int | None:
        """The training step that the revision says, or else the end of the name: 1000 for `step1000`."""
        if self.untrained:
            return 0
        found = _STEP.search((self.revision or Path(self.name).name).lower())
        return int(found[1]) if found else None


def check_models(recipe: Recipe) -> None:
    """Raises `InputError` where several models are asked about without the experiment for it, or the reverse."""
    others = [name for name in recipe.experiments if name != KEY]
    if recipe.models is not None and others:
        raise InputError(f"experiment '{others[0]}' asks about one model: give model; models is for '{KEY}' alone")
    if recipe.models is None and others != list(recipe.experiments):
        raise InputError(f"experiment '{KEY}' asks about several models: name them, models = [...] and no model")


@dataclass(eq=False)
class _Last:
    """The model that was asked for last, and its place in the list."""

    place: int = -1
    model: Model | None = None


@dataclass(frozen=True, eq=False)
class ModelList:
    """The models of a recipe, in its order."""

    references: tuple[Reference, ...]
    descriptions: tuple[ModelDescription, ...]  # as every JSON result describes them
    first: Model
    _load: Callable[[Reference], Model]
    _last: _Last = field(default_factory=_Last)

    @classmethod
    def of(cls, recipe: Recipe, *, offline: bool, progress: Progress) -> ModelList:
        """Loads the first model, and those of which nothing is known. Raises `InputError` for what is no list."""
        from neurosteer.model import ModelRequest, known_model, load_model, untrained

        how: dict[str, Any] = {key: getattr(recipe, key) for key in ("device", "dtype", "device_map", "bos", "eos")}
        references = tuple(map(Reference.parse, recipe.models or ()))

        def load(one: Reference) -> Model:
            model = load_model(one.name, revision=one.revision, **how, offline=offline, progress=progress)
            return untrained(model, recipe.seed) if one.untrained else model

        def describe(one: Reference) -> ModelDescription:
            """An untrained model by the one that it has its shape from: its weights are drawn by the seed."""
            trained = Reference(one.text, one.name, one.revision)
            known = known_model(ModelRequest(one.name, one.revision, **how), offline=offline) or load(trained)
            return replace(known.describe(), revision=UNTRAINED) if one.untrained else known.describe()

        descriptions = tuple(map(describe, references))
        _refuse_twins(references, descriptions)
        return cls(references, descriptions, load(references[0]), load)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.text for one in self.references)

    def load(self, place: int) -> Model:
        """The model at this place of the list; another one than the first is freed when the next is asked for."""
        if place == 0:
            return self.first
        last = self._last
        if last.place != place or last.model is None:
            last.place, last.model = -1, None
            gc.collect()  # hooked models are in circles
            last.model = self._load(self.references[place])
            last.place = place
        return last.model

    def relative_size(self, place: int) -> float:
        """About how many times the weights of the first model it has, by depth and width."""
        own, first = self.descriptions[place], self.descriptions[0]
        return own.n_layers * own.d_model**2 / (first.n_layers * first.d_model**2)

    @property
    def in_memory(self) -> int:
        """How many times the weights of the first model are in memory at once, at most."""
        return 1 + ceil(max((self.relative_size(place) for place in range(1, len(self.names))), default=0.0))


def _refuse_twins(references: Sequence[Reference], descriptions: Sequence[ModelDescription]) -> None:
    """Raises `InputError` where two names stand for the same weights."""
    seen: dict[tuple[str, bool], str] = {}
    for one, description in zip(references, descriptions, strict=True):
        weights = (description.fingerprint, one.untrained)
        if weights in seen:
            raise InputError(f"{KEY}: '{seen[weights]}' and '{one.text}' are the same model; leave one of them out")
        seen[weights] = one.text
