"""`neurosteer generate`: text before and after an edit, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from neurosteer.vocabulary import FIXED_REFERENCES, WHERES

from . import options, parse
from .neurons import Choice, NeuronsFrom
from .progress import TerminalProgress, progress_on_stderr
from .spread import spread

if TYPE_CHECKING:
    from neurosteer.edits import Edit
    from neurosteer.model import Model

_EDIT, _TEXT = "The edit", "The text"


@spread
def generate(
    prompts: Annotated[list[str], typer.Argument(metavar="PROMPT...", help="What the model continues.")],
    *,
    neurons: NeuronsFrom,
    scale: Annotated[
        str,
        typer.Option(
            metavar="X", rich_help_panel=_EDIT, help="What their distance from the reference is multiplied by."
        ),
    ] = "0",
    about: Annotated[
        str,
        typer.Option(metavar="zero|mean", rich_help_panel=_EDIT, help="The reference that is scaled away from."),
    ] = "zero",
    where: Annotated[
        str,
        typer.Option(
            metavar="all|prompt|generated",
            rich_help_panel=_EDIT,
            help="At which tokens; all is every token but BOS.",
        ),
    ] = "all",
    max_new_tokens: Annotated[
        str, typer.Option(metavar="N", rich_help_panel=_TEXT, help="How many tokens to write at most.")
    ] = "20",
    temperature: Annotated[
        str, typer.Option(metavar="T", rich_help_panel=_TEXT, help="0 is greedy; above, text is sampled.")
    ] = "0",
    seed: Annotated[str, typer.Option(metavar="N", rich_help_panel=_TEXT, help="Decides what is sampled.")] = "0",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", rich_help_panel=_TEXT, help="Only list which tokens would be edited.")
    ] = False,
    model: options.ModelFrom,
    output: options.Output,
) -> None:
    """Let the model continue a text without and with the edit of the newest find's neurons.

    neurosteer generate "The guests have" --topk 40 --scale 0
    """
    choice, model_from = neurons.parsed(), model.parsed()
    how = {
        "scale": parse.number("--scale", scale),
        "about": parse.choice("--about", about, FIXED_REFERENCES),
        "where": parse.choice("--where", where, WHERES),
    }
    writing = {
        "max_new_tokens": parse.whole("--max-new-tokens", max_new_tokens, least=1),
        "temperature": parse.number("--temperature", temperature, least=0.0),
        "seed": parse.whole("--seed", seed, least=0),
    }
    runs = output.checked()
    with progress_on_stderr(quiet=output.quiet) as progress:
        _generate(prompts, choice, how, writing, model_from, runs, output, dry_run, progress)


def _generate(
    prompts: list[str],
    choice: Choice,
    how: dict[str, Any],
    writing: dict[str, Any],
    model_from: dict[str, Any],
    runs: Path,
    output: options.Output,
    dry_run: bool,
    progress: TerminalProgress,
) -> None:
    import neurosteer
    from neurosteer.edits import Edit
    from neurosteer.forward import refuse_untouched
    from neurosteer.model import load_model
    from neurosteer.report import generation_table, to_json, touch_table

    refuse_untouched(how["where"], writing["max_new_tokens"])
    model = load_model(**model_from, offline=output.offline, progress=progress)
    origin = choice.origin(model, runs, pairs=False, offline=output.offline, progress=progress)
    rows: list[dict[str, Any]] = []
    for method, chosen in origin.sets.items():
        edit = Edit.amplify(chosen, how["scale"], to=how["about"], where=how["where"], reach=choice.reach)
        about = {"method": method, "edit": edit.describe(), "neurons_from": origin.where}
        if dry_run:
            found = _touched(model, prompts, edit, writing["max_new_tokens"])
        else:
            found = _both(model, prompts, edit, writing)
        rows += [{**row, **about} for row in found]
        if not output.as_json:
            progress.clear()
            Console().print(touch_table(found) if dry_run else generation_table(found, edit.describe()))
    if output.as_json:
        about = {"command": "generate", "version": neurosteer.__version__, "model": model.describe()}
        print(to_json({**about, "options": writing, "results": rows}), end="")


def _both(model: Model, prompts: list[str], edit: Edit, writing: dict[str, Any]) -> list[dict[str, Any]]:
    from neurosteer.forward import generate as continue_texts
    from neurosteer.forward import steering

    before = continue_texts(model, prompts, **writing)
    with steering(model, edit):
        after = continue_texts(model, prompts, **writing)
    return [
        {"prompt": prompt, "before": old.text, "after": new.text}
        for prompt, old, new in zip(prompts, before, after, strict=True)
    ]


def _touched(model: Model, prompts: list[str], edit: Edit, new_tokens: int) -> list[dict[str, Any]]:
    from neurosteer.forward import touched_tokens

    again = {"touched": edit.where in ("all", "generated"), "at_most": new_tokens - 1}  # the last is never read again
    tokens = [[vars(token) for token in touched_tokens(model, prompt, edit)] for prompt in prompts]
    return [
        {"prompt": prompt, "tokens": row, "generated": again} for prompt, row in zip(prompts, tokens, strict=True)
    ]
