"""EOS states and unit statistics of pairs, cached on disk: no token is computed twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor

from neurosteer.data import EosStates, TokenStats, UnitStats
from neurosteer.model import Model, check_site, resolve_layers
from neurosteer.pairs import Pairs
from neurosteer.progress import AUTO, QUIET, Progress
from neurosteer.store import read_artefact, verify_artefact, write_artefact

from .cache import cached, guarded, keep, look, may_cache
from .request import Request


def eos_states(
    model: Model,
    pairs: Pairs,
    *,
    site: str = "resid_post",
    layers: str | int | Sequence[int] = "all",
    position: str = "eos",
    cache: bool = True,
    progress: Progress = AUTO,
) -> EosStates:
    """The site's value at the appended EOS of every sentence (`position="last"`: at its last token), for each layer.

    `values` is float32 `[pair, side, layer, unit]`. Read from the cache where the same states were computed before,
    by the same model in the same dtype and library versions; `cache=False` neither reads nor writes it, and neither
    does a model that somebody has hooked. Raises `InputError` for a layer or site the model lacks, and for a sentence
    that does not fit its context.
    """
    request = _request(model, pairs, site, resolve_layers(model, layers), position)
    values, _ = _states(request, None, cache=cache and may_cache(model, progress), progress=progress)
    return request.wrap(values)


def states_and_stats(
    model: Model,
    pairs: Pairs,
    train: Sequence[int],
    *,
    site: str,
    layers: Sequence[int],
    position: str,
    cache: bool = True,
    progress: Progress = QUIET,
) -> tuple[EosStates, UnitStats]:
    """EOS states of all pairs, and unit statistics of the train pairs (their indices); one sweep if both lack."""
    request = _request(model, pairs, site, tuple(layers), position)
    cache = cache and may_cache(model, progress)
    values, stats = _states(request, train, cache=cache, progress=progress)
    if stats is None:
        stats = _stats(request, train, progress)
    states = request.wrap(values)
    return states, stats.with_eos(states, train)


def _request(model: Model, pairs: Pairs, site: str, layers: tuple[int, ...], position: str) -> Request:
    check_site(model, site, layers)
    return Request(model, pairs, site, layers, position)


def _states(
    request: Request, train: Sequence[int] | None, *, cache: bool, progress: Progress
) -> tuple[Float[Tensor, "pair side layer unit"], TokenStats | None]:
    """The states; and, where they had to be computed, the train pairs' statistics from the same sweep."""
    if not cache:
        values, stats = request.compute(states=True, train=train, progress=progress)
        return values, None if train is None else stats
    path = request.path()
    found = look(path, lambda: _map_states(path))
    if found is not None:
        return found, None
    with guarded(path):
        found = look(path, lambda: _map_states(path), progress)
        if found is not None:
            return found, None
        values, stats = request.compute(states=True, train=train, progress=progress)
        if keep(lambda: write_artefact(path, "states", {"values": values.numpy()}, request.about()), progress):
            values = _map_states(path)
        if train is None:
            return values, None
        with guarded(request.path(train)):
            keep(lambda: _write_stats(request, train, stats), progress)
        return values, stats


def _stats(request: Request, train: Sequence[int], progress: Progress) -> TokenStats:
    """The statistics of the train pairs, from the cache or computed into it."""
    path = request.path(train)
    return cached(
        path,
        read=lambda: _read_stats(path),
        compute=lambda: request.compute(states=False, train=train, progress=progress)[1],
        write=lambda stats: _write_stats(request, train, stats),
        progress=progress,
    )


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
