"""R16: help is instant: neither it nor a usage error loads a library of models, data, figures or statistics.

`neurosteer --help`, the help of every command, a mistake in every command and the recipes' list, each looked at in
`sys.modules`; and what the installed command imports, as the interpreter itself reports it. `pytest -m slow` measures
the time as well: at most 0.5 s in the median of 10 runs.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

SLOW = ("torch", "transformers", "transformer_lens", "datasets", "matplotlib", "scipy", "pandas")
COMMANDS = (
    "find",
    "ablate",
    "amplify",
    "evidence",
    "neuron",
    "generate",
    "score",
    "run",
    "export",
    "page",
    "fetch",
    "compare",
    "check",
    "ls",
)
LISTINGS = ("tasks", "models", "recipes", "runs")
HELP = [[], ["--help"], ["--version"], *([command, "--help"] for command in COMMANDS), ["ls"]]
HELP += [["ls", listing, "--help"] for listing in LISTINGS]
MISTAKES = [
    ["nonsense"],
    ["--nonsense"],
    ["find", "--topk", "-3"],
    ["ablate", "--neurons", "nowhere.safetensors"],
    ["amplify", "--scale", "nan"],
    ["generate"],
    ["score", "--convention", "none"],
    ["run", "nowhere"],
    *(["run", name, "--set", "k=0"] for name in ("fig5", "gym", "all")),
    ["run", "fig5", "--workers", "none"],
    ["export"],
    ["fetch"],
    ["check"],
    *(["ls", listing, "--format", "yaml"] for listing in LISTINGS),
    ["ls", "recipes"],
]
ONE_BY_ONE = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from neurosteer.cli import main
for arguments in json.loads(sys.argv[1]):
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            main(arguments)
        except SystemExit as stop:
            code = stop.code
    loaded = sorted(set(json.loads(sys.argv[2])) & set(sys.modules))
    print(json.dumps([code, bool(out.getvalue()), err.getvalue().count(chr(10)), loaded]))
"""


def answers(commands: list[list[str]], slow: tuple[str, ...] = SLOW) -> list[tuple[int, bool, int, list[str]]]:
    """Of each in turn: exit code, is there anything on stdout, lines on stderr, and slow modules loaded so far."""
    call = [sys.executable, "-c", ONE_BY_ONE, json.dumps(commands), json.dumps(slow)]
    run = subprocess.run(call, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return [tuple(json.loads(line)) for line in run.stdout.splitlines()]


def test_help():
    assert answers(HELP) == [(0, True, 0, [])] * len(HELP)


def test_the_list_of_commands():
    """Without even what checks the values of options."""
    assert answers([[], ["--help"], ["-h"]], (*SLOW, "pydantic")) == [(0, True, 0, [])] * 3


def test_usage_errors():
    """One line each, but for the last, which is a listing."""
    assert answers(MISTAKES) == [(2, False, 1, [])] * (len(MISTAKES) - 1) + [(0, True, 0, [])]


def installed() -> str:
    command = shutil.which("neurosteer", path=sysconfig.get_path("scripts"))
    if command is None:
        pytest.skip("the command neurosteer is not installed beside this Python")
    return command


def imports_of(*arguments: str) -> set[str]:
    """The top-level modules that the installed command imports, by `-X importtime`."""
    call = [sys.executable, "-X", "importtime", installed(), *arguments]
    told = subprocess.run(call, capture_output=True, text=True, check=False).stderr.splitlines()
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in told if line.startswith("import time:")}


@pytest.mark.parametrize("arguments", [["--help"], ["find", "--help"], ["find", "--topk", "-3"]])
def test_the_installed_command(arguments: list[str]):
    found = imports_of(*arguments)
    assert "typer" in found
    assert found.isdisjoint(SLOW)


def test_a_library_that_is_loaded_is_seen(tmp_path: Path):
    """The look at the imports can fail: checking a file takes safetensors."""
    assert "safetensors" not in imports_of("--help")
    assert "safetensors" in imports_of("check", str(tmp_path / "nowhere"))


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["find", "--help"], ["find", "--topk", "-3"]])
def test_the_time_it_takes(arguments: list[str]):
    """`pytest -n 0 -m slow tests/promises/test_r16_help.py`, on a machine that does nothing else."""
    took = []
    for _ in range(10):
        begun = time.perf_counter()
        subprocess.run([installed(), *arguments], capture_output=True, check=False)
        took.append(time.perf_counter() - begun)
    assert statistics.median(took) <= 0.5
