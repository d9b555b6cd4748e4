"""`neurosteer score`: how often the model prefers the grammatical sentence."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from neurosteer.vocabulary import Convention

from . import options
from .option_groups import with_groups
from .progress import TerminalProgress, progress_on_stderr


@with_groups
def score(
    names: options.Names = None,
    *,
    pairs: options.PairsFrom,
    convention: Annotated[
        Convention,
        typer.Option(
            help="How sentences are scored: sum, mean (per token), lm-eval (space first) or minicons (its default)."
        ),
    ] = "sum",
    seed: options.Seed = 0,
    model: options.ModelFrom,
    output: options.Output,
) -> None:
    """Score minimal pairs: log-probabilities of both sentences, margins and accuracy of the unedited model.

    neurosteer score --task intransitive
    """
    with progress_on_stderr(quiet=output.quiet) as progress:
        _score(names, pairs, convention, seed, model, output, progress)


def _score(
    names: list[str] | None,
    pairs_from: options.PairsFrom,
    convention: Convention,
    seed: int,
    model_from: options.ModelFrom,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    tasks = pairs_from.load(names, seed=seed, offline=output.offline, progress=progress)

    from neurosteer.forward import score as score_pairs
    from neurosteer.report import score_table, to_json
    from neurosteer.studies import save_scores

    model = model_from.load(offline=output.offline, progress=progress)
    scored = [(pairs, score_pairs(model, pairs, convention=convention, progress=progress)) for pairs in tasks]
    asked = {**pairs_from.record(names), "seed": seed, "convention": convention, **model_from.record()}
    run, found, result = save_scores(model, scored, out=output.out, options=asked)
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
    else:
        Console().print(score_table(found))
        print(f"model   {model.name}, {model.specials}")
        print(f"run     {run}")
