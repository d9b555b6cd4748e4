"""R12: processes share a cold cache: one computes, the others wait; the results are the same bytes.

A process of its own forks four that ask for the same `find` at once. One of three is killed: while it computes, in
the middle of a file or of the code of pages, and in the middle of a small answer, for which nobody waits. Four that
write one run folder again and again leave a whole one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fresh_process import told_warm, write_made
from stub_recipe import contents

from neurosteer.artefacts import check_path

CODE = """
import contextlib, json, os, signal, time, traceback
from pathlib import Path
import matplotlib.figure, torch, transformer_lens
import neurosteer.forward.attribution as attribution, neurosteer.forward.request as request
from blank_pictures import blank_from_now_on
from neurosteer.cli import main
from neurosteer.model import load_model
from neurosteer.store import write_bytes
from neurosteer.studies import runs

SECONDS = 300  # more than anything takes on a busy machine
torch.set_num_threads(1)
blank_from_now_on()
place, model, data = (Path(argument) for argument in sys.argv[1:4])
METADATA = ["find", "--data", str(data), "--model", str(model), "--method", "welch", "--method", "attribution"]
METADATA += ["--layers", "0,2", "--topk", "3", "--draws", "1", "--quiet"]

def appearing(path):
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.002)

def forked(job):
    child = os.fork()
    if child == 0:
        try:
            job()
            os._exit(0)
        except SystemExit as stop:
            os._exit(stop.code)
        except BaseException:
            traceback.print_exc()
            os._exit(99)
    return child

def ended(children):
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

def find(folder, armed=lambda: None):
    # In a folder of its own; begins when all may, and leaves a line of each computation.
    folder.mkdir(parents=True)
    def noted(what, compute):
        def call(*given, **more):
            with open(folder / "computed", "a") as log:
                log.write(what + " ")
            time.sleep(0.2)
            return compute(*given, **more)
        return call
    def job():
        os.chdir(folder)
        os.environ["NEUROSTEER_HOME"] = str(folder.parent / "home")
        request.sweep = noted("states", request.sweep)
        attribution._compute = noted("attribution", attribution._compute)
        armed()
        appearing(folder.parent / "go")
        with open("stdout", "w") as out, contextlib.redirect_stdout(out):
            main(METADATA)
    return forked(job)

def at_once(here):
    children = [find(here / f"find-{i}") for i in range(4)]
    (here / "go").touch()
    return {"ends": ended(children)}

def killed(here):
    def stuck(*given, **more):
        (here / "stuck").touch()
        time.sleep(SECONDS)
    def armed():
        if here.name == "computing":
            request.sweep = stuck
            return
        synced, kind = os.fsync, {"writing": "states", "remembering": "fingerprints", "drawing": "pages"}[here.name]
        def sync(handle):  # the file is written, and not yet in its place
            written = Path(os.readlink(f"/proc/self/fd/{handle}"))
            (stuck if written.is_relative_to(here / "home" / kind) else synced)(handle)
        os.fsync = sync
    first = find(here / "find-0", armed)
    (here / "go").touch()
    appearing(here / "stuck")
    children = [find(here / f"find-{i}") for i in (1, 2)]
    if here.name == "remembering":
        appearing(here / "find-1" / "computed")
    else:
        time.sleep(1)
    waited = not any((here / f"find-{i}" / "computed").exists() for i in (1, 2))
    left = [path for path in (here / "home").rglob(".*") if path.suffix != ".lock"]
    left = [path.relative_to(here / "home").parts[0] for path in left]
    os.kill(first, signal.SIGKILL)
    ends = ended([first, *children])
    return {"waited": waited, "left": left, "ends": [*ends, *ended([find(here / "find-3")])]}

def one_folder(here):
    here.mkdir()
    loaded = load_model(model)
    def job():
        runs._write_page = lambda *given: None  # of no results there is none
        appearing(here / "go")
        for _ in range(30):
            fill = lambda draft: write_bytes(draft / "made.csv", b"1,2")
            runs.write_run(here / "runs" / "one", loaded, [], command="find", options={}, fill=fill)
    children = [forked(job) for _ in range(4)]
    (here / "go").touch()
    return {"ends": ended(children)}

scenes = {"at-once": at_once, "one-folder": one_folder}
scenes |= dict.fromkeys(["computing", "writing", "remembering", "drawing"], killed)
print(json.dumps(scenes[sys.argv[4]](place / sys.argv[4])))
"""


Scene = Callable[[str], tuple[dict[str, Any], Path]]


@pytest.fixture(scope="module")
def scene(tiny_folder, tmp_path_factory) -> Scene:
    """What becomes of the scene of a name, and its folder; each is played once."""
    place = tmp_path_factory.mktemp("shared")
    data = write_made(place / "made.jsonl")
    return cache(lambda name: (told_warm(CODE, place, tiny_folder("llama"), data, name), place / name))


def computed(folder: Path) -> list[str]:
    """What all processes together have computed: states once, and attributions of train and validation pairs."""
    logs = sorted(folder.glob("find-*/computed"))
    return sorted(" ".join(log.read_text() for log in logs).split())


def check_results(folder: Path, names: list[str]) -> None:
    """Run folders of the same bytes, what was printed about them too, and a cache in which each file is once."""
    first, *others = [contents(folder / name / "runs") for name in names]
    assert {Path(name).suffix for name in first} == {".json", ".csv", ".html", ".png", ".svg", ".safetensors"}
    assert all(other == first for other in others)
    assert len({(folder / name / "stdout").read_bytes() for name in names}) == 1
    kept = contents(folder / "home")
    once = ["attribution", "descriptions", "fingerprints", "found", "pages", "states", "stats"]
    answers = ["answers"] * len(names)  # each names its run folder
    assert sorted(Path(name).parts[0] for name in kept) == sorted([*once, "attribution", *answers])
    assert {Path(name).suffix for name in kept} == {".safetensors", ".json", ".js"}
    assert all(row["ok"] for name in (*names, "home") for row in check_path(folder / name))


def test_four_at_once(scene):
    report, folder = scene("at-once")
    assert report == {"ends": [0, 0, 0, 0]}
    assert computed(folder) == ["attribution", "attribution", "states"]
    check_results(folder, [f"find-{i}" for i in range(4)])


LEFT = {"computing": [], "writing": ["states"], "remembering": ["fingerprints"], "drawing": ["pages"]}


@pytest.mark.slow
@pytest.mark.parametrize("when", LEFT)
def test_one_is_killed(scene, when):
    """The others wait no longer, and take its place; what it has left half-written is gone."""
    (report, folder), (_, whole) = scene(when), scene("at-once")
    waited = when != "remembering"  # they work it out themselves
    assert report == {"waited": waited, "left": LEFT[when], "ends": [-9, 0, 0, 0]}
    again = ["states"] if when == "writing" else []
    assert computed(folder) == ["attribution", "attribution", "states", *again]
    check_results(folder, ["find-1", "find-2", "find-3"])
    assert contents(folder / "find-1" / "runs") == contents(whole / "find-1" / "runs")


def test_one_run_folder(scene):
    """Whoever comes last stays; nobody is turned away, and no draft is left."""
    report, folder = scene("one-folder")
    assert report == {"ends": [0, 0, 0, 0]}
    assert [path.name for path in (folder / "runs").iterdir()] == ["one"]
    assert json.loads((folder / "runs" / "one" / "results.json").read_text())["command"] == "find"
    assert all(row["ok"] for row in check_path(folder / "runs"))
