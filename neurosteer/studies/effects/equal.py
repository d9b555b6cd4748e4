"""Equal disturbance: the scale at which each edit disturbs neutral text by the same KL.

Between its own scale and 1, where nothing is edited, the KL of an edit falls to 0. So the scale is looked for between
these two, from the side of 1; an edit whose KL at its own scale is smaller cannot reach it, and stays there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import Text, donor_of, score_texts, variant_of
from neurosteer.layer_edits import Donor
from neurosteer.model import Model
from neurosteer.progress import Progress
from neurosteer.results.effect import EqualDisturbance

from .cases import Case

TOLERANCE = 0.02  # of the KL that is asked for
MOST = 40  # rounds, of which each moves every edit that is not there yet

Divergence = Callable[[Sequence[Edit]], Sequence[float]]  # KL of each edit, in nats per token


@dataclass(frozen=True)
class Scaled:
    """The scale of an edit, its KL there, and whether that is what was asked for."""

    scale: float
    kl: float
    reached: bool


def smaller_or_median(kls: Sequence[float]) -> float:
    """What `auto` asks for: the set's KL, or that of its controls in the median, whichever is smaller."""
    own, *controls = kls
    return min(own, float(np.median(controls))) if controls else own


def equal_scales(
    divergence: Divergence, edits: Sequence[Edit], kl: float, *, known: Sequence[float] | None = None
) -> list[Scaled]:
    """The scale of each edit at which its KL is `kl` within 2 %.

    Args:
        divergence: the KL of some edits.
        edits: at their own scales, beyond which none is moved.
        kl: above 0, in nats per token of neutral text.
        known: the KL of the edits as they are, where it has been measured.

    Raises:
        InputError: for a KL that is not above 0, and for an edit without a scale.
    """
    if not 0 < kl < math.inf:
        raise InputError(f"the KL must be a number above 0, not {kl:g}")
    ends = list(divergence(edits) if known is None else known)
    searches = [_Bracket(edit.scaled(edit.scale).scale, end, kl) for edit, end in zip(edits, ends, strict=True)]
    for _ in range(MOST):
        rest = [i for i, one in enumerate(searches) if not one.done]
        if not rest:
            break
        tried = divergence([edits[i].scaled(searches[i].next) for i in rest])
        for i, found in zip(rest, tried, strict=True):
            searches[i].narrow(found)
    return [Scaled(one.scale, one.found, one.reached) for one in searches]


def equal_case(
    model: Model, case: Case, kl: float | Literal["auto"], groups: Sequence[Sequence[Text]], progress: Progress
) -> tuple[Case, EqualDisturbance]:
    """An edit and its controls, each at the scale where it disturbs the texts by `kl`."""
    donors: dict[int, Donor] = {}

    def divergence(edits: Sequence[Edit]) -> list[float]:
        for edit in edits:
            if edit.needs_donors and edit.seed not in donors:
                donors[edit.seed] = donor_of(model, edit)
        variants = [variant_of(model, edit, donors.get(edit.seed)) for edit in edits]
        what = f"neutral text: {len(variants)} scales, tokens"
        found = score_texts(model, groups, variants, divergence=True, what=what, progress=progress).kl
        assert found is not None
        return [float(one) for one in found]

    edits = case.edits()
    known = divergence(edits)
    target = smaller_or_median(known) if kl == "auto" else kl
    own, *others = equal_scales(divergence, edits, target, known=known)
    scales = tuple(one.scale for one in others)
    return Case(case.edit.scaled(own.scale), case.controls, scales), described(target, [own, *others])


def described(target: float, scaled: Sequence[Scaled]) -> EqualDisturbance:
    """As results say it; the chosen set comes first."""
    own, *others = scaled
    return EqualDisturbance(
        kl=target,
        scale=own.scale,
        reached=own.kl,
        scales=tuple(one.scale for one in others),
        unreached=sum(not one.reached for one in scaled),
    )


class _Bracket:
    """A root of sqrt(KL) - sqrt(target) between the scale of an edit and 1; near 1, sqrt(KL) is linear in the scale.

    False position; an end that stays twice counts half (Illinois).
    """

    def __init__(self, far: float, at_far: float, target: float) -> None:
        self.target = target
        self.far, self.above = far, math.sqrt(max(at_far, 0.0)) - math.sqrt(target)
        self.near, self.below = 1.0, -math.sqrt(target)
        self.scale, self.found = far, at_far
        self.reached = self._is_there(at_far)
        self.done = self.reached or self.above < 0
        self.side = 0  # of 1 (-1) or of the edit's own scale (1): where the last one was

    @property
    def next(self) -> float:
        """The scale to be tried."""
        return self.near + (self.far - self.near) * self.below / (self.below - self.above)

    def narrow(self, found: float) -> None:
        """Take in the KL at `next`."""
        at, gap = self.next, math.sqrt(max(found, 0.0)) - math.sqrt(self.target)
        self.scale, self.found, self.reached = at, found, self._is_there(found)
        if self.reached:
            self.done = True
        elif gap > 0:
            self.far, self.above = at, gap
            self.below /= 2 if self.side == 1 else 1
            self.side = 1
        else:
            self.near, self.below = at, gap
            self.above /= 2 if self.side == -1 else 1
            self.side = -1

    def _is_there(self, kl: float) -> bool:
        return abs(kl - self.target) <= TOLERANCE * self.target
