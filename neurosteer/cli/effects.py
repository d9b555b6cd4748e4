"""`neurosteer ablate` and `neurosteer amplify`: what the neurons do, against matched controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from neurosteer.errors import InputError
from neurosteer.vocabulary import MOST_CONTROLS, REFERENCES, Json, Reference
from neurosteer.vocabulary import Where as WhereName

from . import options, parse
from .neurons import NeuronsFrom, Seed
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import say, show

if TYPE_CHECKING:
    from neurosteer.edits import Edit
    from neurosteer.model import Model
    from neurosteer.neurons import NeuronSet
    from neurosteer.pairs import Pairs
    from neurosteer.studies import Effect, Origin

_edit_option = partial(typer.Option, rich_help_panel="The edit")
_measurement_option = partial(typer.Option, rich_help_panel="The measurement")
MakeEdit = Callable[["NeuronSet", "Pairs", int], "Edit"]  # neurons, train pairs, seed

Scale = Annotated[
    list[float] | None,
    _edit_option(
        metavar="X",
        parser=parse.finite,
        help="What their distance from the reference is multiplied by. Repeats, for a dose-response curve.",
        show_default="0 for ablate, 2 for amplify",
    ),
]
Where = Annotated[
    WhereName,
    _edit_option(
        metavar="all|prompt",
        autocompletion=parse.suggest("all", "prompt"),
        help="At which tokens; all is every token but BOS.",
    ),
]
Controls = Annotated[
    int,
    _measurement_option(
        min=0,
        max=MOST_CONTROLS,
        metavar="N",
        help="Matched control sets: at least 19 for a verdict, 99 for a paper, 0 for none.",
    ),
]
Also = Annotated[
    list[str] | None,
    _measurement_option(
        metavar="TASK",
        parser=parse.some_text,
        autocompletion=options.known_tasks,
        help="Another task that the edit should leave alone. Repeats.",
        show_default=False,
    ),
]
Neutral = Annotated[
    Path | None,
    _measurement_option(
        metavar="FILE",
        parser=parse.file,
        help="Text on which side effects are measured.",
        show_default="a small built-in one",
    ),
]

Kl = Annotated[
    Any,  # a number or "auto"
    _measurement_option(
        metavar="X",
        parser=parse.divergence,
        help="Compare where each set disturbs neutral text as much: by KL X (nats per token), or auto.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Measurement:
    """Where the edit acts and how strongly, and what is measured."""

    scale: Scale = None
    where: Where = "all"
    controls: Controls = 19
    also: Also = None
    neutral: Neutral = None
    kl: Kl = None
    convention: options.Convention = "sum"

    def __post_init__(self) -> None:
        if self.where in ("eos", "generated"):
            raise InputError(
                f"--where {self.where} cannot matter for scores: sentences are given, and EOS is never scored"
            )

    def scales(self, default: float) -> tuple[float, ...]:
        """Each once; the first is the edit's own."""
        return tuple(dict.fromkeys(self.scale or (default,)))

    def record(self, default: float) -> dict[str, Json]:
        """As a run keeps it, as JSON."""
        return {
            "where": self.where,
            "scales": self.scales(default),
            "controls": self.controls,
            "also": tuple(self.also or ()),
            "neutral": None if self.neutral is None else str(self.neutral),
            **({} if self.kl is None else {"kl": self.kl}),
            "convention": self.convention,
        }


@dataclass(frozen=True)
class _Request:
    """What `ablate` or `amplify` was asked to do."""

    command: Literal["ablate", "amplify"]
    neurons: NeuronsFrom
    seed: int | None
    edit: MakeEdit
    kinds: tuple[Reference, ...]  # to compare
    scales: tuple[float, ...]
    measurement: Measurement
    model: options.ModelOfFind
    output: options.Output
    record: dict[str, Json]  # as the run keeps it, as JSON


@with_groups
def ablate(
    name: options.Name = None,
    *,
    neurons: NeuronsFrom,
    seed: Seed = None,
    to: Annotated[
        list[str] | None,
        _edit_option(
            **parse.words(REFERENCES),
            help="What replaces them: zero, their mean over tokens, or a train sentence's. Repeats, to compare.",
            show_default="zero",
        ),
    ] = None,
    measurement: Measurement,
    model: options.ModelOfFind,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    """Ablate the neurons of the newest find, and measure what the model loses.

    neurosteer ablate --topk 40
    """
    kinds, scales = parse.each_once(to or ["zero"], REFERENCES), measurement.scales(0.0)

    def edit(chosen: NeuronSet, train: Pairs, draw: int) -> Edit:
        from neurosteer.edits import Edit

        donors = train if kinds[0] == "resample" else ()
        whole = Edit.ablate(chosen, kinds[0], where=measurement.where, reach=neurons.reach, donors=donors, seed=draw)
        return whole.scaled(scales[0])

    neurons = neurons.of(name)
    record = {**neurons.record(seed), **measurement.record(0.0), "kinds": kinds}
    request = _Request("ablate", neurons, seed, edit, kinds, scales, measurement, model, output, record)
    _measure(request, progress)


@with_groups
def amplify(
    name: options.Name = None,
    *,
    neurons: NeuronsFrom,
    seed: Seed = None,
    to: Annotated[Literal["zero", "mean"], _edit_option(help="The reference that is scaled away from.")] = "zero",
    measurement: Measurement,
    model: options.ModelOfFind,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    """Amplify the neurons of the newest find, and measure what the model gains.

    neurosteer amplify --topk 40 --scale 2
    """
    scales = measurement.scales(2.0)

    def edit(chosen: NeuronSet, train: Pairs, draw: int) -> Edit:
        from neurosteer.edits import Edit

        return Edit.amplify(chosen, scales[0], to=to, where=measurement.where, reach=neurons.reach)

    neurons = neurons.of(name)
    record = {**neurons.record(seed), **measurement.record(2.0), "about": to}
    request = _Request("amplify", neurons, seed, edit, (), scales, measurement, model, output, record)
    _measure(request, progress)


def _measure(asked: _Request, progress: TerminalProgress) -> None:
    from neurosteer.report import compare_table, to_json
    from neurosteer.studies import save_effects

    output = asked.output
    model_from = asked.neurons.model_of(asked.model, output.out, seed=asked.seed, progress=progress)
    model = model_from.load(offline=output.offline, progress=progress)
    origin = asked.neurons.origin(
        model, output.out, seed=asked.seed, pairs=True, offline=output.offline, progress=progress
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
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
        return
    if len(effects) > 1:
        show(compare_table(effects))
    say(f"model   {model.name}, {model.specials}")
    say(f"run     {run}")
    for figure in sorted(run.rglob("*.png")):
        say(f"figure  {figure}")


def _measure_all(
    model: Model, origin: Origin, asked: _Request, effects: list[Effect], progress: TerminalProgress
) -> None:
    """Adds the effect of each neuron set."""
    from neurosteer.pairs import load_pairs
    from neurosteer.report import effect_table
    from neurosteer.studies import measure_effect, with_origin

    assert origin.test is not None
    assert origin.train is not None
    assert origin.data is not None
    assert origin.data.split is not None
    seed = origin.data.split.seed if asked.seed is None else asked.seed
    source, limit, offline = origin.data.source, asked.neurons.limit, asked.output.offline
    also = [
        load_pairs(name, source=source, limit=limit, seed=seed, offline=offline)
        for name in asked.measurement.also or ()
    ]
    for chosen in origin.sets.values():
        found = measure_effect(
            model,
            origin.test,
            asked.edit(chosen, origin.train, seed),
            controls=asked.measurement.controls,
            scales=asked.scales,
            kinds=asked.kinds,
            neutral=asked.measurement.neutral,
            kl=asked.measurement.kl,
            convention=asked.measurement.convention,
            also=[pairs.split("pair", seed).test for pairs in also],
            donors=origin.train,
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
