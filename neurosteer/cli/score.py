"""`neurosteer score`: how often the model prefers the grammatical sentence."""

from __future__ import annotations

from . import options
from .earlier_run import HasName, made_again, say_foot
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import show


@with_groups
def score(
    names: options.Names = None,
    *,
    pairs: options.PairsFrom,
    convention: options.Convention = "sum",
    seed: options.Seed = 0,
    model: options.ModelFrom,
    output: options.PageOutput,
    progress: TerminalProgress,
) -> None:
    """Score minimal pairs: log-probabilities of both sentences, margins and accuracy of the unedited model.

    neurosteer score --task intransitive
    """
    tasks = pairs.load(names, seed=seed, offline=output.offline, progress=progress)

    from neurosteer.report import score_table, to_json
    from neurosteer.results import read_record
    from neurosteer.results.score import ScoreRun
    from neurosteer.studies import RunRequest, pairs_identity

    asked = {**pairs.record(names), "seed": seed, "convention": convention, **model.record()}
    made_from = [pairs_identity(task) for task in tasks]
    question = RunRequest(command="score", out=output.out, options=asked, made_from=made_from)
    again = made_again(question, model.known(offline=output.offline))
    if again is not None:
        used: HasName = again.model
        run, found, result = again.run, read_record(ScoreRun, again.result), again.result
    else:
        from neurosteer.forward import score as score_pairs
        from neurosteer.studies import remember_run, save_scores

        loaded = model.load(offline=output.offline, progress=progress)
        scored = [(task, score_pairs(loaded, task, convention=convention, progress=progress)) for task in tasks]
        run, found, result = save_scores(loaded, scored, out=output.out, options=asked, progress=progress)
        remember_run(question, loaded, run)
        used = loaded
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
    else:
        show(score_table(found))
    say_foot(used, run, output)
