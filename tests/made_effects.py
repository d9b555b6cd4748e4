"""Effects made by hand: tables, figures and readings are tested with given numbers, without any model.

That such effects could be real is tested in `test_real_results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from neurosteer.results.effect import (
    Accuracy,
    AppliedEdit,
    Change,
    Controls,
    Detectable,
    Dose,
    EditedNeuron,
    EffectResult,
    Flipped,
    KindOfEdit,
    Margin,
    OtherTask,
    SideEffects,
    TextControls,
    WithoutMassive,
)
from neurosteer.results.pairs_used import MeasuredPairs, SplitSizes

R = TypeVar("R")


def altered(result: R, **changes: Any) -> R:
    """The same result with other fields; `controls__p=0.1` stands for a field of a field."""
    inner: dict[str, dict[str, Any]] = {}
    for name in [name for name in changes if "__" in name]:
        field, _, rest = name.partition("__")
        inner.setdefault(field, {})[rest] = changes.pop(name)
    fields: Mapping[str, Any] = {field: altered(getattr(result, field), **new) for field, new in inner.items()}
    made: R = replace(result, **changes, **fields)  # type: ignore[type-var]
    return made


SPLIT = SplitSizes(kind="pair", seed=0, train=600, validation=200, test=200, dropped=0)
EDIT = AppliedEdit(kind="zero", scale=0.0, where="all", site="resid_post", layers=(14,), k=40)


def make_controls(mean: float = -0.2, spread: float = 0.65, n: int = 19, p: float = 0.05) -> TextControls:
    """What the control sets of one edit do: their changes lie evenly about the mean, in nats."""
    deltas = [round(mean + spread * (2 * place / (n - 1) - 1), 4) for place in range(n)]
    return TextControls(
        n=n,
        accuracy=0.78,
        delta_mean=mean,
        delta_low=deltas[0],
        delta_high=deltas[-1],
        p=p,
        verdict="too few to tell" if n < 19 else "stands out" if p <= 0.05 else "does not stand out",
        direction="more" if n >= 19 and p <= 0.05 else None,
        detectable=Detectable(nats=0.94, share=0.26) if n >= 19 else Detectable(nats=None, share=None),
        unmatched=0.07,
        overlap=0.09,
        deltas=(*deltas[1::2], *deltas[::2]),
        kl=0.031,
        kls=(0.031,) * n,
    )


def without_kl(controls: TextControls) -> Controls:
    """As those of doses, kinds and other tasks are."""
    found = {name: value for name, value in vars(controls).items() if name not in ("kl", "kls")}
    return Controls(**found)


def make_change(delta: float, controls: Controls | None, *, kl: float = 0.12) -> Change:
    """What doses, kinds and the edit without massive units have in common."""
    about = {"accuracy": round(0.8 + 0.09 * delta, 4), "delta": delta, "low": delta - 0.24, "high": delta + 0.25}
    return Change(**about, kl=kl, controls=controls)


def make_doses(*scales: float, controls: bool = True) -> tuple[Dose, ...]:
    """One row per scale; the change grows with the distance from 1, where nothing is edited."""
    rows = []
    for scale in scales:
        far = scale - 1
        others = without_kl(make_controls(0.2 * far, 0.5 * abs(far), p=0.05 if abs(far) > 0.6 else 0.25))
        row = make_change(round(min(0.9 * far, 1.5), 3), others, kl=round(0.1 * far**2, 4))
        if not far:
            row = Change(accuracy=0.8, delta=0.0, low=0.0, high=0.0, kl=0.0, controls=others)
        rows.append(Dose(scale=scale, **vars(replace(row, controls=others if controls else None))))
    return tuple(rows)


def make_effect(method: str | None = "welch", *, controls: bool = True, **changes: Any) -> EffectResult:
    """Of an ablation: one dose and one kind, no massive units, no other tasks, unless `changes` say so."""
    effect = EffectResult(
        task="intransitive",
        phenomenon="argument_structure",
        method=method,
        data=MeasuredPairs(source="./blimp", pairs=1000, digest="d1", split=SPLIT, tested=200),
        edit=EDIT,
        neurons=(EditedNeuron(layer=14, unit=3, score=4.2, massive=False),),
        neurons_from="runs/find-intransitive-smollm2-135m-e6b85c03",
        groups=200,
        accuracy=Accuracy(before=0.8, after=0.72),
        margin=Margin(
            before=3.62,
            before_low=3.1,
            before_high=4.14,
            after=2.76,
            delta=-0.86,
            low=-1.1,
            high=-0.61,
            p=0.0001,
        ),
        flipped=Flipped(lost=20, gained=4),
        nothing_to_lose=False,
        verdict="stands out" if controls else None,
        controls=make_controls() if controls else None,
        without_massive=None,
        side_effects=SideEffects(
            kl=0.124, perplexity_before=21.3, perplexity_after=24.06, tokens=512, text="built-in"
        ),
        by_scale=(),
        kinds=(),
        kinds_agree=None,
        also=(),
        notices=(),
        reading="Without these 40 neurons the mean margin falls by .86 nats.",
    )
    return altered(effect, **changes)


def other_task(task: str, **changes: Any) -> OtherTask:
    """Another task, on which the edit does what `make_effect` says."""
    own = make_effect()
    assert own.controls is not None
    row = OtherTask(
        task=task,
        pairs=200,
        groups=own.groups,
        accuracy=own.accuracy,
        margin=own.margin,
        flipped=own.flipped,
        controls=without_kl(own.controls),
        nothing_to_lose=own.nothing_to_lose,
        verdict=own.verdict,
    )
    return altered(row, **changes)


def make_full_effect() -> EffectResult:
    """An effect with every part that there can be."""
    found = (
        ("zero", make_change(-0.86, without_kl(make_controls()))),
        ("mean", make_change(-0.41, without_kl(make_controls(-0.1, 0.3)), kl=0.08)),
        ("resample", make_change(0.12, without_kl(make_controls(-0.3, 0.55, p=0.35)), kl=0.21)),
    )
    light = make_change(-0.5, make_controls(-0.15, 0.4, p=0.1), kl=0.05)
    return make_effect(
        without_massive=WithoutMassive(k=38, **vars(light)),
        by_scale=make_doses(0.0, 0.5, 2.0, 4.0),
        kinds=tuple(KindOfEdit(kind=kind, **vars(change)) for kind, change in found),  # type: ignore[arg-type]
        kinds_agree=False,
        also=(other_task("transitive"), other_task("coordinate_structure_constraint_complex_left_branch")),
    )


def make_three() -> list[EffectResult]:
    """The same task by three methods: one that the controls equal, one beyond them, one far beyond them."""
    welch = make_effect("welch", margin__after=3.54, margin__delta=-0.08, margin__low=-0.21, margin__high=0.05)
    l0 = make_effect("l0", margin__after=3.11, margin__delta=-0.51, margin__low=-0.78, margin__high=-0.26)
    used = make_effect("attribution", margin__after=0.4, margin__delta=-3.22, margin__low=-3.61, margin__high=-2.85)
    return [
        altered(welch, margin__p=0.23, controls=make_controls(-0.11, 0.32, p=0.85)),
        altered(l0, controls=make_controls(-0.16, 0.4, p=0.1)),
        altered(used, controls=make_controls(-0.25, 0.58), side_effects__kl=0.61, edit__layers=(17,)),
    ]
