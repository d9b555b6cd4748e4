"""`measure_effect`: what an edit does to the preference for grammatical sentences, against matched controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from neurosteer.arguments import expect, expect_all
from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import check_edit, pairs_of_texts, refuse_unscored
from neurosteer.model import Model, active_edits
from neurosteer.neurons import check_count
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.progress import AUTO, Progress, Remembering
from neurosteer.results.effect import (
    EffectResult,
    SideEffects,
)
from neurosteer.store import digest_of
from neurosteer.studies.neutral import passages, read_neutral
from neurosteer.studies.token_scores import most_changed, token_scores
from neurosteer.vocabulary import (
    FEWEST_PAIRS,
    MEAN_CONVENTIONS,
    Convention,
    Reference,
    are,
    counted_pairs,
)

from .assembly import effect_of, result_of
from .cases import Bench
from .direction_controls import direction_controls
from .effect import Effect
from .interpretation import interpret_effect
from .plan import at_equal_kl, plan_cases, plan_direction


def measure_effect(
    model: Model,
    pairs: Pairs,
    edit: Edit,
    *,
    controls: int = 19,
    scales: Sequence[float] = (),
    kinds: Sequence[Reference] = (),
    donors: Pairs | None = None,
    train: Pairs | None = None,
    also: Sequence[Pairs] = (),
    neutral: str | Path | None = None,
    kl: float | Literal["auto"] | None = None,
    convention: Convention = "sum",
    seed: int = 0,
    progress: Progress = AUTO,
) -> Effect:
    """Measure what an edit does to the margins of pairs, compared with the same edit of matched neuron sets.

    Args:
        model: the model, unedited; it is not changed.
        pairs: the pairs to measure: none that the search has seen, such as `found.test`.
        edit: what is done to which neurons, or along which direction (compared with random ones, and null searches).
        controls: how many matched sets, at most 100,000; at least 19 for a verdict.
        scales: more scales at which the set and its controls are measured, a dose-response curve.
        kinds: references that are compared: `zero`, `mean`, and `resample` from the sentences of `donors`.
        donors: pairs whose sentences `resample` takes activations from, such as `found.train`.
        train: of a direction, the train pairs, in whose states its controls are drawn.
        also: other tasks, which a specific effect does not change.
        neutral: a file of text on which side effects are measured. None is a small text that is built in.
        kl: nats per token of it, or "auto": the set and each control take the scale at which they reach this KL.
        convention: how sentences are scored, as in `score`.
        seed: decides the controls and the intervals.
        progress: where progress and notices go.

    Returns:
        An `Effect`: margins (nats) before and after, p among the controls, the verdict, a row per pair.

    Raises:
        InputError: for pairs that the search has seen, an edit that scores cannot show, an empty set, neurons of
            another model, the task itself in `also`, `kl` with several scales, and more than 100,000 controls.

    Example:
        >>> ns.measure_effect(model, found.test, ns.Edit.ablate(top, to="mean"), controls=19).verdict
        'stands out'
    """
    expect(model, Model, "model")
    expect(pairs, Pairs, "pairs")
    expect(edit, Edit, "edit")
    expect_all(also, Pairs, "also")
    check_edit(model, edit)
    if active_edits(model):
        raise InputError("the model is being steered: measure outside of the `with` block, from the unedited model")
    _refuse(edit, pairs, also, controls)
    name, text = read_neutral(None if neutral is None else Path(neutral))
    remembered = Remembering(progress)
    if edit.direction is None:
        given = () if donors is None else tuple(s for pair in donors for s in (pair.good, pair.bad))
        plan = plan_cases(edit, controls, scales, kinds, given, seed)
    else:
        if set(kinds) - {edit.kind}:
            raise InputError("an edit along a direction is compared at one reference; leave kinds out")
        drawn = direction_controls(model, edit.direction, train, controls, seed, remembered)
        plan = plan_direction(edit, drawn, scales)
    equal = None
    if kl is not None:
        plan, equal = at_equal_kl(model, plan, kl, passages(model, text), remembered)
    bench = Bench(model, plan.cases, remembered, convention)
    measured = bench.margins(pairs, doses=plan.doses)
    with_controls = [0, *(place for place in (plan.light, plan.exchanged) if place is not None)]
    disturbed = bench.disturbance(passages(model, text), with_controls)
    elsewhere = [(other, bench.margins(other, only_first=True)) for other in also]
    side_effects = SideEffects(
        kl=disturbed[0].kl[0],
        perplexity_before=disturbed[0].perplexity,
        perplexity_after=disturbed[0].perplexities[0],
        tokens=disturbed[0].tokens,
        text=name,
        digest=digest_of(text),
    )
    result = result_of(pairs, plan, measured, disturbed, elsewhere, side_effects, seed)
    result = replace(
        result,
        convention=None if convention == "sum" else convention,
        equal=equal,
        notices=(*result.notices, *_idle(edit), *_per_token(convention), *_few(result), *remembered.caveats),
    )
    result = replace(result, reading=interpret_effect(result))
    after = measured.after[0]
    shown = most_changed(np.abs(after[0] - measured.before))
    assert measured.by_token is not None
    scales = list(bench.shown_scales(plan.doses))
    texts = pairs_of_texts(model, pairs, convention)
    tokens = token_scores(model, pairs, texts, measured.by_token, shown, scales)
    return effect_of(result, edit.target, pairs, measured.before, after[0], after[1:], tokens)


def _refuse(edit: Edit, task: Pairs, also: Sequence[Pairs], controls: int) -> None:
    refuse_unscored(edit.where)
    if len(edit.neurons) == 0:
        raise InputError("no neurons to edit: the set is empty")
    check_count(controls)
    if task.task in {other.task for other in also}:
        raise InputError(f"{task.task} is the task itself; give another one to compare with, or none")
    seen = set(edit.neurons.metadata.get("seen", ()))
    for pairs in (task, *also):
        if not len(pairs):
            raise InputError(f"{pairs.task}: no pairs to measure on")
        known = [pair.id for pair in pairs if seen & set(sentence_hashes([pair]))]
        if known:
            raise InputError(
                f"{pairs.task}: the finding of these neurons has seen sentences of {len(known)} of the {len(pairs)} "
                f"pairs (pair {known[0]} is the first); measure on its test pairs"
            )


def _idle(edit: Edit) -> list[str]:
    """A notice where every activation stays where it is."""
    idle = edit.scale == 1 and edit.kind != "push"
    return ["scale 1 changes nothing: these are the numbers of the unedited model"] if idle else []


def _per_token(convention: Convention) -> list[str]:
    """A notice where margins are means: such are in nats too, and much smaller than sums."""
    mean = convention in MEAN_CONVENTIONS
    return [f"margins are of mean log probabilities per token (convention {convention})"] if mean else []


def _few(result: EffectResult) -> list[str]:
    """A notice for each task whose pairs are of too few groups for its interval."""
    tasks = [(result.task, result.data.tested, result.groups)]
    tasks += [(row.task, row.pairs, row.groups) for row in result.also]
    return [
        f"{task}: {counted_pairs(pairs, groups)} {are(pairs)} few: below {FEWEST_PAIRS} the 95 % interval is too "
        "narrow (at 40 it holds the truth in 88 % of cases)"
        for task, pairs, groups in tasks
        if groups < FEWEST_PAIRS
    ]
