"""Whatever is wrong with what was typed: one line that names it, exit 2, and nothing written."""

from __future__ import annotations

import pytest

from neurosteer.errors import CorruptFileError, InputError, NeurosteerError

TOPK = "is neither a count of neurons (40) nor a share above 0 and up to 100% (1%)"
LAYERS = "is not 'all', a layer (3), a list (3,7,12) or an ascending range (0-5)"
LAMBDA = "is not a number above 0 and up to 1"
KNOWN = "neurosteer has: find, ablate, amplify, generate, score, run, check, ls"
COLUMNS = "is not two different column names, GOOD,BAD"

MALFORMED = [
    (["--topk", "-3"], f"--topk '-3' {TOPK}"),
    (["--topk", "0"], f"--topk '0' {TOPK}"),
    (["--topk", "0%"], f"--topk '0%' {TOPK}"),
    (["--topk", "101%"], f"--topk '101%' {TOPK}"),
    (["--topk", "nan%"], f"--topk 'nan%' {TOPK}"),
    (["--topk", "inf"], f"--topk 'inf' {TOPK}"),
    (["--topk", "1.5"], f"--topk '1.5' {TOPK}"),
    (["--topk", ""], f"--topk '' {TOPK}"),
    (["--topk", "%"], f"--topk '%' {TOPK}"),
    (["--topk", "٣"], f"--topk '٣' {TOPK}"),
    (["--lambda", "nan"], f"--lambda 'nan' {LAMBDA}"),
    (["--lambda", "0"], f"--lambda '0' {LAMBDA}"),
    (["--lambda", "-0.1"], f"--lambda '-0.1' {LAMBDA}"),
    (["--lambda", "1.01"], f"--lambda '1.01' {LAMBDA}"),
    (["--lambda", "inf"], f"--lambda 'inf' {LAMBDA}"),
    (["--lambda", "0.2", "--lambda", "much"], f"--lambda 'much' {LAMBDA}"),
    (["--layers", "5-0"], f"--layers '5-0' {LAYERS}"),
    (["--layers", "-1"], f"--layers '-1' {LAYERS}"),
    (["--layers", "3,,4"], f"--layers '3,,4' {LAYERS}"),
    (["--layers", "last"], f"--layers 'last' {LAYERS}"),
    (["--layers", "1.5"], f"--layers '1.5' {LAYERS}"),
    (["--layers", "0-99999999999"], f"--layers '0-99999999999' {LAYERS}"),
    (["--layers", ""], f"--layers '' {LAYERS}"),
    (["--method", "welsh"], "--method 'welsh' is not one of welch, l0, attribution; did you mean 'welch'?"),
    (["--method", "welch", "--method", "l1"], "--method 'l1' is not one of welch, l0, attribution"),
    (["--position", "first"], "--position 'first' is not one of eos, last"),
    (["--split", "word"], "--split 'word' is not one of pair, lexical"),
    (
        ["--site", "resid_pots"],
        "--site 'resid_pots' is not one of resid_post, resid_pre, resid_mid, attn_out, mlp_out, mlp_post; "
        "did you mean 'resid_post'?",
    ),
    (["--dtype", "int8"], "--dtype 'int8' is not one of auto, float32, bfloat16, float16"),
    (["--format", "yaml"], "--format 'yaml' is not one of table, json"),
    (["--device", "gpu"], "--device 'gpu' is not one of auto, cpu, cuda, cuda:N, xpu, mps"),
    (["--limit", "0"], "--limit '0' is not a whole number of at least 1"),
    (["--limit", "ten"], "--limit 'ten' is not a whole number of at least 1"),
    (["--seed", "-1"], "--seed '-1' is not a whole number of at least 0"),
    (["--seed", "1.0"], "--seed '1.0' is not a whole number of at least 0"),
    (["--draws", "0"], "--draws '0' is not a whole number of at least 1"),
    (["--to", "resample"], "--to 'resample' is not one of zero, mean"),
    (["--steps", "0"], "--steps '0' is not a whole number of at least 1"),
    (["--columns", "good"], f"--columns 'good' {COLUMNS}"),
    (["--columns", "a,a"], f"--columns 'a,a' {COLUMNS}"),
    (["--columns", "a,"], f"--columns 'a,' {COLUMNS}"),
    (["--model", ""], "--model '' is empty"),
    (["--data", " "], "--data ' ' is empty"),
    (["--out", ""], "--out '' is empty"),
    (["--tpok", "3"], "unknown option '--tpok'; did you mean '--topk'? (see neurosteer find --help)"),
    (["--zebra"], "unknown option '--zebra' (see neurosteer find --help)"),
    (["--topk"], "option '--topk' requires an argument"),
]


@pytest.mark.parametrize(("arguments", "message"), MALFORMED, ids=lambda value: "")
def test_malformed_options(run, rooms, tmp_path, arguments, message):
    outcome = run("find", "--task", "intransitive", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"neurosteer: {message}\n"
    assert rooms.calls == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fnd"], f"unknown command 'fnd'; did you mean 'find'? ({KNOWN})"),
        (["zebra"], f"unknown command 'zebra' ({KNOWN})"),
        (
            ["ls", "taks"],
            "unknown command 'taks'; did you mean 'tasks'? (neurosteer ls has: tasks, models, recipes, runs)",
        ),
        (["--verison"], "unknown option '--verison'; did you mean '--version'? (see neurosteer --help)"),
        (["check"], "missing argument 'PATH...' (see neurosteer check --help)"),
        (["ls", "models", "--format", "csv"], "--format 'csv' is not one of table, json"),
    ],
)
def test_usage(run, arguments, message):
    outcome = run(*arguments)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"neurosteer: {message}\n")


def test_an_extra_argument(run, rooms):
    outcome = run("find", "extra")
    assert outcome.code == 2
    assert outcome.err.startswith("neurosteer: got unexpected extra argument")
    assert "extra" in outcome.err
    assert outcome.err.count("\n") == 1


def test_out_must_be_a_folder(run, rooms, tmp_path):
    (tmp_path / "taken").write_text("mine")
    outcome = run("find", "--out", "taken/runs")
    assert outcome.code == 2
    assert outcome.err == f"neurosteer: --out 'taken/runs': '{tmp_path / 'taken'}' is a file, not a folder\n"
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("no layer 99"), 2, "neurosteer: no layer 99"),
        (NeurosteerError("the run\n  failed"), 1, "neurosteer: the run failed"),
        (CorruptFileError("'x' was changed"), 1, "neurosteer: 'x' was changed"),
        (KeyboardInterrupt(), 130, "neurosteer: interrupted"),
        (PermissionError(13, "Permission denied", "/r"), 1, "neurosteer: cannot use '/r': Permission denied"),
    ],
)
def test_what_goes_wrong_below_is_one_line(run, rooms, error, code, line):
    rooms.error = error
    outcome = run("find", "--task", "intransitive", "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (code, "", line + "\n")


def test_a_defect_of_ours_keeps_its_traceback(rooms):
    from neurosteer.cli import main

    rooms.error = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        main(["find", "--quiet"])
