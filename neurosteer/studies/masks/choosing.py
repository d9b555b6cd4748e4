"""From a ranking to a set: its first k units, the smallest k that takes the share within the KL, on validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.forward import Gated, GatedTexts
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.results.mask import MaskPoint
from neurosteer.studies.neutral import passages

from .settings import MaskSettings
from .training import Units, margin_texts

FINER = 8  # sizes that are tried between two of the grid


class Judge:
    """What the first units of a ranking take away from pairs, and what they do to a text."""

    def __init__(
        self, model: Model, pairs: Pairs, gated: Gated, text: str, settings: MaskSettings, progress: Progress
    ) -> None:
        self.settings, self.progress, self.what = settings, progress, f"{pairs.task}: sets of a mask"
        self.pairs = GatedTexts(model, margin_texts(model, pairs), gated, progress=progress)
        self.text = GatedTexts(model, passages(model, text), gated, divergence=True, progress=progress)
        logprobs = self.pairs.clean
        self.clean = logprobs[::2] - logprobs[1::2]
        self.none = self.pairs.margins(torch.ones_like(gated.to))

    @property
    def gap(self) -> float:
        """The mean margin that can be lost."""
        return float((self.clean - self.none).mean())

    def curve(self, order: Units, most: int) -> list[MaskPoint]:
        """The first k units for a grid of sizes up to `most`, and for more of them where the chosen size lies."""
        tried = self._points(order, sizes_up_to(most))
        chosen = smallest(tried, self.settings)
        if chosen is not None:
            below = max((point.k for point in tried if point.k < chosen.k), default=0)
            between = torch.linspace(below, chosen.k, FINER + 2).round().int().tolist()
            tried += self._points(order, sorted(set(between) - {0, *(point.k for point in tried)}))
        return sorted(tried, key=lambda point: point.k)

    def point(self, gates: Units, k: int) -> MaskPoint:
        """One set as it is."""
        lost = float((self.clean - self.pairs.margins(gates)).mean()) / self.gap
        return MaskPoint(k=k, lost=lost, kl=self.text.divergence(gates))

    def _points(self, order: Units, sizes: Sequence[int]) -> list[MaskPoint]:
        found = []
        for i, k in enumerate(sizes):
            self.progress.step(self.what, i, len(sizes))
            found.append(self.point(first(order, k), k))
        self.progress.step(self.what, len(sizes), len(sizes))
        return found


def sizes_up_to(most: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 11, ...: each larger by the square root of 2."""
    sizes = {min(most, round(2 ** (i / 2))) for i in range(2 * max(most, 1).bit_length() + 1)}
    return sorted(size for size in sizes if size > 0)


def smallest(points: Sequence[MaskPoint], settings: MaskSettings) -> MaskPoint | None:
    """The smallest set that takes the share within the KL; None where none does."""
    enough = [point for point in points if point.lost >= settings.share and point.kl <= settings.kl]
    return min(enough, key=lambda point: point.k, default=None)


def first(scores: Units, k: int) -> Float[Tensor, "layer unit"]:
    """Gates that are open at the k highest scores; ties go to the lower layer and unit, as in `Ranking.top`."""
    best = scores.flatten().sort(descending=True, stable=True).indices[:k]
    gates = torch.zeros(scores.numel())
    gates[best] = 1.0
    return gates.reshape(scores.shape)


@dataclass(frozen=True, eq=False)
class Tested:
    """Margins of the test pairs: clean, with every unit ablated, and with the set ablated (nats)."""

    clean: Float[Tensor, "pair"]
    none: Float[Tensor, "pair"]
    without: Float[Tensor, "pair"]


def on_test(model: Model, pairs: Pairs, gated: Gated, gates: Units, progress: Progress) -> Tested:
    texts = GatedTexts(model, margin_texts(model, pairs), gated, progress=progress)
    clean = texts.clean[::2] - texts.clean[1::2]
    return Tested(clean, texts.margins(torch.ones_like(gates)), texts.margins(gates))
