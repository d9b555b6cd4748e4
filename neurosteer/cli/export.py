"""`neurosteer export`: an edit in the weights of a Hugging Face model, where that is exact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from neurosteer.errors import InputError
from neurosteer.vocabulary import Method

from . import options, parse
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import say

if TYPE_CHECKING:
    from neurosteer.studies import Effect


@with_groups
def export(
    edit: Annotated[str, typer.Argument(metavar="EDIT", help="The folder of a run of ablate or amplify.")],
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where the model is written; not there yet.")],
    *,
    to: Annotated[Literal["hf"], typer.Option(help="As what: a Hugging Face folder.")] = "hf",
    method: Annotated[
        Method | None,
        typer.Option(help="By whose neurons, where the run has several.", show_default=False),
    ] = None,
    model: options.ModelOfFind,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    """Put an edit into the weights, where that is exact, and measure that the written model does what the edit does.

    neurosteer export runs/ablate-made edited --to hf
    """
    from neurosteer.report import to_json
    from neurosteer.results import record
    from neurosteer.studies.effects.effect import load_effects
    from neurosteer.studies.export import export_effect
    from neurosteer.studies.runs import read_run
    from neurosteer.version import __version__

    effects: dict[str, Effect] = {effect.method or "given": effect for effect in load_effects(Path(edit))}
    if method is None and len(effects) > 1:
        raise InputError(f"{edit} has the effects of {', '.join(effects)}; name one with --method")
    if method is not None and method not in effects:
        raise InputError(f"--method {method}: {edit} has {', '.join(effects)}")
    used = read_run(Path(edit))["model"]
    asked = model.named(model.model or used["name"], revision=model.revision or used["revision"])
    loaded = asked.load(offline=output.offline, progress=progress)
    effect = effects[method] if method else next(iter(effects.values()))
    made = export_effect(loaded, effect, parse.folder(folder), offline=output.offline, progress=progress)
    progress.clear()
    if output.as_json:
        heading = {"command": "export", "version": __version__, "model": loaded.describe()}
        print(to_json({**heading, "options": {"edit": edit, "to": to}, "results": [record(made)]}), end="")
        return
    say(f"model     {made.folder}")
    say(f"logits    differ by {made.logits:.1g} of the largest, on {made.texts} sentences")
    if made.pairs is not None:
        say(f"decisions {made.same_decisions} of {made.pairs} pairs are as with the edit")
