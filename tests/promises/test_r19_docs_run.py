"""R19: the docs run: every command of the README, in its order and folder, and its Python block; the notebooks are
run by `test_notebooks`.

Small stand-ins take the place of what is large, so that commands stay as they are printed: `./blimp` holds a few of
BLiMP's tasks with pairs of our own, and `smollm2-135m` is a random model with the words of the pairs, and as many
layers as the commands name. Some commands are given fewer pairs, layers or controls; `pip` and `pytest` are only
looked up, and of the scripts only the arguments are parsed.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
import typer
from tiny_models import GROUPED
from tokenizers import Tokenizer, models, pre_tokenizers

from neurosteer.cli import main
from neurosteer.cli.app import app
from neurosteer.model.builtin import NAME, SEPARATOR
from neurosteer.pairs import load_pairs
from neurosteer.runner.bundled import bundled_recipes
from neurosteer.store import write_manifest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE))
TASKS = {"intransitive": 400, "determiner_noun_agreement_1": 40, "wh_island": 40}
LESS = {  # what makes a command short; an option that it has itself stays
    "find": "--limit 200 --draws 2 --lambda 0.8 --layers 14,29",
    "ablate": "--controls 3",
    "amplify": "--controls 3",
    "run": "--data ./blimp --limit 40 --set layers=14 --set repeats=1 --set draws=2 --set controls=2 "
    "--set test_pairs=8",
    "run sensitivity": "--data ./blimp --limit 40 --set layers=13-15 --set l0_steps=5 --set unpenalised_steps=5,10",
}


def commands_in(text: str) -> Iterator[str]:
    """The commands of a shell block: its lines without comments, or in a transcript those after `$`."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    for line in lines:
        yield from filter(None, (part.strip() for part in re.sub(r"\s#.*", "", line).split("&&")))


def commands_of_spans() -> Iterator[str]:
    """The commands in the running text; of alternatives (`ls tasks | models`) each."""
    for span in SPANS:
        for command in span.replace("PATH", "runs").split(" && "):
            if command.startswith(("neurosteer ", "python ", "pip ")):
                first, *others = command.split(" | ")
                yield from (first, *(f"{first.rsplit(' ', 1)[0]} {other}" for other in others))


COMMANDS = [command for kind, text in BLOCKS if kind in {"sh", "console"} for command in commands_in(text)]
INLINE = list(dict.fromkeys(commands_of_spans()))


@pytest.fixture(params=[30])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, neurosteer_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with `./blimp` and `recipes`, and a cache that holds the model; no hub is there."""
    words = {"The", "guests", "have", "Every", "morning", "the", "."}
    for task, n in TASKS.items():
        (tmp_path / "blimp").mkdir(exist_ok=True)
        with (tmp_path / "blimp" / f"{task}.jsonl").open("w") as file:
            for pair in load_pairs(task, source="builtin", limit=n):
                file.write(json.dumps({"sentence_good": pair.good, "sentence_bad": pair.bad}) + "\n")
                words |= {*re.findall(r"\w+|[^\w\s]+", f"{pair.good} {pair.bad}")}
    save_stand_in(neurosteer_home / "models" / NAME, sorted(words), layers=request.param)
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save_stand_in(folder: Path, words: list[str], *, layers: int) -> None:
    vocabulary = {word: i for i, word in enumerate([SEPARATOR, *words])}
    sizes = {
        "vocab_size": len(vocabulary),
        "num_hidden_layers": layers,
        "hidden_size": 256,
        "max_position_embeddings": 512,
    }
    ids = {"bos_token_id": 0, "eos_token_id": 0}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**GROUPED, **sizes, **ids}))
    network.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="."))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=SEPARATOR, eos_token=SEPARATOR
    ).save_pretrained(folder)
    write_manifest(folder)


def shortened(words: list[str]) -> list[str]:
    """The same command on less."""
    more = (LESS.get(" ".join(words[:2])) or LESS.get(words[0], "")).split()
    options = zip(more[::2], more[1::2], strict=True)
    return [*words, *(part for name, value in options if name not in words for part in (name, value))]


def run_neurosteer(words: list[str], capsys: pytest.CaptureFixture[str]) -> str | None:
    """What went wrong, if anything."""
    with pytest.raises(SystemExit) as stop:
        main(shortened(words))
    captured = capsys.readouterr()
    if stop.value.code:
        return captured.err.strip().splitlines()[-1]
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
            "neurosteer": lambda: run_neurosteer(words, capsys),
            "python": lambda: run_script(words, monkeypatch),
            "pip": lambda: run_pip(words),
            "pytest": lambda: None,
        }
        return known[program]()

    return run


def test_every_command(run_command: Callable[[str], str | None]):
    """In the order of the page: what one writes the next one reads."""
    programs = [command.split()[0] for command in COMMANDS]
    assert programs.count("neurosteer") >= 8
    failed = [f"{command}: {said}" for command in [*COMMANDS, *INLINE] if (said := run_command(command))]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("place", [3], indirect=True, ids=["3 layers"])
def test_the_python_block(place: Path):
    """Statement by statement; what stands alone is shown as a notebook shows it."""
    [text] = [text for kind, text in BLOCKS if kind == "python"]
    names: dict[str, Any] = {}
    for statement in ast.parse(text).body:
        if not isinstance(statement, ast.Expr):
            exec(compile(ast.Module([statement], []), "README.md", "exec"), names)
            continue
        value = eval(compile(ast.Expression(statement.value), "README.md", "eval"), names)
        if hasattr(value, "_repr_html_"):
            assert "<" in value._repr_html_()
    assert names["run"].page.is_file()


def options_of_commands() -> set[str]:
    """All there are, of commands and of the scripts named on the page."""
    group = typer.main.get_command(app)
    every = [group, *group.commands.values()]
    scripts = "".join(path.read_text() for path in (ROOT / "recipes").rglob("*.py"))
    return {
        *(name for command in every for parameter in command.params for name in (*parameter.opts, "--help")),
        *re.findall(r'add_argument\("(--[\w-]+)"', scripts),
    }


def test_every_option_named_exists():
    named = {name for span in SPANS for name in re.findall(r"(?<![\w-])--[a-z][\w-]*", span)}
    assert len(named) > 20
    assert named - options_of_commands() == set()


def test_every_file_named_exists():
    """Links and pictures, files of the repository, rooms of the house, recipes of the table."""
    links = {target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target}
    files = {span for span in SPANS if re.fullmatch(r"recipes/[\w./-]+", span)}
    rooms = {f"neurosteer/{room}" for room in re.findall(r"^    ([a-z]+(?:/|\.py)) ", README, flags=re.MULTILINE)}
    assert min(map(len, (links, files, rooms))) > 5
    assert [name for name in sorted(links | files | rooms) if not (ROOT / name).exists()] == []
    table = README[README.index("| recipe | asks |") :].split("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)` ", table, flags=re.MULTILINE)) == set(bundled_recipes())


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
