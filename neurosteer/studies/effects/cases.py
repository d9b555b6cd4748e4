"""One sweep for everything that is compared: an edit, its controls, other doses and kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from neurosteer.data import BAD, GOOD
from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError, did_you_mean
from neurosteer.forward import (
    Text,
    donor_of,
    from_first_difference,
    no_finite,
    pairs_of_texts,
    score_texts,
    variant_of,
)
from neurosteer.layer_edits import Donor
from neurosteer.model import Model
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.references import REFERENCE_POINTS
from neurosteer.results.effect import Change
from neurosteer.studies.bootstrap import Groups, groups_in
from neurosteer.studies.margins import Margins, Preference, accuracy, clean_preference, interval
from neurosteer.vocabulary import MEAN_CONVENTIONS, REFERENCES, Convention, Reference

from .controls import against


@dataclass(frozen=True, eq=False)
class Case:
    """An edit and the control sets it is held against."""

    edit: Edit
    controls: Sequence[NeuronSet | Direction] = ()
    scales: Sequence[float] | None = None  # of each control, where it is not the edit's own

    @property
    def unmatched(self) -> float:
        """The distance that remains between chosen and control units, mean over controls; see `matched_controls`."""
        return float(np.mean([control.metadata["unmatched"] for control in self.controls])) if self.controls else 0.0

    @property
    def overlaps(self) -> list[float]:
        """The share of the chosen neurons that each control holds."""
        return [control.metadata["overlap"] for control in self.controls]

    def edits(self) -> list[Edit]:
        others = [self.edit.on(control) for control in self.controls]
        if self.scales is not None:
            others = [edit.scaled(scale) for edit, scale in zip(others, self.scales, strict=True)]
        return [self.edit, *others]


@dataclass(frozen=True, eq=False)
class MeasuredMargins:
    """Margins of some pairs, unedited and in every case: `after[case][0]` is the edit, the rest are its controls."""

    before: Margins
    after: list[Margins]
    groups: Groups | None = None  # of the pairs that share an item or a sentence; None: each is by itself
    by_token: Float[np.ndarray, "row token"] | None = None  # unedited, and at the scales that a page shows

    def clean(self, seed: int) -> Preference:
        """Of the unedited model."""
        return clean_preference(self.before, self.groups, seed)

    def change(
        self, index: int, case: Case, seed: int, *, nothing_to_lose: bool | None, kl: float | None = None
    ) -> Change:
        """What one case does; `kl` is what it does to neutral text."""
        after, *others = self.after[index]
        delta = float((after - self.before).mean())
        low, high = interval(after - self.before, seed, self.groups)
        controls = against(
            delta,
            self.before,
            others,
            unmatched=case.unmatched,
            overlaps=case.overlaps,
            nothing_to_lose=nothing_to_lose,
        )
        return Change(accuracy=accuracy(after), delta=delta, low=low, high=high, controls=controls, kl=kl)


@dataclass(frozen=True, eq=False)
class Disturbance:
    """How an edit changes neutral text: KL(unedited || edited) in nats per token, and the perplexities."""

    tokens: int
    perplexity: float
    kl: list[float] = field(default_factory=list)
    perplexities: list[float] = field(default_factory=list)


class Bench:
    """A model with the edits to be tried on it; donors are read once."""

    def __init__(
        self, model: Model, cases: Sequence[Case], progress: Progress, convention: Convention = "sum"
    ) -> None:
        self.model, self.cases, self.progress, self.convention = model, cases, progress, convention
        donors: dict[str, Donor] = {}
        for case in cases:
            if case.edit.needs_donors and case.edit.kind not in donors:
                donors[case.edit.kind] = donor_of(model, case.edit)
        self.variants = [[variant_of(model, edit, donors.get(edit.kind)) for edit in case.edits()] for case in cases]

    def margins(
        self, pairs: Pairs, *, only_first: bool = False, doses: Mapping[float, int] | None = None
    ) -> MeasuredMargins:
        """The margins of pairs, as the convention has them, unedited and in every case (or the first alone).

        With `doses` (places of cases by scale) also token by token, unedited and at each of `shown_scales`.
        """
        groups, tokens = pairs_of_texts(self.model, pairs, self.convention), None
        if self.convention in MEAN_CONVENTIONS:
            tokens = np.array([text.scored for group in groups for text in group])
        else:
            groups = from_first_difference(groups)
        variants = self.variants[:1] if only_first else self.variants
        flat = [variant for case in variants for variant in case]
        what = f"{pairs.task}: {len(flat)} edits, tokens"
        shown = [] if doses is None else [0, *self._rows(doses)]
        found = score_texts(self.model, groups, flat, by_token=shown, what=what, progress=self.progress)
        if not bool(found.clean.isfinite().all()):
            raise no_finite(self.model, found.clean, groups, pairs.task)
        if not bool(found.edited.isfinite().all()):
            raise NeurosteerError(
                f"{self.model.name} gives {pairs.task} no finite log-probability under this edit; give a --scale "
                "nearer to 1"
            )
        edited = iter(found.edited)
        after = [np.stack([_margin(next(edited), tokens) for _ in case]) for case in variants]
        by_token = None if found.by_token is None else found.by_token.numpy()
        return MeasuredMargins(_margin(found.clean, tokens), after, groups_in(pairs), by_token)

    def shown_scales(self, doses: Mapping[float, int]) -> dict[float, int]:
        """The first edit's scale and every other dose but 1, with the places of their cases."""
        others = {scale: place for scale, place in doses.items() if place and scale != 1}
        return {self.cases[0].edit.scale: 0, **others}

    def _rows(self, doses: Mapping[float, int]) -> list[int]:
        """Where their edits lie among the rows of `score_texts`."""
        starts = np.cumsum([1, *map(len, self.variants)]).tolist()
        return [starts[place] for place in self.shown_scales(doses).values()]

    def disturbance(self, groups: Sequence[Sequence[Text]], with_controls: Sequence[int] = (0,)) -> list[Disturbance]:
        """Of every case on neutral text: those at the places `with_controls` with theirs, the others alone."""
        kept = [case if i in with_controls else case[:1] for i, case in enumerate(self.variants)]
        flat = [variant for case in kept for variant in case]
        what = f"neutral text: {len(flat)} edits, tokens"
        found = score_texts(self.model, groups, flat, divergence=True, what=what, progress=self.progress)
        tokens = sum(text.scored for group in groups for text in group)
        assert found.kl is not None
        kl = iter(found.kl.tolist())
        perplexities = iter(np.exp(-found.edited.sum(dim=1).numpy() / tokens).tolist())
        before = float(np.exp(-float(found.clean.sum()) / tokens))
        return [
            Disturbance(tokens, before, [next(kl) for _ in case], [next(perplexities) for _ in case]) for case in kept
        ]


def other_kind(edit: Edit, kind: Reference, donors: Sequence[str]) -> Edit:
    """The same edit about another reference. Raises `InputError` for clamps and pushes, and without donors."""
    if kind not in REFERENCES:
        raise InputError(f"kind '{kind}' is not one of {', '.join(REFERENCES)}{did_you_mean(kind, REFERENCES)}")
    if edit.kind not in REFERENCES:
        raise InputError(f"a {edit.kind} cannot be compared with replacing by {kind}")
    return replace(edit, kind=kind, donors=() if REFERENCE_POINTS[kind].fixed else tuple(donors))


def _margin(totals: Any, tokens: Int[np.ndarray, "text"] | None) -> Margins:
    """Of summed log-probabilities, or with `tokens` of their means."""
    sides = (totals.numpy() if tokens is None else totals.numpy() / tokens).reshape(-1, 2)
    return np.asarray(sides[:, GOOD] - sides[:, BAD])
