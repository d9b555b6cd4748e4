"""`measure_effect`: what an edit does to the preference for grammatical sentences, against matched controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import check_edit, refuse_unscored
from neurosteer.model import Model, active_edits
from neurosteer.neurons import check_count, matched_controls, without_massive
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.progress import AUTO, Progress, Remembering
from neurosteer.report import effect_html, effect_table, rows_csv, to_json
from neurosteer.store import digest_of
from neurosteer.vocabulary import FEWEST_PAIRS, REFERENCES, STANDS_OUT, TOO_FEW_TO_TELL, Reference, counted_pairs

from .cases import Bench, Case, Disturbance, Measured, other_kind
from .neutral import passages, read_neutral
from .numbers import Preference, accuracy, sign_flip
from .reading import effect_reading
from .verdict import overall


@dataclass(frozen=True, eq=False)
class Effect:
    """The result of `measure_effect`: `entry` is its JSON; margins are per pair, in nats.

    The headline is `entry["controls"]["p"]`: how unusual the change is among those of matched neuron sets.
    """

    entry: dict[str, Any]
    edit: Edit
    pairs: Pairs  # that it was measured on
    before: np.ndarray
    after: np.ndarray
    controls: np.ndarray  # [control, pair]

    def figure(self) -> Any:
        """The change beside those of the controls, as a matplotlib figure."""
        from neurosteer.report import effect_figure

        return effect_figure([self.entry])

    def doses(self) -> Any:
        """The dose-response curve as a matplotlib figure. Raises `InputError` for an effect at a single scale."""
        from neurosteer.report import dose_figure

        if len(self.entry["doses"]) < 2:
            raise InputError("one scale is no curve: measure several with scales=")
        return dose_figure(self.entry)

    def to_json(self) -> str:
        return to_json(self.entry)

    def to_csv(self) -> str:
        """One row per pair: its id, its margin before and after, and the mean of the controls."""
        others = self.controls.mean(axis=0) if len(self.controls) else [None] * len(self.pairs)
        rows = zip((pair.id for pair in self.pairs), self.before, self.after, others, strict=True)
        names = ("pair", "margin_before", "margin_after", "margin_controls")
        return rows_csv([dict(zip(names, row, strict=True)) for row in rows])

    def __repr__(self) -> str:
        margin, tested = self.entry["margin"], self.entry["data"]["tested"]
        return f"Effect({self.entry['task']}, {tested} pairs, margin {margin['delta']:+.2f} nats, {self.edit!r})"

    def __rich__(self) -> Any:
        return effect_table(self.entry)

    def _repr_html_(self) -> str:
        return effect_html([self.entry])


def measure_effect(
    model: Model,
    pairs: Pairs,
    edit: Edit,
    *,
    controls: int = 19,
    scales: Sequence[float] = (),
    kinds: Sequence[Reference] = (),
    donors: Pairs | None = None,
    also: Sequence[Pairs] = (),
    neutral: str | Path | None = None,
    seed: int = 0,
    progress: Progress = AUTO,
) -> Effect:
    """Margins of `pairs` before and under an edit, beside those under the same edit of `controls` matched neuron
    sets.

    `scales` adds a dose-response curve, `kinds` (`zero`, `mean`, `resample` from the sentences of `donors`) other
    references; `also` other tasks, which a specific effect leaves alone. Side effects are measured on `neutral`
    text (a file; a small one is built in). Raises `InputError` for pairs that the finding of the neurons has seen,
    an edit that scores cannot show, an empty neuron set, neurons of another model, the task itself among `also`,
    and more than 100,000 controls.
    """
    check_edit(model, edit)
    if active_edits(model):
        raise InputError("the model is being steered: measure outside of the `with` block, from the unedited model")
    _refuse(edit, pairs, also, controls)
    name, text = read_neutral(None if neutral is None else Path(neutral))
    given = () if donors is None else tuple(s for pair in donors for s in (pair.good, pair.bad))
    plan = _plan(edit, controls, scales, kinds, given, seed)
    told = Remembering(progress)
    bench = Bench(model, plan.cases, told)
    measured = bench.margins(pairs)
    disturbed = bench.disturbance(passages(model, text))
    elsewhere = [(other, bench.margins(other, only_first=True)) for other in also]
    entry = _entry(pairs, plan, measured, disturbed, elsewhere, seed)
    entry["side_effects"] |= {"text": name, "digest": digest_of(text)}
    entry["notices"] += [*_few(entry), *told.caveats]
    entry["reading"] = effect_reading(entry)
    after = measured.after[0]
    return Effect(entry, edit, pairs, measured.before, after[0], after[1:])


@dataclass(frozen=True, eq=False)
class _Plan:
    """The cases, and which of them is what; the first is the edit itself."""

    cases: list[Case]
    doses: Mapping[float, int]
    kinds: Mapping[str, int]
    light: int | None  # without massive units
    notices: Sequence[str] = ()


def _refuse(edit: Edit, task: Pairs, also: Sequence[Pairs], controls: int) -> None:
    refuse_unscored(edit.where)
    if len(edit.neurons) == 0:
        raise InputError("no neurons to edit: the set is empty")
    check_count(controls)
    if controls and edit.kind == "push":
        raise InputError("a push moves a whole layer along a direction; there are no matched controls: controls=0")
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


def _few(entry: Mapping[str, Any]) -> list[str]:
    """A notice for each task whose pairs are of too few groups for its interval."""
    tasks = [(entry["task"], entry["data"]["tested"], entry["groups"])]
    tasks += [(row["task"], row["pairs"], row["groups"]) for row in entry["also"]]
    return [
        f"{task}: {counted_pairs(pairs, groups)} are few: below {FEWEST_PAIRS} the 95 % interval is too narrow "
        "(at 40 it holds the truth in 88 % of cases)"
        for task, pairs, groups in tasks
        if groups < FEWEST_PAIRS
    ]


def _plan(
    edit: Edit, controls: int, scales: Sequence[float], kinds: Sequence[Reference], donors: Sequence[str], seed: int
) -> _Plan:
    sets = matched_controls(edit.neurons, controls, seed, reach=edit.reach)
    cases, doses = [Case(edit, sets)], {edit.scale: 0}
    wanted: dict[str, int] = {edit.kind: 0}
    for scale in scales:
        if scale not in doses:
            doses[scale] = len(cases)
            cases.append(Case(edit.scaled(scale), sets))
    for kind in kinds:
        if kind not in wanted:
            wanted[kind] = len(cases)
            cases.append(Case(other_kind(edit, kind, donors), sets))
    light, place, notices = without_massive(edit.neurons, reach=edit.reach), None, []
    if edit.kind in (*REFERENCES, "clamp") and 0 < len(light) < len(edit.neurons):
        place = len(cases)
        cases.append(Case(edit.on(light), matched_controls(light, controls, seed, reach=edit.reach)))
    elif not len(light):
        notices = ["all of these neurons are massive: there is nothing to measure without such"]
    order = dict(sorted(doses.items())) if len(doses) > 1 else {}
    return _Plan(cases, order, wanted if len(wanted) > 1 else {}, place, notices)


def _entry(
    pairs: Pairs,
    plan: _Plan,
    measured: Measured,
    disturbed: Sequence[Disturbance],
    elsewhere: Sequence[tuple[Pairs, Measured]],
    seed: int,
) -> dict[str, Any]:
    edit, clean = plan.cases[0].edit, measured.clean(seed)

    def row(index: int) -> dict[str, Any]:
        found = measured.numbers(index, plan.cases[index], seed, nothing_to_lose=clean.nothing_to_lose)
        return {**found, "kl": disturbed[index].kl[0]}

    head = row(0)
    if head["controls"]:
        head["controls"] |= {"kl": float(np.mean(disturbed[0].kl[1:])), "kls": disturbed[0].kl[1:]}
    kinds = [{"kind": kind, **row(index)} for kind, index in plan.kinds.items()]
    light = None if plan.light is None else {"k": len(plan.cases[plan.light].edit.neurons), **row(plan.light)}
    return {
        "task": pairs.task,
        "phenomenon": pairs.phenomenon,
        "data": {"source": pairs.source, "pairs": len(pairs), "digest": pairs.digest, "tested": len(pairs)},
        "method": edit.neurons.metadata.get("method"),
        "edit": edit.describe(),
        "neurons": _neurons(edit),
        **_effect(measured, head, clean, seed),
        "without_massive": light,
        "side_effects": {
            "kl": disturbed[0].kl[0],
            "perplexity_before": disturbed[0].perplexity,
            "perplexity_after": disturbed[0].perplexities[0],
            "tokens": disturbed[0].tokens,
        },
        "doses": [{"scale": scale, **row(index)} for scale, index in plan.doses.items()],
        "kinds": kinds,
        "kinds_agree": _agree(kinds) if clean.clean else None,
        "also": [_elsewhere(other, found, plan.cases[0], seed) for other, found in elsewhere],
        "notices": list(plan.notices),
    }


def _effect(measured: Measured, numbers: Mapping[str, Any], clean: Preference, seed: int) -> dict[str, Any]:
    """The keys that the task itself and every other task share."""
    before, after = measured.before, measured.after[0][0]
    margin = {name: numbers[name] for name in ("delta", "low", "high")}
    return {
        "groups": clean.groups,
        "accuracy": {"before": accuracy(before), "after": accuracy(after)},
        "margin": {
            "before": clean.margin,
            "before_low": clean.low,
            "before_high": clean.high,
            "after": float(after.mean()),
            **margin,
            "p": sign_flip(after - before, seed, measured.groups),
        },
        "flipped": {
            "lost": int(((before > 0) & (after <= 0)).sum()),
            "gained": int(((before <= 0) & (after > 0)).sum()),
        },
        "controls": numbers["controls"],
        "nothing_to_lose": clean.nothing_to_lose,
        "verdict": overall(numbers["controls"], nothing_to_lose=clean.nothing_to_lose),
    }


def _elsewhere(pairs: Pairs, measured: Measured, case: Case, seed: int) -> dict[str, Any]:
    clean = measured.clean(seed)
    numbers = measured.numbers(0, case, seed, nothing_to_lose=clean.nothing_to_lose)
    return {"task": pairs.task, "pairs": len(pairs), **_effect(measured, numbers, clean, seed)}


def _agree(kinds: Sequence[Mapping[str, Any]]) -> bool | None:
    """Whether the set stands out under every reference, on one side of its controls, as moving more or as less.

    None where there is but one, where the set stands out under none, and where too few controls tell: then the
    changes may still differ in direction, which is False.
    """
    if not kinds:
        return None
    verdicts = {kind["controls"]["verdict"] if kind["controls"] else TOO_FEW_TO_TELL for kind in kinds}
    if TOO_FEW_TO_TELL in verdicts:
        return None if len({kind["delta"] > 0 for kind in kinds}) == 1 else False
    if STANDS_OUT not in verdicts:
        return None
    sides = {(kind["controls"]["direction"], kind["delta"] > kind["controls"]["delta_mean"]) for kind in kinds}
    return verdicts == {STANDS_OUT} and len(sides) == 1


def _neurons(edit: Edit) -> list[dict[str, Any]]:
    """Best first, massive ones flagged."""
    light = set(without_massive(edit.neurons, reach=edit.reach))
    rows = [
        {"layer": layer, "unit": unit, "score": round(score, 6), "massive": (layer, unit) not in light}
        for (layer, unit), score in zip(edit.neurons, edit.neurons.scores.tolist(), strict=True)
    ]
    return sorted(rows, key=lambda row: -row["score"])


def with_origin(effect: Effect, **about: Any) -> Effect:
    """The same effect, its entry saying more about where pairs and neurons came from."""
    return replace(effect, entry={**effect.entry, **about})
