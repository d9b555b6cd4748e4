"""`Recipe`: a whole experiment as settings, read from strict TOML.

format = 1
title = "The top 1 % against random neurons"
experiments = ["fig5"]
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator

from neurosteer.errors import InputError, did_you_mean, one_line
from neurosteer.vocabulary import (
    CAUSAL_METHODS,
    METHODS,
    MOST_CONTROLS,
    MOST_DRAWS,
    MOST_LAMBDAS,
    CausalMethod,
    Dtype,
    Json,
    L0Decay,
    L0Start,
    L0States,
    Method,
    Position,
    Site,
    SplitKind,
)
from neurosteer.vocabulary import COLUMNS as OWN_COLUMNS

from .bundled import find_recipe
from .keys import Key, meant
from .values import (
    ALL_IS_NONE,
    COLUMNS,
    COUNT,
    LAYERS,
    LAYOUT,
    Ascending,
    Device,
    Line,
    Several,
    Share,
    Spanned,
    Token,
    each_once,
    number,
    shown,
    takes,
    whole,
)

if TYPE_CHECKING:
    from neurosteer.probes import L0Settings

FORMAT = 1
_SPELT = {"lam": "lambda"}  # fields whose key is no name in Python
_ONE_MODEL = {"model", "revision"}  # keys that a recipe of several models has not
_LARGEST = 1 << 20  # bytes
CHOSEN = "validation"  # lambda is chosen on validation data
_PENALTY = "above 0 and up to 1"
_LAMBDAS = (0.1, 0.2, 0.4, 0.8, 0.95, 1.0)

Span = Annotated[Spanned, takes("an ascending range of pairs, counted from 0 ('0-199')")]
Penalty = Annotated[float, number(f"a number {_PENALTY}", gt=0.0, le=1.0)]


@dataclass(frozen=True)
class Recipe:
    """What to run, on which model and pairs. Models, pairs and neurons are named as on the command line.

    Each type says what its key takes; None is a key that a file leaves out.
    """

    name: str  # the stem of its file
    title: Annotated[Line, takes("one line of text")] = ""
    experiments: Annotated[Several[Line], takes("a list of experiments, each once")] = ()
    format: Annotated[int, whole(1), takes(f"{FORMAT}")] = FORMAT

    model: Annotated[Line, takes("the name of a model, a folder or a hub id")] = "smollm2-135m"
    revision: Annotated[Line | None, takes("a branch, tag or commit")] = None
    models: Annotated[  # of the experiment of this name, in the place of the two above
        Several[Line] | None,
        takes("a list of models, each once: names, hub ids with or without @REVISION, or folders"),
    ] = None
    device: Annotated[
        Literal["auto", "cpu", "cuda", "xpu", "mps"] | Device, takes("one of auto, cpu, cuda, cuda:N, xpu, mps")
    ] = "auto"
    dtype: Dtype = "auto"
    device_map: Annotated[Line | None, takes("auto or balanced")] = None
    bos: Annotated[Token | None, takes("a token, or none")] = None
    eos: Annotated[Token | None, takes("a token")] = None

    data: Annotated[
        Line, takes("auto, blimp, builtin, builtin:balanced, builtin:meaning, builtin:gym, a path or a hub id")
    ] = "auto"
    tasks: Annotated[Several[Line], takes("a list of names, globs or phenomena, each once, or of all")] = ("all",)
    columns: Annotated[
        tuple[Line, Line], COLUMNS, AfterValidator(each_once), takes("two different column names, 'GOOD,BAD'")
    ] = OWN_COLUMNS
    layout: Annotated[Line, LAYOUT, takes("auto, good-bad, bad-good or PART=COLUMN, with commas between")] = "auto"
    limit: Annotated[  # the first so many of each task
        Annotated[int, whole(1)] | None,
        ALL_IS_NONE,
        takes("all or a whole number of at least 1", examples=["all"]),
    ] = None
    split: SplitKind = "pair"
    seed: Annotated[int, whole(0)] = 0

    site: Site = "resid_post"
    position: Position = "eos"
    layers: Annotated[
        Literal["all"] | Ascending[Annotated[int, whole(0)]],
        LAYERS,
        takes("all, a layer (3), a list (3,7,12) or an ascending range (0-5)"),
    ] = "all"
    topk: Annotated[
        Annotated[int, whole(1)] | Share,
        COUNT,
        takes("a count of neurons (40) or a share above 0 and up to 100% ('1%')"),
    ] = "1%"
    lambdas: Annotated[
        Ascending[Penalty],
        takes(f"a list of numbers {_PENALTY}, each once and at most {MOST_LAMBDAS:,}", max_length=MOST_LAMBDAS),
    ] = _LAMBDAS
    draws: Annotated[int, whole(1, MOST_DRAWS, "each draw is a probe at every layer")] = 5

    # How masks are trained; None leaves neurosteer's own setting (see L0Settings).
    l0_states: L0States | None = None
    l0_start: L0Start | None = None
    l0_log_alpha: Annotated[float | None, number("a number")] = None
    l0_steps: Annotated[int | None, whole(1)] = None
    l0_rate_weights: Annotated[float | None, number("a number above 0", gt=0.0)] = None
    l0_rate_gates: Annotated[float | None, number("a number above 0", gt=0.0)] = None
    l0_decay: L0Decay | None = None
    l0_weight_l2: Annotated[float | None, number("a number of at least 0", ge=0.0)] = None
    unpenalised_steps: Annotated[  # of sensitivity
        Ascending[Annotated[int, whole(1)]], takes("a list of whole numbers of at least 1, each once")
    ] = (400, 2000, 6000)

    layer: Annotated[  # of fig6, overlap and causal; middle = n_layers // 2 - 1
        Literal["middle"] | Annotated[int, whole(0)], takes("middle or a whole number of at least 0")
    ] = "middle"
    lam: Annotated[  # of the same; validation: the smallest that reaches 95 % of the dense probe
        Literal["validation"] | Penalty, takes(f"{CHOSEN} or a number {_PENALTY}")
    ] = 0.2
    folds: Annotated[int, whole(2, MOST_DRAWS, "each fold is a search")] = 2  # of overlap, as repeats
    repeats: Annotated[int, whole(1, MOST_DRAWS, "each repeat is a search")] = 5
    methods: Annotated[  # of causal, as all that follow; of frontier and gym too
        Several[Method],
        takes(f"a list of some of {', '.join(METHODS)}, each once", examples=list(METHODS)),
    ] = CAUSAL_METHODS
    measured: Annotated[
        Literal["phenomena", "all"] | Several[Line], takes("phenomena, all or a list of tasks, each once")
    ] = "phenomena"
    controls: Annotated[  # matched sets beside each set
        int, whole(2, MOST_CONTROLS, "each control is a pass over all pairs")
    ] = 19
    nulls: Annotated[  # searches on pairs whose good and bad sentences are exchanged by lot
        int, whole(0, MOST_DRAWS, "each null is a search and a pass over all pairs")
    ] = 39
    test_pairs: Annotated[int, whole(1)] = 100
    localise: Span = "0-199"  # of localizer, as the next: positions of the pairs that choose, and of those that tell
    evaluate: Span = "200-399"
    attribution_pairs: Annotated[int, whole(1)] = 100
    seeds: Annotated[int, whole(1, MOST_DRAWS, "each seed is a model")] = 20  # of gym
    pooled: Annotated[bool, takes("true or false", strict=True)] = False  # of frontier, as all that follow
    budgets: Annotated[
        Ascending[Annotated[float, number("a number above 0", gt=0.0)]],
        takes("a list of numbers above 0, each once"),
    ] = (0.02, 0.05, 0.1, 0.2)
    mask_seeds: Annotated[int, whole(1, MOST_DRAWS, "each seed is minutes of training")] = 1
    mask_steps: Annotated[int | None, whole(1)] = None  # None: neurosteer's own (see MaskSettings)

    @property
    def causal_methods(self) -> tuple[CausalMethod, ...]:
        """Those of the methods that `causal` knows."""
        return tuple(known for method in self.methods for known in CAUSAL_METHODS if known == method)

    @property
    def l0(self) -> L0Settings:
        """How masks are trained: neurosteer's default, but for what the keys replace."""
        from neurosteer.probes import L0

        names = [one.name.removeprefix("l0_") for one in fields(self) if one.name.startswith("l0_")]
        given = {name: getattr(self, f"l0_{name}") for name in names}
        return replace(L0, **{name: value for name, value in given.items() if value is not None})

    def describe(self) -> dict[str, Json]:
        """Its name and all keys, as the file spells them, as JSON values: `model` or `models`, not both."""
        lacking = {"models"} if self.models is None else _ONE_MODEL
        own = [one.name for one in fields(self) if one.name not in lacking]
        keys = {_SPELT.get(name, name): getattr(self, name) for name in own}
        keys["limit"] = "all" if self.limit is None else self.limit
        return {key: list(value) if isinstance(value, tuple) else value for key, value in keys.items()}


@cache
def _keys() -> dict[str, Key]:
    """All keys, by the names that a file gives them."""
    hints = get_type_hints(Recipe, include_extras=True)
    spelt = {_SPELT.get(one.name, one.name): one.name for one in fields(Recipe) if one.name != "name"}
    return {key: Key(key, field, hints[field]) for key, field in spelt.items()}


def _key(name: str, place: str = "") -> Key:
    keys = _keys()
    if name not in keys:
        known = f"{did_you_mean(name, keys)} (a recipe has: {', '.join(keys)})"
        raise InputError(f"{place}unknown key {shown(name)}{known}")
    return keys[name]


def read_recipe(recipe: str | os.PathLike[str], overrides: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe of a TOML file, or one that comes with neurosteer by its name.

    `overrides` replace keys. Their text is a TOML value, stands for itself, or is a list with commas between its
    parts, whichever the key takes. Raises `InputError` for a file that is no recipe, an unknown key or a value that
    it does not take.
    """
    path = find_recipe(recipe)
    return override(_recipe(path), overrides or {})


def override(recipe: Recipe, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe with some of its keys replaced."""
    read = _read(overrides, typed=True)
    if recipe.models is not None:
        _check_models({"models": recipe.models, **read}, "this recipe has models: ")
    return replace(recipe, **read)


def _recipe(path: Path) -> Recipe:
    found, place = _parse(path), f"{path}: "
    if not found:
        raise InputError(f"{path} is empty: a recipe needs at least format = {FORMAT} and experiments = [...]")
    if "format" not in found:
        raise InputError(f"{path} is no recipe: it does not say format = {FORMAT}")
    _read({"format": found["format"]}, place)  # a newer one may have other keys
    read = _read(found, place)
    if not read.get("experiments"):
        raise InputError(f"{path} says no experiments; name {_key('experiments').takes}")
    return Recipe(**{"name": path.stem, "title": path.stem, **read})


def _parse(path: Path) -> dict[str, Any]:
    content = _content(path)
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except RecursionError as error:
        raise InputError(f"{path} is no TOML that can be read: it is nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and what Python says of a number with thousands of digits
        message = one_line(error)
        raise InputError(f"{path} is no TOML: {message[:1].lower()}{message[1:]}") from error


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is no recipe: it is larger than {_LARGEST >> 20} MB")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from error


def _read(given: Mapping[str, Any], place: str = "", *, typed: bool = False) -> dict[str, Any]:
    """Field -> value, from a file or as `typed`; `place` begins a message."""
    read = {}
    for name, value in given.items():
        key = _key(name, place)
        read[key.field] = key.read(value, *(meant(value) if typed else ()), place=place)
    if read.get("format", FORMAT) > FORMAT:
        newer = f"format {read['format']} was made for a newer version of neurosteer; upgrade neurosteer"
        raise InputError(f"{place}{newer}")
    _check_models(read, place)
    return read


def _check_models(read: Mapping[str, Any], place: str) -> None:
    """Raises `InputError` for one model and several at once."""
    both = [key for key in sorted(_ONE_MODEL) if read.get(key) is not None]
    if read.get("models") is not None and both:
        raise InputError(
            f"{place}give model (with revision) or models, not both: models takes NAME@REVISION; leave {both[0]} out"
        )
