"""`neurosteer export`: an edit in the weights of a Hugging Face model, or a push as a file, where that is exact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from neurosteer.errors import InputError
from neurosteer.vocabulary import Json, Method, counted

from . import options, parse
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import say

if TYPE_CHECKING:
    from neurosteer.model import Model
    from neurosteer.progress import Progress
    from neurosteer.results.export import ExportResult, PushFile
    from neurosteer.studies import Effect
    from neurosteer.vocabulary import PushFormat


@with_groups
def export(
    edit: Annotated[
        Path,
        typer.Argument(
            metavar="EDIT",
            parser=parse.expanded,
            help="The folder of a run of ablate or amplify; for a push also a direction's file.",
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(metavar="TARGET", parser=parse.expanded, help="The folder or file to write; not there yet."),
    ],
    *,
    to: Annotated[
        Literal["hf", "gguf", "lm-eval"],
        typer.Option(help="A Hugging Face folder, or a push as llama.cpp's control vector or lm-eval's file."),
    ] = "hf",
    push: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            parser=parse.finite,
            help="How far the file pushes along the direction, in standard deviations.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(help="By whose neurons, where the run has several.", show_default=False),
    ] = None,
    model: options.ModelOfFind,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    """Write an edit as weights, or a push as a file of another tool, where that is exact, and measure how exact.

    neurosteer export runs/ablate-made edited --to hf
    neurosteer export runs/ablate-made push.gguf --to gguf --push 3
    """
    from neurosteer.report import to_json
    from neurosteer.results import record
    from neurosteer.version import __version__

    if (push is None) is not (to == "hf"):
        raise InputError("--push X is how far a gguf or lm-eval file pushes: give it with these, and with no other")
    effect = None if edit.is_file() and push is not None else _effect(edit, method)
    network = _network(edit, effect)
    asked = model.named(model.model or network["name"], revision=model.revision or network.get("revision"))
    loaded = asked.load(offline=output.offline, progress=progress)
    asked_for: Json = {"edit": str(edit), "to": to}
    made: ExportResult | PushFile
    if push is None or to == "hf":
        made, said = _weights(loaded, effect, target, output, progress)
    else:
        asked_for["push"] = push
        made, said = _file(loaded, edit, effect, push, target, to, output, progress)
    progress.clear()
    if output.as_json:
        heading = {"command": "export", "version": __version__, "model": record(loaded.describe())}
        print(to_json({**heading, "options": asked_for, "results": [record(made)]}), end="")
        return
    for line in said:
        say(line)


def _effect(folder: Path, method: Method | None) -> Effect:
    """The effect of a run, by its only method or the one that is named."""
    from neurosteer.studies.effects.effect import load_effects

    effects: dict[str, Effect] = {effect.method or "given": effect for effect in load_effects(folder)}
    if method is None and len(effects) > 1:
        raise InputError(f"{folder} has the effects of {', '.join(effects)}; name one with --method")
    if method is not None and method not in effects:
        raise InputError(f"--method {method}: {folder} has {', '.join(effects)}")
    return effects[method] if method else next(iter(effects.values()))


def _network(edit: Path, effect: Effect | None) -> Json:
    """The model that a run, or the direction of a file, is of."""
    from neurosteer.neurons import Direction
    from neurosteer.studies.runs import read_run

    if effect is not None:
        return read_run(edit)["model"]
    network = Direction.load(edit).metadata.get("network")
    return network or {"name": None}


def _weights(
    model: Model, effect: Effect | None, target: Path, output: options.Output, progress: Progress
) -> tuple[ExportResult, list[str]]:
    from neurosteer.studies.export import export_effect

    assert effect is not None  # a file alone is pushed along
    made = export_effect(model, effect, parse.folder(target), offline=output.offline, progress=progress)
    said = [f"model     {made.folder}", _fidelity(made.logits, made.texts)]
    if made.pairs is not None:
        said.append(f"decisions {made.same_decisions} of {made.pairs} pairs are as with the edit")
    return made, said


def _file(
    model: Model,
    edit: Path,
    effect: Effect | None,
    push: float,
    target: Path,
    to: PushFormat,
    output: options.Output,
    progress: Progress,
) -> tuple[PushFile, list[str]]:
    from neurosteer.edits import Edit
    from neurosteer.neurons import Direction
    from neurosteer.studies.push_files import export_push

    along = Direction.load(edit) if effect is None else effect.neuron_set
    if not isinstance(along, Direction):
        raise InputError(f"{edit} edits neurons, and a push goes along a direction (ablate --direction mean)")
    pushed = Edit.push(along, push, where="every")
    made = export_push(model, pushed, target, to=to, offline=output.offline, progress=progress)
    return made, [f"file      {made.path}", _fidelity(made.logits, made.texts)]


def _fidelity(logits: float, texts: int) -> str:
    return f"logits    differ by {logits:.1g} of the largest, on {counted(texts, 'sentence')}"
