"""`neurosteer generate`: text before and after an edit, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from neurosteer.vocabulary import Where

from . import options, parse
from .neurons import NeuronsFrom
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import say, show

if TYPE_CHECKING:
    from neurosteer.edits import Edit
    from neurosteer.forward import Generated
    from neurosteer.model import Model
    from neurosteer.progress import Progress
    from neurosteer.results.text import Continuation, EditSource, TouchedPrompt

_edit_option = partial(typer.Option, rich_help_panel="The edit")
_text_option = partial(typer.Option, rich_help_panel="The text")


@dataclass(frozen=True)
class Change:
    """The edit."""

    scale: Annotated[
        float,
        _edit_option(
            metavar="X", parser=parse.finite, help="What their distance from the reference is multiplied by."
        ),
    ] = 0.0
    to: Annotated[Literal["zero", "mean"], _edit_option(help="The reference that is scaled away from.")] = "zero"
    where: Annotated[
        Where,
        _edit_option(
            metavar="all|prompt|generated",
            autocompletion=parse.suggest("all", "prompt", "generated"),
            help="At which tokens; all is every token but BOS.",
        ),
    ] = "all"


@dataclass(frozen=True)
class Writing:
    """How text is continued."""

    max_new_tokens: Annotated[
        int, _text_option(min=1, max=options.MOST, metavar="N", help="How many tokens to write at most.")
    ] = 20
    temperature: Annotated[
        float, _text_option(metavar="T", parser=parse.not_negative, help="0 is greedy; above, text is sampled.")
    ] = 0.0
    seed: Annotated[
        int, _text_option(min=0, max=options.LARGEST_SEED, metavar="N", help="Decides what is sampled.")
    ] = 0

    def texts(self, model: Model, prompts: list[str], progress: Progress) -> list[Generated]:
        """What the model writes."""
        from neurosteer.forward import generate as continue_texts

        return continue_texts(model, prompts, **vars(self), progress=progress)


@with_groups
def generate(
    prompts: Annotated[list[str], typer.Argument(metavar="PROMPT...", help="What the model continues.")],
    *,
    neurons: NeuronsFrom,
    change: Change,
    writing: Writing,
    dry_run: Annotated[bool, _text_option("--dry-run", help="Only list which tokens would be edited.")] = False,
    model: options.ModelOfFind,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    """Let the model continue a text without and with the edit of the newest find's neurons.

    neurosteer generate "The guests have" --topk 40 --scale 0
    """
    import neurosteer
    from neurosteer.edits import Edit
    from neurosteer.forward import refuse_untouched
    from neurosteer.report import generation_table, to_json, touch_table
    from neurosteer.results import record
    from neurosteer.results.text import EditSource

    refuse_untouched(change.where, writing.max_new_tokens)
    model_from = neurons.model_of(model, output.out, seed=None, progress=progress)
    loaded = model_from.load(offline=output.offline, progress=progress)
    origin = neurons.origin(loaded, output.out, seed=None, pairs=False, offline=output.offline, progress=progress)
    rows: list[Continuation | TouchedPrompt] = []
    for method, chosen in origin.sets.items():
        edit = Edit.amplify(chosen, change.scale, to=change.to, where=change.where, reach=neurons.reach)
        source = EditSource(method=method, edit=edit.describe(), neurons_from=origin.where)
        if dry_run:
            touched = _touched(loaded, prompts, edit, writing.max_new_tokens, source)
            rows += touched
            shown = touch_table(touched)
        else:
            both = _both(loaded, prompts, edit, writing, source, progress)
            rows += both
            shown = generation_table(both, edit.describe())
        if not output.as_json:
            progress.clear()
            show(shown)
    if not output.as_json:
        say(f"model   {loaded.name}, {loaded.specials}")
    else:
        heading = {"command": "generate", "version": neurosteer.__version__, "model": loaded.describe()}
        print(to_json({**heading, "options": vars(writing), "results": [record(row) for row in rows]}), end="")


def _both(
    model: Model, prompts: list[str], edit: Edit, writing: Writing, source: EditSource, progress: Progress
) -> list[Continuation]:
    from neurosteer.forward import steering
    from neurosteer.results.text import Continuation

    before = writing.texts(model, prompts, progress)
    with steering(model, edit):
        after = writing.texts(model, prompts, progress)
    return [
        Continuation(prompt=prompt, before=old.text, after=new.text, **vars(source))
        for prompt, old, new in zip(prompts, before, after, strict=True)
    ]


def _touched(
    model: Model, prompts: list[str], edit: Edit, new_tokens: int, source: EditSource
) -> list[TouchedPrompt]:
    from neurosteer.forward import touched_tokens
    from neurosteer.results.text import GeneratedTokens, TouchedPrompt, TouchedToken

    again = GeneratedTokens(touched=edit.where in ("all", "generated"), at_most=new_tokens - 1)
    return [
        TouchedPrompt(
            prompt=prompt,
            tokens=tuple(TouchedToken(**vars(token)) for token in touched_tokens(model, prompt, edit)),
            generated=again,
            **vars(source),
        )
        for prompt in prompts
    ]
