"""What a page says of a verdict, and the commands that it offers, are those of the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from described import described
from made_effects import altered

from neurosteer.report.pages.command import neuron_command
from neurosteer.report.pages.doses import dose_text, doses_part
from neurosteer.report.pages.effects import effect_overview
from neurosteer.results.effect import EffectResult
from neurosteer.results.model import ModelDescription
from neurosteer.results.run import RunRecord
from neurosteer.vocabulary import NOTHING_TO_LOSE, TOO_FEW_TO_TELL


@pytest.mark.parametrize(
    ("nothing", "verdict", "cell"), [(None, TOO_FEW_TO_TELL, "few"), (True, NOTHING_TO_LOSE, "none"), (False, "", "")]
)
def test_no_dose_says_more_than_the_verdict(full_effect: EffectResult, nothing: bool | None, verdict: str, cell: str):
    effect = altered(full_effect, nothing_to_lose=nothing, verdict=verdict or full_effect.verdict)
    said = [" ".join(dose_text(dose.scale, dose, effect)) for dose in effect.by_scale if dose.scale != 1]
    assert [verdict in text and ("p = " in text) == (nothing is False) for text in said] == [True] * len(said)
    [table] = doses_part(effect).tables
    shown = {row[4] for row in table.rows}
    assert shown == {cell} if cell else {"few", "none"}.isdisjoint(shown)
    [part] = effect_overview([effect])
    [row] = part.tables[0].rows
    assert row[5] == (cell or ".05")
    assert ("few: " in part.tables[0].caption) == (cell == "few")


def run_of(command: str, model: ModelDescription | None, **options: Any) -> RunRecord:
    made: Mapping[str, Any] = {"command": command, "version": "0.2.0", "model": model, "results": []}
    return RunRecord(**made, options=options)


def test_a_card_is_asked_for_with_the_pairs_the_site_and_the_model_of_the_run():
    model = described("tiny")
    found = run_of(
        "find", model, tasks=["wh_island"], source="./my pairs", n=300, seed=3, split="lexical", name="tiny"
    )
    effect = run_of("ablate", model, source=None, limit=200, seed=None, device="cuda", name="tiny")
    words = shlex.split(neuron_command("wh_island", "mlp_post", found, effect))
    assert words[:5] == ["neurosteer", "neuron", "LAYER:UNIT", "--task", "wh_island"]
    typed = dict(zip(words[5::2], words[6::2], strict=True))
    expected = {"--data": "./my pairs", "--limit": "200", "--seed": "3", "--split": "lexical", "--site": "mlp_post"}
    assert typed == expected | {"--model": "tiny", "--device": "cuda"}
    assert neuron_command("t", "resid_post", run_of("find", None, source="auto", seed=0)) == (
        "neurosteer neuron LAYER:UNIT --task t"
    )


def test_it_is_a_command(run: Callable[..., Any]):
    """Every option that it may have."""
    said = run("neuron", "--help").out
    for option in ("--task", "--data", "--columns", "--layout", "--limit", "--split", "--seed", "--site", "--model"):
        assert option in said
