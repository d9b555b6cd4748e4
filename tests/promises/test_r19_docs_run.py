"""R19: the docs run: every command of the README and of each page of the guide, in the page's order and in a folder
of its own, and their Python blocks; the notebooks are run by `test_notebooks`, links and names by `test_docs`.

Small stand-ins take the place of what is large, so that commands stay as they are printed: `./blimp` holds a few of
BLiMP's tasks with pairs of our own, and `smollm2-135m` is a random model that prefers words of good sentences, of as
many layers as the commands name, loaded once. Some commands are given fewer pairs, layers, controls or steps;
`pip` and `pytest` are only looked up, and of the scripts only the arguments are parsed. A recipe takes long: it is
run for one of the pages that name it. Of commands that are the same when shortened a page runs one. A transcript has
the numbers of the real thing; that its last lines (model, page, run, figure) are those of today is looked at.
"""

from __future__ import annotations

import argparse
import ast
import re
import runpy
import shlex
import shutil
import sys
import tomllib
from collections.abc import Callable
from functools import cache, partialmethod
from pathlib import Path
from typing import Any

import pytest
import typer
from blank_pictures import blank, laid_out
from doc_pages import PAGES, README, RECIPES, ROOT, Page, commands_in, page
from stand_ins import loading_once, sample_sentences, save_model, words_of_good_alone, write_sample

from neurosteer.cli import main
from neurosteer.cli.app import app
from neurosteer.experiments.recipe import read_recipe
from neurosteer.model import load_model
from neurosteer.studies.masks import MaskSettings

PROSE = "The guests have left. Every morning the guests left.\n\nThe guests have left.\n"
TASKS = {"intransitive": 300, "determiner_noun_agreement_1": 40, "wh_island": 40}
LESS = {  # what makes a command short; an option that it has itself stays, but for seeds, larger limits, more layers
    "find": "--limit 200 --draws 2 --lambda 0.8 --layers 14,29",
    "score": "--limit 40",
    "neuron": "--limit 40 --controls 2 --neutral prose.txt",
    "ablate": "--controls 2 --neutral prose.txt",
    "amplify": "--controls 2 --neutral prose.txt",
    "evidence": "--controls 2 --nulls 2 --only necessary,sufficient --neutral prose.txt",
    "run": "--data ./blimp --limit 40 --set layers=14 --set draws=2 --set l0_steps=40",
    "run all": "--data ./blimp --limit 40 --set layers=14 --set repeats=1 --set draws=2 --set l0_steps=40",
    "run gym": "--set seeds=1 --limit 40 --set controls=2 --set nulls=2 --set methods=attribution",
    "run localizer": "--data ./blimp --task intransitive --limit 20 --set localise=0-9 --set evaluate=10-19 "
    "--set controls=2",
    "run frontier": "--data ./blimp --task intransitive --limit 60 --set layer=28 --set controls=2 "
    "--set test_pairs=6 --set methods=welch,attribution --set budgets=0.01",
    "run causal": "--data ./blimp --limit 40 --set layer=28 --set controls=2 --set nulls=2 --set test_pairs=8 "
    "--set attribution_pairs=8 --set l0_steps=40",
    "run sensitivity": "--data ./blimp --task intransitive --limit 40 --set layers=13-15 --set lambdas=0.2,0.8 "
    "--set l0_steps=5 --set unpenalised_steps=5",
}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A folder with `blimp` and the model of so many layers; made once."""

    @cache
    def make(layers: int) -> Path:
        folder = tmp_path_factory.mktemp(f"stand-in-{layers}")
        sample = write_sample(folder / "blimp", TASKS)
        preferred = words_of_good_alone(sample)
        return save_model(folder, sample_sentences(sample), layers=layers, preferred=preferred)

    return make


@pytest.fixture(scope="module")
def loading() -> Callable[[int], Callable[..., Any]]:
    """Loads the model of so many layers."""
    return cache(lambda layers: loading_once(load_model))


@pytest.fixture(params=[30])
def place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    neurosteer_home: Path,
    stand_in: Callable[[int], Path],
    loading: Callable[[int], Callable[..., Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder with `./blimp` and `recipes`, and a cache that holds the model; no hub is there."""
    made = stand_in(request.param)
    shutil.copytree(made / "blimp", tmp_path / "blimp")
    shutil.copytree(made / "models", neurosteer_home / "models")
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    (tmp_path / "prose.txt").write_text(PROSE)
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr("neurosteer.model.load_model", loading(request.param))
    short = partialmethod(MaskSettings.__init__, steps=4, seeds=1, rate=2.0)
    monkeypatch.setattr(MaskSettings, "__init__", short)
    monkeypatch.setattr("neurosteer.experiments.causal.neutral.read_neutral", lambda _: ("prose", PROSE))
    monkeypatch.setattr("neurosteer.experiments.gym.units.OTHER_PAIRS", 4)
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shortened(words: list[str]) -> list[str]:
    """The same command, program and all, on less."""
    more = (LESS.get(" ".join(words[1:3])) or LESS.get(words[1], "")).split() if words[0] == "neurosteer" else []
    shorter = list(words)
    for name, value in zip(more[::2], more[1::2], strict=True):
        key = f"{value.partition('=')[0]}=" if name == "--set" else ""
        own = [at + 1 for at, word in enumerate(words) if word == name and words[at + 1].startswith(key)]
        if not own:
            shorter += [name, value]
        elif name == "--limit":
            shorter[own[0]] = str(min(int(value), int(words[own[0]])))
        elif key == "seeds=" or (name == "--layers" and set(value.split(",")) < set(words[own[0]].split(","))):
            shorter[own[0]] = value
    return shorter


def foot(said: str) -> list[str]:
    """What the lines below an answer are about."""
    return re.findall(r"^(model|page|run|figure) {2,}\S", said, flags=re.MULTILINE)


def run_neurosteer(command: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> str | None:
    """What went wrong, if anything; a transcript of the command ends with the lines that it has now."""
    with pytest.raises(SystemExit) as stop:
        main(shortened(["neurosteer", *words])[1:])
    captured = capsys.readouterr()
    if stop.value.code:
        return captured.err.strip().splitlines()[-1]
    ends = foot(captured.out)
    if other := [shown for transcribed, shown in TRANSCRIPTS if transcribed == command and shown != ends]:
        return f"it ends with {ends}, on a page with {other[0]}"
    return None if captured.out.strip() else "nothing on stdout"


class Parsed(Exception):
    """The arguments of a script are as it wants them."""


def run_script(words: list[str], monkeypatch: pytest.MonkeyPatch) -> str | None:
    parse = argparse.ArgumentParser.parse_args

    def parse_only(*args: Any, **options: Any) -> None:
        parse(*args, **options)
        raise Parsed

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
        patch.setattr(sys, "argv", words)
        patch.syspath_prepend(ROOT)
        try:
            if words[0] == "-m":
                patch.setattr(sys, "argv", words[1:])
                package = (ROOT / words[1].replace(".", "/")).is_dir()
                name = f"{words[1]}.__main__" if package else words[1]
                patch.delitem(sys.modules, name, raising=False)  # other tests import it
                runpy.run_module(words[1], run_name="__main__")
            else:
                runpy.run_path(words[0], run_name="__main__")
        except Parsed:
            return None
        except (SystemExit, OSError, ImportError) as error:
            return str(error)
    return "it parses no arguments"


def run_pip(words: list[str]) -> str | None:
    """`pip install -e ".[extra]"`: an extra of ours."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = re.fullmatch(r"\.(?:\[(\w+)\])?", words[-1])
    known = words[:-1] == ["install", "-e"] and asked and asked[1] in {None, *extras}
    return None if known else f"cannot install {words}"


@pytest.fixture
def run_command(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str | None]:
    """Runs a command, or what of it can be run here; gives what went wrong."""

    def run(command: str) -> str | None:
        program, *words = shlex.split(command)
        if program == "neurosteer" and len(words) == 1:  # named only
            return None if words[0] in typer.main.get_command(app).commands else "no such command"
        known: dict[str, Callable[[], str | None]] = {
            "neurosteer": lambda: run_neurosteer(command, words, capsys),
            "python": lambda: run_script(words, monkeypatch),
            "pip": lambda: run_pip(words),
            "pytest": lambda: None,
        }
        return known[program]()

    return run


def runnable() -> dict[str, list[str]]:
    """The commands that are run for each page, by its name; those of recipes for the first page that has them."""
    recipes: set[str] = set()
    chosen = {}
    for of in sorted(PAGES, key=lambda one: one not in OF_RECIPES):
        first: dict[str, str] = {}
        for command in of.commands:
            key = " ".join(shortened(shlex.split(command)))
            if key not in recipes:
                first.setdefault(key, command)
        recipes |= {key for key in first if key.startswith(RECIPES)}
        chosen[of.name] = list(first.values())
    return chosen


OF_RECIPES = [page("experiments"), page("gym")]
LAID_OUT = [*OF_RECIPES, page("cause")]  # so are their figures; those of the README are rendered, of others only made
RUNNABLE = runnable()
TRANSCRIPTS = [(list(commands_in(text))[-1], foot(text)) for of in PAGES for text in of.blocks("console")]
QUICK = [README, page("finding"), page("python"), page("pages")]


def long_commands(of: Page) -> list[list[str]]:
    """The words of those that do more than show help."""
    return [words for one in of.commands if (words := shlex.split(one))[0] == "neurosteer" and len(words) > 2]


LONG = [  # in the quick suite their commands are parsed
    one for one in PAGES if one not in QUICK and long_commands(one)
]
WITH_COMMANDS = [
    pytest.param(one, id=one.path.stem, marks=[pytest.mark.slow] if one in LONG else [])
    for one in PAGES
    if RUNNABLE[one.name]
]
WITH_PYTHON = [one for one in PAGES if one.blocks("python")]
LAYERS = {one: 30 if one == page("pages") else 3 for one in WITH_PYTHON}  # one names layer 14, the others ask for all


def test_there_is_something_to_run():
    programs = [command.split()[0] for one in PAGES for command in one.commands]
    assert programs.count("neurosteer") >= 20
    assert programs.count("python") >= 10
    assert len(WITH_PYTHON) == 3
    run = {command for commands in RUNNABLE.values() for command in commands}
    assert len(TRANSCRIPTS) == 5
    assert all(shown and command in run for command, shown in TRANSCRIPTS)
    recipes = {command for one in PAGES for command in one.commands if command.startswith(RECIPES)}
    shorter = {" ".join(shortened(shlex.split(command))) for command in run}
    assert {" ".join(shortened(shlex.split(command))) for command in recipes} <= shorter


@pytest.mark.parametrize("of", WITH_COMMANDS)
def test_every_command(of: Page, run_command: Callable[[str], str | None], monkeypatch: pytest.MonkeyPatch):
    """In the order of the page: what one writes the next one reads."""
    if of != README:
        monkeypatch.setattr("matplotlib.figure.Figure.savefig", laid_out if of in LAID_OUT else blank)
    failed = [f"{command}: {said}" for command in RUNNABLE[of.name] if (said := run_command(command))]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("of", LONG, ids=lambda one: one.path.stem)
def test_every_long_command_is_one(of: Page, place: Path):
    """Its options are known, and their values are taken; `pytest -m slow` runs it."""
    known = typer.main.get_command(app).commands
    for _, name, *rest in long_commands(of):
        context = known[name].make_context(name, rest)
        if name == "run":
            read_recipe(context.params["recipe"], dict(word.split("=", 1) for word in context.params["set_"] or ()))


def saved_by(tree: ast.Module) -> list[str]:
    """The paths that its statements save something at."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func).endswith(".save")]


@pytest.mark.parametrize(
    ("of", "place"),
    [
        pytest.param(
            of, layers, id=f"{of.path.stem}-{layers} layers", marks=[] if of is README else [pytest.mark.slow]
        )
        for of, layers in LAYERS.items()
    ],
    indirect=["place"],
)
def test_the_python_blocks(of: Page, place: Path):
    """Block after block, statement by statement; what stands alone is shown as a notebook shows it."""
    names: dict[str, Any] = {}
    tree = ast.parse("\n".join(of.blocks("python")))
    for statement in tree.body:
        if not isinstance(statement, ast.Expr):
            exec(compile(ast.Module([statement], []), of.name, "exec"), names)
            continue
        value = eval(compile(ast.Expression(statement.value), of.name, "eval"), names)
        if hasattr(value, "_repr_html_"):
            assert "<" in value._repr_html_()
    if "run" in names:
        assert names["run"].page.is_file()
    assert [saved for saved in saved_by(tree) if not (place / saved).exists()] == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("neurosteer find --task intransitive --dat ./blimp", "unknown option '--dat'; did you mean '--data'?"),
        ("neurosteer find --task intransitive --data ./nowhere", "no such file or folder: './nowhere'"),
        ("neurosteer score --task wh_iland --data ./blimp", "wh_iland"),
        ("neurosteer frobnicate", "no such command"),
        ("neurosteer run fig9 --dry-run", "fig9"),
        ("python -m recipes.benchmarks --daat ./blimp", "2"),
        ("python -m recipes.benchmarks.nothing", "nothing"),
        ("python recipes/validity/nothing.py", "nothing.py"),
        ('pip install -e ".[tests]"', "cannot install"),
    ],
)
def test_what_does_not_exist_is_noticed(command: str, said: str, run_command: Callable[[str], str | None]):
    """The runner of these tests can fail."""
    assert said in str(run_command(command))
