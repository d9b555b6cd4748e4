"""`neurosteer score`: how often the model prefers the grammatical sentence."""

from __future__ import annotations

from . import options
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import say, show


@with_groups
def score(
    names: options.Names = None,
    *,
    pairs: options.PairsFrom,
    convention: options.Convention = "sum",
    seed: options.Seed = 0,
    model: options.ModelFrom,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    """Score minimal pairs: log-probabilities of both sentences, margins and accuracy of the unedited model.

    neurosteer score --task intransitive
    """
    tasks = pairs.load(names, seed=seed, offline=output.offline, progress=progress)

    from neurosteer.forward import score as score_pairs
    from neurosteer.report import score_table, to_json
    from neurosteer.studies import save_scores

    loaded = model.load(offline=output.offline, progress=progress)
    scored = [(task, score_pairs(loaded, task, convention=convention, progress=progress)) for task in tasks]
    asked = {**pairs.record(names), "seed": seed, "convention": convention, **model.record()}
    run, found, result = save_scores(loaded, scored, out=output.out, options=asked)
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
    else:
        show(score_table(found))
        say(f"model   {loaded.name}, {loaded.specials}")
        say(f"run     {run}")
