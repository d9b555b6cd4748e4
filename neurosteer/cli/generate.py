"""`neurosteer generate`: text before and after an edit, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from neurosteer.vocabulary import FixedReference, Reach, Where

from . import options, parse
from .earlier_run import say_foot
from .neurons import NeuronsFrom
from .option_groups import with_groups
from .origin import model_of, origin_of
from .progress import TerminalProgress
from .screen import say, show

if TYPE_CHECKING:
    from neurosteer.edits import Edit
    from neurosteer.forward import Generated
    from neurosteer.model import Model
    from neurosteer.neurons import Direction, NeuronSet
    from neurosteer.progress import Progress
    from neurosteer.results.text import Continuation, EditSource, TouchedPrompt
    from neurosteer.studies import Origin

_edit_option = partial(typer.Option, rich_help_panel="The edit")
_text_option = partial(typer.Option, rich_help_panel="The text")


@dataclass(frozen=True)
class EditOptions:
    """The edit."""

    scale: Annotated[
        list[float] | None,
        _edit_option(
            metavar="X",
            parser=parse.finite,
            help="What their distance from the reference is multiplied by. Repeats, for text at several doses.",
            show_default="0",
        ),
    ] = None
    push: Annotated[
        float | None,
        _edit_option(
            metavar="X",
            parser=parse.finite,
            help="Move the states along the direction by X standard deviations (by default along mean).",
            show_default=False,
        ),
    ] = None
    to: Annotated[FixedReference, _edit_option(help="The reference that is scaled away from.")] = "zero"
    where: Annotated[
        Where,
        _edit_option(
            metavar="all|prompt|generated|every",
            autocompletion=parse.suggest("all", "prompt", "generated", "every"),
            help="At which tokens; all is every token but BOS, every is BOS too.",
        ),
    ] = "all"

    @property
    def scales(self) -> tuple[float, ...]:
        """Each once; a push has none."""
        return tuple(dict.fromkeys(self.scale or (0.0,))) if self.push is None else (0.0,)

    def of(self, chosen: NeuronSet | Direction, reach: Reach, scale: float) -> Edit:
        """It at one dose, of these neurons or along this direction."""
        from neurosteer.edits import Edit
        from neurosteer.neurons import Direction

        if not isinstance(chosen, Direction):
            return Edit.amplify(chosen, scale, to=self.to, where=self.where, reach=reach)
        if self.push is not None:
            return Edit.push(chosen, self.push, where=self.where)
        return Edit.project_out(chosen, self.to, scale=scale, where=self.where)


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
    change: EditOptions,
    writing: Writing,
    dry_run: Annotated[bool, _text_option("--dry-run", help="Only list which tokens would be edited.")] = False,
    model: options.ModelOfFind,
    output: options.PageOutput,
    progress: TerminalProgress,
) -> None:
    """Let the model continue a text without and with the edit of the newest find's neurons.

    neurosteer generate "The guests have" --topk 40 --scale 0
    """
    from neurosteer.forward import refuse_untouched
    from neurosteer.report import generation_table, to_json
    from neurosteer.results.text import EditSource
    from neurosteer.studies import save_texts

    if change.push is not None and neurons.direction is None:
        neurons = replace(neurons, direction="mean")
    refuse_untouched(change.where, writing.max_new_tokens)
    model_from = model_of(neurons, model, output.out, seed=None, progress=progress)
    loaded = model_from.load(offline=output.offline, progress=progress)
    origin = origin_of(neurons, loaded, output.out, seed=None, pairs=False, offline=output.offline, progress=progress)
    if dry_run:
        _list_touched(loaded, prompts, origin, change, neurons.reach, writing, output, progress)
        return
    rows: list[Continuation] = []
    before = writing.texts(loaded, prompts, progress)
    for method, chosen in origin.sets.items():
        for scale in change.scales:
            edit = change.of(chosen, neurons.reach, scale)
            source = EditSource(method=method, edit=edit.describe(), neurons_from=origin.where)
            both = _both(loaded, prompts, before, edit, writing, source, progress)
            rows += both
            if not output.as_json:
                progress.clear()
                show(generation_table(both, edit.describe()))
    asked = {**neurons.record(None), **vars(writing), "prompts": prompts, "where": change.where, "to": change.to}
    asked |= {} if change.push is None else {"push": change.push}
    asked = {**asked, "scales": change.scales, **model_from.record(), "from": origin.where}
    run, result = save_texts(loaded, origin.task, rows, out=output.out, options=asked, progress=progress)
    if output.as_json:
        print(to_json(result), end="")
    say_foot(loaded, run, output)


def _both(
    model: Model,
    prompts: list[str],
    before: list[Generated],
    edit: Edit,
    writing: Writing,
    source: EditSource,
    progress: Progress,
) -> list[Continuation]:
    from neurosteer.forward import steering
    from neurosteer.results.text import Continuation

    with steering(model, edit):
        after = writing.texts(model, prompts, progress)
    return [
        Continuation(prompt=prompt, before=old.text, after=new.text, **vars(source))
        for prompt, old, new in zip(prompts, before, after, strict=True)
    ]


def _list_touched(
    model: Model,
    prompts: list[str],
    origin: Origin,
    change: EditOptions,
    reach: Reach,
    writing: Writing,
    output: options.PageOutput,
    progress: TerminalProgress,
) -> None:
    """Print which tokens the edit of each neuron set reaches; no run is kept of it."""
    import neurosteer
    from neurosteer.report import to_json, touch_table
    from neurosteer.results import record
    from neurosteer.results.text import EditSource

    rows: list[TouchedPrompt] = []
    for method, chosen in origin.sets.items():
        edit = change.of(chosen, reach, change.scales[0])
        source = EditSource(method=method, edit=edit.describe(), neurons_from=origin.where)
        touched = _touched(model, prompts, edit, writing.max_new_tokens, source)
        rows += touched
        if not output.as_json:
            progress.clear()
            show(touch_table(touched))
    if not output.as_json:
        say(f"model   {model.name}, {model.specials}")
        return
    heading = {"command": "generate", "version": neurosteer.__version__, "model": record(model.describe())}
    print(to_json({**heading, "options": vars(writing), "results": [record(row) for row in rows]}), end="")


def _touched(
    model: Model, prompts: list[str], edit: Edit, new_tokens: int, source: EditSource
) -> list[TouchedPrompt]:
    from neurosteer.forward import touched_tokens
    from neurosteer.results.text import GeneratedTokens, TouchedPrompt, TouchedToken

    again = GeneratedTokens(touched=edit.where in ("all", "generated", "every"), at_most=new_tokens - 1)
    return [
        TouchedPrompt(
            prompt=prompt,
            tokens=tuple(TouchedToken(**vars(token)) for token in touched_tokens(model, prompt, edit)),
            generated=again,
            **vars(source),
        )
        for prompt in prompts
    ]
