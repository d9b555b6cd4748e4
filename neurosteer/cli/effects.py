"""`neurosteer ablate` and `neurosteer amplify`: what the neurons do, against matched controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from neurosteer.errors import InputError
from neurosteer.progress import duration
from neurosteer.vocabulary import (
    DIRECTION_KINDS,
    FIXED_REFERENCES,
    REFERENCES,
    FixedReference,
    Json,
    Reference,
    counted,
)

from . import options, parse
from .earlier_run import Again, made_again, say_foot
from .measurement import MeasurementOptions, edit_option
from .neurons import NeuronsFrom, Seed
from .option_groups import with_groups
from .origin import model_of, origin_of, tell_origin
from .progress import TerminalProgress
from .screen import show

if TYPE_CHECKING:
    from neurosteer.edits import Edit
    from neurosteer.model import Model
    from neurosteer.neurons import Direction, NeuronSet
    from neurosteer.pairs import Pairs
    from neurosteer.studies import Effect, Expected, Origin, RunRequest
    from neurosteer.studies.earlier_runs import Described

MakeEdit = Callable[["NeuronSet | Direction", "Pairs", int], "Edit"]  # what is edited, train pairs, seed


@dataclass(frozen=True)
class _Request:
    """What `ablate` or `amplify` was asked to do."""

    command: Literal["ablate", "amplify"]
    neurons: NeuronsFrom
    seed: int | None
    edit: MakeEdit
    kinds: tuple[Reference, ...]  # to compare
    scales: tuple[float, ...]
    measurement: MeasurementOptions
    model: options.ModelOfFind
    output: options.PageOutput
    record: dict[str, Json]  # as the run keeps it, as JSON

    def expected(self, model: Described) -> Expected | None:
        """What is known of it before the model is loaded."""
        from neurosteer.studies import expected_of

        return expected_of(
            model,
            self.neurons.wanted(self.seed, self.output.offline),
            out=self.output.out,
            given=self.neurons.direction if isinstance(self.neurons.direction, Path) else self.neurons.given,
            also=self.measurement.also or (),
            neutral=self.measurement.neutral,
        )

    def question(self, expected: Expected, model: options.ModelFrom) -> RunRequest:
        """By which its answer is found again."""
        from neurosteer.studies import RunRequest

        options = {**self.record, **model.record(), "from": expected.where}
        return RunRequest(command=self.command, out=self.output.out, options=options, made_from=expected.made_from)

    def plan(self, expected: Expected, model: Described) -> str:
        """What there is to do, in one line."""
        from neurosteer.studies.costs import edited_seconds

        sets, cases = len(self.neurons.methods or ("the find's",)), len(self.scales) + len(self.kinds[1:])
        compared = self.measurement.controls
        exchanged = compared if self.neurons.direction in DIRECTION_KINDS else 0
        edits, test = sets * cases * (1 + compared) + bool(exchanged) + exchanged, expected.test()
        own = model.describe()
        seconds = edited_seconds(test, edits, n_layers=own.n_layers, d_model=own.d_model)
        what = f"{len(test)} test pairs of {test.task}, unedited and under {counted(edits, 'edit')}"
        time = f"about {duration(seconds)} on 2 CPU cores, more where sets hold massive units"
        return f"plan: from {expected.where}, {what}; {time}"


@with_groups
def ablate(
    name: options.Name = None,
    *,
    neurons: NeuronsFrom,
    seed: Seed = None,
    to: Annotated[
        list[str] | None,
        edit_option(
            **parse.words(REFERENCES),
            help="What replaces them: zero, their mean over tokens, or a train sentence's. Repeats, to compare.",
            show_default="zero",
        ),
    ] = None,
    measurement: MeasurementOptions,
    model: options.ModelOfFind,
    output: options.PageOutput,
    progress: TerminalProgress,
) -> None:
    """Ablate the neurons of the newest find, and measure what the model loses.

    neurosteer ablate --topk 40
    """
    kinds, scales = parse.each_once(to or ["zero"], REFERENCES), measurement.scales(0.0)

    def edit(chosen: NeuronSet | Direction, train: Pairs, draw: int) -> Edit:
        from neurosteer.edits import Edit
        from neurosteer.neurons import Direction

        if isinstance(chosen, Direction):
            return Edit.project_out(chosen, _fixed(kinds[0]), scale=scales[0], where=measurement.where)
        donors = () if kinds[0] in FIXED_REFERENCES else train
        whole = Edit.ablate(chosen, kinds[0], where=measurement.where, reach=neurons.reach, donors=donors, seed=draw)
        return whole.scaled(scales[0])

    neurons = neurons.of(name)
    if neurons.direction is not None and len(kinds) > 1:
        raise InputError(f"--to {kinds[1]} with --direction: a direction is projected out to one reference; name one")
    record = {**neurons.record(seed), **measurement.record(0.0), "kinds": kinds}
    request = _Request("ablate", neurons, seed, edit, kinds, scales, measurement, model, output, record)
    _measure(request, progress)


@with_groups
def amplify(
    name: options.Name = None,
    *,
    neurons: NeuronsFrom,
    seed: Seed = None,
    to: Annotated[FixedReference, edit_option(help="The reference that is scaled away from.")] = "zero",
    measurement: MeasurementOptions,
    model: options.ModelOfFind,
    output: options.PageOutput,
    progress: TerminalProgress,
) -> None:
    """Amplify the neurons of the newest find, and measure what the model gains.

    neurosteer amplify --topk 40 --scale 2
    """
    scales = measurement.scales(2.0)

    def edit(chosen: NeuronSet | Direction, train: Pairs, draw: int) -> Edit:
        from neurosteer.edits import Edit
        from neurosteer.neurons import Direction

        if isinstance(chosen, Direction):
            return Edit.project_out(chosen, to, scale=scales[0], where=measurement.where)
        return Edit.amplify(chosen, scales[0], to=to, where=measurement.where, reach=neurons.reach)

    neurons = neurons.of(name)
    record = {**neurons.record(seed), **measurement.record(2.0), "about": to}
    request = _Request("amplify", neurons, seed, edit, (), scales, measurement, model, output, record)
    _measure(request, progress)


def _fixed(reference: Reference) -> FixedReference:
    """The reference, of a direction. Raises `InputError` for one that is not the same at every token."""
    for fixed in FIXED_REFERENCES:
        if fixed == reference:
            return fixed
    raise InputError(f"--to {reference} is for neurons; a direction is projected out to zero or to its mean")


def _measure(asked: _Request, progress: TerminalProgress) -> None:
    from neurosteer.report import compare_table, to_json

    output = asked.output
    model_from = model_of(asked.neurons, asked.model, output.out, seed=asked.seed, progress=progress)
    known = model_from.known(offline=output.offline)
    expected = None if known is None else asked.expected(known)
    planned = known is not None and expected is not None
    if known is not None and expected is not None:
        again = made_again(asked.question(expected, model_from), known)
        if again is not None:
            _show_again(again, output, progress)
            return
        progress.notice(asked.plan(expected, known))
    from neurosteer.studies import remember_run, save_effects

    model = model_from.load(offline=output.offline, progress=progress)
    origin = origin_of(
        asked.neurons,
        model,
        output.out,
        seed=asked.seed,
        pairs=True,
        offline=output.offline,
        planned=planned,
        progress=progress,
    )
    record = {**asked.record, **model_from.record(), "from": origin.where}
    effects: list[Effect] = []
    try:
        _measure_all(model, origin, asked, effects, progress)
    except BaseException:  # what is finished is kept, whatever stops the rest
        if effects:
            kept, _ = save_effects(
                model, effects, command=asked.command, out=output.out, options=record, progress=progress
            )
            progress.notice(f"stopped early: {len(effects)} of {len(origin.sets)} neuron sets are kept in {kept}")
        raise
    run, result = save_effects(
        model, effects, command=asked.command, out=output.out, options=record, progress=progress
    )
    expected = expected or asked.expected(model)
    if expected is not None:
        remember_run(asked.question(expected, model_from), model, run)
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
    elif len(effects) > 1:
        show(compare_table(effects))
    say_foot(model, run, output)


def _show_again(again: Again, output: options.PageOutput, progress: TerminalProgress) -> None:
    """What was measured before, with its notices."""
    from neurosteer.report import compare_table, effect_table, to_json
    from neurosteer.results import read_record
    from neurosteer.results.effect import EffectResult

    effects = [read_record(EffectResult, entry) for entry in again.result["results"]]
    sizes = {effect.method or "given": (effect.edit.k, effect.edit.by) for effect in effects}
    tell_origin(effects[0].task, again.result["options"]["from"], sizes, progress)
    for notice in (notice for effect in effects for notice in effect.notices):
        progress.notice(notice)
    if output.as_json:
        print(to_json(again.result), end="")
    else:
        for effect in effects:
            show(effect_table(effect))
        if len(effects) > 1:
            show(compare_table(effects))
    say_foot(again.model, again.run, output)


def _measure_all(
    model: Model, origin: Origin, asked: _Request, effects: list[Effect], progress: TerminalProgress
) -> None:
    """Adds the effect of each neuron set."""
    from neurosteer.pairs import load_others
    from neurosteer.report import effect_table
    from neurosteer.studies import measure_effect, with_origin

    assert origin.test is not None
    assert origin.train is not None
    assert origin.pairs is not None
    assert origin.data is not None
    assert origin.data.split is not None
    seed = origin.data.split.seed if asked.seed is None else asked.seed
    also = load_others(
        origin.pairs, asked.measurement.also or (), limit=origin.limit, seed=seed, offline=asked.output.offline
    )
    for chosen in origin.sets.values():
        found = measure_effect(
            model,
            origin.test,
            asked.edit(chosen, origin.train, seed),
            controls=asked.measurement.controls,
            scales=asked.scales,
            kinds=() if asked.neurons.direction is not None else asked.kinds,
            neutral=asked.measurement.neutral,
            kl=asked.measurement.kl,
            convention=asked.measurement.convention,
            also=[pairs.split("pair", seed).test for pairs in also],
            donors=origin.train,
            train=origin.train,
            seed=seed,
            progress=progress,
        )
        effect = with_origin(found, data=origin.data, neurons_from=origin.where)
        effects.append(effect)
        for notice in effect.notices:
            progress.notice(notice)
        if not asked.output.as_json:
            progress.clear()
            show(effect_table(effect))
