"""What is measured of an edit, each with controls: itself, other doses and kinds, the set without massive units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import Text
from neurosteer.model import Model
from neurosteer.neurons import matched_controls, without_massive
from neurosteer.progress import Progress
from neurosteer.results.effect import EqualDisturbance
from neurosteer.vocabulary import NOUNS, REFERENCES, EditKind, Reference

from .cases import Case, other_kind
from .direction_controls import DirectionControls
from .equal import equal_case


@dataclass(frozen=True, eq=False)
class EffectPlan:
    """The cases, and which of them is what; the first is the edit itself."""

    cases: list[Case]
    doses: Mapping[float, int]
    kinds: Mapping[EditKind, int]
    light: int | None  # without massive units
    notices: Sequence[str] = ()
    exchanged: int | None = None  # a direction beside those of exchanged labels


def plan_cases(
    edit: Edit, controls: int, scales: Sequence[float], kinds: Sequence[Reference], donors: Sequence[str], seed: int
) -> EffectPlan:
    sets = matched_controls(edit.neurons, controls, seed, reach=edit.reach)
    cases, doses = [Case(edit, sets)], {edit.scale: 0}
    wanted: dict[EditKind, int] = {edit.kind: 0}
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
        notices = [f"all of these {NOUNS[edit.neurons.by]}s are massive: there is nothing to measure without such"]
    order = dict(sorted(doses.items())) if len(doses) > 1 else {}
    return EffectPlan(cases, order, wanted if len(wanted) > 1 else {}, place, notices)


def plan_direction(edit: Edit, controls: DirectionControls, scales: Sequence[float]) -> EffectPlan:
    """The same along a direction, beside random ones, and beside those of exchanged labels."""
    cases, doses = [Case(edit, controls.random)], {edit.scale: 0}
    for scale in scales:
        if scale not in doses:
            doses[scale] = len(cases)
            cases.append(Case(edit.scaled(scale), controls.random))
    place = None
    if controls.exchanged:
        place = len(cases)
        cases.append(Case(edit, controls.exchanged))
    return EffectPlan(cases, dict(sorted(doses.items())) if len(doses) > 1 else {}, {}, None, exchanged=place)


def at_equal_kl(
    model: Model, plan: EffectPlan, kl: float | Literal["auto"], groups: Sequence[Sequence[Text]], progress: Progress
) -> tuple[EffectPlan, EqualDisturbance]:
    """The same cases, each set at the scale where it disturbs neutral text as much; and what that is of the first.

    Raises `InputError` where several scales were asked for.
    """
    if plan.doses:
        raise InputError("kl finds the scale of each set: give one scale, beyond which none is moved, or none at all")
    cases, first = [], None
    for case in plan.cases:
        found = equal_case(model, case, kl, groups, progress)
        first = first or found[1]
        cases.append(found[0])
    assert first is not None
    return replace(plan, cases=cases), first
