"""EOS states and token statistics of pairs: computed through the prefix forest, cached on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor

from neurosteer.data import EosStates, TokenStats, UnitStats
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.model import Model, check_site, encode, resolve_layers, site_width
from neurosteer.pairs import Pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.store import digest_of, home, locked, read_artefact, verify_artefact, write_artefact

from .check import forest_holds
from .forest import Pack, plan
from .loop import packing_for, sweep
from .stats import TokenMoments

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
    by the same model in the same dtype and library versions; `cache=False` neither reads nor writes it. Raises
    `InputError` for a layer or site the model lacks, and for a sentence that does not fit its context.
    """
    request = _Request(model, pairs, site, resolve_layers(model, layers), position)
    if not cache:
        values, _ = request.compute(states=True, train=None, progress=progress)
        return request.wrap(values)
    return request.wrap(_cached_states(request, None, progress))


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
    request = _Request(model, pairs, site, tuple(layers), position)
    states = request.wrap(_cached_states(request, train, progress))
    path = request.path(train)
    stats = _from_cache(path, lambda: _read_stats(path))
    if stats is None:
        with locked(path):
            stats = _from_cache(path, lambda: _read_stats(path), progress)
            if stats is None:
                _, stats = request.compute(states=False, train=train, progress=progress)
                _write_stats(path, stats, request.about(train))
    return states, stats.with_eos(states.take(train))


class _Request:
    """What is asked of a model, and the cache keys that follow from it."""

    def __init__(self, model: Model, pairs: Pairs, site: str, layers: tuple[int, ...], position: str) -> None:
        check_site(model, site, layers)
        self.model, self.pairs, self.site, self.layers, self.position = model, pairs, site, layers, position

    def wrap(self, values: Float[Tensor, "pair side layer unit"]) -> EosStates:
        return EosStates(
            values,
            self.layers,
            self.pairs.task,
            self.model.fingerprint,
            self.site,
            self.position,
            self.pairs.digest,
        )

    def about(self, train: Sequence[int] | None = None) -> dict[str, Any]:
        """Everything the numbers depend on."""
        from importlib.metadata import version

        libraries = ("torch", "transformers", "transformer-lens")
        return {
            "model": self.model.describe(),
            "pairs": self.pairs.digest,
            "site": self.site,
            "layers": list(self.layers),
            "position": self.position,
            "train": None if train is None else digest_of(list(train)),
            "packing": str(packing_for(self.model)),
            "versions": {name: version(name) for name in libraries},
        }

    def path(self, train: Sequence[int] | None = None) -> Path:
        about = self.about(train)
        about["model"] = {k: v for k, v in about["model"].items() if k not in ("name", "revision")}
        kind = "states" if train is None else "stats"
        name = f"{self.pairs.task}-{digest_of(about)[:16]}.safetensors"
        return home() / kind / self.model.fingerprint[:12] / name

    def compute(
        self, *, states: bool, train: Sequence[int] | None, progress: Progress
    ) -> tuple[Float[Tensor, "pair side layer unit"], TokenStats]:
        """One sweep over all pairs that fills the states, the statistics over train pairs, or both."""
        model, pairs = self.model, self.pairs
        sides = [
            encode(model, [getattr(pair, side) for pair in pairs], position=self.position) for side in ("good", "bad")
        ]
        groups = list(zip(*sides, strict=True))
        fits = max(len(good) + len(bad) for good, bad in groups) <= max(model.window, packing_for(model).nodes)
        packs = plan(groups, packing_for(model), shared=fits and forest_holds(model, progress))

        width = site_width(model, self.site)
        values = torch.empty(len(pairs) if states else 0, 2, len(self.layers), width)
        moments = TokenMoments(len(self.layers), width)
        chosen = np.zeros(2 * len(pairs), dtype=bool)
        chosen.reshape(-1, 2)[list(train or ())] = True
        if not states:
            packs = [pack for pack in packs if chosen[pack.sequences].any()]
        skip = 1 if model.bos else 0
        counts = {id(pack): torch.from_numpy(pack.counts(chosen, skip=skip)) for pack in packs} if train else {}

        def visit(pack: Pack, i: int, at_nodes: Tensor) -> None:
            if states:
                values[pack.sequences // 2, pack.sequences % 2, i] = at_nodes[pack.rows, pack.leaves].float().cpu()
            if train:
                moments.add(i, at_nodes, counts[id(pack)])

        what = f"{pairs.task}: states, tokens" if states else f"{pairs.task}: statistics, tokens"
        sweep(model, packs, site=self.site, layers=self.layers, visit=visit, what=what, progress=progress)
        return values, moments.finish()


def _cached_states(
    request: _Request, train: Sequence[int] | None, progress: Progress
) -> Float[Tensor, "pair side layer unit"]:
    """The states, from the cache or computed into it, then along with the train pairs' statistics."""
    path = request.path()
    values = _from_cache(path, lambda: _map_states(path))
    if values is not None:
        return values
    with locked(path):
        values = _from_cache(path, lambda: _map_states(path), progress)
        if values is None:
            values, stats = request.compute(states=True, train=train, progress=progress)
            write_artefact(path, "states", {"values": values.numpy()}, request.about())
            if train is not None:
                _write_stats(request.path(train), stats, request.about(train))
            values = _map_states(path)
    return values


def _from_cache(path: Path, read: Callable[[], T], progress: Progress | None = None) -> T | None:
    """What `read` finds in the cache; a damaged file counts as none, and is told to `progress`."""
    if not path.is_file():
        return None
    try:
        return read()
    except (CorruptFileError, InputError) as error:  # the latter where the damage is in what kind of file it is
        if progress is not None:
            progress.notice(f"{error.args[0].split(';')[0]}; computing it again")
        return None


def _map_states(path: Path) -> Float[Tensor, "pair side layer unit"]:
    """Verified states, mapped from disk rather than read into memory."""
    verify_artefact(path, "states")
    with safe_open(path, framework="pt") as file:
        values: Tensor = file.get_tensor("values")
        return values


def _read_stats(path: Path) -> TokenStats:
    arrays, _ = read_artefact(path, "stats")
    return TokenStats(torch.from_numpy(arrays["mean"]), torch.from_numpy(arrays["var"]), int(arrays["tokens"][0]))


def _write_stats(path: Path, stats: TokenStats, about: dict[str, Any]) -> None:
    arrays = {"mean": stats.mean.numpy(), "var": stats.var.numpy(), "tokens": np.array([stats.tokens])}
    write_artefact(path, "stats", arrays, about)
