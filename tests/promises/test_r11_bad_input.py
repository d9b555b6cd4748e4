"""R11: bad input gets one clear line: exit 2, at most 2 lines on stderr, the value and a way out named, no traceback,
nothing on stdout and nothing written.

What is typed wrongly, for every option of every command; what is wrong with files, models, recipes and artefacts; and
what only looks wrong, which must work: a byte order mark, Windows line ends, right-to-left text and emoji, words of
10,000 letters, locks that a dead process has left, closed streams.
"""

from __future__ import annotations

import codecs
import json
import os
import pickle
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from made_pairs import made_pairs
from safetensors.numpy import save_file
from sizes import quick_and_slow

from neurosteer.cli import main
from neurosteer.cli.app import app

pytestmark = pytest.mark.usefixtures("blank_pictures")

Row = tuple[str, list[str], str]  # commands (or EVERY one that has the option), arguments, what the line says

# --- what is typed -----------------------------------------------------------------------------------------------

EVERY = "every"
TOPK = "is neither a count of neurons (40) nor a share above 0 and up to 100% (1%)"
LAYERS = "is not 'all', a layer (3), a list (3,7,12) or an ascending range (0-5)"
LAMBDA = "is not a number above 0 and up to 1"
COLUMNS = "is not two different column names, GOOD,BAD"
METHODS = "welch, l0, mean-diff, l1, localizer, attribution, causal-l0"
MILLION = "1,000,000"
QUESTIONS = "encoded, necessary, sufficient, interchangeable, selective, isolated"
MOST = {
    "--limit": "1,000,000,000",
    "--seed": "4,294,967,295",
    "--controls": "100,000",
    "--draws": "10,000",
    "--nulls": "10,000",
}
SITES = "resid_post, resid_pre, resid_mid, attn_out, mlp_out, mlp_post, z"
KNOWN = (
    "neurosteer has: find, ablate, amplify, evidence, neuron, generate, score, run, export, page, fetch, compare, "
    "check, ls"
)
K = "topk must be a count of neurons (40) or a share above 0 and up to 100% ('1%'), not"
LOADING = "find ablate amplify evidence generate score run"
BUT_RUN, EDITS = "find ablate amplify evidence generate score", "ablate amplify"


def whole(least: int, *options: str) -> list[Row]:
    values = ["-1", "1.5", "ten", "1e3", "inf", "", "9" * 19, *(["0"] if least else [])]
    return [
        (
            EVERY,
            [option, value],
            f"{option} '{value}' is not a whole number of at least {least} and at most {MOST.get(option, MILLION)}",
        )
        for option in options
        for value in values
    ]


def one_of(option: str, known: str, *values: str, commands: str = EVERY) -> list[Row]:
    return [(commands, [option, value], f"{option} '{value}' is not one of {known}") for value in values]


def empty(commands: str, *options: str) -> list[Row]:
    return [(commands, [option, value], f"{option} '{value}' is empty") for option in options for value in ("", " ")]


LAYOUTS = {
    "good-bda": "is no layout; did you mean 'good-bad'? (it is auto, good-bad, bad-good, or PART=COLUMN with commas ",
    "": "is no layout (it is auto, ",
    "zzz": "is no layout (it is auto, ",
    "goood=a": "is no layout; did you mean 'good'? (it is auto, ",
    "good=a,bda=b": "has 'bda=b', which is no part of a layout; did you mean 'bad'? (it is auto, ",
    "good=a": "names good alone: good and bad come together",
    "good=a,bad=a": "names 'a' as good and as bad",
    "good=a,good=b": "gives good twice",
    "good=,bad=b": "names no column for good",
    "good=a,bad=b,label=c": "names label, but a row with good and bad needs none",
    "good=a,bad=b,sentence=c": "names both good and sentence: a row has one sentence, or two",
    "first=a": "names first alone: first and second come together",
    "delimiter=#": "delimiter '#' is not one of comma, tab, semicolon, bar",
}
TYPED: list[Row] = [
    *(
        (EVERY, ["--topk", value], f"--topk '{value}' {TOPK}")
        for value in ["-3", "0", "0%", "101%", "nan%", "inf", "1.5", "%", "٣"]
    ),
    *((EVERY, ["--layers", value], f"--layers '{value}' {LAYERS}") for value in ["5-0", "-1", "3,,4", "last", "1.5"]),
    (EVERY, ["--topk", ""], f"--topk '' {TOPK}"),
    (EVERY, ["--topk", "9" * 12], f"--topk '{'9' * 12}' is more neurons than any layer has"),
    (EVERY, ["--layers", ""], f"--layers '' {LAYERS}"),
    (EVERY, ["--layers", "0-99999999999"], f"--layers '0-99999999999' {LAYERS}"),
    *((EVERY, ["--lambda", value], f"--lambda '{value}' {LAMBDA}") for value in ["nan", "0", "-0.1", "1.01", "inf"]),
    (EVERY, ["--lambda", "0.2", "--lambda", "much"], f"--lambda 'much' {LAMBDA}"),
    *((EVERY, ["--columns", value], f"--columns '{value}' {COLUMNS}") for value in ("good", "a,a", "a,", "a,b,c")),
    *((EVERY, ["--layout", value], f"--layout '{value}' {said}") for value, said in LAYOUTS.items()),
    (
        "find score",
        ["--data", "x.csv", "--columns", "a,b", "--layout", "good-bad"],
        "--columns a,b and --layout good-bad ",
    ),
    (EVERY, ["--scale", "nan"], "--scale 'nan' is not a finite number"),
    (EVERY, ["--scale", "double"], "--scale 'double' is not a finite number"),
    (EDITS, ["--scale", "1", "--scale", "-inf"], "--scale '-inf' is not a finite number"),
    *(
        (EVERY, ["--temperature", value], f"--temperature '{value}' is not a finite number of at least 0")
        for value in ("-1", "nan", "inf", "hot")
    ),
    *whole(1, "--steps", "--draws", "--max-new-tokens"),
    *whole(1, "--limit"),
    *whole(0, "--controls", "--seed"),
    *one_of("--method", METHODS, "l2"),
    (EVERY, ["--method", "welsh"], f"--method 'welsh' is not one of {METHODS}; did you mean 'welch'?"),
    *(("find", ["--share", value], f"--share '{value}' {LAMBDA}") for value in ["0", "1.5", "nan", "most"]),
    *(("find", ["--kl", value], f"--kl '{value}' is not a finite number above 0") for value in ["0", "inf", "auto"]),
    *one_of("--position", "eos, last", "first"),
    *one_of("--split", "pair, lexical", "word"),
    (EVERY, ["--site", "resid_pots"], f"--site 'resid_pots' is not one of {SITES}; did you mean 'resid_post'?"),
    *one_of("--dtype", "auto, float32, bfloat16, float16", "int8"),
    *one_of("--format", "table, json", "yaml", "csv"),
    *one_of("--device", "auto, cpu, cuda, cuda:N, xpu, mps", "gpu", "cuda:-1"),
    *one_of("--to", "zero, mean", "resample", commands="find"),
    *one_of("--to", "zero, mean, resample", "noise", commands="ablate"),
    *one_of("--to", "zero, mean", "resample", commands="amplify generate"),
    *one_of("--to", "hf, gguf, lm-eval", "onnx", commands="export"),
    *one_of("--by", "unit, head", "heads", "layer"),
    *one_of("--direction", "mean, probe", "both", commands="find"),
    *(
        (name, ["--direction", "none"], "--direction 'none': no such file")
        for name in ["ablate", "amplify", "evidence", "generate"]
    ),
    (EDITS, ["--direction", "mean", "--topk", "3"], "--topk with --direction: a direction is no set of neurons; "),
    ("generate export", ["--push", "far"], "--push 'far' is not a finite number"),
    ("export", ["--push", "3"], "--push X is how far a gguf or lm-eval file pushes: give it with these, and with no"),
    *one_of("--reach", "own, onward, all", "far"),
    *one_of("--where", "all, prompt, every", "nowhere", commands=EDITS),
    *one_of("--where", "all, prompt, generated, every", "nowhere", commands="generate"),
    (
        "generate",
        ["--where", "promt"],
        "--where 'promt' is not one of all, prompt, generated, every; did you mean 'prompt'?",
    ),
    (EDITS, ["--where", "promt"], "--where 'promt' is not one of all, prompt, every; did you mean 'prompt'?"),
    *(
        (EDITS, ["--where", value], f"--where {value} cannot matter for scores: sentences are given, and EOS is ")
        for value in ("eos", "generated")
    ),
    *one_of("--kind", "model, data", "dataset"),
    *one_of("--to", "zero, mean", "noise", "resample", commands="evidence neuron"),
    *(
        (f"{EDITS} evidence", ["--kl", value], f"--kl '{value}' is not auto, or a finite number above 0")
        for value in ("nan", "-1", "")
    ),
    *one_of("--only", QUESTIONS, "x", ""),
    (
        "evidence",
        ["--only", "necessary,suficient"],
        f"--only 'suficient' is not one of {QUESTIONS}; did you mean 'sufficient'?",
    ),
    *whole(0, "--nulls"),
    *one_of("--convention", "sum, mean, lm-eval, minicons", "surprisal", "summ"),
    *empty(EVERY, "--out", "--neurons", "--neutral", "--also", "--data"),
    *empty(EVERY, "--model", "--revision", "--device-map", "--bos", "--eos"),
    *empty("ablate amplify evidence generate", "--task"),
    ("run", ["--task", ""], "tasks must be a list of names, globs or phenomena, each once, or of all, not ['']"),
    ("run", ["--workers", "0"], "--workers '0' is neither auto nor a whole number from 1 to 1,024"),
    ("run", ["--workers", "-1"], "--workers '-1' is neither auto nor a whole number from 1 to 1,024"),
    ("run", ["--workers", "1.5"], "--workers '1.5' is neither auto nor a whole number from 1 to 1,024"),
    (
        "run",
        ["--workers", "9999"],
        "--workers '9999' is neither auto nor a whole number from 1 to 1,024 (each is a process with a model of its ",
    ),
    *(
        (
            EVERY,
            [option, "9" * 19],
            f"{option} '{'9' * 19}' is not a whole number of at least {least} and at most {most}",
        )
        for option, least, most in (
            ("--controls", 0, "100,000 (each is a pass of all pairs, and 5 KB of the run)"),
            ("--nulls", 0, "10,000 (each is a search of its own)"),
            ("--max-new-tokens", 1, f"{MILLION} (no model reads as many)"),
        )
    ),
    ("run", ["--workers", ""], "--workers '' is neither auto nor a whole number from 1 to 1,024"),
    (
        "run",
        ["--set", "topkk=1"],
        "unknown key 'topkk'; did you mean 'topk'?",
    ),
    ("run", ["--set", "topk=0"], f"{K} '0'"),
    ("run", ["--set", "topk=nan"], f"{K} 'nan'"),
    ("run", ["--set", "topk=inf"], f"{K} 'inf'"),
    ("run", ["--set", "k"], "--set 'k' is not KEY=VALUE"),
    ("run", ["--set", ""], "--set '' is not KEY=VALUE"),
    ("run", ["--set", "=1"], "unknown key ''"),
    ("run", ["--set", "k=1", "--set", " k =2"], "--set gives 'k' twice"),
    ("run", ["--set", "limit=5", "--limit", "6"], "'limit' is given twice: by --set and by an option of its own"),
    (EVERY, ["--neurons", "none"], "--neurons 'none': no such file"),
    (EVERY, ["--neurons", "1:2,3"], "--neurons '1:2,3' is no file, and not neurons as LAYER:UNIT,LAYER:UNIT"),
    (
        EVERY,
        ["--neurons", "taken", "--method", "l0"],
        "--method l0 and --neurons taken: the latter already says which; ",
    ),
    (EVERY, ["--neutral", "none.txt"], "--neutral 'none.txt': no such file"),
    (EVERY, ["--out", "taken/runs"], "--out 'taken/runs': '"),
    (EVERY, ["--out", "~nobody-here/x"], "--out '~nobody-here/x' begins with a user of whom no home folder is known"),
    (EDITS, ["--neutral", "~nobody-here/x"], "--neutral '~nobody-here/x' begins with a user of whom no home folder "),
    (EVERY, ["--controls", "1000000000"], "--controls '1000000000' is not a whole number of at least 0 and at most "),
    (EVERY, ["--quiet=yes"], "option '--quiet' does not take a value"),
    (EVERY, ["--topk"], "option '--topk' requires an argument"),
    *(
        ("find score run ls-tasks", ["--data", value], f"no such file or folder: '{value}' (--data takes auto, ")
        for value in ("nowhere.jsonl", "./nowhere", "a b/c")
    ),
    *((name, ["--xyzzy"], f"unknown option '--xyzzy' (see neurosteer {name} --help)") for name in BUT_RUN.split()),
    ("find", ["--tpok", "3"], "unknown option '--tpok'; did you mean '--topk'? (see neurosteer find --help)"),
    ("run", ["--top", "3"], "unknown option '--top'; did you mean '--topk'? (see neurosteer run --help)"),
    ("run", ["--set", "topk=5", "-k", "6"], "'topk' is given twice: by --set and by an option of its own"),
    ("run", ["--slurm", "0"], "slurm '0' is no number of tasks from 1 to 1,024, like 8, or 8%4"),
    ("run", ["--slurm", "8%0"], "slurm '8%0' is no number of tasks from 1 to 1,024, like 8, or 8%4"),
    ("run", ["--slurm-opt", "partition=gpu"], "--slurm-opt partition=gpu: give --slurm N too, the number of tasks"),
    ("run", ["--slurm", "2", "--slurm-opt", "gpu"], "slurm-opt 'gpu' is not KEY=VALUE, like partition=gpu"),
    ("run", ["--slurm", "2", "--slurm-opt", "array=3"], "slurm-opt 'array' is neurosteer's own to set; leave it out"),
    ("run", ["--slurm", "2", "--slurm-opt", "time=1:00"], "slurm-opt time is a number of minutes, not '1:00'"),
    ("run", ["--wrokers", "2"], "unknown option '--wrokers'; did you mean '--workers'? (see neurosteer run --help)"),
    ("generate", ["--temprature", "1"], "unknown option '--temprature'; did you mean '--temperature'? (see "),
    ("run", ["extra"], "got unexpected extra argument"),
    (EDITS, ["extra", "more"], "got unexpected extra argument"),
    (EDITS, ["one", "--task", "two"], "which task: 'one', or 'two' as --task says? name one"),
    ("find score", ["nope", "--data", "./nowhere"], "no such file or folder: './nowhere' (--data takes auto, "),
]
FIRST = {
    "neuron": ["0:1"],
    "generate": ["The guests"],
    "run": ["fig5"],
    "export": ["taken", "edited"],
    "fetch": ["gpt2"],
    "check": ["taken"],
}  # what else is looked at only after


def commands_of(group: Any, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Each command and its options that take a value."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, f"{path}{name}-")
        else:
            valued = [option for option in command.params if option.opts[0].startswith("--") and not option.is_flag]
            yield f"{path}{name}", {option.opts[0] for option in valued}


OPTIONS = dict(commands_of(typer.main.get_command(app)))
FLAGGED = {"find", "ablate", "amplify", "generate", "score", "run", "fetch"}  # commands with --quiet


def commands_for(row: Row) -> list[str]:
    """The commands that a row is about."""
    option = row[1][0].partition("=")[0]
    if row[0] != EVERY:
        return row[0].split()
    return [name for name, valued in OPTIONS.items() if option in valued or (option == "--quiet" and name in FLAGGED)]


Refused = Callable[..., None]


@pytest.fixture
def refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """A command in a folder, and the beginning of what it must be refused with."""

    def check(place: Path, arguments: list[str], message: str, *, notes: int = 0, plan: bool = False) -> None:
        monkeypatch.chdir(place)
        before = contents(place)
        outcome = run(*arguments)
        lines = outcome.err.splitlines()
        assert (outcome.code, outcome.out) == (2, ""), outcome.err
        planned = plan and lines[0].startswith("note: plan: ")
        assert len(lines) == 1 + (notes or planned), outcome.err
        assert lines[-1].startswith(f"neurosteer: {message}")
        assert all(line.startswith("note: ") for line in lines[:-1])
        assert contents(place) == before

    return check


def contents(place: Path) -> dict[str, bytes]:
    """Every file and folder."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in place.rglob("*")}


@pytest.mark.parametrize("row", TYPED, ids=lambda row: " ".join([row[0], *row[1]]))
def test_what_is_typed(refused: Refused, tmp_path: Path, row: Row):
    """Told before a model library is loaded, for every command that has the option."""
    (tmp_path / "taken").write_text("mine")
    assert commands_for(row)
    for command in commands_for(row):
        refused(tmp_path, [*command.split("-"), *FIRST.get(command, []), *row[1]], row[2])


def test_every_option_of_every_command_is_there():
    typed = {(command, row[1][0].partition("=")[0]) for row in TYPED for command in commands_for(row)}
    left = {(command, option) for command, options in OPTIONS.items() for option in options} - typed
    assert left == {
        ("find", "--task"),
        ("neuron", "--task"),
        ("score", "--task"),
    }  # names that only the pairs can judge: see below


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fnd"], f"unknown command 'fnd'; did you mean 'find'? ({KNOWN})"),
        (["zebra"], f"unknown command 'zebra' ({KNOWN})"),
        (
            ["ls", "taks"],
            "unknown command 'taks'; did you mean 'tasks'? (neurosteer ls has: tasks, models, recipes, ",
        ),
        (["ls", "models", "x"], "got unexpected extra argument"),
        (["--verison"], "unknown option '--verison'; did you mean '--version'? (see neurosteer --help)"),
        (["check"], "missing argument 'PATH...' (see neurosteer check --help)"),
        (["generate", "--scale", "0"], "missing argument 'PROMPT...' (see neurosteer generate --help)"),
        (["export"], "missing argument 'EDIT' (see neurosteer export --help)"),
        (["export", "nowhere", "edited"], "no effect in 'nowhere': No such file or directory"),
        (["fetch"], "missing argument 'NAME' (see neurosteer fetch --help)"),
        (["fetch", "builtin"], "the pairs of 'builtin' are made on this machine: nothing is to be fetched"),
        (["fetch", "rublmp", "--offline"], "no model or data set 'rublmp' in the cache, and the hub cannot be "),
        (["fetch", "rublimp", "--offline"], "'RussianNLP/rublimp' is not in the cache and the hub cannot be reached"),
        (["fetch", ""], "name '' is empty"),
        (["run"], "missing argument 'RECIPE' (see neurosteer run --help)"),
        (["run", "nowhere.toml"], "no recipe 'nowhere.toml' (name a TOML file, or see: neurosteer ls recipes)"),
        (["run", "."], "'.' is a folder; name a recipe's file in it, or one of "),
        (["check", "nowhere"], "no such file or folder: nowhere"),
        (["check", "."], "nothing of neurosteer's in ."),
        (["check", "~nobody-here/x"], "paths '~nobody-here/x' begins with a user of whom no home folder is known"),
        (
            ["export", "~nobody-here/x", "y"],
            "edit '~nobody-here/x' begins with a user of whom no home folder is known",
        ),
        (["export", "x", "~nobody-here/y"], "target '~nobody-here/y' begins with a user of whom no home folder is "),
        (["score", "--data", "a\udce9b"], "'a?b' is not UTF-8; type it, or name the file, in UTF-8"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_no_command(refused: Refused, tmp_path: Path, arguments: list[str], message: str):
    refused(tmp_path, arguments, message)


# --- files, models, recipes and artefacts ------------------------------------------------------------------------


def jsonl(*rows: tuple[Any, Any]) -> bytes:
    objects = [{"sentence_good": good, "sentence_bad": bad} for good, bad in rows]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in objects).encode()


RECIPE = 'format = 1\nexperiments = ["fig5"]\ndata = "made.jsonl"\nmodel = "llama"\n'
MADE = jsonl(*((pair.good, pair.bad) for pair in made_pairs()))
WRITTEN: dict[str, bytes] = {
    "made.jsonl": MADE,
    "prose.txt": b"w1 w5 w9 w2 w6 w5 w3\n\nw8 w30 w7 w7 w1 w4\n",
    "ok.toml": RECIPE.encode(),
    "latin.jsonl": '{"sentence_good": "caf\xe9", "sentence_bad": "w2"}\n'.encode("latin-1"),
    "utf16.csv": "sentence_good,sentence_bad\nw1,w2\n".encode("utf-16"),
    "empty.jsonl": b"",
    "one.jsonl": jsonl(("w1", "w2")),
    "few.jsonl": jsonl(*((f"w{i}", f"w{i + 9}") for i in range(3))),
    "columns.csv": b"yes,no\nw1,w2\n",
    "ragged.csv": b"sentence_good,sentence_bad\nw1,w2,w3\n",
    "quote.csv": b'sentence_good,sentence_bad\n"w1,w2\nw3,w4\n',
    "huge.csv": b"sentence_good,sentence_bad\n" + b"w" * 200_000 + b",w2\n",
    "huge.jsonl": jsonl(("w1 " * 200_000, "w2"), ("w1", "w2")),
    "deep.jsonl": b"[" * 100_000 + b"\n",
    "broken.jsonl": b'{"sentence_good": "w1",\n',
    "list.jsonl": b"[1]\n",
    "indented.json": b'{\n "sentence_good": "w1"\n}\n',
    "quoted.tsv": b'sentence_good\tsentence_bad\n"w1" w2\tw3\n',
    "which.jsonl": b'{"sentence_a": "w1", "sentence_b": "w2", "label": "good"}\n',
    "twin.csv": b"sentence_good,sentence_bad,Sentence_Good\nw1,w2,w3\n",
    "bare.csv": b"A b.,A c.\nA d.,A e.\n",
    "null.jsonl": jsonl((None, "w2")),
    "nan.jsonl": b'{"sentence_good": NaN, "sentence_bad": "w2"}\n',
    "blank.jsonl": jsonl(("w1", "   ")),
    "same.jsonl": jsonl(("w1", "w1")),
    "nul.jsonl": b'{"sentence_good": "w1\\u0000", "sentence_bad": "w2"}\n',
    "half.jsonl": b'{"sentence_good": "w1\\ud800", "sentence_bad": "w2"}\n',
    "long.jsonl": jsonl(*((" ".join(["w1"] * 70), f"w{i}") for i in range(20))),
    "fake.parquet": b"x",
    "pairs.txt": b"w1 w2\n",
    "kind.xlsx": b"w1 w2\n",
    "key.jsonl": b'{"sentence_good": "w1", "sentence_bad": "w2", "sentence_good": "w3"}\n',
    "inner.jsonl": b'{"sentence_good": "w1", "sentence_bad": "w2", "about": {"a": 1, "a": 2}}\n',
    "key.json": b'[{"sentence_good": "w1", "sentence_bad": "w2"},\n {"sentence_bad": "w1", "sentence_bad": "w2"}]\n',
    "column.csv": b"sentence_good,sentence_bad,sentence_good\nw1,w2,w3\n",
    "column.tsv": b"note\tsentence_good\tnote\tsentence_bad\nw1\tw2\tw3\tw4\n",
    "id.jsonl": b'{"sentence_good": "w1", "sentence_bad": "w2", "pairID": "\\ud800"}\n',
    "term.jsonl": b'{"sentence_good": "w1", "sentence_bad": "w2", "x": ["\\uDFFF"]}\n',
    "name.jsonl": b'{"sentence_good": "w1", "sentence_bad": "w2", "\\ud800": 1}\n',
    "field.csv": b"sentence_good,sentence_bad,note\nw1,w2,\xff\n",
    "both.csv": b"good,bad,correct,incorrect\nw1,w2,w3,w4\n",
    "label.csv": b"sentence,label\nw1,good\nw2,unsure\n",
    "odd.csv": b"pair,sentence,label\n1,w1,1\n1,w2,1\n",
    "alone.txt": b"True\tw1\nTrue\tw2\nFalse\tw3\n",
    "blank.txt": b" \n",
    "latin.txt": b"\xe9\xe9",
    "pickled.safetensors": pickle.dumps([1] * 50),
    "newer.toml": RECIPE.replace("1", "2", 1).encode(),
    "empty.toml": b"",
    "latin.toml": RECIPE.encode() + b'title = "\xe9"\n',
    "typo.toml": RECIPE.encode() + b"lamda = 0.3\n",
    "table.toml": RECIPE.encode() + b"[modles]\na = 1\n",
    "models.toml": RECIPE.encode() + b"[models]\na = 1\n",
    "nan.toml": RECIPE.encode() + b"lambdas = [nan]\n",
    "t5.toml": RECIPE.replace('"llama"', '"t5"').encode(),
    "layers.toml": RECIPE.encode() + b"layers = [99]\n",
    "deep.toml": RECIPE.encode() + b"topk = " + b"[" * 100_000,
    "fig9.toml": RECIPE.replace("fig5", "fig9").encode(),
}
SCORE = ["score", "--data"]
SENTENCES: list[tuple[str, str]] = [  # a file, and what is said of it
    ("latin.jsonl", "latin.jsonl, line 1: not UTF-8 (byte 0xe9); save the file as UTF-8"),
    ("utf16.csv", "utf16.csv, line 1: not UTF-8 (byte 0xff); save the file as UTF-8"),
    ("empty.jsonl", "'empty.jsonl' is empty: it holds no pairs"),
    ("one.jsonl", "'one.jsonl' holds only 1 pair; at least 2 are needed"),
    ("columns.csv", "columns.csv, line 2: no column 'sentence_good' (found: yes, no); name yours with --columns"),
    ("ragged.csv", "ragged.csv, line 2: 3 fields under 2 column names; put a sentence that holds the delimiter in"),
    ("quote.csv", "quote.csv, line 2: malformed CSV (unexpected end of data); is a quotation mark left open?"),
    ("huge.csv", "huge.csv, line 2: malformed CSV (field larger than field limit (131072)); is a quotation mark"),
    ("huge.jsonl", "a sentence of 200001 tokens exceeds the 64 of llama; shorten it or leave it out: 'w1 w1 "),
    ("deep.jsonl", "deep.jsonl, line 1: malformed JSON (cannot be parsed); one JSON object per line is expected"),
    ("broken.jsonl", "broken.jsonl, line 1: malformed JSON ("),
    ("list.jsonl", "list.jsonl, item 1: expected an object with sentence_good and sentence_bad, found a number"),
    (
        "indented.json",
        "'indented.json' holds one JSON object; a file of pairs has one object a line, or an array of ",
    ),
    (
        "quoted.tsv",
        "quoted.tsv, line 2: malformed TSV: a field begins with a quotation mark and goes on after the next ",
    ),
    (
        "which.jsonl",
        "which.jsonl, line 1: 'label' says 'good', which is no label known here; write 0 where the first ",
    ),
    (
        "twin.csv",
        "'twin.csv': the columns 'sentence_good' and 'Sentence_Good' differ by case or blanks alone; rename ",
    ),
    (
        "bare.csv",
        "bare.csv, line 2: no column 'sentence_good' (found: A b., A c.); is the first line a sentence? put a ",
    ),
    ("null.jsonl", "null.jsonl, line 1: 'sentence_good' must be a sentence, not null"),
    ("nan.jsonl", "nan.jsonl, line 1: 'sentence_good' must be a sentence, not a number"),
    ("blank.jsonl", "blank.jsonl, line 1: 'sentence_bad' is empty"),
    ("same.jsonl", "'same.jsonl' holds no pair that counts (repeats: 0, the same sentence twice: 1)"),
    ("nul.jsonl", "nul.jsonl, line 1: 'sentence_good' holds a character that is no text (NUL or half of a "),
    ("half.jsonl", "half.jsonl, line 1: 'sentence_good' holds a character that is no text (NUL or half of a "),
    ("long.jsonl", "a sentence of 71 tokens exceeds the 64 of llama; shorten it or leave it out: 'w1 w1 "),
    ("fake.parquet", "'fake.parquet' is not a readable Parquet file: "),
    ("pairs.txt", "'pairs.txt' holds one sentence a line, and nothing says which are good; give --layout good-bad "),
    ("kind.xlsx", "'kind.xlsx' is of an unknown kind; a file of pairs ends in .jsonl, .json, .csv, .tsv, .parquet"),
    ("key.jsonl", "key.jsonl, line 1: the key 'sentence_good' is there more than once; rename or remove one"),
    ("inner.jsonl", "inner.jsonl, line 1: the key 'a' is there more than once; rename or remove one"),
    ("key.json", "key.json, item 2: the key 'sentence_bad' is there more than once; rename or remove one"),
    ("column.csv", "column.csv, line 1: the column 'sentence_good' is there 2 times; rename or remove one"),
    ("column.tsv", "column.tsv, line 1: the column 'note' is there 2 times; rename or remove one"),
    ("column.parquet", "column.parquet: the column 'sentence_bad' is there 2 times; rename or remove one"),
    ("id.jsonl", "id.jsonl, line 1: 'pairID' holds a character that is no text (NUL or half of a "),
    ("term.jsonl", "term.jsonl, line 1: 'x' holds a character that is no text (NUL or half of a "),
    ("name.jsonl", "name.jsonl, line 1: the name of a column holds a character that is no text (NUL or half of a "),
    ("field.csv", "field.csv, line 2: not UTF-8 (byte 0xff); save the file as UTF-8"),
    ("bytes.parquet", "bytes.parquet, row 2: 'note' is not UTF-8 (byte 0xff); save the text as UTF-8"),
    (
        "both.csv",
        "'both.csv': the sentences may be in 'good' and 'bad' or 'correct' and 'incorrect'; say which with ",
    ),
    ("label.csv", "label.csv, line 3: 'label' says 'unsure', which is no label known here; write 1 for good "),
    ("odd.csv", "odd.csv, line 2: pair '1' has 2 good and 0 bad sentences; a pair is one of each ("),
    (
        "alone.txt",
        "alone.txt, line 1: this row and its neighbour have 2 good and 0 bad sentences; a pair is one of each ",
    ),
    ("pipe.jsonl", "'pipe.jsonl' is a pipe, not a regular file; save the pairs in one"),
    ("socket.csv", "'socket.csv' is a socket, not a regular file; save the pairs in one"),
    ("/dev/zero", "'/dev/zero' is a device, not a regular file; save the pairs in one"),
    ("piped", "'piped/a.jsonl' is a pipe, not a regular file; save the pairs in one"),
    ("broken-link", "cannot read 'broken-link/a.jsonl': No such file or directory"),
    ("multiblimp", "which language of 'multiblimp'? name one by its ISO 639-3 code: --data multiblimp:deu (101 "),
    (
        "rublmp",
        "no such file or folder: 'rublmp' (--data takes auto, blimp, builtin, builtin:balanced, builtin:meaning, ",
    ),
    ("nothing", "'nothing' holds no files of pairs (.jsonl, .json, .csv, .tsv, .parquet, .txt)"),
    ("two", "which of 2 tasks? give --task NAME, a glob, a phenomenon or 'all' ('two' holds: a, b)"),
    ("twice", "'twice' holds task 'a' twice: a.csv and a.jsonl"),
]
MODELS: list[tuple[str, str]] = [
    ("t5", "t5 is an encoder-decoder model (t5); neurosteer needs a decoder"),
    ("bert", "bert is no decoder: BertLMHeadModel reads in both directions; name a model that writes text"),
    ("no-eos", "this tokenizer has no EOS token; name one with --eos TOKEN"),
    ("nothing", "nothing is no Hugging Face model folder: it has no config.json"),
    ("prose.txt", "prose.txt is a file; name a Hugging Face folder (config.json, tokenizer, safetensors)"),
    ("./nowhere", "no such model folder: ./nowhere; name a folder, a hub id or 'smollm2-135m'"),
    ("smollm2-135n", "unknown model 'smollm2-135n'; did you mean 'smollm2-135m'?; name a folder, a hub id or "),
]
LOADING: list[Row] = [  # for every command that loads a model
    (
        EVERY,
        ["--bos", "<x>"],
        "--bos '<x>' is not in the tokenizer's vocabulary; name one token as it is spelt there",
    ),
    (
        EVERY,
        ["--eos", "<x>"],
        "--eos '<x>' is not in the tokenizer's vocabulary; name one token as it is spelt there",
    ),
    (LOADING, ["--revision", "v2"], "--revision 'v2' is for models of the hub; llama has no revisions: leave it out"),
    (EVERY, ["--device", "cuda:99"], "device 'cuda:99' is not available here; try --device auto"),
    (EVERY, ["--device", "cpu", "--device-map", "auto"], "give --device or --device-map, not both ('cpu', 'auto')"),
    (EVERY, ["--device-map", "nonsense"], "cannot load the model in llama: "),
]
METADATA: list[Row] = [  # of a find's neurons
    (EDITS, ["--topk", "99"], "topk 99 is more than the 32 units of a layer"),
    (EDITS, ["--layers", "7"], "this ranking has no layer 7; it has 1"),
    ("generate", ["--topk", "33"], "topk 33 is more than the 32 units of a layer"),
    (
        EDITS,
        ["--method", "l0", "--limit", "5"],
        "no `neurosteer find` with llama (and this BOS and EOS) and --method ",
    ),
    (EDITS, ["--neurons", "pickled.safetensors"], "pickled.safetensors is damaged or no safetensors file ("),
    (EDITS, ["--neurons", "made.jsonl"], "made.jsonl is damaged or no safetensors file ("),
    (EDITS, ["--neurons", "theirs.safetensors"], "theirs.safetensors is a safetensors file, but not one of neuro"),
    (EDITS, ["--neurons", "flipped.safetensors"], "flipped.safetensors is damaged: its content does not match its "),
    ("generate", ["--neurons", "cut.safetensors"], "cut.safetensors is damaged or no safetensors file ("),
]
AFTER_NOTES: list[Row] = [  # a note says which neurons first, or which pairs
    (EDITS, ["--neutral", "blank.txt"], "the neutral text 'blank.txt' is empty; give a file of some prose"),
    (EDITS, ["--neutral", "latin.txt"], "the neutral text 'latin.txt' is not UTF-8; save it as UTF-8"),
    (EDITS, ["--also", "nope"], "unknown task 'nope' ('made.jsonl' holds: made)"),
    (EDITS, ["--task", "nope", "--data", "auto"], "unknown task 'nope' (see: neurosteer ls tasks)"),
    ("generate", ["--max-new-tokens", "99"], "a prompt of 3 tokens and 99 new ones exceed the 64 of llama"),
]
RECIPES: list[tuple[list[str], str]] = [
    (["newer.toml"], "newer.toml: format 2 was made for a newer version of neurosteer; upgrade neurosteer"),
    (["empty.toml"], "empty.toml is empty: a recipe needs at least format = 1 and experiments = [...]"),
    (["latin.toml"], "latin.toml is not UTF-8 text (byte "),
    (["made.jsonl"], "made.jsonl is no TOML: "),
    (["typo.toml"], "typo.toml: unknown key 'lamda'; did you mean 'lambda'?"),
    (["table.toml"], "table.toml: unknown key 'modles'; did you mean 'models'?"),
    (["models.toml"], "models.toml: models must be a list of models, each once: names, hub ids with or without "),
    (
        ["nan.toml"],
        "nan.toml: lambdas must be a list of numbers above 0 and up to 1, each once and",
    ),
    (["deep.toml"], "deep.toml is no TOML that can be read: it is nested too deeply"),
    (["fig9.toml"], "unknown experiment 'fig9'; did you mean 'fig"),
    (["t5.toml"], "t5 is an encoder-decoder model (t5); neurosteer needs a decoder"),
    (["layers.toml"], "no layer 99: llama has layers 0 to 2"),
    (["ok.toml", "--set", "topk=99"], "topk 99 is more than the 32 units of a layer"),
    (["ok.toml", "--task", "mad"], "unknown task 'mad'; did you mean 'made'? ('made.jsonl' holds: made)"),
    (["ok.toml", "--limit", "3"], "'made' is too small to split: 3 pairs in 3 groups that share no sentence leave "),
    (["ok.toml", "--split", "lexical"], "none of the 1 tasks allows a lexical split: 'made' allows no lexical split"),
]


@pytest.fixture(scope="module")
def place(tiny_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files and models, most of them bad, and one sound find."""
    import transformers
    from tiny_models import save_tokenizer

    place = tmp_path_factory.mktemp("place")
    for name, content in WRITTEN.items():
        (place / name).write_bytes(content)
    save_file({"x": np.zeros(2)}, place / "theirs.safetensors")
    save_odd_files(place)
    (place / "nothing").mkdir()
    for folder, names in {"two": ("a.jsonl", "b.jsonl"), "twice": ("a.csv", "a.jsonl")}.items():
        (place / folder).mkdir()
        for name in names:
            (place / folder / name).write_bytes(MADE)
    for name in ("llama", "no-eos"):
        shutil.copytree(tiny_folder("llama"), place / name)
    save_tokenizer(place / "no-eos", eos=None)
    small = {"vocab_size": 64, "d_model": 16, "d_kv": 4, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    transformers.T5ForConditionalGeneration(transformers.T5Config(**small)).save_pretrained(place / "t5")
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    bert = transformers.BertForMaskedLM(transformers.BertConfig(vocab_size=64, **small))
    bert.save_pretrained(place / "bert")
    for name in ("t5", "bert"):
        save_tokenizer(place / name)
    save_spelling(place / "spelling")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("NEUROSTEER_HOME", str(tmp_path_factory.mktemp("home")))
        find = ["find", "--data", "made.jsonl", "--method", "welch", "--layers", "1", "--draws", "1"]
        with pytest.raises(SystemExit, match="0"):
            main([*find, "--model", "llama", "--quiet", "--format", "json"])
    [ranking] = (place / "runs").rglob("*.welch.safetensors")
    whole = ranking.read_bytes()
    (place / "flipped.safetensors").write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    (place / "cut.safetensors").write_bytes(whole[:50])
    return place


def save_odd_files(place: Path) -> None:
    """Tables that Arrow alone can hold, and things that are no regular file."""
    import pyarrow
    from pyarrow import parquet

    words = pyarrow.array(["w1", "w2"])
    twice = pyarrow.Table.from_arrays([words] * 3, names=["sentence_good", "sentence_bad", "sentence_bad"])
    parquet.write_table(twice, place / "column.parquet")
    no_text = pyarrow.array([b"w1", b"\xff"]).view(pyarrow.string())
    table = {"sentence_good": words, "sentence_bad": ["w3", "w4"], "note": no_text}
    parquet.write_table(pyarrow.table(table), place / "bytes.parquet")
    (place / "piped").mkdir()
    for pipe in ("pipe.jsonl", "piped/a.jsonl"):
        os.mkfifo(place / pipe)
    with socket.socket(socket.AF_UNIX) as one, pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)  # such a path is short
        one.bind("socket.csv")
    (place / "broken-link").mkdir()
    (place / "broken-link" / "a.jsonl").symlink_to("nowhere.jsonl")


@pytest.mark.parametrize(("file", "message"), SENTENCES, ids=lambda value: value[:12])
def test_sentences(refused: Refused, place: Path, file: str, message: str):
    refused(place, [*SCORE, file, "--model", "llama"], message)


@pytest.mark.parametrize("command", ["find", "score"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "nope"], "unknown task 'nope' ('made.jsonl' holds: made)"),
        (["--task", ""], "unknown task '' ('made.jsonl' holds: made)"),
        (["--task", "*q*"], "no task matches '*q*' ('made.jsonl' holds: made)"),
        (["--columns", "a,b"], "made.jsonl, line 1: no column 'a' (found: sentence_good, sentence_bad); name yours"),
    ],
)
def test_names_that_the_pairs_lack(refused: Refused, place: Path, command: str, arguments: list[str], message: str):
    refused(place, [command, "--data", "made.jsonl", *arguments], message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "few.jsonl"], "'few' is too small to split: 3 pairs in 3 groups that share no sentence leave "),
        (["--data", "made.jsonl", "--split", "lexical"], "'made' allows no lexical split: "),
        (["--data", "made.jsonl", "--topk", "33"], "topk 33 is more than the 32 units of a layer"),
        (["--data", "made.jsonl", "--layers", "0-3"], "no layer 3: llama has layers 0 to 2"),
    ],
)
def test_what_cannot_be_found(refused: Refused, place: Path, arguments: list[str], message: str):
    refused(place, ["find", "--model", "llama", *arguments], message)


@pytest.mark.parametrize(("model", "message"), MODELS)
def test_models(refused: Refused, place: Path, model: str, message: str):
    refused(place, [*SCORE, "made.jsonl", "--offline", "--model", model], message)


@pytest.mark.parametrize("row", LOADING, ids=lambda row: " ".join(row[1]))
def test_what_the_model_cannot_have(refused: Refused, place: Path, row: Row):
    for command in commands_for(row):
        if command == "export":  # reads its run before it loads a model
            continue
        first = {"run": ["ok.toml"], "generate": ["w1 w2"], "neuron": ["0:1"]}.get(command, [])
        pairs = ["--data", "made.jsonl"] if command in ("find", "score", "neuron") else []
        refused(place, [command, *first, *pairs, "--model", "llama", *row[1]], row[2])


@pytest.mark.parametrize(("row", "notes"), [(row, row in AFTER_NOTES) for row in [*METADATA, *AFTER_NOTES]])
def test_neurons(refused: Refused, place: Path, row: Row, notes: bool):
    for command in commands_for(row):
        first = ["w1 w2"] if command == "generate" else []
        refused(
            place,
            [command, *first, "--model", "llama", "--offline", *row[1]],
            row[2],
            notes=notes,
            plan=command in EDITS,
        )


@pytest.mark.parametrize(("arguments", "message"), RECIPES, ids=lambda value: " ".join(value)[:30])
def test_recipes(refused: Refused, place: Path, arguments: list[str], message: str):
    refused(place, ["run", *arguments], message)


@pytest.mark.parametrize("arguments", [["latin.jsonl"], ["nothing"]])
def test_listings(refused: Refused, place: Path, arguments: list[str]):
    refused(place, ["ls", "tasks", "--data", *arguments], dict(SENTENCES)[arguments[0]])


def test_a_scale_that_leaves_no_number(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch):
    """It is a number as typed; what it does shows only in the run, which fails in as few words."""
    monkeypatch.chdir(place)
    for command in (["ablate"], ["generate", "w1 w2"]):
        outcome = run(*command, "--model", "llama", "--quiet", "--scale", "1e300")
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)
        assert outcome.err.endswith("give a --scale nearer to 1\n")


# --- what only looks wrong ---------------------------------------------------------------------------------------


@pytest.fixture
def scored(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """What `score` says of a file of pairs."""

    def score(name: str, content: bytes, model: str = "llama", **more: str) -> dict[str, Any]:
        monkeypatch.chdir(tmp_path)
        (tmp_path / name).write_bytes(content)
        options = [f"--{option}={value}" for option, value in more.items()]
        model = str(place / model)
        outcome = run("score", "--data", name, "--model", model, "--quiet", "--format", "json", *options)
        assert (outcome.code, outcome.err) == (0, "")
        [entry] = json.loads(outcome.out)["results"]
        return dict(entry)

    return score


ROWS = [(f"w{i} w2", f"w{i} w3 w4") for i in range(5)]
PLAIN = jsonl(*ROWS)
CSV = "sentence_good,sentence_bad\n" + "".join(f"{good},{bad}\n" for good, bad in ROWS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.jsonl", codecs.BOM_UTF8 + PLAIN),
        ("windows.jsonl", PLAIN.replace(b"\n", b"\r\n")),
        ("gaps.jsonl", b"\n \n" + PLAIN + b"\n\n"),
        ("bom.csv", codecs.BOM_UTF8 + CSV.encode()),
        ("windows.csv", CSV.replace("\n", "\r\n").encode()),
        ("LOUD.TSV", CSV.replace(",", "\t").encode()),
        ("no-end.csv", CSV.rstrip("\n").encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_as_others_write_them(scored: Callable[..., dict[str, Any]], name: str, content: bytes):
    """The same pairs, the same scores."""
    plain, theirs = scored("plain.jsonl", PLAIN), scored(name, content)
    for key in ("accuracy", "margin", "pairs"):
        assert theirs[key] == plain[key]
    assert theirs["data"]["digest"] == plain["data"]["digest"]


def test_columns_in_another_script(scored: Callable[..., dict[str, Any]]):
    good, bad = "\u6587\u6cd5\u7684", "\u975e\u6587\u6cd5\u7684"
    content = CSV.replace("sentence_good", good).replace("sentence_bad", bad).encode()
    theirs = scored("theirs.csv", content, columns=f"{good},{bad}")
    assert theirs["data"]["digest"] == scored("plain.jsonl", PLAIN)["data"]["digest"]


def test_a_word_of_ten_thousand_letters(
    scored: Callable[..., dict[str, Any]], refused: Refused, place: Path, tmp_path: Path
):
    """Where it is one token it is read; where its letters are tokens it is too long, and told at no length."""
    content = jsonl(("w1 " + "x" * 10_000, "w2"), ("w3", "w4"))
    assert scored("word.jsonl", content)["pairs"] == 2
    arguments = [*SCORE, str(tmp_path / "word.jsonl"), "--model", "spelling"]
    refused(place, arguments, "a sentence of 10004 tokens exceeds the 128 of spelling; shorten it or leave it out: ")


def save_spelling(folder: Path) -> None:
    """A tiny model whose tokens are bytes: it can read and write whatever there is."""
    import transformers
    from tiny_models import GROUPED
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = {letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE({**letters, "<s>": 256, "</s>": 257}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    fast.save_pretrained(folder)
    ids = {"vocab_size": 258, "bos_token_id": 256, "eos_token_id": 257, "max_position_embeddings": 128}
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**GROUPED, **ids})).save_pretrained(folder)


@pytest.mark.slow
@pytest.mark.usefixtures("rendered")
def test_right_to_left_text_and_emoji(run: Any, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In sentences, in a task's name and in a prompt, from find to figures and text; nothing is lost or warned of."""
    monkeypatch.chdir(tmp_path)
    words, task = (
        ["\u05d4\u05db\u05dc\u05d1", "\u0627\u0644\u0643\u0644\u0628", "\U0001f642", "\u6f22"],
        "\u05e9\u05dc [b] \U0001f642 \u6f22 $x$",
    )
    rows = [(f"{a} ran {b} {i}", f"{a} run {b} {i}") for i in range(4) for a in words for b in words]
    (tmp_path / f"{task}.jsonl").write_bytes(jsonl(*rows))
    model, quick = (
        ["--model", str(place / "spelling"), "--quiet"],
        ["--method", "welch", "--layers", "1", "--draws", "1"],
    )
    found = run("find", "--data", f"{task}.jsonl", *quick, *model)
    assert (found.code, found.err) == (0, "")
    assert task in found.out
    [result] = Path("runs").rglob("results.json")
    [entry] = json.loads(result.read_text("utf-8"))["results"]
    assert (entry["task"], entry["data"]["pairs"]) == (task, len(rows))
    ablated = run("ablate", "--topk", "3", "--controls", "2", "--format", "json", *model)
    assert (ablated.code, ablated.err) == (0, "")
    assert json.loads(ablated.out)["results"][0]["task"] == task
    written = run("generate", *words, "--topk", "3", "--format", "json", *model)
    assert (written.code, written.err) == (0, "")
    assert [row["prompt"] for row in json.loads(written.out)["results"]] == words
    checked = run("check", "runs")
    assert (checked.code, checked.err) == (0, "")


def test_neutral_text_as_others_write_it(place: Path, tmp_path: Path):
    from neurosteer.studies.neutral import read_neutral

    path, plain = tmp_path / "prose.txt", (place / "prose.txt").read_bytes()
    path.write_bytes(codecs.BOM_UTF8 + plain.replace(b"\n", b"\r\n"))
    assert read_neutral(path) == ("prose.txt", plain.decode())


def test_a_recipe_as_others_write_it_where_a_dead_process_has_left_its_locks(
    run: Any, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made.jsonl").write_bytes(MADE)
    recipe = RECIPE.replace('"llama"', json.dumps(str(place / "llama"))) + "layers = [1]\ndraws = 1\ntopk = 2\n"
    (tmp_path / "ok.toml").write_bytes(codecs.BOM_UTF8 + recipe.replace("\n", "\r\n").encode())
    planned = run("run", "ok.toml", "--dry-run", "--quiet", "--format", "json")
    folder = Path(json.loads(planned.out)["dry_run"]["folder"])
    folder.mkdir(parents=True)
    for name in (".run.lock", ".recipe.json.lock", ".claims/joint-0.lock"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("99999")
    outcome = run("run", "ok.toml", "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    assert (folder / "index.html").is_file()


# --- what people have met --------------------------------------------------------------------------------------


def test_a_cache_of_a_user_who_is_not_there(refused: Refused, place: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NEUROSTEER_HOME", "~nobody-here/x")
    told = "'~nobody-here/x': no home folder of '~nobody-here' is known; name the folder itself"
    refused(place, ["find", "--data", "made.jsonl", "--model", "llama", "--layers", "1"], told)


KINDS, LAYOUT, ONCE = "artefacts/test_kinds.py", "pairs/test_layouts.py", "pairs/test_duplicates.py"
HALF, ODD = "promises/test_r28_nothing_by_half.py", "model/test_architectures.py"
FONTS, HERE = "report/test_fonts.py", "promises/test_r11_bad_input.py"
INSIDE = f"{KINDS}::test_what_is_wrong_inside_is_told_in_one_line"
MET = {  # what others have run into: a row above (arguments, or a file), or the test of its kind
    "a mixture of experts has no mlp_post": f"{ODD}::test_mixtures_of_experts_have_no_mlp_post",
    "only some blocks are mixtures of experts": f"{ODD}::test_mixtures_of_experts_have_no_mlp_post",
    "more token ids than embedding rows": f"{HALF}::test_more_token_ids_than_embedding_rows",
    "weights that are NaN": f"{HALF}::test_weights_that_are_no_numbers",
    "weights without a place": f"{HALF}::test_tensors_that_the_model_does_not_take",
    "an unknown quantisation": f"{HALF}::test_quantisations_that_transformers_would_pass_over",
    "an adapter beside the weights": f"{HALF}::test_an_adapter_beside_the_weights",
    "a recurrent model has no key-value cache": f"{ODD}::test_recurrent_models_write_without_a_cache_and_say_so",
    "a tokenizer rebuilt by its type": "model/test_tokenizer_file.py::test_the_ids_are_those_of_the_file",
    "pairs of the same tokens": f"{ONCE}::test_the_same_tokens_are_said",
    "a key given twice": "key.jsonl",
    "a column given twice": "column.csv",
    "columns that differ by case alone": "twin.csv",
    "quotation marks in a table without column names": f"{LAYOUT}::test_a_layout_is_found",
    "a task that is called all": f"{LAYOUT}::test_all_means_all_whatever_tasks_are_called",
    "labels in words where they say which of two": f"{LAYOUT}::test_only_numbers_say_which_of_two_is_good",
    "pairs given twice": f"{ONCE}::test_repeats_are_the_pairs_alone",
    "a pair of one sentence": f"{ONCE}::test_repeats_are_the_pairs_alone",
    "nothing but pairs of one sentence": "same.jsonl",
    "Parquet text that is not UTF-8": "bytes.parquet",
    "fields parted by semicolons": f"{LAYOUT}::test_a_layout_is_found",
    "columns in another script": f"{HERE}::test_columns_in_another_script",
    "a name that the figure's font lacks": f"{FONTS}::test_without_a_font_the_figure_says_what_stands_for_what",
    "columns of other names": f"{LAYOUT}::test_a_layout_is_found",
    "columns that may be either": "both.csv",
    "one sentence a row": f"{LAYOUT}::test_a_layout_is_found",
    "alternating lines": f"{LAYOUT}::test_a_layout_is_found",
    "lines of which nothing says which are good": "pairs.txt",
    "rows of True and False": f"{LAYOUT}::test_a_layout_is_found",
    "a folder of folders": f"{LAYOUT}::test_folders_are_searched_below",
    "several paradigms in a file": f"{LAYOUT}::test_a_column_makes_tasks",
    "a JSON array": f"{LAYOUT}::test_a_layout_is_found",
    "a matplotlib backend that is not installed": "report/test_users_settings.py::test_backends_that_are_not_there",
    "a matplotlib style with LaTeX": "report/test_users_settings.py::test_settings",
    "a figure that fails": "studies/test_runs.py::test_results_are_kept_where_a_figure_fails",
    "a terminal of 0 or 20 columns": "cli/test_screen.py::test_no_word_breaks_however_narrow_the_terminal",
    "--out of a user who is not there": "--out ~nobody-here/x",
    "a cache of a user who is not there": f"{HERE}::test_a_cache_of_a_user_who_is_not_there",
    "a name that holds an escape": "cli/test_screen.py::test_control_characters_are_spelled_out",
    "a billion controls": "--controls 1000000000",
    "arrays of an artefact differ in length": INSIDE,
    "scores of an artefact are NaN": INSIDE,
    "units of an artefact are no whole numbers": INSIDE,
    "a unit stands twice in an artefact": INSIDE,
    "an artefact lacks an array": INSIDE,
    "a variance in an artefact is below 0": INSIDE,
    "a site of another width": "forward/test_edited_scores.py::test_edits_of_another_model_layer_or_unit",
}


def test_what_people_have_met_is_somewhere():
    """Every case is a row of the tables above, or the test of its kind is there."""
    rows = {" ".join(row[1]) for row in TYPED} | {file for file, _ in SENTENCES}
    tests = Path(__file__).parents[1]
    for case, where in MET.items():
        file, _, name = where.partition("::")
        assert where in rows or f"def {name}(" in (tests / file).read_text("utf-8"), case


# --- the installed command ---------------------------------------------------------------------------------------


def installed(
    place: Path, *arguments: str | bytes, closed: str = "", **more: Any
) -> subprocess.CompletedProcess[bytes]:
    """What the command itself says, some of whose streams are closed by the shell."""
    command = shutil.which("neurosteer", path=sysconfig.get_path("scripts"))
    if command is None:
        pytest.skip("the command neurosteer is not installed beside this Python")
    call = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, command, *arguments]
    return subprocess.run(call, cwd=place, capture_output=True, check=False, **more)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*SCORE, "latin.jsonl"], b"latin.jsonl, line 1: not UTF-8 (byte 0xe9); save the file as UTF-8"),
        (["find", "--topk", "nan%"], b"--topk 'nan%' is neither a count of neurons (40) nor a share above 0 and up "),
        (
            ["run", "newer.toml"],
            b"newer.toml: format 2 was made for a newer version of neurosteer; upgrade neurosteer",
        ),
        ([*SCORE, b"caf\xe9.jsonl"], b"'caf?.jsonl' is not UTF-8; type it, or name the file, in UTF-8"),
    ],
)
def test_the_installed_command(place: Path, arguments: list[str | bytes], message: bytes):
    before = contents(place)
    ended = installed(place, *arguments, env={**os.environ, "PYTHONUTF8": "1"})
    assert (ended.returncode, ended.stdout, ended.stderr.count(b"\n")) == (2, b"", 1)
    assert ended.stderr.startswith(b"neurosteer: " + message)
    assert contents(place) == before


@pytest.mark.parametrize("closed", quick_and_slow(["<&- >&-"], ["<&-", ">&-"]))
def test_closed_streams(place: Path, closed: str):
    """Nobody asks, and nobody has to listen."""
    ended = installed(place, "ls", "recipes", closed=closed)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert bool(ended.stdout) == (">&-" not in closed)
    ended = installed(place, "find", "--topk", "0", closed=closed)
    assert (ended.returncode, ended.stdout, ended.stderr.count(b"\n")) == (2, b"", 1)
