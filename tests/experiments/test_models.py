"""Several models on one page: against `find` and `measure_effect` for each, and what names of models mean."""

from __future__ import annotations

import json
import re
import shutil
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import pairwise
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from described import described
from fake_hub import serving
from made_pairs import made_pairs
from stub_recipe import contents
from tiny_models import save_tiny, settle

import neurosteer as ns
from neurosteer.errors import InputError
from neurosteer.experiments import RecipeRun, run_recipe
from neurosteer.experiments.model_list import Reference
from neurosteer.experiments.models.charts import charts
from neurosteer.experiments.models.compute import axis_of, chance
from neurosteer.experiments.models.figures import draw, draw_kept
from neurosteer.experiments.models.result import Kept, ModelRow, Models, TaskInModel
from neurosteer.experiments.models.units import check_shape, measured
from neurosteer.experiments.recipe import Recipe, read_recipe
from neurosteer.experiments.run import prepare
from neurosteer.model import Model, untrained
from neurosteer.pairs import Pairs
from neurosteer.progress import QUIET
from neurosteer.results import Estimate
from neurosteer.runner.unfinished import unfinished_runs
from neurosteer.runner.units import UnitResult
from neurosteer.studies.bootstrap import groups_in
from neurosteer.studies.margins import ratio

pytestmark = pytest.mark.usefixtures("blank_pictures")

K, CONTROLS = 4, 19
PAIRS = made_pairs(verbs=5, subjects=5, nouns=5)  # 25 of them for test: as few as tell a preference


@dataclass(frozen=True)
class Place:
    """Models, pairs, and recipes about them, in a folder of their own."""

    folder: Path

    def recipe(self, *models: str, name: str = "mine") -> Path:
        keys = {"format": 1, "title": "Mine", "experiments": ["models"], "models": list(models)}
        keys |= {"data": str(self.folder / "made.jsonl"), "topk": K, "controls": CONTROLS}
        path = self.folder / f"{name}.toml"
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items()))
        return path

    def model(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Callable[[str], Path]) -> Place:
    """Two checkpoints, of which one has a clean preference, and a wider model."""
    folder = tmp_path_factory.mktemp("several")
    settle(save_tiny("llama", folder / "checkpoint-500", seed=2))
    settle(save_tiny("llama", folder / "checkpoint-9000", seed=7))  # its best layers are others
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in PAIRS]
    (folder / "made.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Place(folder)


@pytest.fixture(scope="module")
def names(place: Place) -> list[str]:
    """Not in the order of their steps."""
    first = place.model("checkpoint-500")
    return [place.model("checkpoint-9000"), first, f"{first}@untrained"]


@pytest.fixture(scope="module")
def ran(place: Place, names: list[str], apart: Callable[[], AbstractContextManager[None]]) -> Iterator[RecipeRun]:
    with apart():
        yield run_recipe(place.recipe(*names), out=place.folder / "runs", progress=QUIET)


@pytest.fixture(scope="module")
def result(ran: RecipeRun) -> Models:
    found: Models = ran.outcome.results["models"]
    return found


@pytest.fixture(scope="module")
def loop(place: Place, names: list[str], apart: Callable[[], AbstractContextManager[None]]) -> dict[str, Any]:
    """What `find` and `measure_effect` say of each model, by its name."""
    pairs = ns.load_pairs(source=str(place.folder / "made.jsonl"))
    said = {}
    with apart():
        for name in names:
            model = ns.load_model(name.removesuffix("@untrained"))
            said[name] = plain(untrained(model) if name.endswith("@untrained") else model, pairs)
    return said


def plain(model: Model, pairs: Pairs) -> tuple[Any, Any]:
    found = ns.find(model, pairs, methods=("welch", "attribution"), topk=K, to="mean", draws=1, progress=QUIET)
    edit = ns.Edit.ablate(found.ranking("attribution").top(K), to="mean")
    return found, ns.measure_effect(model, found.test, edit, controls=CONTROLS, progress=QUIET)


def test_against_a_plain_loop(result: Models, names, loop):
    assert [row.model for row in result.rows] == [names[2], names[1], names[0]]
    assert [row.lost.value is None for row in result.rows] == [True, False, True]  # else one kind was not tested
    for row in result.rows:
        found, effect = loop[row.model]
        best = found.result.best
        assert (row.encoded_layer, row.used_layer) == (best.layer, found.result.best_layers["attribution"])
        assert row.dense == Estimate(best.dense, *best.intervals.dense)
        assert row.topk == Estimate(best.topk, *best.intervals.topk)
        assert row.known.value == getattr(found.baselines, row.baseline, None)
        margin = (effect.margin.before, effect.margin.before_low, effect.margin.before_high)
        assert (row.margin.value, row.margin.low, row.margin.high) == pytest.approx(margin)
        assert row.units == len(effect.neurons)
        if effect.nothing_to_lose:
            assert (row.lost, row.p, row.used, row.why) == (Estimate(None), None, None, "no clean preference")
            continue
        lost = [-delta / effect.margin.before for delta in (effect.margin.delta, *effect.controls.deltas)]
        assert row.lost.value == pytest.approx(lost[0])
        ends = ratio(effect.before - effect.after, effect.before, groups_in(found.test), 0)
        assert (row.lost.low, row.lost.high) == pytest.approx((ends.low, ends.high))
        assert row.control == pytest.approx(np.mean(lost[1:]))
        assert (row.control_low, row.control_high) == pytest.approx((min(lost[1:]), max(lost[1:])))
        assert row.p == (1 + sum(one >= lost[0] for one in lost[1:])) / (CONTROLS + 1)
        assert row.used == (row.p <= 0.05 and row.lost.low > 0)


def test_the_same_neurons(result: Models, names, loop):
    order = [names[2], names[1], names[0]]
    expected = []
    for earlier, later in pairwise(order):
        for method in ("welch", "attribution"):
            rankings = [loop[name][0].ranking(method) for name in (earlier, later)]
            layer = loop[later][0].result.best_layers[method]
            sets = [[set(one.top(K, layers=at)) for one in rankings] for at in range(3)]
            overlaps = [len(a & b) / len(a | b) for a, b in sets]
            expected.append((earlier, later, method, layer, overlaps[layer], pytest.approx(np.mean(overlaps))))
    found = [(row.earlier, row.later, row.method, row.layer, row.overlap, row.all_layers) for row in result.kept]
    assert found == expected
    assert any(row.overlap > 0 for row in result.kept)  # else nothing was tested
    by_hand = sum(comb(4, i) * comb(28, 4 - i) * i / (8 - i) for i in range(5)) / comb(32, 4)
    assert [row.chance for row in result.kept] == pytest.approx([by_hand] * len(expected))
    for row in result.kept:
        more = sum(comb(4, i) * comb(28, 4 - i) for i in range(row.shared, 5)) / comb(32, 4)
        assert row.p == pytest.approx(more)


def test_charts_have_the_numbers_of_the_tables(ran: RecipeRun, result: Models):
    """A mark for each task and each mean that is known, at its model; one page without pictures."""
    text = (ran.folder / "index.html").read_text("utf-8")
    shown = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])["charts"]
    assert sorted(shown) == [f"all-models-{name}" for name in ("encoded", "kept", "lost", "margin")]
    assert "data:image/png" not in text.split("<main")[1].split('id="data"')[0]
    for chart in shown.values():  # what the menu leaves may have no intervals at all: Vega would warn of their extent
        values = [row[end] for row in chart["data"]["values"] for end in ("value", "low", "high")]
        known = [value for value in values if value is not None]
        assert chart["layer"][-1]["encoding"]["y"]["scale"]["domain"] == [min(known), max(known)]

    def marks(chart: str, series: str) -> set[tuple[str, float]]:
        rows = shown[f"all-models-{chart}"]["data"]["values"]
        return {(row["model"], row["value"]) for row in rows if row["series"] == series}

    assert marks("encoded", "dense probe") == {(row.model, row.dense.value) for row in result.means}
    assert marks("lost", "share of the margin lost") == {
        (row.model, row.lost.value) for row in result.means if row.lost.value is not None
    }
    assert marks("kept", "top k by welch") == {
        (row.later, row.overlap.value) for row in result.kept_means if row.method == "welch"
    }
    several = replace(result, rows=[*result.rows, *(replace(row, task="other") for row in result.rows)])
    [chart] = charts(several, ran.outcome.scope)
    assert [value for value, _ in chart.choices[0].options] == ["mean over tasks", *several.tasks]
    known = {(row["task"], row["model"]) for row in chart.spec["data"]["values"] if row["series"] == "dense probe"}
    assert known == {(task, row.model) for task in ("mean over tasks", *several.tasks) for row in result.means}


def test_means_and_verdicts(ran: RecipeRun, result: Models):
    for row, mean in zip(result.rows, result.means, strict=True):  # of one task
        assert (mean.model, mean.dense.value, mean.topk.value) == (row.model, row.dense.value, row.topk.value)
        assert (mean.lost.value, mean.encoded, mean.used) == (row.lost.value, row.encoded, row.used is True)
        assert (mean.margin.value, mean.known.value, mean.control) == (row.margin.value, row.known.value, row.control)
        assert (mean.decided, mean.with_preference) == (row.used is not None, row.lost.value is not None)
    counts = {verdict.claim: (verdict.holds, verdict.of) for verdict in ran.outcome.verdicts}
    kept = {
        method: [row.p <= 0.05 for row in result.kept if row.method == method] for method in ("welch", "attribution")
    }
    assert counts == {
        "models 1": (sum(row.encoded for row in result.rows), 3),
        "models 2": (sum(row.used is True for row in result.rows), 1),
        "models 3": (sum(kept["welch"]), 2),
        "models 4": (sum(kept["attribution"]), 2),
    }
    used = ran.outcome.verdicts[1].reading
    assert used.count("cannot tell in 1") == 2
    assert used.endswith("In most tasks used in none of the models.")


def test_an_accuracy_above_another():
    """Newcombe's interval by hand: wider than either, and no more than both together."""
    found = Estimate(0.9, 0.8, 0.95).minus(Estimate(0.7, 0.6, 0.76))
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.2 - (0.1**2 + 0.06**2) ** 0.5)
    assert found.high == pytest.approx(0.2 + (0.05**2 + 0.1**2) ** 0.5)


def test_the_page(place: Place, ran: RecipeRun, names):
    page = ran.page.read_text("utf-8")
    assert all(name in page for name in names)
    assert all(one.fingerprint[:12] in page for one in ran.outcome.scope.models)
    assert f"{place.model('checkpoint-500')} at untrained" in page
    assert all(ran.folder.joinpath(f"models{what}.png").is_file() for what in ("", ".used", ".kept"))
    assert ns.open_run(ran.folder).outcome.to_dict() == ran.outcome.to_dict()
    stored = json.loads((ran.folder / "results.json").read_text())
    assert [one["name"] for one in stored["models"]] == [name.removesuffix("@untrained") for name in names]
    assert "model" not in stored["recipe"]
    assert f"3-models-{stored_digest(ran)[:8]}" in ran.folder.name


def test_in_the_list_of_runs(ran: RecipeRun, tmp_path):
    [row] = ns.runs(ran.folder.parent)
    assert row.model == "3 models"
    begun = shutil.copytree(ran.folder, tmp_path / ran.folder.name, ignore=shutil.ignore_patterns("MANIFEST.json"))
    assert [(row.run, row.model) for row in unfinished_runs(tmp_path)] == [(begun.name, "3 models")]


def stored_digest(ran: RecipeRun) -> str:
    return str(json.loads((ran.folder / "recipe.json").read_text())["digest"])


# --- what stands on the x axis -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "revision", "step"),
    [
        ("org/pythia@step143000", "org/pythia", "step143000", 143000),
        ("org/olmo@stage1-step1000-tokens5B", "org/olmo", "stage1-step1000-tokens5B", 1000),
        ("org/pythia@main", "org/pythia", "main", None),
        ("org/pythia", "org/pythia", None, None),
        ("./runs/checkpoint-500", "./runs/checkpoint-500", None, 500),
        ("./step5/final", "./step5/final", None, None),  # the folder's own name says
        ("a@footstep7", "a", "footstep7", None),
        ("a@step1.5", "a", "step1.5", None),
        ("a@step7k", "a", "step7k", None),
    ],
)
def test_names_and_steps(text, name, revision, step):
    found = Reference.parse(text)
    assert (found.name, found.revision, found.untrained, found.step) == (name, revision, False, step)


def test_untrained_is_step_0():
    found = Reference.parse("org/pythia@untrained")
    assert (found.name, found.revision, found.untrained, found.step) == ("org/pythia", None, True, 0)


def test_a_folder_with_an_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine@home").mkdir()
    assert Reference.parse("mine@home").name == "mine@home"


def about(step: int | None, parameters: int) -> ModelRow:
    return ModelRow(f"{step} {parameters}", step, parameters, 3, 32, K)


def test_axes():
    assert axis_of([about(0, 9), about(500, 9)]) == "step"
    assert axis_of([about(0, 9), about(None, 9)]) == "order"
    assert axis_of([about(0, 9), about(None, 8)]) == "size"
    assert axis_of([about(7, 9), about(7, 8)]) == "size"


def test_what_the_axis_says(ran: RecipeRun, result: Models):
    axes = draw(result, ran.outcome.scope).axes[0]
    assert axes.get_xlabel() == "training step"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "500", "9,000"]
    assert axes.get_xticks().tolist() == [0, 500, 9000]


@pytest.mark.parametrize(("axis", "x"), [("size", [900.0, 1000.0, 2_000_000.0]), ("order", [0.0, 1.0, 2.0])])
def test_curves(ran: RecipeRun, result: Models, axis, x):
    """Of sizes one curve over all; a model that follows none of its width has no overlap."""
    models = [about(None, size) for size in (900, 1000, 2_000_000)]
    rows = [replaced(row, model=one.model) for row, one in zip(result.rows, models, strict=True)]
    kept = [replaced(result.kept[0], earlier=models[0].model, later=models[1].model)]
    means = [replaced(mean, model=one.model) for mean, one in zip(result.means, models, strict=True)]
    kept_means = [replaced(result.kept_means[0], earlier=models[0].model, later=models[1].model)]
    other = Models("models", axis, CONTROLS, models, means, kept_means, rows, kept)
    [bold, *_] = [line for line in draw(other, ran.outcome.scope).axes[0].lines if line.get_linewidth() == 2.0]
    assert bold.get_xdata().tolist() == x
    labels = [label.get_text() for label in draw_kept(other, ran.outcome.scope).axes[0].get_xticklabels()]
    assert labels == {"size": ["900", "1k", "2M"], "order": [one.model for one in models]}[axis]


def replaced(row: Any, **values: Any) -> Any:
    import dataclasses

    return dataclasses.replace(row, **values)


def test_chance_of_sets_that_fill_the_layer():
    assert chance(32, 32, 32) == 1.0
    assert chance(0, 0, 32) == 0.0
    assert chance(20, 20, 32) == pytest.approx(np.mean([overlap_by_lot(seed) for seed in range(4000)]), abs=0.01)


def overlap_by_lot(seed: int) -> float:
    rng = np.random.default_rng(seed)
    a, b = (set(rng.permutation(32)[:20].tolist()) for _ in range(2))
    return len(a & b) / len(a | b)


# --- loading -----------------------------------------------------------------------------------------------------


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that are loaded, each time."""
    seen: list[str] = []
    original = ns.load_model

    def load(name: str, **asked: Any) -> Model:
        seen.append(f"{name}@{asked['revision']}" if asked.get("revision") else name)
        return original(name, **asked)

    monkeypatch.setattr("neurosteer.model.load_model", load)
    return seen


def test_units_stand_model_by_model_and_load_each_once(place: Place, names, loaded, tmp_path):
    """Known from their files, models are loaded when their units are computed; the one before is freed."""
    for task in ("a", "b"):
        (tmp_path / "two").mkdir(exist_ok=True)
        shutil.copy(place.folder / "made.jsonl", tmp_path / "two" / f"{task}.jsonl")
    asked = read_recipe(place.recipe(*names, name="three"), {"data": str(tmp_path / "two")})
    prepare(asked, out=tmp_path, offline=True, progress=QUIET)  # from here on they are known
    loaded.clear()
    made = prepare(asked, out=tmp_path, offline=True, progress=QUIET)
    assert loaded == names[:1]
    assert [unit.group for unit in made.plan.units] == [f"models-{i}" for i in (0, 0, 1, 1, 2, 2)]
    parts = [(model, task) for model in ("9000", "500", "untrained") for task in ("-a", "-b")]
    assert all(a in one.name and one.name.endswith(b) for one, (a, b) in zip(made.plan.units, parts, strict=True))
    models = made.models
    assert models is not None
    assert [models.load(place) is models.load(place) for place in range(3)] == [True, True, True]
    before = weakref.ref(models.load(2).bridge.original_model)
    assert loaded == [*names[:2], names[1]]
    models.load(1)
    assert before() is None
    assert models.load(0) is made.model
    assert made.plan.models == 2  # the first and one more, of one size


def test_nothing_but_the_results_stays(ran: RecipeRun):
    """States of no model are left in the run's folder."""
    units = list((ran.folder / "units").iterdir())
    assert len(units) == 3
    assert all(path.stat().st_size < 1 << 14 for path in units)


def test_what_it_would_take(place: Place, names, run, tmp_path):
    told = run("run", str(place.recipe(*names, name="dry")), "--dry-run", "--out", str(tmp_path), "--quiet")
    assert told.code == 0
    assert told.out.startswith("units   3 to do, 0 done\n")
    assert list(tmp_path.glob("run-*")) == []


@pytest.mark.slow
def test_hub_revisions(place: Place, names, result: Models, tmp_path, monkeypatch):
    """Two commits of one repository give what their folders give, and the files of either are fetched once."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with serving() as hub:
        for revision, name in (("step500", names[1]), ("step9000", names[0])):
            hub.put("models", "someone/tiny", shutil.copytree(name, tmp_path / revision), revision)
        asked = place.recipe("someone/tiny@step500", "someone/tiny@step9000", name="hub")
        done = run_recipe(asked, out=tmp_path, progress=QUIET)
        weights = [line for line in hub.downloads() if line.endswith(".safetensors")]
    assert len(weights) == 2
    found: Models = done.outcome.results["models"]
    assert (found.axis, [row.step for row in found.models]) == ("step", [500, 9000])
    strip = [values(row) for row in found.rows]
    assert strip == [values(row) for row in result.rows if row.model in names[:2]]
    assert [one.revision for one in done.outcome.scope.models] == ["step500", "step9000"]
    again = run_recipe(asked, out=tmp_path, offline=True, progress=QUIET)
    assert (again.folder, again.computed) == (done.folder, 0)


def values(row: TaskInModel | Kept) -> dict[str, Any]:
    return {key: value for key, value in vars(row).items() if key != "model"}


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(place: Place, ran: RecipeRun, tmp_path, monkeypatch):
    """Each is at a model of its own: this process begins its first unit when the other has done one."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def in_time(*asked: Any) -> UnitResult:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("*/units/*.safetensors")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return measured(*asked)

    monkeypatch.setattr("neurosteer.experiments.models.units.measured", in_time)
    other = run_recipe(place.folder / "mine.toml", out=tmp_path, workers=2, progress=QUIET)
    assert other.computed in (1, 2)
    assert contents(other.folder) == contents(ran.folder)


# --- what is refused ---------------------------------------------------------------------------------------------

LIST = "a list of models, each once: names, hub ids with or without @REVISION, or folders"
REFUSED = {
    "models=[]": f"models must be {LIST}, not '[]'",
    "models=gym,gym": f"models must be {LIST}, not 'gym,gym'",
    "models=gym,gym:0": "models: 'gym' and 'gym:0' are the same model; leave one of them out",
    "models=gym,@v1": "models: '@v1' is neither NAME, NAME@REVISION nor NAME@untrained",
    "models=gym,./nowhere": "no such model folder: ./nowhere; name a folder, a hub id or 'smollm2-135m'",
    "models=gym@v1": "--revision 'v1' is for models of the hub; gym has no revisions: leave it out",
    "model=gym": "this recipe has models: give model (with revision) or models, not both: models takes "
    "NAME@REVISION; leave model out",
    "experiments=fig5": "experiment 'fig5' asks about one model: give model; models is for 'models' alone",
    "layers=0,7": "no layer 7: gym has layers 0 to 2",
    "topk=500": "topk 500 is more than the 384 units of a layer",
}


@pytest.mark.parametrize("more", REFUSED)
def test_bad_input(place: Place, run, tmp_path, more):
    """One line, before anything is computed."""
    asked = place.recipe("gym", "gym:1", name="gym")
    outcome = run("run", str(asked), "--out", str(tmp_path / "runs"), "--offline", "--quiet", "--set", more)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"neurosteer: {REFUSED[more]}\n"
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("keys", "message"),
    [({"layers": (0, 2)}, "no layer 2: small has layers 0 to 1"), ({"topk": 40}, "small: topk 40 is more than")],
)
def test_what_a_later_model_lacks(keys, message):
    with pytest.raises(InputError, match=message):
        check_shape("small", described("small", n_layers=2, d_model=32), Recipe("mine", **keys))


def test_model_and_models_in_one_file(place: Place):
    path = place.recipe("gym", "gym:1", name="both")
    path.write_text(path.read_text() + 'model = "gym"\n')
    with pytest.raises(InputError, match=r"both.toml: give model \(with revision\) or models, not both"):
        read_recipe(path)


def test_models_without_a_list(place: Place, run, tmp_path):
    path = place.recipe("gym", "gym:1", name="none")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("models =")))
    outcome = run("run", str(path), "--out", str(tmp_path / "runs"), "--quiet")
    assert (outcome.code, outcome.out) == (2, "")
    expected = "experiment 'models' asks about several models: name them, models = [...] and no model"
    assert outcome.err == f"neurosteer: {expected}\n"
