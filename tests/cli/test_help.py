"""Help: every command opens with a sentence and an example, and every option says what it is for."""

from __future__ import annotations

import pytest
import typer

from neurosteer import __version__
from neurosteer.cli.app import app


def commands(group, path=("neurosteer",)):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_the_commands():
    assert list(COMMANDS) == [
        "neurosteer find",
        "neurosteer ablate",
        "neurosteer amplify",
        "neurosteer evidence",
        "neurosteer neuron",
        "neurosteer generate",
        "neurosteer score",
        "neurosteer run",
        "neurosteer export",
        "neurosteer page",
        "neurosteer fetch",
        "neurosteer compare",
        "neurosteer check",
        "neurosteer ls tasks",
        "neurosteer ls models",
        "neurosteer ls recipes",
        "neurosteer ls runs",
    ]


@pytest.mark.parametrize("path", COMMANDS)
def test_help_opens_with_a_sentence_and_an_example(path):
    sentence, example = COMMANDS[path].help.strip().split("\n\n")
    assert sentence.endswith(".")
    assert example.strip().startswith(path)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_is_explained(path):
    assert all(option.help for option in COMMANDS[path].params)


@pytest.mark.parametrize(("long", "short"), [("--task", "-t"), ("--topk", "-k")])
def test_what_is_typed_often_is_short(long, short):
    """Wherever there is such an option; and none has another name for the same."""
    options = [
        parameter.opts for command in COMMANDS.values() for parameter in command.params if long in parameter.opts
    ]
    assert options
    assert all(short in names for names in options)
    assert not {"--about", "--n", "--k"} & {
        name for command in COMMANDS.values() for o in command.params for name in o.opts
    }


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["ls"], ["ls", "--help"], ["find", "--help"], ["-h"], ["ls", "-h"], ["run", "-h"]]
)
def test_help_is_no_error(run, arguments):
    outcome = run(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Usage: neurosteer" in outcome.out


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(run, option):
    assert run(option).out == f"neurosteer {__version__}\n"
