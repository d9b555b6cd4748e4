"""`neurosteer find`: which neurons hold a contrast, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from neurosteer.vocabulary import ENCODED, METHODS, POSITIONS, REFERENCES, SITES, SPLITS

from . import options, parse
from .progress import TerminalProgress, progress_on_stderr
from .spread import spread

_SEARCH = "The search"


@spread
def find(
    *,
    pairs: options.PairsFrom,
    split: options.Split = "pair",
    seed: options.Seed = "0",
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="welch|l0|attribution",
            rich_help_panel=_SEARCH,
            help="How neurons are ranked: read by a probe (welch, l0) or used by the model (attribution). Repeats.",
            show_default="welch, l0",
        ),
    ] = None,
    topk: Annotated[
        str,
        typer.Option(metavar="K", rich_help_panel=_SEARCH, help="How many neurons: a count (40) or a share (1%)."),
    ] = "1%",
    lambda_: Annotated[
        list[str] | None,
        typer.Option(
            "--lambda",
            metavar="X",
            rich_help_panel=_SEARCH,
            help="An L0 penalty above 0 and up to 1. Repeats.",
            show_default="a grid, chosen from on validation",
        ),
    ] = None,
    to: Annotated[
        str,
        typer.Option(metavar="zero|mean", rich_help_panel=_SEARCH, help="The ablation that attribution predicts."),
    ] = "zero",
    steps: Annotated[
        str,
        typer.Option(metavar="S", rich_help_panel=_SEARCH, help="Passes that attribution averages gradients over."),
    ] = "1",
    draws: Annotated[
        str,
        typer.Option(metavar="N", rich_help_panel=_SEARCH, help="Random neuron sets to compare with."),
    ] = "5",
    layers: Annotated[
        str,
        typer.Option(
            metavar="LAYERS", rich_help_panel=_SEARCH, help="Blocks, counted from 0: all, 3, 3,7,12 or 0-5."
        ),
    ] = "all",
    site: options.Site = "resid_post",
    position: options.Position = "eos",
    model: options.ModelFrom,
    output: options.Output,
) -> None:
    """Find the neurons that hold a grammatical contrast, layer by layer, beside baselines without a model.

    neurosteer find --task intransitive --topk 1%
    """
    pairs_from, model_from = pairs.parsed(), model.parsed()
    study = {
        "methods": parse.choices("--method", method or ENCODED, METHODS),
        "split": parse.choice("--split", split, SPLITS),
        "k": parse.topk(topk),
        "layers": parse.layers(layers),
        "site": parse.choice("--site", site, SITES),
        "position": parse.choice("--position", position, POSITIONS),
        "lambdas": parse.lambdas(lambda_),
        "to": parse.choice("--to", to, REFERENCES[:2]),
        "steps": parse.whole("--steps", steps, least=1),
        "draws": parse.whole("--draws", draws, least=1),
        "seed": parse.whole("--seed", seed, least=0),
    }
    runs = output.checked()
    with progress_on_stderr(quiet=output.quiet) as progress:
        _find(pairs_from, study, model_from, runs, output, progress)


def _find(
    pairs_from: dict[str, Any],
    study: dict[str, Any],
    model_from: dict[str, Any],
    runs: Path,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    from neurosteer.pairs import load_tasks

    wanted = {**pairs_from, "seed": study["seed"], "offline": output.offline}
    tasks = load_tasks(**wanted, progress=progress)  # a mistyped task is noticed before the model loads

    from neurosteer.model import load_model
    from neurosteer.report import to_json
    from neurosteer.studies import save_find

    model = load_model(**model_from, offline=output.offline, progress=progress)
    founds: list[Any] = []
    skipped: list[dict[str, str]] = []
    asked = options.as_recorded({**pairs_from, **study, **model_from})
    try:
        _study_all(model, tasks, study, founds, skipped, show=not output.as_json, progress=progress)
    except BaseException:  # what is finished is kept, whatever stops the rest
        if founds:
            kept, _ = save_find(model, founds, out=runs, options=asked, skipped=skipped)
            progress.notice(f"stopped early: {len(founds)} of {len(tasks)} tasks are kept in {kept}")
        raise
    run, result = save_find(model, founds, out=runs, options=asked, skipped=skipped)
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
    else:
        print(f"run     {run}")
        for figure in sorted(run.rglob("*.png")):
            print(f"figure  {figure}")


def _study_all(
    model: Any,
    tasks: list[Any],
    study: dict[str, Any],
    founds: list[Any],
    skipped: list[dict[str, str]],
    *,
    show: bool,
    progress: TerminalProgress,
) -> None:
    """Adds a `Found` per task; tasks whose words allow no lexical split are passed over while others remain."""
    from neurosteer.pairs import LexicalSplitError
    from neurosteer.report import find_table
    from neurosteer.studies import find as find_neurons

    for index, pairs in enumerate(tasks):
        try:
            found = find_neurons(model, pairs, **study, progress=progress)
        except LexicalSplitError as error:
            if not founds and index == len(tasks) - 1:
                raise
            skipped.append({"task": pairs.task, "reason": str(error)})
            progress.notice(f"skipped: {error}")
            continue
        founds.append(found)
        if show:
            progress.clear()
            Console().print(find_table(found.entry))
