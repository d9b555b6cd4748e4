"""What is asked of a model on some pairs: the one sweep that answers it, and the cache keys that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.data import EosStates, TokenStats
from neurosteer.errors import NeurosteerError
from neurosteer.model import Model, encode, site_width
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.store import digest_of
from neurosteer.vocabulary import Position, Site

from .cache import about, cache_path
from .check import may_share
from .forest import Pack, plan
from .landing import Landing, LastStates
from .loop import packing_for, sweep
from .stats import TokenMoments


@dataclass(frozen=True, eq=False)
class Request:
    """EOS states of all pairs, or token statistics of the train pairs (their positions), or both."""

    model: Model
    pairs: Pairs
    site: Site
    layers: tuple[int, ...]
    position: Position

    def wrap(self, values: Float[Tensor, "pair side layer unit"]) -> EosStates:
        """The values with their provenance."""
        pairs, model = self.pairs, self.model
        return EosStates(values, self.layers, pairs.task, model.fingerprint, self.site, self.position, pairs.digest)

    def about(self, train: Sequence[int] | None = None) -> dict[str, Any]:
        """Everything that the states (or, with `train`, the statistics) depend on."""
        return about(
            self.model,
            self.pairs,
            site=self.site,
            layers=list(self.layers),
            position=self.position,
            train=None if train is None else digest_of(list(train)),
        )

    def path(self, train: Sequence[int] | None = None) -> Path:
        """Where the cache keeps them."""
        return cache_path("states" if train is None else "stats", self.model, self.pairs, self.about(train))

    def compute(
        self, *, states: bool, train: Sequence[int] | None, progress: Progress
    ) -> tuple[Float[Tensor, "pair side layer unit"], TokenStats]:
        """One sweep over all pairs that fills the states, the statistics over train pairs, or both."""
        model, pairs = self.model, self.pairs
        sides = [
            encode(model, [getattr(pair, side) for pair in pairs], position=self.position) for side in ("good", "bad")
        ]
        groups = list(zip(*sides, strict=True))
        packs = plan(groups, packing_for(model), shared=may_share(model, groups, progress))

        width = site_width(model, self.site)
        shape = (len(pairs) if states else 0, 2, len(self.layers), width)
        values = torch.from_numpy(np.empty(shape, dtype=np.float32))  # NumPy asks for huge pages: fewer faults
        chosen = np.zeros(2 * len(pairs), dtype=bool)
        chosen.reshape(-1, 2)[list(train or ())] = True
        if not states:
            packs = [pack for pack in packs if chosen[pack.sequences].any()]
        own = slice(1 if model.bos else 0, -1 if self.position == "eos" else None)  # no BOS, no appended EOS

        last = LastStates(values.flatten(0, 1))
        moments = TokenMoments(len(self.layers), width, lambda pack: pack.counts(chosen, own))

        def visit(pack: Pack, i: int, at_nodes: Tensor) -> None:
            if states:
                last.take(pack, i, at_nodes)
            if train:
                moments.add(pack, i, at_nodes)

        def send(pack: Pack, landing: Landing) -> None:
            self._check(last)  # what has arrived of earlier packs
            last.send(pack, landing)
            moments.send(pack, landing)

        what = f"{pairs.task}: states, tokens" if states else f"{pairs.task}: statistics, tokens"
        sweep(
            model,
            packs,
            site=self.site,
            layers=self.layers,
            visit=visit,
            send=send,
            what=what,
            progress=progress,
        )
        self._check(last)
        return values, moments.finish()

    def _check(self, last: LastStates) -> None:
        if not last.finite:
            dtype = str(self.model.dtype).removeprefix("torch.")
            raise NeurosteerError(f"{self.model.name} overflows {dtype} on {self.pairs.task}; try another --dtype")
