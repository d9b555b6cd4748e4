"""Isolated: does the set leave the rest alone?

The edit of the set is tried on one task of each other phenomenon, on pairs about meaning, and on neutral text. Its
effect on a task is the fall of the mean margin over the standard deviation of the clean margins; the statistic is the
effect on its own task less the mean size of the others, ranked among matched controls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.pairs import Pairs
from neurosteer.report.numbers import p_equals
from neurosteer.results import Estimate
from neurosteer.results.effect import EqualDisturbance
from neurosteer.results.evidence import Answer, Beside, Elsewhere, NeutralText
from neurosteer.studies.bootstrap import groups_in
from neurosteer.studies.effects.equal import described, equal_scales, smaller_or_median
from neurosteer.studies.margins import clean_preference
from neurosteer.vocabulary import counted

from .numbers import holds, mean_over_tasks, one_sided_p, too_few
from .others import meaning_tasks, other_tasks, unseen
from .wording import capitalised
from .work import AnswerParts, AskedSet

FEWEST_TASKS = 3  # with a clean preference, for an interval over tasks


@dataclass(frozen=True, eq=False)
class MeasuredElsewhere:
    """What the set and its controls do to their own task, and to the others."""

    own: Float[np.ndarray, "set"]
    rows: tuple[Elsewhere, ...]

    @property
    def counted(self) -> list[Elsewhere]:
        """The tasks with a clean preference."""
        return [row for row in self.rows if row.effect is not None]

    def sizes(self) -> Float[np.ndarray, "set task"]:
        """The size of the effect of each set on each task that counts."""
        columns = [[row.effect, *row.controls] for row in self.counted]
        return np.abs(np.array(columns, dtype=float).T).reshape(len(self.own), len(columns))

    def statistics(self) -> list[float]:
        """Of the set, then of each control."""
        return [float(one) for one in self.own - self.sizes().mean(axis=1)]

    def value(self) -> Estimate:
        """The statistic of the set, with its interval over tasks."""
        return mean_over_tasks([float(self.own[0] - size) for size in self.sizes()[0]])


def isolated(work: AskedSet) -> AnswerParts:
    """The effect on the own task less that on others, among matched controls."""
    if why := work.no_preference():
        return work.cannot_tell("isolated", why)
    pairs = _others(work)
    edits = [work.ablation(one) for one in work.sets]
    found = measure(work, pairs, edits)
    kls, tokens = work.passes.divergence(edits, work.neutral)
    neutral = NeutralText(kl=kls[0], controls=tuple(kls[1:]), text=work.neutral_name, tokens=tokens)
    if len(found.counted) < FEWEST_TASKS:
        why = f"only {counted(len(found.counted), 'other task')} with a clean preference, {FEWEST_TASKS} are wanted"
        part = work.cannot_tell("isolated", why)
        return AnswerParts(answer=part.answer, elsewhere=found.rows, neutral=neutral)
    few = too_few(len(work.test), work.n_groups, work.controls)
    equal, beside = _at_equal_kl(work, pairs, edits, kls)
    return AnswerParts(
        answer=_answer(work, found, neutral, few, beside), elsewhere=found.rows, neutral=neutral, equal=equal
    )


def measure(work: AskedSet, pairs: Sequence[tuple[str, Pairs]], edits: Sequence[Edit]) -> MeasuredElsewhere:
    """The effects of each edit on the test pairs and on other tasks."""
    own = _effects(work.clean, work.passes.edited(work.test, edits))
    return MeasuredElsewhere(own, tuple(_row(work, kind, one, edits) for kind, one in pairs))


def _others(work: AskedSet) -> list[tuple[str, Pairs]]:
    """Pairs about grammar and about meaning that the finding of the set has not seen."""
    progress, seen = work.passes.progress, set(work.neurons.metadata.get("seen", ()))
    grammar, meaning = work.others, work.meaning
    if grammar is None:
        grammar = other_tasks(work.pairs, work.other_pairs, work.seed, offline=work.offline, progress=progress)
    if meaning is None:
        meaning = meaning_tasks(work.other_pairs, work.seed, progress=progress)
    rows = [("grammar", one) for one in grammar] + [("meaning", one) for one in meaning]
    kept = [(kind, unseen(one, seen, work.other_pairs)) for kind, one in rows]
    return [(kind, one) for kind, one in kept if len(one)]


def _effects(clean: Float[np.ndarray, "pair"], after: Float[np.ndarray, "set pair"]) -> Float[np.ndarray, "set"]:
    """The fall of the mean margin under each edit, over the standard deviation of the clean margins."""
    return np.asarray((clean.mean() - after.mean(axis=1)) / clean.std(ddof=1))


def _row(work: AskedSet, kind: str, pairs: Pairs, edits: Sequence[Edit]) -> Elsewhere:
    clean = work.passes.clean(pairs)
    preferred = clean_preference(clean, groups_in(pairs), work.seed).clean
    effects = _effects(clean, work.passes.edited(pairs, edits)).tolist() if preferred else []
    return Elsewhere(
        task=pairs.task,
        kind="meaning" if kind == "meaning" else "grammar",
        source=pairs.source,
        pairs=len(pairs),
        margin=float(clean.mean()),
        sd=float(clean.std(ddof=1)) if len(clean) > 1 else 0.0,
        effect=effects[0] if preferred else None,
        controls=tuple(effects[1:]),
    )


def _at_equal_kl(
    work: AskedSet, pairs: Sequence[tuple[str, Pairs]], edits: Sequence[Edit], kls: Sequence[float]
) -> tuple[EqualDisturbance | None, list[Beside]]:
    """The same where each set disturbs neutral text as much; nothing where that was not asked."""
    if work.kl is None and not work.auto_kl:
        return None, []
    target = work.kl if work.kl is not None else smaller_or_median(kls)
    scaled = equal_scales(lambda some: work.passes.divergence(some, work.neutral)[0], edits, target, known=kls)
    found = measure(work, pairs, [edit.scaled(one.scale) for edit, one in zip(edits, scaled, strict=True)])
    own, *controls = found.statistics()
    value = found.value()
    p = one_sided_p(own, controls) if controls else None
    what = f"the same where every set disturbs neutral text by KL {target:.3g}"
    return described(target, scaled), [Beside(what=what, value=own, low=value.low, high=value.high, p=p)]


def _answer(
    work: AskedSet, found: MeasuredElsewhere, neutral: NeutralText, why: str, more: Sequence[Beside]
) -> Answer:
    value = found.value()
    own, *controls = found.statistics()
    p = one_sided_p(own, controls) if controls else None
    verdict = None if why or p is None else holds(p, value.low, 0.0)
    elsewhere = float(found.sizes()[0].mean())
    left_out = len(found.rows) - len(found.counted)
    spread = f"; {len(controls)} {work.compared}: {min(controls):+.2f} to {max(controls):+.2f}" if controls else ""
    said = (
        f"{capitalised(work.called)} lowers its own margin by {found.own[0]:+.2f} standard deviations and moves "
        f"{counted(len(found.counted), 'other task')} by {elsewhere:.2f} on average, a difference of {own:+.2f}"
        f"{spread}{'' if p is None else f', {p_equals(p)}'}"
    )
    without = f" ({counted(left_out, 'task')} without a clean preference left out)" if left_out else ""
    return Answer(
        question="isolated",
        value=own,
        low=value.low,
        high=value.high,
        p=p,
        holds=verdict,
        why=why,
        sentence=f"{said}{without}.",
        measures="effect on the own task less that on others, in standard deviations",
        n=len(controls),
        controls=tuple(controls),
        overlap=work.overlap,
        tested=len(work.test),
        beside=(
            Beside(what="effect on the own task", value=float(found.own[0])),
            *(_mean_size(found, kind) for kind in _KINDS),
            Beside(what=f"KL of {work.called}, nats per token of neutral text", value=neutral.kl),
            Beside(
                what="KL of the controls, mean", value=float(np.mean(neutral.controls)) if neutral.controls else None
            ),
            *more,
        ),
    )


def _mean_size(found: MeasuredElsewhere, kind: str) -> Beside:
    sizes = [abs(row.effect or 0.0) for row in found.counted if row.kind == kind]
    what = f"mean size of the effect on {counted(len(sizes), 'task')} {_KINDS[kind]}"
    return Beside(what=what, value=float(np.mean(sizes)) if sizes else None)


_KINDS = {"grammar": "of other phenomena", "meaning": "about meaning"}
