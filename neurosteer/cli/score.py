"""`neurosteer score`: how often the model prefers the grammatical sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from . import options, parse
from .progress import TerminalProgress, progress_on_stderr


def score(
    *,
    task: options.Task = None,
    data: options.Data = "auto",
    columns: options.Columns = "sentence_good,sentence_bad",
    limit: options.Limit = None,
    convention: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How sentences are scored: sum, mean (per token), lm-eval (space first) or minicons (its default).",
        ),
    ] = "sum",
    model: options.Model = "smollm2-135m",
    revision: options.Revision = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    device_map: options.DeviceMap = None,
    bos: options.Bos = None,
    eos: options.Eos = None,
    out: options.Out = "runs/",
    format_: options.Format = "table",
    quiet: options.Quiet = False,
    offline: options.Offline = False,
) -> None:
    """Score minimal pairs: log-probabilities of both sentences, margins and accuracy of the unedited model.

    neurosteer score --task intransitive
    """
    pairs_from = {
        "tasks": list(task or ()),
        "source": parse.some_text("--data", data),
        "n": None if limit is None else parse.whole("--limit", limit, least=1),
        "columns": parse.columns(columns),
    }
    how = parse.choice("--convention", convention, parse.CONVENTIONS)
    model_from = parse.model(model, revision, device, dtype, device_map, bos, eos)
    as_json = parse.choice("--format", format_, parse.FORMATS) == "json"
    runs = parse.folder("--out", out)
    options.prepare(offline=offline, quiet=quiet)
    with progress_on_stderr(quiet=quiet) as progress:
        _score(pairs_from, how, model_from, runs, as_json=as_json, offline=offline, progress=progress)


def _score(
    pairs_from: dict[str, Any],
    convention: str,
    model_from: dict[str, Any],
    runs: Path,
    *,
    as_json: bool,
    offline: bool,
    progress: TerminalProgress,
) -> None:
    from neurosteer.pairs import load_tasks

    tasks = load_tasks(**pairs_from, offline=offline)

    from neurosteer.forward import score as score_pairs
    from neurosteer.model import load_model
    from neurosteer.report import score_table, to_json
    from neurosteer.studies import save_scores

    model = load_model(**model_from, offline=offline, progress=progress)
    scored = [(pairs, score_pairs(model, pairs, convention=convention, progress=progress)) for pairs in tasks]
    asked = {**pairs_from, "convention": convention, **model_from}
    run, result = save_scores(model, scored, out=runs, options=asked)
    progress.clear()
    if as_json:
        print(to_json(result), end="")
    else:
        Console().print(score_table(result))
        print(f"run     {run}")
