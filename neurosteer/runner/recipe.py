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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosteer.errors import InputError, did_you_mean
from neurosteer.vocabulary import (
    COLUMNS,
    DTYPES,
    L0_DECAYS,
    L0_STARTS,
    L0_STATES,
    METHODS,
    POSITIONS,
    SITES,
    SPLITS,
    SplitKind,
)

from . import values
from .bundled import find_recipe
from .keys import Key, count_key, hint, own_key, text_key, typed, value_key, word_key
from .values import one_of, optional, several, shown, text, whole

if TYPE_CHECKING:
    from neurosteer.probes import L0Settings

FORMAT = 1
EXPERIMENTS = ("fig2", "fig3", "fig4", "fig5", "fig6", "overlap", "controls", "sensitivity", "causal")
_SPELT = {"lam": "lambda"}  # fields whose key is no name in Python
_LARGEST = 1 << 20  # bytes
CHOSEN = "validation"  # lambda is chosen on validation data
_PENALTY = "above 0 and up to 1"


@dataclass(frozen=True)
class Recipe:
    """What to run, on which model and pairs. Models, pairs and neurons are named as on the command line."""

    name: str  # the stem of its file
    title: str = text_key("", text, "one line of text")
    experiments: tuple[str, ...] = text_key(
        (),
        several(one_of(*EXPERIMENTS)),
        f"a list of some of {', '.join(EXPERIMENTS)}, each once",
        words=EXPERIMENTS,
        listed=True,
    )
    format: int = value_key(FORMAT, whole(1), f"{FORMAT}")

    model: str = text_key("smollm2-135m", text, "the name of a model, a folder or a hub id")
    revision: str | None = text_key(None, optional(text), "a branch, tag or commit")
    device: str = text_key(
        "auto",
        values.device,
        "one of auto, cpu, cuda, cuda:N, xpu, mps",
        words=("auto", "cpu", "cuda", "xpu", "mps"),
    )
    dtype: str = word_key("auto", *DTYPES)
    device_map: str | None = text_key(None, optional(text), "auto or balanced")
    bos: str | None = text_key(None, optional(values.token), "a token, or none")
    eos: str | None = text_key(None, optional(values.token), "a token")

    data: str = text_key("auto", text, "auto, blimp, builtin, builtin:balanced, a path or a hub id")
    tasks: tuple[str, ...] = text_key(
        ("all",), several(text), "a list of names, globs or phenomena, each once, or of all", listed=True
    )
    columns: tuple[str, str] = text_key(
        COLUMNS, values.columns, "two different column names, 'GOOD,BAD'", listed=True
    )
    limit: int | None = value_key(  # the first so many of each task
        None, optional(whole(1), "all"), "all or a whole number of at least 1", words=("all",)
    )
    split: SplitKind = word_key("pair", *SPLITS)  # noqa: RUF009
    seed: int = count_key(0, 0)

    site: str = word_key("resid_post", *SITES)
    position: str = word_key("eos", *POSITIONS)
    layers: str | tuple[int, ...] = value_key(
        "all", values.layers, "all, a layer (3), a list (3,7,12) or an ascending range (0-5)", words=("all",)
    )
    topk: int | str = value_key(
        "1%", values.count_or_share, "a count of neurons (40) or a share above 0 and up to 100% ('1%')"
    )
    lambdas: tuple[float, ...] = value_key(
        (0.1, 0.2, 0.4, 0.8, 0.95, 1.0),
        values.ascending(values.penalty),
        f"a list of numbers {_PENALTY}, each once",
        listed=True,
    )
    draws: int = count_key(5, 1)

    l0_states: str | None = own_key(one_of(*L0_STATES), f"one of {', '.join(L0_STATES)}", L0_STATES)  # see L0Settings
    l0_start: str | None = own_key(one_of(*L0_STARTS), f"one of {', '.join(L0_STARTS)}", L0_STARTS)
    l0_log_alpha: float | None = own_key(values.number(), "a number")
    l0_steps: int | None = own_key(whole(1), "a whole number of at least 1")
    l0_rate_weights: float | None = own_key(values.number(above=0.0), "a number above 0")
    l0_rate_gates: float | None = own_key(values.number(above=0.0), "a number above 0")
    l0_decay: str | None = own_key(one_of(*L0_DECAYS), f"one of {', '.join(L0_DECAYS)}", L0_DECAYS)
    l0_weight_l2: float | None = own_key(values.number(0.0), "a number of at least 0")
    unpenalised_steps: tuple[int, ...] = value_key(  # of sensitivity
        (400, 2000, 6000), values.ascending(whole(1)), "a list of whole numbers of at least 1, each once", listed=True
    )

    layer: int | str = value_key(  # of fig6, overlap and causal; middle = n_layers // 2 - 1
        "middle",
        values.either(one_of("middle"), whole(0)),
        "middle or a whole number of at least 0",
        words=("middle",),
    )
    lam: float | str = value_key(  # of the same; validation: the smallest that reaches 95 % of the dense probe
        0.2, values.either(one_of(CHOSEN), values.penalty), f"{CHOSEN} or a number {_PENALTY}", words=(CHOSEN,)
    )
    folds: int = count_key(2, 2)  # of overlap, as repeats
    repeats: int = count_key(5, 1)
    methods: tuple[str, ...] = text_key(  # of causal, as all that follow
        METHODS,
        several(one_of(*METHODS)),
        f"a list of some of {', '.join(METHODS)}, each once",
        words=METHODS,
        listed=True,
    )
    measured: str | tuple[str, ...] = text_key(
        "phenomena",
        values.either(one_of("phenomena", "all"), several(text)),
        "phenomena, all or a list of tasks, each once",
        words=("phenomena", "all"),
        listed=True,
        alone=("phenomena", "all"),
    )
    controls: int = count_key(19, 2)  # matched sets beside each set
    nulls: int = count_key(39, 0)  # searches on pairs whose good and bad sentences are exchanged by lot
    test_pairs: int = count_key(100, 1)
    attribution_pairs: int = count_key(100, 1)

    @property
    def l0(self) -> L0Settings:
        """How masks are trained: neurosteer's default, but for what the keys replace."""
        from neurosteer.probes import L0

        names = [one.name.removeprefix("l0_") for one in fields(self) if one.name.startswith("l0_")]
        given = {name: getattr(self, f"l0_{name}") for name in names}
        return replace(L0, **{name: value for name, value in given.items() if value is not None})

    def describe(self) -> dict[str, Any]:
        """Its name and all keys, as the file spells them, as JSON values."""
        told = {_SPELT.get(one.name, one.name): getattr(self, one.name) for one in fields(self)}
        told["limit"] = "all" if self.limit is None else self.limit
        return {key: list(value) if isinstance(value, tuple) else value for key, value in told.items()}


_FIELDS = {_SPELT.get(one.name, one.name): one for one in fields(Recipe) if one.name != "name"}


def read_recipe(recipe: str | os.PathLike[str], overrides: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe of a TOML file, or one that comes with neurosteer by its name.

    `overrides` replace keys. Their text is read as a TOML value, and as it stands where it is none; a key that holds
    a list takes `a,b` too. Raises `InputError` for a file that is no recipe, an unknown key or a value that it does
    not take.
    """
    path = find_recipe(recipe)
    return override(_recipe(path), overrides or {})


def override(recipe: Recipe, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe with some of its keys replaced."""
    return replace(recipe, **_fields({key: typed(_spec(key), given) for key, given in overrides.items()}))


def _recipe(path: Path) -> Recipe:
    found, place = _parse(path), f"{path}: "
    if not found:
        raise InputError(f"{path} is empty: a recipe needs at least format = {FORMAT} and experiments = [...]")
    if "format" not in found:
        raise InputError(f"{path} is no recipe: it does not say format = {FORMAT}")
    read = _fields({"format": found.pop("format"), **found}, place)  # a newer one may have other keys
    if not read.get("experiments"):
        raise InputError(f"{path} says no experiments; name {_spec('experiments').takes}")
    return Recipe(**{"name": path.stem, "title": path.stem, **read})


def _parse(path: Path) -> dict[str, Any]:
    content = _read(path)
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except RecursionError as error:
        raise InputError(f"{path} is no TOML that can be read: it is nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and what Python says of a number with thousands of digits
        told = " ".join(str(error).split())
        raise InputError(f"{path} is no TOML: {told[:1].lower()}{told[1:]}") from error


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is no recipe: it is larger than {_LARGEST >> 20} MB")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from error


def _fields(given: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Values by the names of the fields; `place` begins a message."""
    read = {}
    for key, value in given.items():
        spec = _spec(key, place)
        try:
            read[_FIELDS[key].name] = spec.read(value)
        except ValueError:
            told = f"{place}{key} must be {spec.takes}, not {shown(value)}{hint(spec, value)}"
            raise InputError(told) from None
        if key == "format" and value > FORMAT:
            raise InputError(f"{place}format {value} was made for a newer version of neurosteer; upgrade neurosteer")
    return read


def _spec(key: str, place: str = "") -> Key:
    if key not in _FIELDS:
        raise InputError(
            f"{place}unknown key {shown(key)}{did_you_mean(key, _FIELDS)} (a recipe has: {', '.join(_FIELDS)})"
        )
    spec: Key = _FIELDS[key].metadata["key"]
    return spec
