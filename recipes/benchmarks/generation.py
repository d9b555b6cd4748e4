"""What an edit costs while text is generated: steered beside unsteered, on the same engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import neurosteer as ns

from .setup import Setup
from .turns import Comparison, Side, take_turns

PROMPTS = ["The guests have", "Every morning the", "Nobody who had seen the house", "When the rain stopped"]
NEW = 40  # tokens


def compare(setup: Setup) -> Iterator[Comparison]:
    model = setup.load()
    pairs = setup.pairs(setup.tasks[0]).limit(50)
    ranking = ns.rank_neurons(model, pairs)
    edits = {
        "40 neurons of one layer": ns.Edit.amplify(ranking.top(40, layers=model.n_layers // 2), by=2.0),
        "1 % of all units of all layers": ns.Edit.amplify(ranking.top("1%", layers="all"), by=1.1),
    }
    for name, edit in edits.items():

        def steered(edit: ns.Edit = edit) -> list[ns.Generated]:
            with ns.steering(model, edit):
                return ns.generate(model, PROMPTS, max_new_tokens=NEW)

        plain = Side("unsteered", lambda: ns.generate(model, PROMPTS, max_new_tokens=NEW), share=_written)
        ours = Side("neurosteer, steered", steered, share=_written)
        take_turns([plain, ours], max(9, setup.repeats), setup.say)
        count = len(PROMPTS) * NEW
        yield Comparison("steered generation", name, plain, ours, count, "token", 1.05, at_most=True)


def _written(texts: Sequence[ns.Generated]) -> float:
    """Share of the tokens asked for: a text may end sooner."""
    return sum(len(text.tokens) for text in texts) / (len(PROMPTS) * NEW)
