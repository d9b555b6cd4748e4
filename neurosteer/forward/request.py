"""EOS states and token statistics of some pairs: the one sweep that computes them, and their cache keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.data import EosStates, TokenStats
from neurosteer.errors import NeurosteerError
from neurosteer.model import Model, active_edits, encode, site_width
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.store import digest_of
from neurosteer.vocabulary import Json, Position, Site

from .cache import cache_key, cache_path
from .check import can_share_prefixes
from .device_copy import DeviceCopies
from .forest import Pack, Tokens, plan
from .last_states import LastStates, room_for
from .loop import packing_for, sweep
from .overflow import overflow
from .stats import TokenMoments


@dataclass(frozen=True, eq=False)
class Request:
    """What identifies EOS states of all pairs, or token statistics of the train pairs."""

    model: Model
    pairs: Pairs
    site: Site
    layers: tuple[int, ...]
    position: Position

    def wrap(self, values: Float[Tensor, "pair side layer unit"]) -> EosStates:
        """The values as `EosStates`, with their provenance."""
        pairs, model = self.pairs, self.model
        return EosStates(values, self.layers, pairs.task, model.fingerprint, self.site, self.position, pairs.digest)

    @property
    def sizes(self) -> dict[str, int]:
        """How many layers and units the values have."""
        return {"layer": len(self.layers), "unit": site_width(self.model, self.site, self.layers)}

    def cache_key(self, train: Sequence[int] | None = None) -> dict[str, Json]:
        """Everything that the states depend on; with `train` (indices of pairs), that the statistics depend on."""
        return cache_key(
            self.model,
            self.pairs,
            site=self.site,
            layers=list(self.layers),
            position=self.position,
            train=None if train is None else digest_of(list(train)),
        )

    def path(self, train: Sequence[int] | None = None) -> Path:
        """Their file in the cache."""
        return cache_path("states" if train is None else "stats", self.model, self.pairs, self.cache_key(train))

    def compute(
        self, *, states: bool, train: Sequence[int] | None, progress: Progress
    ) -> tuple[Float[Tensor, "pair side layer unit"], TokenStats]:
        """Compute the states, the statistics over train pairs, or both, in one sweep over the pairs."""
        model, pairs = self.model, self.pairs
        sides = [
            encode(model, [getattr(pair, side) for pair in pairs], position=self.position) for side in ("good", "bad")
        ]
        groups = list(zip(*sides, strict=True))
        packs = plan(groups, packing_for(model), shared=can_share_prefixes(model, groups, progress))

        width = site_width(model, self.site, self.layers)
        shape = (len(pairs) if states else 0, 2, len(self.layers), width)
        values = torch.from_numpy(room_for(shape, progress))
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

        def send(pack: Pack, copies: DeviceCopies) -> None:
            self._check(last, groups)  # what has arrived of earlier packs
            last.send(pack, copies)
            moments.send(pack, copies)

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
        self._check(last, groups)
        return values, moments.finish()

    def _check(self, last: LastStates, groups: Sequence[Sequence[Tokens]]) -> None:
        if not last.broken:
            return
        if active_edits(self.model):
            raise NeurosteerError(
                f"{self.model.name} gives no finite states of {self.pairs.task} under the active edits"
            )
        sequences = [ids for group in groups for ids in group]
        raise overflow(self.model, [sequences[i] for i in last.broken], self.pairs.task)
