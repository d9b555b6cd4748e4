"""`Recipe`: a whole experiment as settings, read from strict TOML.

format = 1
title = "The top 1 % against random neurons"
experiments = ["fig5"]
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from neurosteer.errors import InputError, did_you_mean

from . import values
from .shelf import find_recipe
from .values import Reader, one_of, optional, several, shown, text, whole

FORMAT = 1
EXPERIMENTS = ("fig2", "fig3", "fig4", "fig5", "fig6", "overlap", "controls", "causal")
DTYPES = ("auto", "float32", "bfloat16", "float16")
SITES = ("resid_post", "resid_pre", "resid_mid", "attn_out", "mlp_out", "mlp_post")
METHODS = ("welch", "l0", "attribution")
_SPELT = {"lam": "lambda"}  # fields whose key is no name in Python
_LARGEST = 1 << 20  # bytes


@dataclass(frozen=True)
class _Key:
    """How a key is read, and what a message says that it takes."""

    read: Reader
    takes: str
    words: tuple[str, ...] = ()  # the right ones, for a suggestion
    listed: bool = False  # what is typed as one value, or with commas, is a list
    alone: tuple[str, ...] = ()  # but for these words
    is_text: bool = True  # what is typed as a number is text all the same


def _key(default: Any, read: Reader, takes: str, **more: Any) -> Any:
    return field(default=default, metadata={"key": _Key(read, takes, **more)})


def _number(default: Any, read: Reader, takes: str, **more: Any) -> Any:
    return _key(default, read, takes, is_text=False, **more)


def _word(default: str, *words: str) -> Any:
    return _key(default, one_of(*words), f"one of {', '.join(words)}", words=words)


def _count(default: int, least: int) -> Any:
    return _number(default, whole(least), f"a whole number of at least {least}")


_PENALTY = "above 0 and up to 1"


@dataclass(frozen=True)
class Recipe:
    """What to run on which model and pairs; the meaning of each key is told in the README."""

    name: str  # the stem of its file
    title: str = _key("", text, "one line of text")
    experiments: tuple[str, ...] = _key(
        (),
        several(one_of(*EXPERIMENTS)),
        f"a list of some of {', '.join(EXPERIMENTS)}, each once",
        words=EXPERIMENTS,
        listed=True,
    )
    format: int = _number(FORMAT, whole(1), f"{FORMAT}")
    model: str = _key("smollm2-135m", text, "the name of a model, a folder or a hub id")
    revision: str | None = _key(None, optional(text), "a branch, tag or commit")
    device: str = _key(
        "auto",
        values.matching(r"auto|cpu|(cuda|xpu|mps)(:[0-9]+)?"),
        "one of auto, cpu, cuda, cuda:N, xpu, mps",
        words=("auto", "cpu", "cuda", "xpu", "mps"),
    )
    dtype: str = _word("auto", *DTYPES)
    device_map: str | None = _key(None, optional(text), "auto or balanced")
    bos: str | None = _key(None, optional(values.token), "a token, or none")
    eos: str | None = _key(None, optional(values.token), "a token")
    data: str = _key("auto", text, "auto, blimp, builtin, builtin:balanced, a path or a hub id")
    tasks: tuple[str, ...] = _key(
        ("all",), several(text), "a list of names, globs or phenomena, each once, or of all", listed=True
    )
    columns: tuple[str, str] = _key(
        ("sentence_good", "sentence_bad"), values.columns, "two different column names, 'GOOD,BAD'", listed=True
    )
    pairs: int | None = _number(
        None, optional(whole(1), "all"), "all or a whole number of at least 1", words=("all",)
    )
    split: str = _word("pair", "pair", "lexical")
    seed: int = _count(0, 0)
    site: str = _word("resid_post", *SITES)
    position: str = _word("eos", "eos", "last")
    layers: str | tuple[int, ...] = _number(
        "all", values.layers, "all, a layer (3), a list (3,7,12) or an ascending range (0-5)", words=("all",)
    )
    k: int | str = _number(
        "1%", values.count_or_share, "a count of neurons (40) or a share above 0 and up to 100% ('1%')"
    )
    lambdas: tuple[float, ...] = _number(
        (0.05, 0.1, 0.2, 0.4, 0.8, 1.0),
        values.ascending(values.penalty),
        f"a list of numbers {_PENALTY}, each once",
        listed=True,
    )
    draws: int = _count(5, 1)
    layer: int | str = _number(
        "middle",
        values.either(one_of("middle"), whole(0)),
        "middle or a whole number of at least 0",
        words=("middle",),
    )
    lam: float = _number(0.2, values.penalty, f"a number {_PENALTY}")
    folds: int = _count(2, 2)
    repeats: int = _count(5, 1)
    methods: tuple[str, ...] = _key(
        METHODS,
        several(one_of(*METHODS)),
        f"a list of some of {', '.join(METHODS)}, each once",
        words=METHODS,
        listed=True,
    )
    measured: str | tuple[str, ...] = _key(
        "phenomena",
        values.either(one_of("phenomena", "all"), several(text)),
        "phenomena, all or a list of tasks, each once",
        words=("phenomena", "all"),
        listed=True,
        alone=("phenomena", "all"),
    )
    controls: int = _count(9, 2)
    test_pairs: int = _count(100, 1)
    attribution_pairs: int = _count(100, 1)

    def describe(self) -> dict[str, Any]:
        """Its name and all keys, as the file spells them, as JSON values."""
        told = {_SPELT.get(one.name, one.name): getattr(self, one.name) for one in fields(self)}
        told["pairs"] = "all" if self.pairs is None else self.pairs
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
    return replace(recipe, **_fields({key: _typed(_spec(key), given) for key, given in overrides.items()}))


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
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is no recipe: it is larger than {_LARGEST >> 20} MB")
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except RecursionError as error:
        raise InputError(f"{path} is no TOML that can be read: it is nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and what Python says of a number with thousands of digits
        told = " ".join(str(error).split())
        raise InputError(f"{path} is no TOML: {told[:1].lower()}{told[1:]}") from error


def _fields(given: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Values by the names of the fields; `place` begins a message."""
    read = {}
    for key, value in given.items():
        spec = _spec(key, place)
        try:
            read[_FIELDS[key].name] = spec.read(value)
        except ValueError:
            told = f"{place}{key} must be {spec.takes}, not {shown(value)}{_hint(spec, value)}"
            raise InputError(told) from None
        if key == "format" and value > FORMAT:
            raise InputError(f"{place}format {value} was made for a newer version of neurosteer; upgrade neurosteer")
    return read


def _spec(key: str, place: str = "") -> _Key:
    if key not in _FIELDS:
        raise InputError(
            f"{place}unknown key {shown(key)}{did_you_mean(key, _FIELDS)} (a recipe has: {', '.join(_FIELDS)})"
        )
    spec: _Key = _FIELDS[key].metadata["key"]
    return spec


def _hint(spec: _Key, value: Any) -> str:
    parts = value if isinstance(value, (list, tuple)) else [value]
    wrong = (part for part in parts if isinstance(part, str) and part not in spec.words)
    return next((did_you_mean(part, spec.words) for part in wrong), "")


def _typed(spec: _Key, given: Any) -> Any:
    """What a typed value means for a key."""
    if isinstance(given, os.PathLike):
        return os.fspath(given)
    value = _toml(given, spec) if isinstance(given, str) else given
    if not spec.listed or value is None or isinstance(value, (list, tuple)) or value in spec.alone:
        return value
    if value == given and isinstance(given, str) and "," in given:
        return [_toml(part.strip(), spec) for part in given.split(",")]
    return [value]


def _toml(typed: str, spec: _Key) -> Any:
    """The TOML value that some text spells, if the key may take its kind, or the text."""
    try:
        found = tomllib.loads(f"value = {typed}")
    except (ValueError, RecursionError):
        return typed
    kinds: tuple[type, ...] = (str,) if spec.is_text else (str, int, float, list)
    takes = (*kinds, list) if spec.listed else kinds
    return found["value"] if len(found) == 1 and isinstance(found["value"], takes) else typed
