"""The command that a page prints under "Made by": given again, it keeps the very options of the run."""

from __future__ import annotations

import json
import shlex
from itertools import count
from typing import Any

import pytest
import typer

from neurosteer.cli.app import app
from neurosteer.report.pages.command import OPTIONS, command_of

SAVED = {
    "find": "save_find",
    "score": "save_scores",
    "ablate": "save_effects",
    "amplify": "save_effects",
    "evidence": "save_evidence",
    "generate": "save_texts",
}
COMMANDS = typer.main.get_command(app).commands
NOT_KEPT = {"--out", "--format", "--quiet", "--offline", "--open", "--dry-run", "--help"}  # they change no result
FIRST = {"generate": ["-1 is", "two words"]}  # what the command cannot do without
BESIDE = {  # what an option is for
    **{("find", flag): ["--method", "causal-l0"] for flag in ("--share", "--kl", "--neutral")},
    ("generate", "--scale"): ["--direction", "mean"],
}
REFUSED = {("evidence", "--reach"): {"onward", "all"}}
TYPED = {  # of options that take more than some words
    "--task": ["intransitive", "it's *"],
    "--data": ["auto", "./my pairs.csv"],
    "--columns": ["sentence_good,sentence_bad", "good,the bad one"],
    "--layout": ["auto", "bad-good"],
    "--limit": ["30"],
    "--seed": ["0", "4"],
    "--model": ["smollm2-135m", "./my model"],
    "--revision": ["main"],
    "--device": ["auto", "cpu"],
    "--device-map": ["auto"],
    "--bos": ["none"],
    "--eos": ["</s>"],
    "--method": ["l0", "welch"],
    "--topk": ["40", "2%"],
    "--lambda": ["0.01", "0.123456789"],
    "--steps": ["1", "5"],
    "--direction": ["mean", "probe"],
    "--share": ["0.75"],
    "--kl": ["0.0123456789"],
    "--neutral": ["text"],
    "--draws": ["7"],
    "--layers": ["all", "3", "0,2-4"],
    "--neurons": ["14:3,14:5", "text"],
    "--scale": ["0", "1", "2", "-0.123456789"],
    "--where": ["all", "every"],
    "--controls": ["0", "3"],
    "--also": ["intransitive"],
    "--only": ["necessary,selective", "encoded,necessary,sufficient,interchangeable,selective,isolated"],
    "--nulls": ["0", "20"],
    "--max-new-tokens": ["3"],
    "--temperature": ["0", "0.7"],
    "--push": ["-3", "0.5"],
}
FURTHER = {
    **{(command, "--kl"): ["auto", "0.02"] for command in ("ablate", "amplify", "evidence")},
    **{
        (command, "--direction"): ["mean", "probe", "text"]
        for command in ("ablate", "amplify", "generate", "evidence")
    },
    ("ablate", "--to"): ["zero", "mean", "resample"],
}
OPTIONS_TYPED = [
    (command, parameter)
    for command in SAVED
    for parameter in COMMANDS[command].params
    if parameter.param_type_name == "option" and max(parameter.opts, key=len) not in NOT_KEPT
]


def choices(parameter: Any) -> list[str]:
    """The words that an option is one of."""
    with typer.Context(typer.main.get_command(app)) as context:
        return [item.value for item in parameter.shell_complete(context, "")]


def ways(command: str, parameter: Any) -> list[list[str]]:
    """The ways to type an option; one that no way is known of stops the test: it needs an entry in `TYPED`."""
    flag = max(parameter.opts, key=len)
    if parameter.is_flag:
        return [[flag]]
    words = FURTHER.get((command, flag)) or TYPED.get(flag) or choices(parameter)
    alone = [[flag, word] for word in words if word not in REFUSED.get((command, flag), ())]
    return [*alone, [each for way in alone for each in way]] if parameter.multiple else alone


@pytest.fixture
def kept(rooms, tmp_path):
    """What a run keeps of its options, as JSON, by the words of its command."""
    (tmp_path / "text").write_text("A text.\n")
    numbers = count()

    def kept_of(words: list[str]) -> dict[str, Any]:
        name, *typed = words
        command = COMMANDS[name]
        with command.make_context(name, ["--out", f"runs-{next(numbers)}", "--format", "json", *typed]) as context:
            command.invoke(context)
        return json.loads(json.dumps(rooms.calls[SAVED[name]]["options"]))

    return kept_of


def typed(command: str, options: list[str]) -> list[str]:
    return [command, *options, *(["--", *FIRST[command]] if command in FIRST else [])]


def again(command: str, options: dict[str, Any]) -> list[str]:
    """The words of the command that a page prints."""
    program, *words = shlex.split(command_of(command, options))
    assert program == "neurosteer"
    return words


@pytest.mark.parametrize(
    ("command", "parameter"), OPTIONS_TYPED, ids=[f"{command} {one.opts[0]}" for command, one in OPTIONS_TYPED]
)
def test_every_option_is_typed_again(command, parameter, kept):
    """However it is typed; and no option is without a trace in what the run keeps."""
    flag = max(parameter.opts, key=len)
    beside, found = BESIDE.get((command, flag), []), []
    for way in ways(command, parameter):
        found.append(kept(typed(command, [*beside, *way])))
        assert kept(again(command, found[-1])) == found[-1], way
    without = kept(typed(command, beside))
    assert kept(again(command, without)) == without
    assert (command, flag) in REFUSED or any(one != without for one in found)


@pytest.mark.parametrize("command", SAVED)
def test_what_no_option_is_known_of_makes_no_command(command, kept):
    """A command that leaves out an option makes another run."""
    options = kept(typed(command, []))
    assert command_of(command, options)
    assert not command_of(command, {**options, "a_new_one": 1})


def test_every_command_whose_run_has_a_page():
    from neurosteer.report.pages.run import _MAKERS

    assert set(SAVED) == set(OPTIONS) == set(_MAKERS)


def test_every_word_of_the_prompt_stays(kept):
    assert kept(["generate", "The guests have", "it's"])["prompts"] == ["The guests have", "it's"]
