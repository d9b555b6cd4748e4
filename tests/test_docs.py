"""What the pages of the manual name exists: options, files, links, rooms, recipes; and the worked examples work."""

from __future__ import annotations

import compileall
import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from doc_pages import GUIDE, PAGES, README, ROOT, Page, page
from fresh_process import told
from made_pairs import made_pairs
from test_architecture import FLOORS, WITHOUT_TORCH

from neurosteer.cli.app import app
from neurosteer.experiments.recipe.bundled import bundled_recipes

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RAW = PROJECT["urls"]["Repository"].replace("github.com", "raw.githubusercontent.com") + "/main/"
LINK = re.compile(r"\]\(([^)\s]+)\)")
MOST_WORDS = 1500  # of the README
MANUAL = [*PAGES, *(Page(ROOT / name) for name in ("CONTRIBUTING.md", "CHANGELOG.md"))]

every_page = pytest.mark.parametrize("of", MANUAL, ids=lambda one: one.path.stem)


def test_the_readme_is_short_and_links_every_page():
    assert len(README.text.split()) <= MOST_WORDS
    links = LINK.findall(README.text)
    assert [one.name for one in GUIDE if one.name not in links] == []
    assert len(GUIDE) >= 10


def options_of_commands() -> set[str]:
    """All there are, of commands and of the scripts named on the pages."""
    group = typer.main.get_command(app)
    every = [group, *group.commands.values()]
    scripts = "".join(path.read_text() for path in (ROOT / "recipes").rglob("*.py"))
    return {
        *(name for command in every for parameter in command.params for name in (*parameter.opts, "--help")),
        *re.findall(r'add_argument\("(--[\w-]+)"', scripts),
    }


def test_every_option_named_exists():
    named = {name for of in PAGES for span in of.spans for name in re.findall(r"(?<![\w-])--[a-z][\w-]*", span)}
    assert len(named) > 30
    assert named - options_of_commands() == set()


def missing(of: Page) -> Iterator[str]:
    """What a page names of the repository that is not there: links, their anchors, files in backticks."""
    for link in LINK.findall(of.text):
        place, _, anchor = link.removeprefix(RAW).partition("#")
        if "://" in place:
            continue
        root = ROOT if link.startswith(RAW) else of.path.parent
        target = root / place if place else of.path
        if not target.exists() or (anchor and anchor not in Page(target).anchors):
            yield link
    for span in of.spans:
        if re.fullmatch(r"(recipes|neurosteer|tests)/[\w./-]+", span) and not (ROOT / span).exists():
            yield span


@every_page
def test_every_file_named_exists(of: Page):
    assert list(missing(of)) == []


def test_a_file_that_does_not_exist_is_noticed(tmp_path: Path):
    bad = tmp_path / "bad.md"
    bad.write_text(
        f"# A b\n[a](#a-b) [b](#c) [c](none.md) `recipes/none.md` ![d]({RAW}none.png) [e](https://e.org)\n"
    )
    assert list(missing(Page(bad))) == ["#c", "none.md", f"{RAW}none.png", "recipes/none.md"]


def test_images_of_the_readme_are_absolute():
    """A package index shows the README, and has no folder `recipes`."""
    images = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.text)
    assert images
    assert [image for image in images if not image.startswith(RAW)] == []


def test_recipes_of_the_table():
    text = page("experiments").text
    table = text[text.index("| recipe | asks |") :].split("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)` ", table, flags=re.MULTILINE)) == set(bundled_recipes())


def test_every_promise_has_a_test_and_every_test_a_promise():
    """In order, so that a number is found, and none is given twice."""
    promised = [int(number) for number in re.findall(r"^\| R(\d+) \|", page("guarantees").text, flags=re.MULTILINE)]
    tested = {int(path.name[6:8]) for path in (ROOT / "tests" / "promises").glob("test_r*.py")}
    assert promised == sorted(tested)


def test_rooms_as_the_architecture_test_has_them():
    text = page("architecture").text
    rooms = re.findall(r"^    ([a-z_]+)(?:/|\.py) ", text, flags=re.MULTILINE)
    assert rooms == list(reversed(FLOORS))
    rules = re.findall(r"^- \*\*([^:]+):\*\* (.*?)(?=^\S)", text, flags=re.MULTILINE | re.DOTALL)
    named = {libraries: re.findall(r"`([a-z]+)(?:/|\.py)`", rule) for libraries, rule in rules}
    assert named["TransformerLens"] == ["model"]
    assert sorted(named["torch and transformers"]) == sorted(WITHOUT_TORCH)


def apply_diffs(of: Page, folder: Path) -> None:
    """The worked examples of a page: every hunk must fit its file once, a new file must be new."""
    for block in of.blocks("diff"):
        for part in re.split(r"^\+\+\+ b/", block, flags=re.MULTILINE)[1:]:
            name, *hunks = re.split(r"^@@\n", part, flags=re.MULTILINE)
            target = folder / name.strip()
            text = target.read_text("utf-8") if target.exists() else ""
            for hunk in hunks:
                lines = hunk.splitlines()
                old = "".join(line[1:] + "\n" for line in lines if not line.startswith("+"))
                new = "".join(line[1:] + "\n" for line in lines if not line.startswith("-"))
                if old:
                    assert text.count(old) == 1, f"{of.name}: does not fit {name.strip()}:\n{old}"
                else:
                    assert text == "", f"{of.name}: {name.strip()} is no new file"
                text = text.replace(old, new) if old else new
            target.write_text(text, "utf-8")


RUN = """
sys.path.insert(0, sys.argv[1])
import json
from contextlib import redirect_stdout, suppress
from io import StringIO
from neurosteer.cli import main

said = []
for command in json.loads(sys.argv[2]):
    with redirect_stdout(StringIO()) as out, suppress(SystemExit):
        main(command)
    said.append(json.loads(out.getvalue())["results"])
print(json.dumps(said))
"""


def with_the_worked_examples(place: Path) -> str:
    """The package as the page changes it, in a folder; and the recipe of the experiment."""
    shutil.copytree(ROOT / "neurosteer", place / "neurosteer", ignore=shutil.ignore_patterns("__pycache__"))
    apply_diffs(page("extending"), place)
    [module], [recipe] = page("extending").blocks("python shown"), page("extending").blocks("toml")
    (place / "neurosteer" / "experiments" / "depth.py").write_text(module)
    return recipe


def test_the_worked_examples_fit(tmp_path: Path):
    with_the_worked_examples(tmp_path)
    assert compileall.compile_dir(tmp_path / "neurosteer", quiet=2)


@pytest.mark.slow
def test_the_worked_examples_work(tiny_folder: Callable[[str], Path], tmp_path: Path):
    """Another ranking, baseline, site and data layout, as the page adds them, in one `find`; and an experiment."""
    recipe = with_the_worked_examples(tmp_path)
    (tmp_path / "depth.toml").write_text(recipe)
    (tmp_path / "two.toml").write_text(recipe + "best = 2\n")
    (tmp_path / "third.toml").write_text(recipe.replace("depth", "fig3"))
    pairs = tmp_path / "mine.pairs"
    pairs.write_text("".join(f"{pair.good} ||| {pair.bad}\n" for pair in made_pairs()))

    about = ["--format", "json", "--offline", "--data", pairs, "--model", tiny_folder("llama")]
    asked = ["find", "--method", "auroc", "--site", "mlp_pre", "--layers", "1"]
    runs = [["run", tmp_path / f"{name}.toml"] for name in ("depth", "two", "third")]
    commands = [[str(word) for word in (*own, *about, "--out", tmp_path / "runs")] for own in (asked, *runs)]
    [entry], [found], [two], [third] = told(RUN, tmp_path, json.dumps(commands))
    assert entry["methods"] == ["auroc"]
    assert entry["data"]["pairs"] == 80
    assert entry["baselines"]["first_word"] == 0.5  # w0 to w4 begin good and bad sentences alike
    [best], dense = found["rows"], {row["layer"]: row["accuracy"] for row in third["dense"]}
    assert best["accuracy"] == pytest.approx(dense[best["layer"]])
    assert two["rows"][0] == best
    assert [row["accuracy"] for row in two["rows"]] == pytest.approx([dense[row["layer"]] for row in two["rows"]])
    assert len({row["layer"] for row in two["rows"]}) == 2
    [folder] = (tmp_path / "runs").glob("run-depth-*")
    assert {"depth.csv", "depth.png", "index.html"} <= {path.name for path in folder.iterdir()}


def test_a_diff_that_does_not_fit_is_noticed(tmp_path: Path):
    bad = tmp_path / "bad.md"
    bad.write_text("```diff\n+++ b/a.py\n@@\n-x = 2\n+x = 3\n```\n")
    (tmp_path / "a.py").write_text("x = 1\n")
    with pytest.raises(AssertionError, match=r"does not fit a\.py"):
        apply_diffs(Page(bad), tmp_path)
