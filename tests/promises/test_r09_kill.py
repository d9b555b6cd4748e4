"""R9: a recipe survives `kill -9`: at most one unit is recomputed a kill, and the final files are the same bytes.

A process of its own, without torch, forks a run of 40 stubbed units and kills it: at 20 random moments, and then
at every single one of the moments around writing and deleting a file. Another kills a real run once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fresh_process import told_warm
from made_pairs import made_pairs
from stub_recipe import contents, write_recipe

TESTS = Path(__file__).resolve().parents[1]
COMMON = """
import json, os, random, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stub_recipe import DIGEST, logging_to, stub_units
from neurosteer.runner.execution import run_units

def run(folder, log, **how):
    run_units(stub_units(logging_to(log), **how), folder, DIGEST)

def forked(job):
    child = os.fork()
    if child == 0:
        job()
        os._exit(0)
    return child

def was_killed(child):
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])

def finish(report):
    print(json.dumps({**report, "torch": "torch" in sys.modules}))
"""
RANDOM = """
place, rng, kills, rounds = Path(sys.argv[2]), random.Random(9), 0, 0
run(place / "unbroken", place / "unbroken.log", pause=0.002)
while kills < 20:  # a run that comes to its end before that is followed by another
    rounds += 1
    folder, log = place / f"broken-{rounds}", place / f"broken-{rounds}.log"
    done = False
    while not done and kills < 20:
        child = forked(lambda: run(folder, log, pause=0.002))
        time.sleep(rng.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        done = not was_killed(child)
        kills += not done
        (place / f"broken-{rounds}.kills").write_text(str(kills))
    run(folder, log, pause=0.002)
finish({"rounds": rounds, "kills": kills})
"""
MOMENTS = """
def armed(at):
    # Calls to count: the at-th one never returns, or never begins.
    seen = [0]
    def around(function):
        def call(*given, **more):
            for late in (False, True):
                if late:
                    found = function(*given, **more)
                seen[0] += 1
                if seen[0] == at:
                    os.kill(os.getpid(), signal.SIGKILL)
            return found
        return call
    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, around(getattr(os, name)))
    Path.unlink = around(Path.unlink)

place, at, killed = Path(sys.argv[2]), 0, True
run(place / "unbroken", place / "unbroken.log")
kept = set(os.listdir(place / "unbroken/units"))
start = place / "start"
run(start, place / "start.log")
todo = ["block-5-3.safetensors", "block-5-4.safetensors", "joint-3.safetensors"]
recomputed = []
import shutil
while killed:
    at += 1
    folder, log = place / f"at-{at}", place / f"at-{at}.log"
    shutil.copytree(start, folder)
    for name in todo:
        (folder / "units" / name).unlink()
    def job():
        armed(at)
        run(folder, log)
    killed = was_killed(forked(job))
    run(folder, log)
    recomputed.append(len(log.read_text().split()) - 4)  # the two blocks, their states and the joint
finish({"moments": at - 1, "recomputed": recomputed})
"""
REAL = """
import torch, transformer_lens
from neurosteer.experiments import files, run_recipe
import neurosteer.model, neurosteer.experiments.plan

torch.set_num_threads(1)
files.write_outcome = lambda _, folder, __: (folder / "results.json").write_text("{}")  # pictures take long
place, rng = Path(sys.argv[2]), random.Random(9)
os.chdir(place)

def units(out):
    return {path: path.stat().st_ino for path in place.glob(f"{out}/*/units/*.safetensors")}

def real(out):
    return forked(lambda: run_recipe("real.toml", out=out))

assert os.waitpid(real("unbroken"), 0)[1] == 0
child = real("broken")
while len(units("broken")) < 3:
    time.sleep(0.005)
time.sleep(rng.uniform(0, 0.05))
os.kill(child, signal.SIGKILL)
killed, before = was_killed(child), units("broken")
assert os.waitpid(real("broken"), 0)[1] == 0
after = units("broken")
finish({"killed": killed, "kept": len(before), "same": sum(after.get(path) == before[path] for path in before),
        "scratch": sum(path not in after for path in before), "units": len(after)})
"""


def driven(place: Path, code: str) -> Any:
    command = [sys.executable, "-c", COMMON + code, str(TESTS), str(place)]
    env = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_twenty_random_kills(tmp_path):
    report = driven(tmp_path, RANDOM)
    assert (report["kills"], report["torch"]) == (20, False)
    unbroken = contents(tmp_path / "unbroken")
    assert Counter((tmp_path / "unbroken.log").read_text().split()).most_common(1)[0][1] == 1
    assert len((tmp_path / "unbroken.log").read_text().split()) == 40
    assert len(unbroken) == 34  # the six states have served
    before = 0
    for number in range(1, report["rounds"] + 1):
        kills = int((tmp_path / f"broken-{number}.kills").read_text())
        started = (tmp_path / f"broken-{number}.log").read_text().split()
        assert len(set(started)) == 40
        assert len(started) - 40 <= kills - before
        assert contents(tmp_path / f"broken-{number}") == unbroken
        before = kills


def test_every_moment_around_a_file(tmp_path):
    """Before and after each call that writes, renames or deletes, over three units and their states."""
    report = driven(tmp_path, MOMENTS)
    assert report["moments"] >= 20  # four files, each flushed and renamed, and two deletions
    assert max(report["recomputed"]) == 1
    assert min(report["recomputed"]) == 0
    unbroken = contents(tmp_path / "unbroken")
    for at in range(1, report["moments"] + 2):
        assert contents(tmp_path / f"at-{at}") == unbroken


@pytest.mark.slow
def test_a_real_run(tmp_path, tiny_folder):
    """Probes of a tiny model, killed once: every unit that was done stays, and the files are the same."""
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in made_pairs()]
    (tmp_path / "data").mkdir()
    for task in range(6):
        (tmp_path / "data" / f"task-{task}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {
        "model": str(tiny_folder("llama")),
        "data": "data",
        "topk": 3,
        "layers": [0, 2],
        "lambdas": [0.2],
        "l0_steps": 100,
    }
    write_recipe(tmp_path / "real.toml", experiments=["fig2"], **settings)
    report = told_warm(COMMON + REAL, TESTS, tmp_path)
    assert report["killed"]
    assert 3 <= report["kept"] < report["units"]
    assert report["same"] + report["scratch"] == report["kept"]
    assert report["scratch"] <= 1
    broken, unbroken = contents(tmp_path / "broken"), contents(tmp_path / "unbroken")
    assert broken == unbroken
    assert len(broken) > 8
