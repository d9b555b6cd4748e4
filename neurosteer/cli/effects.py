"""`neurosteer ablate` and `neurosteer amplify`: what the neurons do, against matched controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from neurosteer.errors import InputError

from . import neurons, options, parse
from .progress import TerminalProgress, progress_on_stderr

if TYPE_CHECKING:
    from neurosteer.edits import Edit
    from neurosteer.neurons import NeuronSet
    from neurosteer.pairs import Pairs

_EDIT, _MEASURE = "The edit", "The measurement"
MakeEdit = Callable[["NeuronSet", "Pairs"], "Edit"]

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
    typer.Option(metavar="N", rich_help_panel=_MEASURE, help="Matched control sets; 99 for a paper, 0 for none."),
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


def ablate(
    *,
    file: neurons.File = None,
    task: neurons.Task = None,
    method: neurons.Method = None,
    topk: neurons.Topk = None,
    layers: neurons.Layers = None,
    reach: neurons.Reach = "own",
    data: neurons.Data = None,
    columns: neurons.Columns = None,
    split: neurons.Split = None,
    limit: neurons.Limit = None,
    seed: neurons.Seed = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="zero|mean|resample",
            rich_help_panel=_EDIT,
            help="What replaces them: zero, their mean over tokens, or a train sentence's. Repeats, to compare.",
            show_default="zero",
        ),
    ] = None,
    scale: Scale = None,
    where: Where = "all",
    controls: Controls = "19",
    also: Also = None,
    neutral: Neutral = None,
    model: options.Model = "smollm2-135m",
    revision: options.Revision = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    device_map: options.DeviceMap = None,
    bos: options.Bos = None,
    eos: options.Eos = None,
    out: options.Out = "runs/",
    format_: options.Format = "table",
    quiet: options.Quiet = False,
    offline: options.Offline = False,
) -> None:
    """Ablate the neurons of the newest find, and measure what the model loses.

    neurosteer ablate --topk 40
    """
    choice = neurons.Choice.parsed(file, task, method, topk, layers, data, columns, split, limit, seed)
    kinds = parse.choices("--to", to or ["zero"], parse.REFERENCES)
    scales = parse.numbers("--scale", scale or ["0"])
    at = _at(where, reach)

    def edit(chosen: NeuronSet, train: Pairs) -> Edit:
        from neurosteer.edits import Edit

        donors = train if kinds[0] == "resample" else ()
        return Edit.ablate(chosen, kinds[0], **at, donors=donors, seed=choice.seed or 0).scaled(scales[0])

    _run(
        "ablate",
        edit,
        choice,
        study={"kinds": kinds, "scales": scales, **_measurement(controls, also, neutral)},
        asked=at,
        model_from=parse.model(model, revision, device, dtype, device_map, bos, eos),
        output=(out, format_, quiet, offline),
    )


def amplify(
    *,
    file: neurons.File = None,
    task: neurons.Task = None,
    method: neurons.Method = None,
    topk: neurons.Topk = None,
    layers: neurons.Layers = None,
    reach: neurons.Reach = "own",
    data: neurons.Data = None,
    columns: neurons.Columns = None,
    split: neurons.Split = None,
    limit: neurons.Limit = None,
    seed: neurons.Seed = None,
    about: Annotated[
        str,
        typer.Option(metavar="zero|mean", rich_help_panel=_EDIT, help="The reference that is scaled away from."),
    ] = "zero",
    scale: Scale = None,
    where: Where = "all",
    controls: Controls = "19",
    also: Also = None,
    neutral: Neutral = None,
    model: options.Model = "smollm2-135m",
    revision: options.Revision = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    device_map: options.DeviceMap = None,
    bos: options.Bos = None,
    eos: options.Eos = None,
    out: options.Out = "runs/",
    format_: options.Format = "table",
    quiet: options.Quiet = False,
    offline: options.Offline = False,
) -> None:
    """Amplify the neurons of the newest find, and measure what the model gains.

    neurosteer amplify --topk 40 --scale 2
    """
    choice = neurons.Choice.parsed(file, task, method, topk, layers, data, columns, split, limit, seed)
    reference = parse.choice("--about", about, parse.REFERENCES[:2])
    scales = parse.numbers("--scale", scale or ["2"])
    at = _at(where, reach)

    def edit(chosen: NeuronSet, train: Pairs) -> Edit:
        from neurosteer.edits import Edit

        return Edit.amplify(chosen, scales[0], about=reference, **at)

    _run(
        "amplify",
        edit,
        choice,
        study={"scales": scales, **_measurement(controls, also, neutral)},
        asked={**at, "about": reference},
        model_from=parse.model(model, revision, device, dtype, device_map, bos, eos),
        output=(out, format_, quiet, offline),
    )


def _at(where: str, reach: str) -> dict[str, str]:
    """At which tokens and layers; refuses at once what scoring cannot see."""
    if parse.choice("--where", where, parse.WHERES) in ("eos", "generated"):
        raise InputError(f"--where {where} cannot matter for scores: sentences are given, and EOS is never scored")
    return {"where": where, "reach": parse.choice("--reach", reach, parse.REACHES)}


def _measurement(controls: str, also: Sequence[str] | None, neutral: str | None) -> dict[str, Any]:
    return {
        "controls": parse.whole("--controls", controls, least=0),
        "also": tuple(parse.some_text("--also", name) for name in also or ()),
        "neutral": None if neutral is None else parse.file("--neutral", neutral),
    }


def _run(
    command: str,
    edit: MakeEdit,
    choice: neurons.Choice,
    *,
    study: dict[str, Any],
    asked: Mapping[str, Any],
    model_from: dict[str, Any],
    output: tuple[str, str, bool, bool],
) -> None:
    out, format_, quiet, offline = output
    as_json = parse.choice("--format", format_, parse.FORMATS) == "json"
    runs = parse.folder("--out", out)
    options.prepare(offline=offline, quiet=quiet)
    with progress_on_stderr(quiet=quiet) as progress:
        _measure(command, edit, choice, study, asked, model_from, runs, as_json, offline, progress)


def _measure(
    command: str,
    edit: MakeEdit,
    choice: neurons.Choice,
    study: dict[str, Any],
    asked: Mapping[str, Any],
    model_from: dict[str, Any],
    runs: Path,
    as_json: bool,
    offline: bool,
    progress: TerminalProgress,
) -> None:
    from neurosteer.model import load_model
    from neurosteer.pairs import load_pairs
    from neurosteer.report import compare_table, effect_table, to_json
    from neurosteer.studies import measure_effect, save_effects, with_origin

    model = load_model(**model_from, offline=offline, progress=progress)
    origin = choice.origin(model, runs, pairs=True, offline=offline, progress=progress)
    assert origin.test is not None
    assert origin.train is not None
    assert origin.data is not None
    seed = origin.data["split"]["seed"] if choice.seed is None else choice.seed
    also = [
        load_pairs(name, source=origin.data["source"], offline=offline).split("pair", seed).test
        for name in study["also"]
    ]
    effects = []
    for chosen in origin.sets.values():
        found = measure_effect(
            model,
            origin.test,
            edit(chosen, origin.train),
            **{**study, "also": also},
            donors=origin.train,
            seed=seed,
            progress=progress,
        )
        data = {**origin.data, "tested": len(origin.test)}
        effects.append(with_origin(found, data=data, neurons_from=origin.where))
        for notice in found.entry["notices"]:
            progress.notice(notice)
        if not as_json:
            progress.clear()
            Console().print(effect_table(effects[-1].entry))
    options_ = {**vars(choice), **study, **asked, **model_from, "from": origin.where}
    run, result = save_effects(
        model, effects, command=command, tested=origin.test, out=runs, options=_plain(options_)
    )
    progress.clear()
    if as_json:
        print(to_json(result), end="")
        return
    if len(effects) > 1:
        Console().print(compare_table([effect.entry for effect in effects]))
    print(f"run     {run}")
    for figure in sorted(run.rglob("*.png")):
        print(f"figure  {figure}")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON values."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
