"""EOS states and unit statistics of pairs, cached on disk: no token is computed twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor

from neurosteer.arguments import expect
from neurosteer.artefacts import STATES, TOKEN_STATS, WrongContentError
from neurosteer.data import EosStates, TokenStats, UnitStats
from neurosteer.model import Model, check_site, resolve_layers
from neurosteer.pairs import Pairs
from neurosteer.progress import AUTO, QUIET, Progress
from neurosteer.store import verify_artefact, write_artefact
from neurosteer.vocabulary import Layers, Position, Site

from .cache import cache_lock, can_cache, load_cached, load_or_compute, write_cached
from .request import Request


def eos_states(
    model: Model,
    pairs: Pairs,
    *,
    site: Site = "resid_post",
    layers: Layers = "all",
    position: Position = "eos",
    cache: bool = True,
    progress: Progress = AUTO,
) -> EosStates:
    """Read the site's value at the EOS token appended to every sentence, at each layer.

    Args:
        model: the model; edits that are active apply, and then the cache is not used.
        pairs: the pairs.
        site: which activation is read: the residual stream after a block by default.
        layers: blocks, counted from 0: "all", one, or several.
        position: at which token: the appended `eos`, or the `last` one of the sentence.
        cache: whether states that this model has computed before are read from the cache, and new ones written to it.
            It is not used while other hooks are on the model.
        progress: where progress and notices go.

    Returns:
        An `EosStates` whose `values` are float32 `[pair, side, layer, unit]`; side 0 is the good sentence.

    Raises:
        InputError: for a layer or site that the model lacks, and for a sentence that is longer than its context.

    Example:
        >>> states = ns.eos_states(model, pairs, layers=[1, 2])
        >>> states.values[:, 0, 1].shape  # the good sentences at layer 2
        torch.Size([300, 384])
    """
    expect(model, Model, "model")
    expect(pairs, Pairs, "pairs")
    request = _request(model, pairs, site, resolve_layers(model, layers), position)
    values, _ = _states(request, None, cache=cache and can_cache(model, progress), progress=progress)
    return request.wrap(values)


def states_and_stats(
    model: Model,
    pairs: Pairs,
    train: Sequence[int],
    *,
    site: Site,
    layers: Sequence[int],
    position: Position,
    cache: bool = True,
    progress: Progress = QUIET,
) -> tuple[EosStates, UnitStats]:
    """EOS states of all pairs, and unit statistics of the `train` pairs (indices); one sweep if neither is cached."""
    request = _request(model, pairs, site, tuple(layers), position)
    cache = cache and can_cache(model, progress)
    values, stats = _states(request, train, cache=cache, progress=progress)
    if stats is None:
        stats = _stats(request, train, progress)
    states = request.wrap(values)
    return states, stats.with_eos(states, train)


def _request(model: Model, pairs: Pairs, site: Site, layers: tuple[int, ...], position: Position) -> Request:
    check_site(model, site, layers)
    return Request(model, pairs, site, layers, position)


def _states(
    request: Request, train: Sequence[int] | None, *, cache: bool, progress: Progress
) -> tuple[Float[Tensor, "pair side layer unit"], TokenStats | None]:
    """The states; and if they had to be computed, also the statistics of the train pairs, from the same sweep."""
    if not cache:
        values, stats = request.compute(states=True, train=train, progress=progress)
        return values, None if train is None else stats
    path = request.path()
    found = load_cached(path, lambda: _map_states(request))
    if found is not None:
        return found, None
    with cache_lock(path):
        found = load_cached(path, lambda: _map_states(request), progress)
        if found is not None:
            return found, None
        values, stats = request.compute(states=True, train=train, progress=progress)
        if write_cached(
            lambda: write_artefact(path, STATES.kind, {"values": values.numpy()}, request.cache_key()), progress
        ):
            values = _map_states(request)
        if train is None:
            return values, None
        with cache_lock(request.path(train)):
            write_cached(lambda: _write_stats(request, train, stats), progress)
        return values, stats


def _stats(request: Request, train: Sequence[int], progress: Progress) -> TokenStats:
    """The statistics of the train pairs, loaded from the cache or computed."""
    return load_or_compute(
        request.path(train),
        read=lambda: _read_stats(request, train),
        compute=lambda: request.compute(states=False, train=train, progress=progress)[1],
        write=lambda stats: _write_stats(request, train, stats),
        progress=progress,
    )


def _map_states(request: Request) -> Float[Tensor, "pair side layer unit"]:
    """Verified states, memory-mapped: read from disk when they are used."""
    path = request.path()
    metadata = verify_artefact(path, STATES.kind)
    with safe_open(path, framework="pt") as file:
        if "values" not in file.keys():  # noqa: SIM118
            raise WrongContentError(path, "it has no array 'values'")
        values: Tensor = file.get_tensor("values")
    if values.dtype != torch.float32:
        raise WrongContentError(path, f"'values' holds {values.dtype}, not numbers in float32")
    shape = np.broadcast_to(np.float32(0), values.shape)  # to look at the values would read all of them into memory
    STATES.check(path, {"values": shape}, metadata, pair=len(request.pairs), **request.sizes)
    STATES.check_blocks(path, "values")
    return values


def _read_stats(request: Request, train: Sequence[int]) -> TokenStats:
    arrays, _ = TOKEN_STATS.read(request.path(train), **request.sizes)
    return TokenStats(torch.from_numpy(arrays["mean"]), torch.from_numpy(arrays["var"]), int(arrays["tokens"][0]))


def _write_stats(request: Request, train: Sequence[int], stats: TokenStats) -> None:
    arrays = {"mean": stats.mean.numpy(), "var": stats.var.numpy(), "tokens": np.array([stats.tokens])}
    write_artefact(request.path(train), TOKEN_STATS.kind, arrays, request.cache_key(train))
