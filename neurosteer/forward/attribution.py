"""How much of the mean margin rests on each unit, predicted from gradients: activation times gradient of the margin.

One backward pass per pack gives every layer at once. Nodes of the forest that several sentences share need no
care: the gradient of the summed margins at a node is the sum over its sentences. Where each pair's own attribution is
wanted, only the sentences of a pair share nodes: about a fifth more of them than among all pairs. With several steps
the gradient is averaged along the straight path of the first block's input from its ablated to its real value
(integrated gradients over inputs, Hanna, Pezzelle & Belinkov 2024, arXiv 2403.17806); one step is the gradient at the
real input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.errors import NeurosteerError
from neurosteer.model import Model, check_site, reading, site_width
from neurosteer.pairs import Pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.store import read_artefact, write_artefact
from neurosteer.vocabulary import FixedReference, Site

from .cache import about, cache_path, cached, may_cache
from .check import may_share
from .forest import Pack, Packing, plan
from .loop import each_pack, packing_for, sweep
from .scoring import Wanted
from .stats import TokenMoments
from .texts import Text, from_parting, pairs_of_texts


@dataclass(frozen=True, eq=False)
class Attribution:
    """Per pair, summed over all positions but BOS, averaged over pairs (float64, nats).

    `product` is activation times gradient of the margin, `gradient` the gradient alone.
    """

    product: Float[Tensor, "layer unit"]
    gradient: Float[Tensor, "layer unit"]

    def drop(self, mean: Float[Tensor, "layer unit"] | None = None) -> Float[Tensor, "layer unit"]:
        """The predicted drop of the mean margin when a unit is ablated to zero, or to its `mean`."""
        return self.product if mean is None else self.product - mean.double() * self.gradient


@dataclass(frozen=True, eq=False)
class PairAttributions:
    """The same of every pair by itself: an `Attribution` is the mean over pairs.

    A pair whose sentences change places has the negative of its attribution, so what an exchange of good and bad
    would make of the mean is a signed sum, at no further pass.
    """

    product: Float[Tensor, "pair layer unit"]
    gradient: Float[Tensor, "pair layer unit"]

    def drop(self, mean: Float[Tensor, "layer unit"] | None = None) -> Float[Tensor, "pair layer unit"]:
        """The predicted drop of each pair's margin when a unit is ablated to zero, or to its `mean`."""
        return self.product if mean is None else self.product - mean.double() * self.gradient


def attribute(
    model: Model,
    pairs: Pairs,
    *,
    site: Site,
    layers: Sequence[int],
    to: FixedReference = "zero",
    steps: int = 1,
    cache: bool = True,
    progress: Progress = QUIET,
) -> Attribution:
    """The attribution of every unit of some layers on some pairs, from the cache where it was computed before.

    `to` (`zero` or `mean`) only says where the path begins that several steps follow. `cache=False` neither reads nor
    writes the cache.
    """
    check_site(model, site, layers)

    def compute() -> Attribution:
        return _compute(model, pairs, site, layers, to, steps, progress)

    def write(found: Attribution) -> None:
        arrays = {"product": found.product.numpy(), "gradient": found.gradient.numpy()}
        write_artefact(path, "attribution", arrays, asked)

    if not (cache and may_cache(model, progress)):
        return compute()
    asked = about(model, pairs, site=site, layers=list(layers), steps=steps, to=to if steps > 1 else None)
    path = cache_path("attribution", model, pairs, asked)
    return cached(path, read=lambda: _read(path), compute=compute, write=write, progress=progress)


def attribute_pairs(
    model: Model,
    pairs: Pairs,
    *,
    site: Site,
    layers: Sequence[int],
    to: FixedReference = "zero",
    steps: int = 1,
    progress: Progress = QUIET,
) -> PairAttributions:
    """The attribution of every unit of some layers on each pair by itself; never cached."""
    check_site(model, site, layers)
    groups = from_parting(pairs_of_texts(model, pairs, "sum"))
    work = _Work(model, groups, site, layers, to, steps, _one_pair_a_row(model, groups))
    sums = work.sums(len(pairs), _pair_of_row, f"{pairs.task}: attribution by pair, tokens", progress)
    return PairAttributions(*sums)


def _read(path: Path) -> Attribution:
    arrays, _ = read_artefact(path, "attribution")
    return Attribution(torch.from_numpy(arrays["product"]), torch.from_numpy(arrays["gradient"]))


def _compute(
    model: Model, pairs: Pairs, site: Site, layers: Sequence[int], to: FixedReference, steps: int, progress: Progress
) -> Attribution:
    groups = from_parting(pairs_of_texts(model, pairs, "sum"))
    work = _Work(model, groups, site, layers, to, steps, packing_for(model, heavy=2))
    sums = work.sums(1, _one_sum, f"{pairs.task}: attribution, tokens", progress)
    return Attribution(*sums[:, 0] / len(pairs))


def _one_pair_a_row(model: Model, groups: Sequence[Sequence[Text]]) -> Packing:
    """Packs as large as elsewhere, of rows that no second pair fits into."""
    usual = packing_for(model, heavy=2)
    longest = max(sum(len(text.tokens) for text in group) for group in groups)
    return Packing(rows=max(1, usual.rows * usual.nodes // longest), nodes=1)


def _one_sum(pack: Pack) -> Int[Tensor, "row"]:
    return torch.zeros(len(pack), dtype=torch.long)


def _pair_of_row(pack: Pack) -> Int[Tensor, "row"]:
    """Which pair each row belongs to."""
    pairs = torch.zeros(len(pack), dtype=torch.long)
    pairs[torch.from_numpy(pack.rows)] = torch.from_numpy(pack.sequences) // 2
    return pairs


@dataclass(frozen=True, eq=False)
class _Work:
    """What is attributed where, and how the sentences are packed."""

    model: Model
    groups: Sequence[Sequence[Text]]  # the two sentences of each pair
    site: Site
    layers: Sequence[int]
    to: FixedReference
    steps: int
    packing: Packing

    def sums(
        self, size: int, place_of: Callable[[Pack], Int[Tensor, "row"]], what: str, progress: Progress
    ) -> Float[Tensor, "what place layer unit"]:
        """Activation times gradient, and gradient, summed over the rows of each place (float64)."""
        model, layers, steps = self.model, self.layers, self.steps
        runs = [[text.tokens[:-1] for text in group] for group in self.groups]
        packs = plan(runs, self.packing, shared=may_share(model, runs, progress))
        texts = [text for group in self.groups for text in group]
        base = _mean_input(model, packs, len(texts)) if steps > 1 and self.to == "mean" else None
        total = torch.zeros(2, size, len(layers), site_width(model, self.site), dtype=torch.float64)

        def run(pack: Pack, passed: Callable[[], None]) -> Float[Tensor, "what row layer unit"]:
            found = torch.zeros(2, len(pack), *total.shape[2:], dtype=torch.float64)
            real: list[Tensor] = []
            for step in range(steps, 0, -1):  # the real input first: its activations are what gradients multiply
                seen, slopes = _slopes(model, pack, texts, self.site, layers, step / steps, base)
                real = real or seen
                inner = _inner(model, pack)
                for i, (values, slope) in enumerate(zip(real, slopes, strict=True)):
                    share = slope.float() * inner.to(slope.device)[..., None] / steps
                    found[0, :, i] += (values.float() * share).sum(dim=1).cpu().double()
                    found[1, :, i] += share.sum(dim=1).cpu().double()
                passed()
            return found

        for pack, found in each_pack(model, packs, run, passes=steps, what=what, progress=progress):
            total.index_add_(1, place_of(pack), found)
        if not bool(total.isfinite().all()):
            raise NeurosteerError(f"gradients of {model.name} overflow {str(model.dtype)[6:]}; try another --dtype")
        return total


def _slopes(
    model: Model,
    pack: Pack,
    texts: Sequence[Text],
    site: Site,
    layers: Sequence[int],
    share: float,
    base: Float[Tensor, "unit"] | None,
) -> tuple[list[Tensor], Sequence[Tensor]]:
    """Activations at every layer, and the gradient of the pack's summed margins with respect to them."""
    inner, seen = _inner(model, pack), []

    def enter(values: Tensor, *, hook: Any) -> Tensor:
        start = torch.zeros_like(values) if base is None else base.to(values).expand_as(values)
        moved = values if share == 1 else torch.lerp(start, values, share)
        return torch.where(inner.to(values.device)[..., None], moved, values).detach().requires_grad_()

    wanted = Wanted.of(pack, texts)
    with reading(model, site, layers, lambda _, values: seen.append(values), enter=enter) as one_pass:
        logits = one_pass(*pack.inputs(), at=(wanted.rows, wanted.nodes))
    assert logits is not None
    sign = 1.0 - 2.0 * (wanted.text % 2)  # good sentences are the even ones
    margin = (sign.to(logits.device) * wanted.logprobs(logits)).sum()
    return [values.detach() for values in seen], torch.autograd.grad(margin, seen)


def _inner(model: Model, pack: Pack) -> Bool[Tensor, "row node"]:
    """Every node but BOS."""
    depths = torch.from_numpy(pack.depths)
    return depths > 0 if model.bos else torch.ones_like(depths, dtype=torch.bool)


def _mean_input(model: Model, packs: Sequence[Pack], texts: int) -> Float[Tensor, "unit"]:
    """The mean over token positions, BOS left out, of what enters the first block."""
    every, inner = np.ones(texts, dtype=bool), slice(1 if model.bos else 0, None)
    moments = TokenMoments(1, model.d_model, lambda pack: pack.counts(every, inner))
    what = "inputs, tokens"
    sweep(model, packs, site="resid_pre", layers=[0], visit=moments.add, send=moments.send, what=what)
    return moments.finish().mean[0]
