"""Margins of pairs under many edits: each edit is run once on some pairs, whichever questions ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from neurosteer.data import BAD, GOOD
from neurosteer.edits import Edit
from neurosteer.errors import NeurosteerError
from neurosteer.forward import (
    Text,
    TextScores,
    donor_of,
    from_first_difference,
    no_finite,
    pairs_of_texts,
    score_texts,
    variant_of,
)
from neurosteer.layer_edits import Donor
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.studies.neutral import passages

Margins = Float[np.ndarray, "pair"]


@dataclass(eq=False)
class Passes:
    """A model whose margins are remembered by pairs and edit, for as long as the questions are asked."""

    model: Model
    progress: Progress
    _clean: dict[str, Margins] = field(default_factory=dict)  # by the digest of the pairs
    _edited: dict[tuple[object, ...], Margins] = field(default_factory=dict)
    _donors: dict[tuple[object, ...], Donor] = field(default_factory=dict)

    def clean(self, pairs: Pairs) -> Margins:
        """The margin of every pair, unedited (nats)."""
        if pairs.digest not in self._clean:
            self._run(pairs, [])
        return self._clean[pairs.digest]

    def edited(self, pairs: Pairs, edits: Sequence[Edit]) -> Float[np.ndarray, "edit pair"]:
        """The margin of every pair under each edit; what was run before is not run again."""
        keys = [(pairs.digest, *_identity(edit)) for edit in edits]
        missing = {key: edit for key, edit in zip(keys, edits, strict=True) if key not in self._edited}
        if missing:
            self._run(pairs, list(missing.values()))
        return np.stack([self._edited[key] for key in keys]) if keys else np.empty((0, len(pairs)))

    def divergence(self, edits: Sequence[Edit], text: str) -> tuple[list[float], int]:
        """KL(unedited, edited) of each edit in nats per token of a text, and how many tokens are scored."""
        groups = passages(self.model, text)
        variants = [variant_of(self.model, edit, self._donor(edit)) for edit in edits]
        what = f"neutral text: {len(variants)} edits, tokens"
        found = score_texts(self.model, groups, variants, divergence=True, what=what, progress=self.progress)
        assert found.kl is not None
        return found.kl.tolist(), sum(one.scored for group in groups for one in group)

    def _run(self, pairs: Pairs, edits: Sequence[Edit]) -> None:
        groups = from_first_difference(pairs_of_texts(self.model, pairs, "sum"))
        variants = [variant_of(self.model, edit, self._donor(edit)) for edit in edits]
        what = f"{pairs.task}: {len(edits)} edits, tokens" if edits else f"{pairs.task}: unedited, tokens"
        found = score_texts(self.model, groups, variants, what=what, progress=self.progress)
        self._check(pairs, found, groups)
        self._clean.setdefault(pairs.digest, _margins(found.clean.numpy()))
        for edit, totals in zip(edits, found.edited.numpy(), strict=True):
            self._edited[pairs.digest, *_identity(edit)] = _margins(totals)

    def _check(self, pairs: Pairs, found: TextScores, groups: Sequence[Sequence[Text]]) -> None:
        if not bool(found.clean.isfinite().all()):
            raise no_finite(self.model, found.clean, groups, pairs.task)
        if not bool(found.edited.isfinite().all()):
            raise NeurosteerError(
                f"{self.model.name} gives {pairs.task} no finite log-probability under one of the edits; "
                "try another --dtype"
            )

    def _donor(self, edit: Edit) -> Donor | None:
        if not edit.needs_donors:
            return None
        key = (edit.seed, hash(edit.donors), edit.neurons.site)
        if key not in self._donors:
            self._donors[key] = donor_of(self.model, edit)
        return self._donors[key]


def _margins(totals: np.ndarray) -> Margins:
    sides = totals.reshape(-1, 2)
    return np.asarray(sides[:, GOOD] - sides[:, BAD])


def _identity(edit: Edit) -> tuple[object, ...]:
    """Two edits with the same identity do the same."""
    donors = (edit.seed, hash(edit.donors)) if edit.needs_donors else ()
    along = () if edit.direction is None else (edit.rest, *edit.direction.vector.tolist())
    return edit.kind, edit.scale, edit.where, edit.reach, tuple(edit.neurons), edit.neurons.site, donors, along
