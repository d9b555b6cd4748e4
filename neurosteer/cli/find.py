"""`neurosteer find`: which neurons hold a contrast, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from neurosteer.vocabulary import METHODS, MOST_DRAWS, PAPER_METHODS, Json, Method

from . import options, parse
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import say, show

if TYPE_CHECKING:
    from neurosteer.model import Model
    from neurosteer.pairs import Pairs
    from neurosteer.studies import Found

_option = partial(typer.Option, rich_help_panel="The search")


@dataclass(frozen=True)
class Search:
    """How neurons are ranked, and where."""

    split: options.Split = "pair"
    seed: options.Seed = 0
    method: Annotated[
        list[str] | None,
        _option(
            **parse.words(METHODS),
            help="How neurons are ranked: by what a probe can read, or what the model uses (attribution). Repeats.",
            show_default="welch, l0",
        ),
    ] = None
    topk: Annotated[
        str,
        _option(
            "--topk", "-k", metavar="K", parser=parse.topk, help="How many neurons: a count (40) or a share (1%)."
        ),
    ] = "1%"
    lambda_: Annotated[
        list[float] | None,
        _option(
            "--lambda",
            metavar="X",
            parser=parse.penalty,
            help="For l0: the weight of the classification loss beside the penalty, above 0 and up to 1. Repeats.",
            show_default="a grid, chosen from on validation",
        ),
    ] = None
    to: Annotated[Literal["zero", "mean"], _option(help="The ablation that attribution predicts.")] = "zero"
    steps: Annotated[
        int, _option(min=1, max=options.MOST, metavar="S", help="Passes that attribution averages gradients over.")
    ] = 1
    draws: Annotated[int, _option(min=1, max=MOST_DRAWS, metavar="N", help="Random neuron sets to compare with.")] = 5
    layers: Annotated[
        Any,  # "all" or their indices: typer reads no union
        _option(metavar="LAYERS", parser=parse.layers, help="Blocks, counted from 0: all, 3, 3,7,12 or 0-5."),
    ] = "all"
    site: options.Site = "resid_post"
    position: options.Position = "eos"

    def find(self, model: Model, pairs: Pairs, progress: TerminalProgress) -> Found:
        """The neurons of one task."""
        from neurosteer.studies import find as find_neurons

        return find_neurons(
            model,
            pairs,
            methods=self._methods,
            split=self.split,
            topk=self.topk,
            layers=self.layers,
            site=self.site,
            position=self.position,
            lambdas=self._lambdas,
            to=self.to,
            steps=self.steps,
            draws=self.draws,
            seed=self.seed,
            progress=progress,
        )

    def record(self) -> dict[str, Json]:
        """As a run keeps it, as JSON."""
        return {
            "methods": self._methods,
            "split": self.split,
            "k": self.topk,
            "layers": self.layers,
            "site": self.site,
            "position": self.position,
            "lambdas": self._lambdas,
            "to": self.to,
            "steps": self.steps,
            "draws": self.draws,
            "seed": self.seed,
        }

    @property
    def _methods(self) -> tuple[Method, ...]:
        return parse.each_once(self.method, METHODS) if self.method else PAPER_METHODS

    @property
    def _lambdas(self) -> tuple[float, ...] | None:
        return tuple(dict.fromkeys(self.lambda_)) if self.lambda_ else None


@with_groups
def find(
    names: options.Names = None,
    *,
    pairs: options.PairsFrom,
    search: Search,
    model: options.ModelFrom,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    """Find the neurons that hold a grammatical contrast, layer by layer, beside baselines without a model.

    neurosteer find --task intransitive --topk 1%
    """
    # a mistyped task is noticed before the model loads
    tasks = pairs.load(names, seed=search.seed, offline=output.offline, progress=progress)

    from neurosteer.report import to_json
    from neurosteer.studies import save_find

    loaded = model.load(offline=output.offline, progress=progress)
    founds: list[Found] = []
    skipped: list[dict[str, str]] = []
    asked = {**pairs.record(names), **search.record(), **model.record()}
    try:
        _study_all(loaded, tasks, search, founds, skipped, printed=not output.as_json, progress=progress)
    except BaseException:  # what is finished is kept, whatever stops the rest
        if founds:
            kept, _ = save_find(loaded, founds, out=output.out, options=asked, skipped=skipped, progress=progress)
            progress.notice(f"stopped early: {len(founds)} of {len(tasks)} tasks are kept in {kept}")
        raise
    run, result = save_find(loaded, founds, out=output.out, options=asked, skipped=skipped, progress=progress)
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
    else:
        say(f"model   {loaded.name}, {loaded.specials}")
        say(f"run     {run}")
        for figure in sorted(run.rglob("*.png")):
            say(f"figure  {figure}")


def _study_all(
    model: Model,
    tasks: list[Pairs],
    search: Search,
    founds: list[Found],
    skipped: list[dict[str, str]],
    *,
    printed: bool,
    progress: TerminalProgress,
) -> None:
    """Adds a `Found` per task; tasks whose words allow no lexical split are passed over while others remain."""
    from neurosteer.pairs import LexicalSplitError
    from neurosteer.report import find_table

    for index, pairs in enumerate(tasks):
        try:
            found = search.find(model, pairs, progress)
        except LexicalSplitError as error:
            if not founds and index == len(tasks) - 1:
                raise
            skipped.append({"task": pairs.task, "reason": str(error)})
            progress.notice(f"skipped: {error}")
            continue
        founds.append(found)
        if printed:
            progress.clear()
            show(find_table(found.result))
