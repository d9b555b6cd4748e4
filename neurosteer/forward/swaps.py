"""What a model prefers next, and how that changes where some of its values come from another sequence.

Every sequence is read at its last token. The clean values that are wanted as donors are collected in a first sweep;
in a second one each pack is run once unedited, and then once for each swap, from the first swapped layer on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.errors import NeurosteerError
from neurosteer.model import Model, NextLogits, Replacement, capture, replacing, resuming, to_device
from neurosteer.progress import QUIET, Progress
from neurosteer.vocabulary import Site

from .check import can_resume, can_share_prefixes
from .device_copy import DeviceCopies
from .forest import Inputs, Pack, Tokens, plan
from .loop import packing_for, run_packs, sweep
from .overflow import overflow


@dataclass(frozen=True)
class NextToken:
    """A sequence, and the two tokens that may follow: the preference is log P(first) - log P(second), in nats."""

    tokens: Tokens
    first: int
    second: int


@dataclass(frozen=True)
class Places:
    """Positions of one reading, and where the values put there come from: as many of a donor (its number)."""

    positions: tuple[int, ...] = ()
    donor: int = 0
    donor_positions: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Swap:
    """Values put in the place of a pass's own: of some units of each layer, at some positions of each reading.

    They are the clean ones of each reading's donor; or with `to` the same for all, one of each unit. With `along`, a
    vector of length 1 for each layer, only the component along it is exchanged.
    """

    units: Mapping[int, Int[Tensor, "unit"]]  # of each layer
    places: Sequence[Places]  # one per reading
    to: Mapping[int, Float[Tensor, "unit"]] | None = None
    along: Mapping[int, Float[Tensor, "unit"]] | None = None


@dataclass(frozen=True, eq=False)
class Preferences:
    """Of every reading, in nats (float64): unedited, and under each swap."""

    clean: Float[np.ndarray, "reading"]
    swapped: Float[np.ndarray, "swap reading"]


def preferences(
    model: Model,
    groups: Sequence[Sequence[NextToken]],
    swaps: Sequence[Swap],
    *,
    site: Site,
    what: str = "tokens",
    progress: Progress = QUIET,
) -> Preferences:
    """The preference at the end of every reading, numbered through all groups in order.

    Readings of one group share the tokens that they begin with, where nothing may be swapped. Raises
    `NeurosteerError` where a preference is not finite.
    """
    readings = [reading for group in groups for reading in group]
    runs = [[reading.tokens for reading in group] for group in groups]
    shared = can_share_prefixes(model, runs, progress)
    packs = plan(runs, packing_for(model), shared=shared, apart=True)
    donors = _donors(model, packs, swaps, site, what, progress)
    passes = _Passes(model, readings, swaps, site, donors, can_resume(model, progress))
    found = np.empty((1 + len(swaps), len(readings)))
    for pack, values in run_packs(model, packs, passes.run, passes=1 + len(swaps), what=what, progress=progress):
        found[:, pack.sequences] = values.double().numpy()
    if not np.isfinite(found[0]).all():
        raise overflow(model, [readings[i].tokens for i in np.flatnonzero(~np.isfinite(found[0]))], what)
    if not np.isfinite(found).all():
        raise NeurosteerError(f"{model.name} gives {what} no finite preference; try another --dtype")
    return Preferences(found[0], found[1:])


@dataclass(eq=False)
class _Donors:
    """Clean values at some positions of some readings, all units of each wanted layer."""

    slots: dict[tuple[int, int], int] = field(default_factory=dict)  # (reading, position) -> row
    values: dict[int, Float[Tensor, "slot unit"]] = field(default_factory=dict)  # by layer

    def at(self, layer: int, places: Places) -> Float[Tensor, "place unit"]:
        return self.values[layer][[self.slots[places.donor, position] for position in places.donor_positions]]


def _donors(
    model: Model, packs: Sequence[Pack], swaps: Sequence[Swap], site: Site, what: str, progress: Progress
) -> _Donors:
    taking = [swap for swap in swaps if swap.to is None]
    layers = sorted({layer for swap in taking for layer in swap.units})
    wanted = sorted({(one.donor, i) for swap in taking for one in swap.places for i in one.donor_positions})
    donors = _Donors({where: slot for slot, where in enumerate(wanted)})
    if not wanted:
        return donors
    waiting: list[tuple[int, list[int], Tensor]] = []

    def visit(pack: Pack, i: int, values: Tensor) -> None:
        if i == 0:
            waiting.clear()  # of a pack that did not fit into memory
        slots, rows, nodes = _found_in(pack, wanted, donors.slots)
        picked = values[to_device(torch.tensor(rows), values.device), to_device(torch.tensor(nodes), values.device)]
        waiting.append((layers[i], slots, picked))

    def send(_pack: Pack, copies: DeviceCopies) -> None:
        kept = [(layer, slots) for layer, slots, _ in waiting]

        def arrive(arrived: list[Tensor]) -> None:
            for (layer, slots), values in zip(kept, arrived, strict=True):
                if layer not in donors.values:
                    donors.values[layer] = values.new_empty(len(wanted), values.shape[-1])
                donors.values[layer][slots] = values

        copies.send([values for _, _, values in waiting], arrive)
        waiting.clear()

    names = {reading for reading, _ in wanted}
    holding = [pack for pack in packs if names & set(pack.sequences.tolist())]
    sweep(model, holding, site=site, layers=layers, visit=visit, send=send, what=f"{what}: donors", progress=progress)
    return donors


def _found_in(
    pack: Pack, wanted: Sequence[tuple[int, int]], slots: Mapping[tuple[int, int], int]
) -> tuple[list[int], list[int], list[int]]:
    """The wanted positions that a pack has: their slots, rows and nodes."""
    where = {sequence: i for i, sequence in enumerate(pack.sequences.tolist())}
    here = [one for one in wanted if one[0] in where]
    rows = [int(pack.rows[where[reading]]) for reading, _ in here]
    nodes = [int(pack.paths[where[reading]][position]) for reading, position in here]
    return [slots[one] for one in here], rows, nodes


class _Passes:
    """One unedited pass over a pack, then one pass for each swap."""

    def __init__(
        self,
        model: Model,
        readings: Sequence[NextToken],
        swaps: Sequence[Swap],
        site: Site,
        donors: _Donors,
        resume: bool,
    ) -> None:
        self.model, self.swaps, self.site, self.donors = model, swaps, site, donors
        self.outcomes = torch.tensor([[reading.first, reading.second] for reading in readings]).reshape(-1, 2)
        before = 0 if site == "resid_post" else 1  # the output of the block itself is what is swapped
        self.resume_at = [min(swap.units, default=0) - before if resume else -1 for swap in swaps]

    def run(self, pack: Pack, passed: Callable[[], None]) -> Float[Tensor, "pass sequence"]:
        inputs, at = pack.inputs(), (torch.from_numpy(pack.rows), torch.from_numpy(pack.leaves))
        outcomes = self.outcomes[torch.from_numpy(pack.sequences)]
        residuals: dict[int, Tensor] = {}
        layers = sorted({layer for layer in self.resume_at if layer >= 0})
        found = [self._pass(inputs, at, outcomes, layers, residuals)]
        passed()
        for swap, layer in zip(self.swaps, self.resume_at, strict=True):
            parts = self._parts(pack, swap)
            if not parts:  # nothing to swap in this pack
                found.append(found[0])
            else:
                with ExitStack() as stack:
                    stack.enter_context(replacing(self.model, parts, site=self.site))
                    if layer >= 0:
                        stack.enter_context(resuming(self.model, layer, residuals[layer]))
                    found.append(self._pass(inputs, at, outcomes, [], {}))
            passed()
        return torch.stack(found).cpu()

    def _pass(
        self,
        inputs: Inputs,
        at: tuple[Tensor, Tensor],
        outcomes: Int[Tensor, "sequence 2"],
        layers: Sequence[int],
        residuals: dict[int, Tensor],
    ) -> Float[Tensor, "sequence"]:
        with capture(self.model, "resid_post", layers, residuals.__setitem__) as one_pass:
            logits = one_pass(*inputs, at=at)
        assert logits is not None
        return _differences(logits, to_device(outcomes, logits.device))

    def _parts(self, pack: Pack, swap: Swap) -> dict[int, Replacement]:
        here = [(i, swap.places[reading]) for i, reading in enumerate(pack.sequences.tolist())]
        here = [(i, places) for i, places in here if places.positions]
        if not here:
            return {}
        rows = np.concatenate([np.repeat(pack.rows[i], len(places.positions)) for i, places in here])
        nodes = np.concatenate([pack.paths[i][list(places.positions)] for i, places in here])
        _check_own(pack, set(zip(rows.tolist(), nodes.tolist(), strict=True)))
        parts = {}
        for layer, units in swap.units.items():
            if swap.to is None:
                values = torch.cat([self.donors.at(layer, places) for _, places in here])[:, units]
            else:
                values = swap.to[layer].expand(len(rows), len(units))
            along = None if swap.along is None else swap.along[layer]
            parts[layer] = Replacement(torch.from_numpy(rows), torch.from_numpy(nodes), units, values, along)
        return parts


def _check_own(pack: Pack, swapped: set[tuple[int, int]]) -> None:
    """Raises `ValueError` where a swapped node belongs to more than one reading."""
    owners = np.zeros(pack.tokens.shape, dtype=np.int64)
    for row, path in zip(pack.rows, pack.paths, strict=True):
        owners[row, path] += 1
    if any(owners[place] > 1 for place in swapped):
        raise ValueError("a swap at a token that two readings of one group share")


def _differences(logits: NextLogits, outcomes: Int[Tensor, "pick 2"]) -> Float[Tensor, "pick"]:
    """Of the logits of the two outcomes, which is that of their log-probabilities (float32)."""

    def of_part(start: int, end: int) -> Float[Tensor, "part"]:
        def read(values: Float[Tensor, "part vocab"]) -> Float[Tensor, "part"]:
            first, second = values.gather(1, outcomes[start:end]).float().unbind(1)
            return first - second

        return logits.read(start, end, read)

    return torch.cat([of_part(start, end) for start, end in logits.parts])
