"""How much of the mean margin depends on each unit, predicted as activation times the gradient of the margin.

One backward pass per pack covers every layer. Nodes of the forest that several sentences share are no problem: the
gradient of the summed margins at a node is the sum over its sentences. For each pair's own attribution only the two
sentences of a pair share nodes, which makes about a fifth more nodes. With several steps the gradient is averaged
along the straight path of the first block's input from its ablated to its real value (integrated gradients over
inputs, Hanna, Pezzelle & Belinkov 2024, arXiv 2403.17806); one step is the gradient at the real input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, assert_never

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.artefacts import ATTRIBUTION
from neurosteer.errors import NeurosteerError
from neurosteer.model import Model, capture, check_site, site_width
from neurosteer.pairs import Pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.store import write_artefact
from neurosteer.vocabulary import FixedReference, Site

from .cache import cache_key, cache_path, can_cache, load_or_compute
from .check import can_share_prefixes
from .forest import Pack, Packing, plan
from .loop import inner_nodes, packing_for, run_packs, sweep
from .scoring import Targets
from .stats import TokenMoments
from .texts import Text, from_first_difference, pairs_of_texts


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
    """The same for every single pair: an `Attribution` is its mean over pairs.

    If good and bad are exchanged in a pair, its attribution changes its sign. So the mean after any exchange is a
    signed sum, and needs no further pass.
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
    """The attribution of every unit of some layers on some pairs, loaded from the cache if it was computed before.

    `to` (`zero` or `mean`) matters only with several steps: it is where their path starts. `cache=False` neither
    reads nor writes the cache.
    """
    check_site(model, site, layers)

    def compute() -> Attribution:
        return _compute(model, pairs, site, layers, to, steps, progress)

    def write(found: Attribution) -> None:
        arrays = {"product": found.product.numpy(), "gradient": found.gradient.numpy()}
        write_artefact(path, ATTRIBUTION.kind, arrays, key)

    if not (cache and can_cache(model, progress)):
        return compute()
    key = cache_key(model, pairs, site=site, layers=list(layers), steps=steps, to=to if steps > 1 else None)
    path, width = cache_path("attribution", model, pairs, key), site_width(model, site, layers)
    read = partial(_read, path, len(layers), width)
    return load_or_compute(path, read=read, compute=compute, write=write, progress=progress)


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
    """The attribution of every unit of some layers on each single pair; never cached."""
    check_site(model, site, layers)
    groups = from_first_difference(pairs_of_texts(model, pairs, "sum"))
    work = _Work(model, groups, site, layers, to, steps, _one_pair_a_row(model, groups))
    sums = work.sums(len(pairs), _pair_of_row, f"{pairs.task}: attribution by pair, tokens", progress)
    return PairAttributions(*sums)


def _read(path: Path, layers: int, width: int) -> Attribution:
    arrays, _ = ATTRIBUTION.read(path, layer=layers, unit=width)
    return Attribution(torch.from_numpy(arrays["product"]), torch.from_numpy(arrays["gradient"]))


def _compute(
    model: Model, pairs: Pairs, site: Site, layers: Sequence[int], to: FixedReference, steps: int, progress: Progress
) -> Attribution:
    groups = from_first_difference(pairs_of_texts(model, pairs, "sum"))
    work = _Work(model, groups, site, layers, to, steps, packing_for(model, memory_factor=2))
    sums = work.sums(1, _one_sum, f"{pairs.task}: attribution, tokens", progress)
    return Attribution(*sums[:, 0] / len(pairs))


def _one_pair_a_row(model: Model, groups: Sequence[Sequence[Text]]) -> Packing:
    """Packs of the usual size, in which every row has one pair."""
    usual = packing_for(model, memory_factor=2)
    longest = max(sum(len(text.tokens) for text in group) for group in groups)
    return Packing(rows=max(1, usual.rows * usual.nodes // longest), nodes=1)


def _one_sum(pack: Pack) -> Int[Tensor, "row"]:
    return torch.zeros(len(pack), dtype=torch.long)


def _pair_of_row(pack: Pack) -> Int[Tensor, "row"]:
    """The index of each row's pair."""
    pairs = torch.zeros(len(pack), dtype=torch.long)
    pairs[torch.from_numpy(pack.rows)] = torch.from_numpy(pack.sequences) // 2
    return pairs


@dataclass(frozen=True, eq=False)
class _Work:
    """Model, sentences, site, layers and packs of one attribution."""

    model: Model
    groups: Sequence[Sequence[Text]]  # the two sentences of each pair
    site: Site
    layers: Sequence[int]
    to: FixedReference
    steps: int
    packing: Packing

    def sums(
        self, size: int, index_of: Callable[[Pack], Int[Tensor, "row"]], what: str, progress: Progress
    ) -> Float[Tensor, "what index layer unit"]:
        """Activation times gradient, and gradient, summed over the rows of each index (float64)."""
        model, layers, steps = self.model, self.layers, self.steps
        runs = [[text.tokens[:-1] for text in group] for group in self.groups]
        packs = plan(runs, self.packing, shared=can_share_prefixes(model, runs, progress))
        texts = [text for group in self.groups for text in group]
        base = _start(model, packs, len(texts), self.to) if steps > 1 else None
        total = torch.zeros(2, size, len(layers), site_width(model, self.site, layers), dtype=torch.float64)

        def run(pack: Pack, passed: Callable[[], None]) -> Float[Tensor, "what row layer unit"]:
            found = torch.zeros(2, len(pack), *total.shape[2:], dtype=torch.float64)
            real: list[Tensor] = []
            for step in range(steps, 0, -1):  # the real input first: its activations are what gradients multiply
                seen, slopes = _slopes(model, pack, texts, self.site, layers, step / steps, base)
                real = real or seen
                inner = inner_nodes(model, pack)
                for i, (values, slope) in enumerate(zip(real, slopes, strict=True)):
                    share = slope.float() * inner.to(slope.device)[..., None] / steps
                    found[0, :, i] += (values.float() * share).sum(dim=1).cpu().double()
                    found[1, :, i] += share.sum(dim=1).cpu().double()
                passed()
            return found

        for pack, found in run_packs(model, packs, run, passes=steps, what=what, progress=progress):
            total.index_add_(1, index_of(pack), found)
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
    """Activations at every layer, and the gradient of the pack's summed margins with respect to them.

    `share` is the position on the path of the first block's input: 0 is ablated (zero, or `base`), 1 the real input.
    """
    inner, seen = inner_nodes(model, pack), []

    def enter(values: Tensor, *, hook: Any) -> Tensor:
        start = torch.zeros_like(values) if base is None else base.to(values).expand_as(values)
        moved = values if share == 1 else torch.lerp(start, values, share)
        return torch.where(inner.to(values.device)[..., None], moved, values).detach().requires_grad_()

    targets = Targets.of(pack, texts)
    with capture(model, site, layers, lambda _, values: seen.append(values), enter=enter) as one_pass:
        logits = one_pass(*pack.inputs(), at=(targets.rows, targets.nodes))
    assert logits is not None
    sign = 1.0 - 2.0 * (targets.text % 2)  # good sentences are the even ones
    margin = (sign.to(logits.device) * targets.logprobs(logits)).sum()
    return [values.detach() for values in seen], torch.autograd.grad(margin, seen)


def _start(model: Model, packs: Sequence[Pack], texts: int, to: FixedReference) -> Float[Tensor, "unit"] | None:
    """Where the path of several steps begins: the first block's input there; None is zero."""
    match to:
        case "zero":
            return None
        case "mean":
            return _mean_input(model, packs, texts)
        case other:
            assert_never(other)


def _mean_input(model: Model, packs: Sequence[Pack], texts: int) -> Float[Tensor, "unit"]:
    """The mean of the first block's input over all token positions except BOS."""
    every, inner = np.ones(texts, dtype=bool), slice(1 if model.bos else 0, None)
    moments = TokenMoments(1, model.d_model, lambda pack: pack.counts(every, inner))
    what = "inputs, tokens"
    sweep(model, packs, site="resid_pre", layers=[0], visit=moments.add, send=moments.send, what=what)
    return moments.finish().mean[0]
