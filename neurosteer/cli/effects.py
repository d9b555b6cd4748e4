"""`neurosteer ablate` and `neurosteer amplify`: what the neurons do, against matched controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from neurosteer.errors import InputError
from neurosteer.vocabulary import MOST_CONTROLS, REFERENCES, WHERES

from . import options, parse
from .neurons import Choice, NeuronsFrom, Seed
from .progress import TerminalProgress, progress_on_stderr
from .spread import spread

if TYPE_CHECKING:
    from neurosteer.edits import Edit
    from neurosteer.model import Model
    from neurosteer.neurons import NeuronSet
    from neurosteer.pairs import Pairs
    from neurosteer.studies import Effect, Origin

_EDIT, _MEASURE = "The edit", "The measurement"
MakeEdit = Callable[["NeuronSet", "Pairs", int], "Edit"]  # neurons, train pairs, seed

Scale = Annotated[
    list[str] | None,
    typer.Option(
        metavar="X",
        rich_help_panel=_EDIT,
        help="What their distance from the reference is multiplied by. Repeats, for a dose-response curve.",
        show_default="0 for ablate, 2 for amplify",
    ),
]
Where = Annotated[
    str,
    typer.Option(metavar="all|prompt", rich_help_panel=_EDIT, help="At which tokens; all is every token but BOS."),
]
Controls = Annotated[
    str,
    typer.Option(
        metavar="N",
        rich_help_panel=_MEASURE,
        help="Matched control sets: at least 19 for a verdict, 99 for a paper, 0 for none.",
    ),
]
Also = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TASK",
        rich_help_panel=_MEASURE,
        help="Another task that the edit should leave alone. Repeats.",
        show_default=False,
    ),
]
Neutral = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_MEASURE,
        help="Text on which side effects are measured.",
        show_default="a small built-in one",
    ),
]


@dataclass(frozen=True)
class Measurement:
    """Where the edit acts and how strongly, and what is measured."""

    scale: Scale = None
    where: Where = "all"
    controls: Controls = "19"
    also: Also = None
    neutral: Neutral = None

    def parsed(self, scale: float) -> dict[str, Any]:
        """The arguments of `measure_effect`, and `where`; scoring has no use for some of those."""
        if parse.choice("--where", self.where, WHERES) in ("eos", "generated"):
            raise InputError(
                f"--where {self.where} cannot matter for scores: sentences are given, and EOS is never scored"
            )
        return {
            "where": self.where,
            "scales": parse.numbers("--scale", self.scale) if self.scale else (scale,),
            "controls": parse.whole("--controls", self.controls, least=0, most=MOST_CONTROLS),
            "also": tuple(parse.some_text("--also", name) for name in self.also or ()),
            "neutral": None if self.neutral is None else parse.file("--neutral", self.neutral),
        }


@spread
def ablate(
    *,
    neurons: NeuronsFrom,
    seed: Seed = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="zero|mean|resample",
            rich_help_panel=_EDIT,
            help="What replaces them: zero, their mean over tokens, or a train sentence's. Repeats, to compare.",
            show_default="zero",
        ),
    ] = None,
    measurement: Measurement,
    model: options.ModelFrom,
    output: options.Output,
) -> None:
    """Ablate the neurons of the newest find, and measure what the model loses.

    neurosteer ablate --topk 40
    """
    choice, study = neurons.parsed(seed), measurement.parsed(scale=0.0)
    kinds = parse.choices("--to", to or ["zero"], REFERENCES)

    def edit(chosen: NeuronSet, train: Pairs, draw: int) -> Edit:
        from neurosteer.edits import Edit

        at = {"where": study["where"], "reach": choice.reach}
        donors = train if kinds[0] == "resample" else ()
        return Edit.ablate(chosen, kinds[0], **at, donors=donors, seed=draw).scaled(study["scales"][0])

    _run("ablate", edit, choice, {**study, "kinds": kinds}, model, output)


@spread
def amplify(
    *,
    neurons: NeuronsFrom,
    seed: Seed = None,
    about: Annotated[
        str,
        typer.Option(metavar="zero|mean", rich_help_panel=_EDIT, help="The reference that is scaled away from."),
    ] = "zero",
    measurement: Measurement,
    model: options.ModelFrom,
    output: options.Output,
) -> None:
    """Amplify the neurons of the newest find, and measure what the model gains.

    neurosteer amplify --topk 40 --scale 2
    """
    choice, study = neurons.parsed(seed), measurement.parsed(scale=2.0)
    reference = parse.choice("--about", about, REFERENCES[:2])

    def edit(chosen: NeuronSet, train: Pairs, draw: int) -> Edit:
        from neurosteer.edits import Edit

        at = {"where": study["where"], "reach": choice.reach}
        return Edit.amplify(chosen, study["scales"][0], about=reference, **at)

    _run("amplify", edit, choice, {**study, "about": reference}, model, output)


def _run(
    command: str,
    edit: MakeEdit,
    choice: Choice,
    study: dict[str, Any],
    model: options.ModelFrom,
    output: options.Output,
) -> None:
    model_from, runs = model.parsed(), output.checked()
    with progress_on_stderr(quiet=output.quiet) as progress:
        _measure(command, edit, choice, study, model_from, runs, output, progress)


def _measure(
    command: str,
    edit: MakeEdit,
    choice: Choice,
    study: dict[str, Any],
    model_from: dict[str, Any],
    runs: Path,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    from neurosteer.model import load_model
    from neurosteer.report import compare_table, to_json
    from neurosteer.studies import save_effects

    model = load_model(**model_from, offline=output.offline, progress=progress)
    origin = choice.origin(model, runs, pairs=True, offline=output.offline, progress=progress)
    asked = _plain({**vars(choice), **study, **model_from, "from": origin.where})
    effects: list[Effect] = []
    try:
        _measure_all(model, origin, edit, choice, study, effects, output, progress)
    except BaseException:  # what is finished is kept, whatever stops the rest
        if effects:
            kept, _ = save_effects(model, effects, command=command, out=runs, options=asked)
            progress.notice(f"stopped early: {len(effects)} of {len(origin.sets)} neuron sets are kept in {kept}")
        raise
    run, result = save_effects(model, effects, command=command, out=runs, options=asked)
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
        return
    if len(effects) > 1:
        Console().print(compare_table([effect.entry for effect in effects]))
    print(f"run     {run}")
    for figure in sorted(run.rglob("*.png")):
        print(f"figure  {figure}")


def _measure_all(
    model: Model,
    origin: Origin,
    edit: MakeEdit,
    choice: Choice,
    study: dict[str, Any],
    effects: list[Effect],
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    """Adds the effect of each neuron set."""
    from neurosteer.pairs import load_pairs
    from neurosteer.report import effect_table
    from neurosteer.studies import measure_effect, with_origin

    assert origin.test is not None
    assert origin.train is not None
    assert origin.data is not None
    seed = origin.data["split"]["seed"] if choice.seed is None else choice.seed
    source = origin.data["source"]
    loaded: dict[str, Any] = {"source": source, "limit": choice.limit, "seed": seed, "offline": output.offline}
    also = [load_pairs(name, **loaded) for name in study["also"]]
    for chosen in origin.sets.values():
        found = measure_effect(
            model,
            origin.test,
            edit(chosen, origin.train, seed),
            controls=study["controls"],
            scales=study["scales"],
            kinds=study.get("kinds", ()),
            neutral=study["neutral"],
            also=[pairs.split("pair", seed).test for pairs in also],
            donors=origin.train,
            seed=seed,
            progress=progress,
        )
        effect = with_origin(found, data={**origin.data, "tested": len(origin.test)}, neurons_from=origin.where)
        effects.append(effect)
        for notice in effect.entry["notices"]:
            progress.notice(notice)
        if not output.as_json:
            progress.clear()
            Console().print(effect_table(effect.entry))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON values."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
