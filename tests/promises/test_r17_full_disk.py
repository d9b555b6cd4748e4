"""R17: a full or read-only disk is survived: one line, exit 1, and what was there before is still there, to the byte.

A process of its own runs the commands on a tiny model. An audit hook lets the n-th creation, renaming or syncing of a
file below a folder, and what follows, fail with ENOSPC, or any change of it with EACCES (which binds root, too).
A command that was given before writes nothing, so nothing stops its answer. Where the system allows, a small file
system is really filled up. `pytest -m slow` takes every n, not a few.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fresh_process import told, told_warm, write_made
from stub_recipe import write_recipe

CODE = """
import contextlib, errno, functools, io, json, os, random, shutil
from pathlib import Path
import matplotlib.figure, torch, transformer_lens, vl_convert
import neurosteer.model
from blank_pictures import blank_from_now_on
from neurosteer.cli import main
from neurosteer.artefacts import check_path
from neurosteer.report.pages.library import charting_code
from neurosteer.store import file_digest, home, write_manifest
from stub_recipe import contents
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
blank_from_now_on()
place, every = Path(sys.argv[1]), sys.argv[2] == "every"
os.chdir(place)
neurosteer.model.load_model = functools.cache(neurosteer.model.load_model)  # all commands ask for the same
FEW = ["--model", "model", "--quiet"]
SEARCH = ["--layers", "1", "--topk", "3", "--method", "welch", "--draws", "1"]
NEW = {"score": ["--limit", "40"], "find": ["--seed", "1"], "ablate": ["--topk", "2"], "run": ["--seed", "1"]}
COMMANDS = {
    "score": ["score", "--data", "made.jsonl", *FEW],
    "find": ["find", "--data", "made.jsonl", *SEARCH, *FEW],
    "ablate": ["ablate", "--controls", "1", "--neutral", "prose.txt", *FEW],
    "run": ["run", "fig5.toml", *FEW],
}
CLAIMS = (".claims",)  # in a run's folder: nothing but locks, of the units that were begun
failing = {"below": "", "with": 0, "from": 0, "seen": 0}

def touched(path, renamed=False):
    # A renaming fails alone: to take it back needs no room.
    if not failing["with"] or isinstance(path, int):
        return
    if not os.path.abspath(os.fsdecode(path)).startswith(failing["below"]):
        return
    failing["seen"] += 1
    if failing["seen"] == failing["from"] or failing["seen"] > failing["from"] and not renamed:
        raise OSError(failing["with"], os.strerror(failing["with"]), os.fsdecode(path))

def watch(event, given):
    if event == "open" and (given[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        touched(given[0])
    elif event in ("os.mkdir", "os.rename"):
        touched(given[0], event == "os.rename")
    elif event in ("os.remove", "os.rmdir", "os.utime") and failing["with"] == errno.EACCES:
        touched(given[0])

def synced(handle, real=os.fsync):
    touched(os.readlink(f"/proc/self/fd/{handle}"))
    real(handle)

os.fsync = synced
sys.addaudithook(watch)

def ran(command):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(command)
        except SystemExit as stop:
            code = stop.code
    ran.out = out.getvalue()
    return code, err.getvalue()

@contextlib.contextmanager
def broken(below, error, start):
    failing.update({"below": str(Path(below).absolute()), "with": error, "from": start, "seen": 0})
    try:
        yield
    finally:
        failing["with"] = 0

def total_of(below, command):
    # How many calls of a command below a folder may fail.
    with broken(below, errno.ENOSPC, 1 << 30):
        assert ran(command)[0] == 0, command
    return failing["seen"]

def chosen(total, seed):
    return range(1, total + 1) if every else [random.Random(seed).randint(1, total)]

def restored():
    shutil.rmtree("runs")
    shutil.copytree("kept", "runs")

def forget():
    # So that a command writes its run once more.
    shutil.rmtree(home() / "answers", ignore_errors=True)

def bytes_of(folder):
    # Empty folders count, too: they have no bytes.
    folders = {str(path.relative_to(folder)): b"" for path in Path(folder).rglob("*") if path.is_dir()}
    return folders | contents(Path(folder))

def change(before, folder):
    # What was lost, and what was added: files that are hidden or damaged, and others.
    now = bytes_of(folder)
    added = {name for name in now if name not in before}
    hidden = [Path(name) for name in added if any(part[0] == "." for part in Path(name).parts)]
    bad = [str(path) for path in hidden if path.parts[1:] != CLAIMS]
    if any(name.endswith(".safetensors") for name in now):
        bad += [row["message"] for row in check_path(Path(folder)) if not row["ok"]]
    return {"lost": [name for name in before if now.get(name) != before[name]], "added": len(added), "bad": bad}

printed = {}
for name, command in COMMANDS.items():
    assert ran(command) == (0, ""), command
    printed[name] = ran.out
earlier = bytes_of("runs")
shutil.copytree("runs", "kept")
report = []
"""
KNOWN = """
for name in ("score", "find", "ablate"):
    restored()
    assert total_of("runs", COMMANDS[name]) == 0, name
    for error in (errno.ENOSPC, errno.EACCES):
        with broken("runs", error, 1):
            code, err = ran(COMMANDS[name])
        report.append([name, code, err, ran.out == printed[name], bytes_of("runs") == earlier])
print(json.dumps(report))
"""
RUNS = """
for name, command in COMMANDS.items() if every else [(name, COMMANDS[name]) for name in ("find", "run")]:
    for how, asked in (("again", command), ("new", [*command, *NEW[name]])):
        restored()
        forget()
        total = total_of("runs", asked)
        unbroken = bytes_of("runs")
        breaks = [(errno.ENOSPC, start) for start in chosen(total, name + how)]
        for error, start in [*breaks, (errno.EACCES, 1)]:
            restored()
            forget()
            with broken("runs", error, start):
                code, err = ran(asked)
            row = {"what": [name, how, start, total], "code": code, "err": err, "error": os.strerror(error)}
            report.append(row | change(earlier, "runs"))
            if name == "run":  # what was finished serves
                assert ran(asked) == (0, "") and bytes_of("runs") == unbroken, row
print(json.dumps(report))
"""
PAGE = """
[run] = Path("runs").glob("score-*")
Path(run, "index.html").write_text("of an older version")
write_manifest(run)
shutil.rmtree("kept")
shutil.copytree("runs", "kept")
earlier, asked = bytes_of("runs"), ["page", str(run), "--no-open", "--quiet"]
total = total_of("runs", asked)
unbroken = bytes_of("runs")
for error, start in [*((errno.ENOSPC, start) for start in range(1, total + 1)), (errno.EACCES, 1)]:
    restored()
    with broken("runs", error, start):
        code, err = ran(asked)
    row = {"what": ["page", start], "code": code, "err": err, "error": os.strerror(error)}
    renewed = [str(run / name) for name in ("index.html", "MANIFEST.json")]
    other = {name: content for name, content in earlier.items() if f"runs/{name}" not in renewed}
    report.append(row | change(other, "runs") | {"added": 0})
    assert ran(asked) == (0, "") and bytes_of("runs") == unbroken, row
print(json.dumps(report))
"""
CACHE = """
aloud = [word for word in [*COMMANDS["find"], "--method", "attribution"] if word != "--quiet"]
shutil.rmtree("runs")
neurosteer.model.load_model = neurosteer.model.load_model.__wrapped__  # the cache has what is known of the model, too
vl_convert.javascript_bundle = functools.cache(vl_convert.javascript_bundle)
charting_code.cache_clear()
os.environ["NEUROSTEER_HOME"] = "cache"
total = total_of("cache", aloud)
earlier, kept = bytes_of("runs"), bytes_of("cache")
kinds = {"answers", "descriptions", "fingerprints", "pages", "states", "stats", "found", "attribution"}
assert {Path(name).parts[0] for name in kept} == kinds
starts = [(errno.ENOSPC, start) for start in chosen(total, "cache")]
for i, (error, start) in enumerate([*starts, (errno.EACCES, 1)]):
    os.environ["NEUROSTEER_HOME"] = f"cache-{i}"
    charting_code.cache_clear()
    with broken(f"cache-{i}", error, start):
        code, err = ran(aloud)
    found = bytes_of(f"cache-{i}")
    half = [name for name, content in found.items() if kept.get(name) != content]
    report.append({"code": code, "err": err, "half": half, "same": bytes_of("runs") == earlier})
print(json.dumps(report))
"""
FILLED = """
import subprocess
Path("small").mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", "small"], check=True)
shutil.copytree("runs", "small/runs")
before = bytes_of("small/runs")
for left in (4000, 0, 8, 40) if every else (4000, 0, 40):
    with contextlib.suppress(OSError), open("small/filler", "wb") as filler:
        while True:
            filler.write(bytes(4096))
            filler.flush()
    os.truncate("small/filler", os.path.getsize("small/filler") // 4096 * 4096 - 1024 * left)
    for name, command in COMMANDS.items():
        code, err = ran([*command, *NEW[name], "--out", "small/runs"])
        row = {"what": [name, left], "code": code, "err": err, "error": os.strerror(errno.ENOSPC)}
        report.append(row | change(before, "small/runs"))
        for folder in set(os.listdir("small/runs")) - set(os.listdir("runs")):
            shutil.rmtree(f"small/runs/{folder}")
from neurosteer.model import builtin, gguf, libraries
Path("model.gguf").write_bytes(b"weights")
builtin._installed_gguf, builtin.SHA256 = lambda: Path("model.gguf"), file_digest(Path("model.gguf"))
network = AutoModelForCausalLM.from_pretrained("model")
def convert(gguf, folder):
    with libraries.quiet_transformers():
        network.save_pretrained(folder)
gguf.convert = convert
os.environ["NEUROSTEER_HOME"] = "small/home"
code, err = ran([*COMMANDS["score"], "--model", "smollm2-135m"])
row = {"what": ["model", 40], "code": code, "err": err, "error": os.strerror(errno.ENOSPC)}
assert all(path.suffix == ".lock" for path in Path("small/home/models").iterdir())
report.append(row | change(before, "small/runs"))
print(json.dumps(report))
"""


@pytest.fixture
def place(tmp_path, tiny_folder) -> Path:
    """What the commands ask for."""
    write_made(tmp_path / "made.jsonl")
    write_recipe(tmp_path / "fig5.toml", topk=3, layers=[1])
    (tmp_path / "prose.txt").write_text("w1 w5 w9 w2 w6 w5 w3\n\nw8 w30 w7 w7 w1 w4\n")
    (tmp_path / "model").symlink_to(tiny_folder("llama"))
    return tmp_path


HOW = ["few", pytest.param("every", marks=pytest.mark.slow)]


def check_end(row: dict[str, Any]) -> None:
    """One line and exit 1; nothing is lost, and nothing half-done is left: only `run` keeps what it has finished."""
    assert row["code"] == 1, row
    assert row["err"].startswith("neurosteer: "), row
    assert row["err"].count("\n") == 1, row
    assert row["error"] in row["err"], row
    assert "cannot use '" in row["err"], row
    assert row["lost"] == row["bad"] == [], row
    assert row["added"] == 0 or row["what"][0] == "run", row


@pytest.mark.slow
def test_answers_that_are_known(place):
    """They are printed, whatever the disk is like."""
    rows = told_warm(CODE + KNOWN, place, "few")
    assert rows == [[name, 0, "", True, True] for name in ("score", "find", "ablate") for _ in range(2)]


@pytest.mark.parametrize("how", HOW)
def test_runs(place, how):
    rows = told_warm(CODE + RUNS, place, how)
    assert len(rows) >= (2 * 2 * 2 if how == "few" else 4 * 2 * 4)
    for row in rows:
        check_end(row)


@pytest.mark.slow
def test_a_page_that_is_made_again(place):
    """All else of the run is as it was, and it is still a finished run: no file of it is called damaged."""
    rows = told_warm(CODE + PAGE, place, "few")
    assert len(rows) >= 9
    for row in rows:
        check_end(row)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_the_cache(place, how):
    """It only costs time: the result is the same, and a line says why."""
    rows = told_warm(CODE + CACHE, place, how)
    assert len(rows) >= (2 if how == "few" else 4)
    for row in rows:
        assert (row["code"], row["same"], row["half"]) == (0, True, []), row
        assert "cache" in row["err"], row


@pytest.mark.slow
@pytest.mark.parametrize("how", ["few", "every"])
def test_a_file_system_that_is_really_full(place, how):
    own = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*own, "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True).returncode:
        pytest.skip("no file system of one's own can be mounted here")
    rows = told(CODE + FILLED, place, how, under=own)
    assert len(rows) == (17 if how == "every" else 13)
    for row in rows:
        if row["what"][1] < 4000:
            check_end(row)
        else:  # which is room for every one of them
            assert (row["code"], row["err"], row["lost"], row["bad"]) == (0, "", [], []), row


def test_what_is_printed():
    """The results go to a full disk, too."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", "from neurosteer.cli import main; main()", "ls", "tasks"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    told = "neurosteer: cannot read or write: No space left on device; make room, and give the command again\n"
    assert (done.returncode, done.stderr) == (1, told)
