"""EOS states and unit statistics of pairs, cached on disk: no token is computed twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor

from neurosteer.data import EosStates, TokenStats, UnitStats
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.model import Model, check_site, is_hooked, resolve_layers
from neurosteer.pairs import Pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.store import home, locked, read_artefact, verify_artefact, write_artefact

from .request import Request

T = TypeVar("T")


def eos_states(
    model: Model,
    pairs: Pairs,
    *,
    site: str = "resid_post",
    layers: str | int | Sequence[int] = "all",
    position: str = "eos",
    cache: bool = True,
    progress: Progress = QUIET,
) -> EosStates:
    """The site's value at the appended EOS of every sentence (`position="last"`: at its last token), for each layer.

    `values` is float32 `[pair, side, layer, unit]`. Read from the cache where the same states were computed before,
    by the same model in the same dtype and library versions; `cache=False` neither reads nor writes it, and neither
    does a model that somebody has hooked. Raises `InputError` for a layer or site the model lacks, and for a sentence
    that does not fit its context.
    """
    request = _request(model, pairs, site, resolve_layers(model, layers), position)
    values, _ = _states(request, None, cache=cache and _may_cache(model, progress), progress=progress)
    return request.wrap(values)


def states_and_stats(
    model: Model,
    pairs: Pairs,
    train: Sequence[int],
    *,
    site: str,
    layers: Sequence[int],
    position: str,
    progress: Progress = QUIET,
) -> tuple[EosStates, UnitStats]:
    """EOS states of all pairs, and unit statistics of the train pairs (their indices); one sweep if both lack."""
    request = _request(model, pairs, site, tuple(layers), position)
    cache = _may_cache(model, progress)
    values, stats = _states(request, train, cache=cache, progress=progress)
    if stats is None:
        stats = _stats(request, train, progress)
    states = request.wrap(values)
    return states, stats.with_eos(states, train)


def _request(model: Model, pairs: Pairs, site: str, layers: tuple[int, ...], position: str) -> Request:
    check_site(model, site, layers)
    return Request(model, pairs, site, layers, position)


def _may_cache(model: Model, progress: Progress) -> bool:
    """Whether what this model computes is its own, and there is a place to keep it."""
    if is_hooked(model):
        progress.notice("the model has hooks of somebody else's: its states are computed and not cached")
        return False
    try:
        home().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        progress.notice(f"no cache: cannot make {home()} ({error.strerror}); set NEUROSTEER_HOME to another folder")
        return False
    if not os.access(home(), os.W_OK):
        progress.notice(f"no cache: cannot write to {home()}; set NEUROSTEER_HOME to another folder")
        return False
    return True


def _states(
    request: Request, train: Sequence[int] | None, *, cache: bool, progress: Progress
) -> tuple[Float[Tensor, "pair side layer unit"], TokenStats | None]:
    """The states; and, where they had to be computed, the train pairs' statistics from the same sweep."""
    if not cache:
        values, stats = request.compute(states=True, train=train, progress=progress)
        return values, None if train is None else stats
    path = request.path()
    found = _look(path, lambda: _map_states(path))
    if found is not None:
        return found, None
    with locked(path):
        found = _look(path, lambda: _map_states(path), progress)
        if found is not None:
            return found, None
        values, stats = request.compute(states=True, train=train, progress=progress)
        if _keep(lambda: write_artefact(path, "states", {"values": values.numpy()}, request.about()), progress):
            values = _map_states(path)
        if train is None:
            return values, None
        _keep(lambda: _write_stats(request, train, stats), progress)
        return values, stats


def _stats(request: Request, train: Sequence[int], progress: Progress) -> TokenStats:
    """The statistics of the train pairs, from the cache or computed into it."""
    path = request.path(train)
    found = _look(path, lambda: _read_stats(path))
    if found is not None:
        return found
    with locked(path):
        found = _look(path, lambda: _read_stats(path), progress)
        if found is not None:
            return found
        _, stats = request.compute(states=False, train=train, progress=progress)
        _keep(lambda: _write_stats(request, train, stats), progress)
        return stats


def _look(path: Path, read: Callable[[], T], progress: Progress | None = None) -> T | None:
    """What `read` finds in the cache; a damaged file counts as none, and is told to `progress`."""
    if not path.is_file():
        return None
    try:
        return read()
    except (CorruptFileError, InputError) as error:  # the latter where the damage is in what kind of file it is
        if progress is not None:
            progress.notice(f"{error.args[0].split(';')[0]}; computing it again")
        return None


def _keep(write: Callable[[], None], progress: Progress) -> bool:
    """Whether the cache could be written; a full disk costs the next run time, not this one its result."""
    try:
        write()
    except OSError as error:
        progress.notice(f"not cached: {error.strerror or error}")
        return False
    return True


def _map_states(path: Path) -> Float[Tensor, "pair side layer unit"]:
    """Verified states, mapped from disk rather than read into memory."""
    verify_artefact(path, "states")
    with safe_open(path, framework="pt") as file:
        values: Tensor = file.get_tensor("values")
        return values


def _read_stats(path: Path) -> TokenStats:
    arrays, _ = read_artefact(path, "stats")
    return TokenStats(torch.from_numpy(arrays["mean"]), torch.from_numpy(arrays["var"]), int(arrays["tokens"][0]))


def _write_stats(request: Request, train: Sequence[int], stats: TokenStats) -> None:
    arrays = {"mean": stats.mean.numpy(), "var": stats.var.numpy(), "tokens": np.array([stats.tokens])}
    write_artefact(request.path(train), "stats", arrays, request.about(train))
