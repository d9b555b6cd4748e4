"""A path that is being followed is kept in the cache: a search that was stopped goes on where it was."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neurosteer.artefacts import MASK_PATH
from neurosteer.forward.cache import cache_key, cache_lock, cache_path, load_cached, write_cached
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.store import code_digest, write_artefact
from neurosteer.vocabulary import Json

EVERY = 20  # steps

Units = Float[Tensor, "layer unit"]


@dataclass(frozen=True, eq=False)
class State:
    """After some steps: the gates, Adam's averages, and how long each gate has been open."""

    log_alpha: Units
    mean: Units  # of gradients
    square: Units
    area: Units  # mean gates, summed over the steps of the path
    opened: Bool[Tensor, "layer unit"]  # whether the median gate was above 1/2
    step: int
    start: float


@dataclass(frozen=True, eq=False)
class Keep:
    """The file of one path; without one nothing is kept."""

    path: Path | None
    key: dict[str, Json]
    progress: Progress

    @classmethod
    def of(cls, model: Model, pairs: Pairs, progress: Progress, *, cache: bool, **what: Json) -> Keep:
        """For the path that depends on the model, the pairs and on `what`."""
        if not cache:
            return cls(None, {}, progress)
        key = cache_key(model, pairs, **what, code=code_digest())
        return cls(cache_path("mask", model, pairs, key), key, progress)

    def held(self) -> AbstractContextManager[None]:
        """Of several processes one follows the path, and the others find it followed."""
        return nullcontext() if self.path is None else cache_lock(self.path)

    def read(self) -> State | None:
        """As far as the path was followed before; None where it was not."""
        return None if self.path is None else load_cached(self.path, self._read, self.progress)

    def write(self, state: State, *, last: bool) -> None:
        """Keep a state, if it is the last or it is time for one."""
        path = self.path
        if path is None or not (last or state.step % EVERY == 0):
            return
        arrays = {name: getattr(state, name).numpy() for name in ("log_alpha", "mean", "square", "area")}
        arrays["opened"] = state.opened.int().numpy()
        about = {**self.key, "step": state.step, "start": state.start}
        write_cached(lambda: write_artefact(path, MASK_PATH.kind, arrays, about), self.progress)

    def _read(self) -> State:
        assert self.path is not None
        arrays, metadata = MASK_PATH.read(self.path)
        opened = torch.from_numpy(arrays.pop("opened")).bool()
        values = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return State(**values, opened=opened, step=metadata["step"], start=metadata["start"])
