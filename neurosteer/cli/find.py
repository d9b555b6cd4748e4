"""`neurosteer find`: which neurons encode a contrast, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurosteer.sites import USUAL_SITES
from neurosteer.vocabulary import (
    DIRECTION_KINDS,
    METHODS,
    MOST_DRAWS,
    PAPER_METHODS,
    FixedReference,
    Grain,
    Json,
    Method,
)

from . import options, parse
from .earlier_run import Again, made_again, say_foot
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import show

if TYPE_CHECKING:
    from neurosteer.model import Model
    from neurosteer.pairs import Pairs
    from neurosteer.studies import Found

_option = partial(typer.Option, rich_help_panel="The search")


@dataclass(frozen=True)
class SearchOptions:
    """How neurons are ranked, and where."""

    split: options.Split = "pair"
    seed: options.Seed = 0
    method: Annotated[
        list[str] | None,
        _option(
            **parse.words(METHODS),
            help="Ranks by what a probe can read, or by what the model uses (attribution, causal-l0). Repeats.",
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
            help="For l0: the weight of the classification loss against the penalty, above 0 and up to 1. Repeats.",
            show_default="a grid, chosen from on validation",
        ),
    ] = None
    to: Annotated[FixedReference, _option(help="The ablation that attribution predicts, and causal masks learn.")] = (
        "zero"
    )
    steps: Annotated[
        int, _option(min=1, max=options.MOST, metavar="S", help="Passes that attribution averages gradients over.")
    ] = 1
    direction: Annotated[
        list[str] | None,
        _option(
            **parse.words(DIRECTION_KINDS),
            help="Also what can be read along one direction: the difference of means, the dense probe. Repeats.",
            show_default=False,
        ),
    ] = None
    share: Annotated[
        float,
        _option(
            metavar="X",
            parser=parse.penalty,
            help="For causal-l0: the share of the margin that can be lost which the set has to take.",
        ),
    ] = 0.9
    kl: Annotated[
        float,
        _option(
            "--kl",
            metavar="X",
            parser=parse.positive,
            help="For causal-l0: how much the set may disturb neutral text at most (KL, nats per token).",
        ),
    ] = 0.1
    neutral: Annotated[
        Path | None,
        _option(
            metavar="FILE",
            parser=parse.file,
            help="For causal-l0: neutral text, whose paragraphs in turn train and judge.",
            show_default="two small built-in ones",
        ),
    ] = None
    draws: Annotated[int, _option(min=1, max=MOST_DRAWS, metavar="N", help="Random neuron sets to compare with.")] = 5
    layers: Annotated[
        Any,  # "all" or their indices: typer reads no union
        _option(metavar="LAYERS", parser=parse.layers, help="Blocks, counted from 0: all, 3, 3,7,12 or 0-5."),
    ] = "all"
    site: options.Site = None
    by: Annotated[Grain, _option(help="What is ranked and chosen as one: a unit, or a whole attention head.")] = (
        "unit"
    )
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
            by=self.by,
            position=self.position,
            lambdas=self._lambdas,
            to=self.to,
            steps=self.steps,
            directions=parse.each_once(self.direction or (), DIRECTION_KINDS),
            draws=self.draws,
            seed=self.seed,
            progress=progress,
            **self._mask(),
        )

    def _mask(self) -> dict[str, Any]:
        """What is asked of a causal mask, where one is trained."""
        if "causal-l0" not in self._methods:
            return {}
        from neurosteer.studies import MaskSettings

        return {"mask": MaskSettings(share=self.share, kl=self.kl), "neutral": self.neutral}

    def record(self) -> dict[str, Json]:
        """As a run keeps it, as JSON."""
        return {
            "methods": self._methods,
            "split": self.split,
            "k": self.topk,
            "layers": self.layers,
            "site": self.site or USUAL_SITES[self.by],
            **({} if self.by == "unit" else {"by": self.by}),
            "position": self.position,
            "lambdas": self._lambdas,
            "to": self.to,
            "steps": self.steps,
            **({"directions": self.direction} if self.direction else {}),
            "draws": self.draws,
            "seed": self.seed,
            **(self._of_mask if "causal-l0" in self._methods else {}),
        }

    @property
    def _methods(self) -> tuple[Method, ...]:
        return parse.each_once(self.method, METHODS) if self.method else PAPER_METHODS

    @property
    def _of_mask(self) -> dict[str, Json]:
        return {"share": self.share, "kl": self.kl, "neutral": None if self.neutral is None else str(self.neutral)}

    @property
    def _lambdas(self) -> tuple[float, ...] | None:
        return tuple(dict.fromkeys(self.lambda_)) if self.lambda_ else None


@with_groups
def find(
    names: options.Names = None,
    *,
    pairs: options.PairsFrom,
    search: SearchOptions,
    model: options.ModelFrom,
    output: options.PageOutput,
    progress: TerminalProgress,
) -> None:
    """Find the neurons that encode a grammatical contrast, layer by layer, with baselines that use no model.

    neurosteer find --task intransitive --topk 1%
    """
    # a mistyped task is noticed before the model loads
    tasks = pairs.load(names, seed=search.seed, offline=output.offline, progress=progress)

    from neurosteer.report import to_json
    from neurosteer.studies import RunRequest, pairs_identity

    asked = {**pairs.record(names), **search.record(), **model.record()}
    made_from = [pairs_identity(task) for task in tasks]
    question = RunRequest(command="find", out=output.out, options=asked, made_from=made_from)
    again = made_again(question, model.known(offline=output.offline))
    if again is not None:
        _show_again(again, output, progress)
        return
    from neurosteer.studies import remember_run, save_find

    loaded = model.load(offline=output.offline, progress=progress)
    founds: list[Found] = []
    skipped: list[dict[str, str]] = []
    try:
        _study_all(loaded, tasks, search, founds, skipped, printed=not output.as_json, progress=progress)
    except BaseException:  # what is finished is kept, whatever stops the rest
        if founds:
            kept, _ = save_find(loaded, founds, out=output.out, options=asked, skipped=skipped, progress=progress)
            progress.notice(f"stopped early: {len(founds)} of {len(tasks)} tasks are kept in {kept}")
        raise
    run, result = save_find(loaded, founds, out=output.out, options=asked, skipped=skipped, progress=progress)
    remember_run(question, loaded, run)
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
    say_foot(loaded, run, output)


def _show_again(again: Again, output: options.PageOutput, progress: TerminalProgress) -> None:
    """What was found before, with its notices."""
    from neurosteer.report import find_table, to_json
    from neurosteer.results import FindResult, read_record

    results = [read_record(FindResult, entry) for entry in again.result["results"]]
    notices = [f"skipped: {row['reason']}" for row in again.result["skipped"]]
    for notice in [*notices, *(notice for result in results for notice in result.notices)]:
        progress.notice(notice)
    if output.as_json:
        print(to_json(again.result), end="")
    else:
        for result in results:
            show(find_table(result))
    say_foot(again.model, again.run, output)


def _study_all(
    model: Model,
    tasks: list[Pairs],
    search: SearchOptions,
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
