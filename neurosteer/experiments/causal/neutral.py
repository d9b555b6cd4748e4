"""What zeroing the sets of a source, and their controls, does to neutral text, which no task is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.experiments.experiment import Work
from neurosteer.experiments.intervals import plain
from neurosteer.experiments.shared import costs
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import digest_of
from neurosteer.studies.costs import UNDER_EDIT
from neurosteer.studies.effects.cases import Bench, Case
from neurosteer.studies.neutral import passages, read_neutral

from .result import NeutralRow
from .sets import SetKey, matching_of, read_set, sets_name, sets_needs
from .settings import causal_methods
from .targets import batches_of_sets


def neutral_name(keys: Sequence[SetKey]) -> str:
    return f"neutral-{digest_of(list(map(list, keys)))[:8]}"


@dataclass(frozen=True, eq=False)
class Disturbed:
    """What each set, and then its controls, does to the text; NaN for an empty set."""

    kl: Float[np.ndarray, "set variant"]  # nats per token
    perplexity: Float[np.ndarray, "set variant"]
    clean: Float[np.ndarray, "set"]  # perplexity of the unedited model
    tokens: int  # of the text


def neutral_unit(work: Work, keys: Sequence[SetKey]) -> Unit:
    """`Disturbed`, of some sets."""
    groups = passages(work.model, read_neutral(None)[1])
    tokens = sum(text.scored for group in groups for text in group)

    def compute(read: Read) -> UnitResult:
        kl, perplexity = np.full((2, len(keys), 1 + work.recipe.controls), np.nan)
        clean = np.full(len(keys), np.nan)
        for i, key in enumerate(keys):
            variants = read_set(read, work, key)
            if variants:
                bench = Bench(work.model, [Case(Edit.ablate(variants[0]), variants[1:])], work.progress)
                [found] = bench.disturbance(groups)
                kl[i], perplexity[i], clean[i] = found.kl, found.perplexities, found.perplexity
        values = {"sets": list(map(list, keys)), "tokens": tokens}
        return UnitResult({"kl": kl, "perplexity": perplexity, "clean": clean}, values)

    edits = len(keys) * (2 + work.recipe.controls)
    cost = UNDER_EDIT * costs.token_seconds(work.model) * tokens * edits
    return Unit(neutral_name(keys), keys[0].source, cost, compute, needs=sets_needs(keys), size=16 * edits)


def neutral_rows(read: Read, work: Work) -> list[NeutralRow]:
    """One for each set, method by method; numbers are None for an empty set."""
    batches = batches_of_sets(work.recipe, work.tasks)
    rows = chain.from_iterable(_rows(read, batch) for batch in batches)
    return sorted(rows, key=lambda row: causal_methods(work.recipe).index(row.method))


def _rows(read: Read, keys: Sequence[SetKey]) -> list[NeutralRow]:
    found, rows = read(neutral_name(keys)).typed(Disturbed), []
    for i, (source, method) in enumerate(keys):
        kl, perplexity = found.kl[i].astype(float), found.perplexity[i].astype(float)
        sets = read(sets_name(source))
        matching = matching_of(sets, method)
        kl_mean, kl_low, kl_high = _controls(kl)
        perplexity_mean, perplexity_low, perplexity_high = _controls(perplexity)
        rows.append(
            NeutralRow(
                method=method,
                source=source,
                units=sets.arrays[method].shape[1],
                kl=plain(kl[0]),
                kl_controls_mean=kl_mean,
                kl_controls_low=kl_low,
                kl_controls_high=kl_high,
                perplexity_before=plain(float(found.clean[i])),
                perplexity=plain(perplexity[0]),
                perplexity_controls_mean=perplexity_mean,
                perplexity_controls_low=perplexity_low,
                perplexity_controls_high=perplexity_high,
                unmatched=matching.unmatched,
                overlap=matching.overlap,
                tokens=found.tokens,
            )
        )
    return rows


def _controls(values: Float[np.ndarray, "variant"]) -> tuple[float | None, float | None, float | None]:
    """Mean, smallest and largest of the controls."""
    controls = values[1:]
    return plain(controls.mean()), plain(controls.min()), plain(controls.max())
