"""Shell completion: what the shell is told when it asks, as bash asks it."""

from __future__ import annotations

import pytest

from neurosteer.cli import app
from neurosteer.experiments.recipe.bundled import bundled_recipes
from neurosteer.grammar import PARADIGMS
from neurosteer.meaning import MEANING_TASKS


@pytest.fixture
def completions(run, monkeypatch):
    def complete(line: str) -> list[str]:
        """Of the last word of a line, which may be empty."""
        words = line.split(" ")
        monkeypatch.setenv("_NEUROSTEER_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        outcome = run()
        assert (outcome.code, outcome.err) == (0, "")
        return outcome.out.split()

    return complete


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("neurosteer ab", ["ablate"]),
        ("neurosteer ls mo", ["models"]),
        ("neurosteer find --method w", ["welch"]),
        (
            "neurosteer find --method welch --method ",
            ["welch", "l0", "mean-diff", "l1", "localizer", "attribution", "causal-l0"],
        ),
        ("neurosteer ablate --method x", []),
        ("neurosteer find --split ", ["pair", "lexical"]),
        ("neurosteer find --site mlp", ["mlp_out", "mlp_post"]),
        ("neurosteer find --to ", ["zero", "mean"]),
        ("neurosteer ablate --to r", ["resample"]),
        ("neurosteer amplify --where ", ["all", "prompt", "every"]),
        ("neurosteer score --format j", ["json"]),
        ("neurosteer score --device c", ["cpu", "cuda"]),
        ("neurosteer find --data builtin:", ["builtin:balanced", "builtin:meaning", "builtin:gym"]),
        ("neurosteer run fig5 --split l", ["lexical"]),
        ("neurosteer ablate --limi", ["--limit"]),
    ],
)
def test_words(completions, line, told):
    assert completions(line) == told


@pytest.mark.parametrize("line", ["neurosteer find ", "neurosteer score --task ", "neurosteer ablate -t "])
def test_tasks(completions, line):
    assert set(completions(line)) >= {"all", *PARADIGMS, *MEANING_TASKS}
    assert completions(f"{line}intr") == ["intransitive"]


def test_recipes(completions):
    assert completions("neurosteer run ") == list(bundled_recipes())


def test_a_shell_is_given_its_script(run, monkeypatch):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")  # whatever shell runs the tests, or none
    monkeypatch.setattr(app, "_parser", app._parser.__wrapped__)  # built anew, as this decides how it is built
    outcome = run("--show-completion", "bash")
    assert (outcome.code, outcome.err) == (0, "")
    assert "_NEUROSTEER_COMPLETE=complete_bash" in outcome.out
