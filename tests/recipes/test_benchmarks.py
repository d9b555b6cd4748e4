"""The benchmarks measure what they say: jobs and their arithmetic on tiny models, against sums made by hand."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from plain_packs import prefixes
from sizes import quick_and_slow
from tiny_models import INNER, LAYERS, WIDTH, save_tiny, save_tokenizer, sentences_of

from neurosteer.forward import score
from neurosteer.model import load_model
from neurosteer.pairs import load_pairs
from recipes.benchmarks import __main__ as command
from recipes.benchmarks import ablation, ceiling, generation, gpu, growth, probes, start, states
from recipes.benchmarks.parts import InParts
from recipes.benchmarks.random_model import SHAPES, Shape
from recipes.benchmarks.setup import Setup, computed, sequences_of
from recipes.benchmarks.turns import Bound, Comparison, Side, take_turns

TASK = "intransitive"
SMALL = Shape(layers=2, width=64, inner=64, heads=2, kv_heads=2, vocabulary=2048)


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a tiny model that knows every word of the pairs."""
    folder = save_tiny("llama-english", tmp_path_factory.mktemp("english"))
    known = [sentences_of(load_pairs(TASK, source="builtin", limit=n)) for n in (60, 20)]
    save_tokenizer(folder, english=[sentence for some in known for sentence in some])
    return str(folder)


@pytest.fixture
def setup(english: str) -> Setup:
    """A tiny model that reads English, few pairs and two turns."""
    return Setup(english, "float32", "cpu", "builtin", (TASK,), 60, 2, lambda _: None)


@pytest.fixture
def fewer(english: str) -> Setup:
    """Pairs enough for what is only run and timed."""
    return Setup(english, "float32", "cpu", "builtin", (TASK,), 20, 2, lambda _: None)


def test_ratios_are_made_turn_by_turn():
    peer, ours = Side("peer", list, tokens=30), Side("ours", list, tokens=10)
    peer.seconds, ours.seconds = [8.0, 3.0, 10.0], [2.0, 1.0, 10.0]
    row = Comparison("job", "task", peer, ours, 100, "sentence", 3.0).to_dict()
    assert (row["ratio"], row["lowest"], row["highest"]) == (3.0, 1.0, 4.0)
    assert row["reached"] is True
    assert row["tokens_ratio"] == 3.0
    assert row["share_of_tokens_ratio"] == 1.0
    assert row["peer"]["per_second"] == 100 / 8
    assert row["ours"]["per_second"] == 100 / 2


@pytest.mark.parametrize(
    ("seconds", "reached", "of_tokens"), [(26.0, True, True), (25.0, True, False), (19.0, False, False)]
)
def test_both_targets_are_judged(seconds: float, reached: bool, of_tokens: bool):
    peer, ours = Side("peer", list, tokens=30), Side("ours", list, tokens=10)
    peer.seconds, ours.seconds = [seconds], [10.0]
    row = Comparison("job", "task", peer, ours, 1, "sentence", 2.0).to_dict()
    assert (row["reached"], row["reached_of_tokens"]) == (reached, of_tokens)


def test_an_upper_bound_is_of_ours_over_theirs():
    plain, steered = Side("plain", list), Side("steered", list)
    plain.seconds, steered.seconds = [1.0, 1.0, 1.0], [1.04, 1.0, 2.0]
    row = Comparison("job", "task", plain, steered, 1, "token", 1.05, at_most=True).to_dict()
    assert row["ratio"] == 1.04
    assert row["reached"] is True


def test_turns_alternate_and_a_part_stands_for_the_whole():
    order: list[str] = []
    half = Side("half", lambda: (time.sleep(0.02), order.append("half")), share=lambda _: 0.5)
    whole = Side("whole", lambda: order.append("whole"))
    take_turns([half, whole], 2, lambda _: None)
    assert order == ["half", "whole"] * 3  # the first of each warms up
    assert len(half.seconds) == len(whole.seconds) == 2
    assert min(half.seconds) >= 0.04


def test_memory_is_what_a_job_holds_at_most():
    def hold() -> None:
        kept = torch.ones(2**25)  # 128 MiB of float32
        time.sleep(0.1)
        del kept

    side = Side("128 MiB", hold)
    side.warm()
    assert 120 < side.mebibytes < 160


def test_parts_of_a_long_job_make_up_the_whole():
    parts = InParts(range(7), lambda job: job**2, 3)
    shares = [parts.share(parts()) for _ in range(3)]
    assert parts.found == {i: i**2 for i in range(7)}
    assert sum(shares) == pytest.approx(1)
    assert max(shares) <= 3 / 7
    assert parts.share(parts()) == shares[0]  # from the beginning


def test_computed_tokens_are_distinct_prefixes(setup: Setup):
    """Of two pairs, which share a row."""
    pairs = load_pairs(TASK, source="builtin", limit=2)
    sequences = sequences_of(setup.load(), pairs)
    assert computed(setup.load(), sequences) == len(set().union(*map(prefixes, sequences)))


@pytest.mark.parametrize("dtype", quick_and_slow(["float32"], ["bfloat16"]))
def test_states(dtype: str, fewer: Setup, monkeypatch: pytest.MonkeyPatch):
    """bfloat16 stands beside a float32 loop and nowhere else."""
    monkeypatch.setattr(states, "multiplies_bfloat16", lambda _: True)
    setup = Setup(**{**vars(fewer), "dtype": dtype})
    rows = [row.to_dict() for row in states.compare(setup, setup.pairs(TASK))]
    half = ["EOS states, all layers, bfloat16"] if dtype == "float32" else []
    assert [row["job"] for row in rows] == ["EOS states, all layers"] * 2 + half
    assert [row["target"] for row in rows] == [3.0, 1.25, 6.0][: len(rows)]
    assert all(float(row["difference"].split()[0]) < (1e-5 if dtype == "float32" else 0.2) for row in rows[:2])
    lengths = [len(sequence) for sequence in sequences_of(setup.load(), setup.pairs(TASK))]
    batches = [lengths[i : i + 32] for i in range(0, len(lengths), 32)]
    assert rows[0]["peer"]["tokens"] == sum(len(batch) * max(batch) for batch in batches)
    assert [row["share_of_tokens_ratio"] is None for row in rows] == [False, False, True][: len(rows)]


def test_without_bfloat16_its_side_is_left_out(fewer: Setup, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    monkeypatch.setattr(states, "multiplies_bfloat16", lambda _: False)
    setup = Setup(**{**vars(fewer), "say": said.append})
    assert len(list(states.compare(setup, setup.pairs(TASK)))) == 2
    assert "bfloat16" in said[0]


@pytest.mark.slow
def test_ablation_and_generation(fewer: Setup, monkeypatch: pytest.MonkeyPatch):
    """With fewer controls, and fewer words written."""
    monkeypatch.setattr(ablation, "CONTROLS", 5)
    monkeypatch.setattr(generation, "NEW", 4)
    [row] = ablation.compare(fewer, fewer.pairs(TASK))
    assert float(row.difference.split()[0]) < 1e-4
    rows = list(generation.compare(fewer))
    assert len(rows) == 2
    assert min(row.ratio for row in rows) > 0


@pytest.mark.slow
def test_scores(fewer: Setup, monkeypatch: pytest.MonkeyPatch):
    """Stand-ins for the peers, which score by the plain network and make mistakes of one and two nats."""
    for name in ("lm_eval", "lm_eval.api", "lm_eval.api.instance", "lm_eval.models.huggingface", "minicons"):
        stub = ModuleType(name)
        stub.Instance = stub.HFLM = stub.scorer = None  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, stub)
    scoring = import_module("recipes.benchmarks.scoring")
    monkeypatch.setattr(scoring, "SIZES", (8, 32))
    monkeypatch.setattr(scoring, "TRIAL", 16)
    pairs, sizes = fewer.pairs(TASK), []

    def peer(name: str, mistake: float) -> Any:
        right = dict(
            zip(sentences_of(pairs), score(fewer.load(), pairs, convention=name).logprob.flatten(), strict=True)
        )

        def scores(sentences: Sequence[str], size: int) -> list[float]:
            sizes.append(size)
            for _ in sentences:
                fewer.plain()(torch.zeros(1, 7, dtype=torch.long))
            return [float(right[sentence]) + mistake for sentence in sentences]

        return lambda *_: scores

    monkeypatch.setattr(scoring, "_minicons", peer("minicons", 1.0))
    monkeypatch.setattr(scoring, "_lm_eval", peer("lm-eval", 2.0))
    first, second = (row.to_dict() for row in scoring.compare(fewer, pairs))
    assert [row["peer"]["name"].split(",")[0] for row in (first, second)] == ["minicons", "lm-eval"]
    assert [row["difference"] for row in (first, second)] == ["1e+00 nat", "2e+00 nat"]
    assert [row["target"] for row in (first, second)] == [2.0, 1.5]
    assert first["peer"]["tokens"] == second["peer"]["tokens"] == 7 * 40
    assert first["peer"]["done"] == pytest.approx(2 / 5)
    assert set(sizes) == set(scoring.SIZES)


@pytest.mark.parametrize(
    "job", [pytest.param(probes.compare_masks, marks=pytest.mark.slow), probes.compare_topk, probes.compare_welch]
)
def test_probes_find_what_their_peers_find(
    job: Callable[..., Iterator[Comparison]], setup: Setup, monkeypatch: pytest.MonkeyPatch
):
    """Of the masks one a turn, at two lambdas."""
    monkeypatch.setattr(probes, "LAMBDAS", (0.4, 1.0))
    monkeypatch.setattr(probes, "PARTS_OF_MASKS", 6)
    [row] = job(setup, setup.pairs(TASK))
    assert row.ratio > 0
    if job is not probes.compare_welch:  # at most one test pair in twelve is judged otherwise
        assert float(row.difference.split()[1].rstrip("%,")) <= 100 / 12


@pytest.mark.slow
def test_a_second_find_is_counted(setup: Setup):
    """And the first, in which the counters must count."""
    [row] = start.measure_again(setup)
    assert row.values == [0, 0]
    assert row.to_dict()["reached"] is True


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_products_are_those_of_the_blocks(kind: str, tiny_folder: Callable[[str], Path]):
    model = load_model(tiny_folder(kind))
    kv = WIDTH // 2 if kind == "llama" else WIDTH  # llama's keys and values have half the heads
    attention = 2 * WIDTH * WIDTH + 2 * WIDTH * kv
    mlp = 3 * WIDTH * INNER if kind == "llama" else 2 * WIDTH * 4 * WIDTH
    assert sum(matrix.numel() for matrix in ceiling.matrices_of(model)) == LAYERS * (attention + mlp)
    assert ceiling.products_of(model)() > 0


@pytest.mark.slow
def test_the_gpu_benchmark_on_a_cpu(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("NEUROSTEER_HOME", str(stand_in))
    monkeypatch.setitem(SHAPES, "random:tiny", SMALL)
    monkeypatch.setattr(sys, "argv", ["gpu", "--tiny", "--pairs", "2", "--data", "builtin"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    gpu.main()
    found = json.loads(capsys.readouterr().out)
    assert found["sentences"] == 67 * 2 * 2
    assert found["share"] == pytest.approx(found["tflops"] / found["products_tflops"])
    assert found["tokens_per_second"] * found["seconds"] > found["sentences"]


@pytest.mark.slow
def test_growth_is_written_and_drawn(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("NEUROSTEER_HOME", str(stand_in))
    monkeypatch.setattr(growth, "SHAPE", SMALL)
    few = ["--pairs", "10", "--layers", "1", "--width", "32", "64", "--sets", "1", "2", "--repeats", "1"]
    monkeypatch.setattr(sys, "argv", ["growth", *few, "--out", str(tmp_path)])
    growth.main()
    rows = list(csv.DictReader((tmp_path / "growth.csv").read_text("utf-8").splitlines()))
    assert [(row["varied"], float(row["value"])) for row in rows] == [
        ("pairs", 10),
        ("layers", 1),
        ("width", 32),
        ("width", 64),
        ("neuron sets", 1),
        ("neuron sets", 2),
    ]
    assert min(float(row["seconds"]) for row in rows) > 0
    assert (tmp_path / "growth.png").stat().st_size > 10_000


def test_slopes_are_powers():
    rows = [("pairs", float(x), 3.0 * x**2, 5.0 * x) for x in (1, 10, 100, 1000, 10000)]
    assert growth._slope(rows, 2) == pytest.approx(2)
    assert growth._slope(rows, 3) == pytest.approx(1)


def test_growth_takes_as_many_pairs_as_it_says():
    for n in (10, 67, 100, 1000):
        assert sum(map(len, growth._pairs(n))) == n


@pytest.mark.parametrize(
    ("module", "options", "said"),
    [
        (command, ["--task", "nonsense"], "nonsense"),
        (command, ["--data", "./nowhere"], "./nowhere"),
        (command, ["--dtype", "float7"], "float7"),
        (command, ["--pairs", "0"], "--pairs"),
        (command, ["--out", "./nowhere/found.json"], "nowhere"),
        (command, ["--show", "./nowhere.json"], "nowhere"),
        (command, ["--show", "pyproject.toml"], "pyproject.toml"),
        (gpu, ["--tiny", "--data", "./nowhere"], "./nowhere"),
        (gpu, ["--tiny", "--pairs", "2", "--data", "builtin", "--tokenizer", "./nowhere"], "nowhere"),
        (growth, ["--out", "./nowhere"], "nowhere"),
        (growth, ["--width", "40"], "40"),
    ],
)
def test_bad_input_is_told_in_one_line(
    module: object,
    options: list[str],
    said: str,
    english: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """Before the first job."""
    always = ["--data", "builtin", "--only", "help", "--model", english]
    monkeypatch.setattr(sys, "argv", ["prog", *(always if module is command else []), *options])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_what_is_found_is_written_and_shown(
    english: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """What was found stays where a later job fails."""

    def measure(setup: Setup) -> Iterator[Bound]:
        yield Bound("seconds of nothing", [1.0, 3.0, 2.0], "seconds", 2.5, at_most=True)
        raise RuntimeError("later")

    monkeypatch.setattr(start, "measure", measure)
    out = tmp_path / "found.json"
    monkeypatch.setattr(
        sys, "argv", ["prog", "--data", "builtin", "--only", "help", "--model", english, "--out", str(out)]
    )
    with pytest.raises(RuntimeError, match="later"):
        command.main()
    assert "seconds of nothing: 2.00 s (1.00 s to 3.00 s); target at most 2.50 s" in capsys.readouterr().out
    found = json.loads(out.read_text("utf-8"))
    assert found["jobs"][0]["median"] == 2.0
    assert found["settings"]["data"] == "builtin"
    assert found["machine"]["device"] == "cpu"
    monkeypatch.setattr(sys, "argv", ["prog", "--show", str(out)])
    command.main()
    assert capsys.readouterr().out == "seconds of nothing: 2.00 s (1.00 s to 3.00 s); target at most 2.50 s\n"
