"""What zeroing the sets of a source, and their controls, does to neutral text, which no task is about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurosteer.edits import Edit
from neurosteer.experiments import costs
from neurosteer.model import Model
from neurosteer.progress import Progress
from neurosteer.runner.recipe import Recipe
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import digest_of
from neurosteer.studies.effects.cases import Bench, Case
from neurosteer.studies.effects.neutral import passages, read_neutral

from .sets import SetKey, needs_of_sets, sets_of


def neutral_name(sets: Sequence[SetKey]) -> str:
    return f"neutral-{digest_of(list(map(list, sets)))[:8]}"


def neutral_unit(model: Model, recipe: Recipe, layer: int, keys: Sequence[SetKey], progress: Progress) -> Unit:
    """`kl` (nats per token) and `perplexity` `[set variant]` of each set and its controls; NaN for an empty set."""
    groups = passages(model, read_neutral(None)[1])
    tokens = sum(text.scored for group in groups for text in group)

    def compute(read: Read) -> UnitResult:
        kl, perplexity = np.full((2, len(keys), 1 + recipe.controls), np.nan)
        clean = np.full(len(keys), np.nan)
        for i, key in enumerate(keys):
            variants = sets_of(read, model, key, recipe.site, layer)
            if variants:
                bench = Bench(model, [Case(Edit.ablate(variants[0]), variants[1:])], progress)
                [found] = bench.disturbance(groups)
                kl[i], perplexity[i], clean[i] = found.kl, found.perplexities, found.perplexity
        about = {"sets": list(map(list, keys)), "tokens": tokens}
        return UnitResult({"kl": kl, "perplexity": perplexity, "clean": clean}, about)

    edits = len(keys) * (2 + recipe.controls)
    cost = costs.UNDER_EDIT * costs.token_seconds(model) * tokens * edits
    needs = tuple(dict.fromkeys(need for source, _ in keys for need in needs_of_sets(source)))
    return Unit(neutral_name(keys), keys[0][0], cost, compute, needs=needs, size=16 * edits)
