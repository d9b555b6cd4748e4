"""Claim (a): do few units do, with either selection? Figures 2 and 3 answer it together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from neurosteer.results import Estimate
from neurosteer.vocabulary import ENOUGH

from .experiment import Verdict
from .scope import Settings

FEW = 0.25  # of the units


@runtime_checkable
class Point(Protocol):
    """What probes on some units of a layer reach, relative to the dense probe."""

    @property
    def layer(self) -> int: ...
    @property
    def relative(self) -> Estimate: ...
    @property
    def relative_validation(self) -> Estimate: ...


@runtime_checkable
class MaskedPoint(Point, Protocol):
    @property
    def kept(self) -> Estimate: ...


@runtime_checkable
class TopkPoint(Point, Protocol):
    @property
    def k(self) -> int: ...


def few_units_verdict(masks: Sequence[MaskedPoint], tops: Sequence[TopkPoint], settings: Settings) -> Verdict:
    most = int(FEW * settings.width)
    few_masks = [point for point in masks if point.kept.value is not None and point.kept.value <= FEW]
    few_tops = [point for point in tops if point.k <= most]
    by_mask = {layer for layer in settings.layers if _reaches(few_masks, layer)}
    by_top = {layer for layer in settings.layers if _reaches(few_tops, layer)}
    return Verdict.counted(
        "a",
        "At most 25 % of the units reach 95 % of the dense probe's accuracy, with either selection.",
        f"mean over tasks of accuracy / dense accuracy at least {ENOUGH:.2f}, on test data: at that lambda of those "
        f"that keep at most 25 % of the units, and at that k of at most {most}, which is best on validation data "
        "(tasks whose dense probe reads anything)",
        len(by_mask & by_top),
        len(settings.layers),
        "layers",
        f"Masks do in {len(by_mask)} layers, the largest |t| in {len(by_top)}.",
    )


def _reaches(points: Sequence[Point], layer: int) -> bool:
    """Whether the point that is best on validation data reaches enough on test data."""
    here = [
        (point.relative_validation.value, point.relative.value)
        for point in points
        if point.layer == layer and point.relative_validation.value is not None
    ]
    best = max(here, key=lambda both: both[0], default=(None, None))[1]
    return best is not None and best >= ENOUGH
