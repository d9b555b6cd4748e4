"""`neurosteer score`: how often the model prefers the grammatical sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from neurosteer.vocabulary import CONVENTIONS

from . import options, parse
from .progress import TerminalProgress, progress_on_stderr
from .spread import spread


@spread
def score(
    *,
    pairs: options.PairsFrom,
    convention: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How sentences are scored: sum, mean (per token), lm-eval (space first) or minicons (its default).",
        ),
    ] = "sum",
    seed: options.Seed = "0",
    model: options.ModelFrom,
    output: options.Output,
) -> None:
    """Score minimal pairs: log-probabilities of both sentences, margins and accuracy of the unedited model.

    neurosteer score --task intransitive
    """
    pairs_from, model_from = pairs.parsed(), model.parsed()
    pairs_from["seed"] = parse.whole("--seed", seed, least=0)
    how = parse.choice("--convention", convention, CONVENTIONS)
    runs = output.checked()
    with progress_on_stderr(quiet=output.quiet) as progress:
        _score(pairs_from, how, model_from, runs, output, progress)


def _score(
    pairs_from: dict[str, Any],
    convention: str,
    model_from: dict[str, Any],
    runs: Path,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    from neurosteer.pairs import load_tasks

    tasks = load_tasks(**pairs_from, offline=output.offline, progress=progress)

    from neurosteer.forward import score as score_pairs
    from neurosteer.model import load_model
    from neurosteer.report import score_table, to_json
    from neurosteer.studies import save_scores

    model = load_model(**model_from, offline=output.offline, progress=progress)
    scored = [(pairs, score_pairs(model, pairs, convention=convention, progress=progress)) for pairs in tasks]
    asked = options.as_recorded({**pairs_from, "convention": convention, **model_from})
    run, result = save_scores(model, scored, out=runs, options=asked)
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
    else:
        Console().print(score_table(result))
        print(f"run     {run}")
