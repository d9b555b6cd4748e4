"""Pages without a browser: what they hold, that they are the same however they are made, what is escaped."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_pages import HOSTILE, make_hostile, make_runs, write_page, write_results
from made_pairs import made_pairs

from neurosteer.artefacts import check_path
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.forward import eos_states
from neurosteer.neurons import Ranking
from neurosteer.progress import Progress
from neurosteer.report.pages import PAGE, run_page
from neurosteer.report.pages import library as library_module
from neurosteer.report.pages.command import command_of_run
from neurosteer.report.pages.document import CODE, HERE, in_script
from neurosteer.report.pages.units import Stats, units_data, units_of
from neurosteer.results import FindResult, read_record
from neurosteer.results.model import ModelUsed
from neurosteer.results.run import RunRecord
from neurosteer.store import MANIFEST
from neurosteer.studies.cards import neuron_card
from neurosteer.studies.runs import make_page, runs, write_folder

COMMANDS = ("find", "ablate", "score", "generate", "evidence")
MOST_LINES = 600  # of our own JavaScript


@pytest.fixture(scope="module")
def made(tiny, tmp_path_factory) -> dict[str, Path]:
    return make_runs(tmp_path_factory.mktemp("runs"), tiny("llama"))


def data_of(page: Path) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)[1])


@pytest.mark.parametrize("command", COMMANDS[:4])
def test_it_is_made_again_byte_by_byte_and_the_run_stays_intact(made, command):
    page = made[command] / PAGE
    before = page.read_bytes()
    page.write_text("damaged")
    assert make_page(made[command]) == page
    assert page.read_bytes() == before
    assert all(row["ok"] for row in check_path(made[command]))


def test_where_there_is_no_page_to_make(made, tmp_path):
    with pytest.raises(InputError, match="no finished run"):
        make_page(tmp_path)
    write_results(tmp_path / "recipe", "run", [])
    with pytest.raises(InputError, match="has no such page"):
        run_page(tmp_path / "recipe", "recipe")


def test_a_damaged_run_gets_no_page(made, tmp_path):
    folder = Path(shutil.copytree(made["score"], tmp_path / "copy"))
    (folder / "made.csv").write_text("pair\n")
    with pytest.raises(CorruptFileError, match=r"made\.csv"):
        make_page(folder)


def test_the_command_line_makes_it_and_opens_it(made, run, monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: seen.append(address) or True)
    found = run("page", str(made["find"]))
    assert (found.code, seen) == (0, [(made["find"] / PAGE).resolve().as_uri()])
    assert run("page", str(made["find"]), "--no-open").code == 0
    assert len(seen) == 1
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    failed = run("page", str(made["find"]))
    assert failed.code == 1
    assert "no browser was found" in failed.err
    refused = run("page", "nowhere")
    assert refused.code == 2


def test_without_a_run_it_is_the_newest(made, run, tmp_path, monkeypatch):
    """The one whose manifest is the youngest; where there is none, one line says so."""
    for name in ("find", "score"):
        shutil.copytree(made[name], tmp_path / "runs" / name)
    monkeypatch.chdir(tmp_path)
    os.utime(tmp_path / "runs" / "find" / MANIFEST, (0, 0))
    for newest, age in (("score", 60), ("find", 0)):
        os.utime(tmp_path / "runs" / newest / MANIFEST, (time.time() - age,) * 2)
        assert run("page", "--no-open").out.split() == ["page", f"runs/{newest}/{PAGE}"]
    assert run("page", "--no-open", "--out", "runs").code == 0
    both = run("page", "runs/find", "--out", "runs")
    assert (both.code, both.err.count("\n")) == (2, 1)
    none = run("page", "--out", "elsewhere")
    assert (none.code, none.err) == (
        2,
        "neurosteer: there is no finished run in 'elsewhere'; name the folder of one\n",
    )


def test_runs_of_generate_are_listed(made):
    listed = {row.command: row for row in runs(made["find"].parent)}
    assert listed["generate"].layers == (1, 2) or listed["generate"].layers
    assert listed["generate"].tasks == ()


def test_hover_tells_number_interval_and_controls(made):
    rows = data_of(made["ablate"] / PAGE)["charts"]["all-change-sets"]["data"]["values"]
    own = next(row for row in rows if row["set"] == "welch" and row["series"] == "these neurons")
    result = json.loads((made["ablate"] / "results.json").read_text())["results"][0]
    assert own["value"] == result["margin"]["delta"]
    assert (own["low"], own["high"]) == (result["margin"]["low"], result["margin"]["high"])
    assert "19 sets: mean" in own["beside"]
    controls = [row["value"] for row in rows if row["set"] == "welch" and row["series"] == "controls"]
    assert controls == result["controls"]["deltas"]


def test_lines_of_doses_go_through_the_unedited_model(made):
    """Doses of 0, .5 and 2 were measured; at 1 nothing is edited, and nothing changes."""
    rows = data_of(made["ablate"] / PAGE)["charts"]["0-doses-doses"]["data"]["values"]
    result = json.loads((made["ablate"] / "results.json").read_text())["results"][0]
    own = {row["scale"]: (row["value"], row["low"], row["high"]) for row in rows if row["series"] == "these neurons"}
    measured = {dose["scale"]: (dose["delta"], dose["low"], dose["high"]) for dose in result["doses"]}
    assert own == measured | {1.0: (0.0, 0.0, 0.0)}
    assert 1.0 in {row["scale"] for row in rows if row["series"] == "controls"}


def test_how_small_p_can_be_is_told(made):
    [first, _] = json.loads((made["ablate"] / "results.json").read_text())["results"]
    least = f"{1 / (1 + first['controls']['n']):.3f}".removeprefix("0").rstrip("0")
    text = (made["ablate"] / PAGE).read_text("utf-8")
    assert f"whose change lies at least as far from the mean of all others, so {least} at least." in text
    assert f"of {first['data']['tested']}. So at scale 0." in text


def test_every_neuron_of_a_set_is_listed_with_its_score(made):
    [first, second] = json.loads((made["ablate"] / "results.json").read_text())["results"]
    text = (made["ablate"] / PAGE).read_text("utf-8")
    listed = re.findall(r"<li><b>(?:<a [^>]*>)?([0-9:]+)(?:</a>)?</b> <span>([^<]+)</span>", text)
    rows = [*first["neurons"], *second["neurons"]]
    assert listed == [(f"{row['layer']}:{row['unit']}", f"{row['score']:.4g}") for row in rows]


def test_every_neuron_is_on_the_map(made):
    units = data_of(made["find"] / PAGE)["tools"]["0-neurons"]
    ranking = Ranking.load(made["find"] / "made.attribution.safetensors")
    assert units["scores"]["attribution"] == pytest.approx(ranking.scores.flatten().tolist(), rel=1e-3)
    assert len(units["layers"]) == len(units["units"]) == ranking.scores.numel()


def test_the_ten_best_of_each_ranking_have_a_card(made, tiny):
    """Place and score as the ranking's file has them, t and size as the neuron's own card computes them anew."""
    text = (made["find"] / PAGE).read_text("utf-8")
    cards = dict(re.findall(r'<article id="0-neuron-([0-9:]+)"(.*?)</article>', text, re.DOTALL))
    rankings = [Ranking.load(made["find"] / f"made.{method}.safetensors") for method in ("welch", "attribution")]
    best = {
        f"{ranking.layers[i // width]}:{i % width}"
        for ranking in rankings
        for width in [ranking.scores.shape[1]]
        for i in ranking.scores.flatten().argsort(descending=True)[:10].tolist()
        if ranking.scores.flatten()[i] > 0
    }
    assert set(cards) == best
    name = max(cards)
    layer, unit = map(int, name.split(":"))
    told = re.findall(r"<td[^>]*>([^<]*)</td>", cards[name])
    for ranking in rankings:
        own = ranking.scores[ranking.layers.index(layer), unit]
        place = 1 + int((ranking.scores > own).sum())
        row = [ranking.method, f"{own:.4g}", f"{place} of {ranking.scores.numel()}"]
        assert told[(at := told.index(ranking.method)) : at + 3] == row
    alone = neuron_card(tiny("llama"), made_pairs(), (layer, unit), scales=(0.0,), controls=0, out=made["find"])
    assert f"t {alone.contrast.t:.2f} (good minus bad)" in cards[name]
    assert f"{rankings[0].stats.token_mean[rankings[0].layers.index(layer), unit]:.4g}" in told
    states = eos_states(tiny("llama"), made_pairs(), cache=False).values[:, :, layer, unit].flatten()
    sentences = [sentence for pair in made_pairs() for sentence in (pair.good, pair.bad)]
    for place in (int(states.argmax()), int(states.argmin())):
        row = [("good", "bad")[place % 2], sentences[place], f"{states[place]:.4g}"]
        assert row in [told[i : i + 3] for i in range(len(told))]


def test_cards_of_a_set_say_its_place_in_the_other(made):
    first, second = json.loads((made["ablate"] / "results.json").read_text())["results"]
    text = (made["ablate"] / PAGE).read_text("utf-8")
    cards = dict(re.findall(r'<article id="1-neuron-([0-9:]+)"(.*?)</article>', text, re.DOTALL))
    others = [f"{row['layer']}:{row['unit']}" for row in first["neurons"]]
    assert list(cards) == [f"{row['layer']}:{row['unit']}" for row in second["neurons"]]
    for i, (name, card) in enumerate(cards.items()):
        places = re.findall(r">((?:not|\d+) of 3)<", card)
        assert places == [f"{others.index(name) + 1} of 3" if name in others else "not of 3", f"{i + 1} of 3"]


def test_the_best_of_more_neurons_than_a_page_holds(made):
    found = read_record(FindResult, json.loads((made["find"] / "results.json").read_text())["results"][0])
    units = units_of(made["find"], found)
    some = units_data(units, found, most=20)
    assert len(some["layers"]) == 10
    best = units.rank("welch").ravel().argmin()
    assert (some["layers"][0], some["all"]) == (units.layers[0], units.stats.massive.size)
    assert [units.layers[best // some["width"]], best % some["width"]] in [
        list(place) for place in zip(some["layers"], some["units"], strict=True)
    ]


def test_nothing_ends_a_script_early(made, tmp_path):
    page = make_hostile(made["ablate"], tmp_path / "hostile")
    text = page.read_text("utf-8")
    assert text.count("<script") == text.count("</script>") == 3
    assert "<img src=x" not in text
    assert in_script(list(HOSTILE)).isascii() or "\u2028" not in in_script(list(HOSTILE))
    assert json.loads(in_script(list(HOSTILE))) == list(HOSTILE)


def test_nothing_is_fetched_from_anywhere(made):
    text = (made["find"] / PAGE).read_text("utf-8")
    ours = text.replace(library_module.charting_code(), "")
    assert re.findall(r"(?:src|href)=\"(?!#|\./|data:)[^\"]*\"", ours) == []
    assert "default-src 'none'" in ours


def test_our_own_code_is_short_and_sound(tmp_path):
    code = (HERE / CODE).read_text("utf-8")
    assert len(code.splitlines()) < MOST_LINES
    assert "innerHTML" not in code
    node = shutil.which("node")
    if node:
        subprocess.run([node, "--check", str(HERE / CODE)], check=True)


def test_the_charting_code_is_made_once_and_checked(tmp_path, monkeypatch, neurosteer_home):
    made: list[int] = []
    monkeypatch.setattr("vl_convert.javascript_bundle", lambda: made.append(1) or "let a = '</script';")
    library_module.charting_code.cache_clear()
    try:
        code = library_module.charting_code()
        assert code == "let a = '<\\/script';"
        library_module.charting_code.cache_clear()
        assert library_module.charting_code() == code
        assert made == [1]
        [kept] = (neurosteer_home / "pages").glob("*.js")
        kept.write_text(kept.read_text().replace("let", "var"))
        library_module.charting_code.cache_clear()
        assert library_module.charting_code() == code
        assert made == [1, 1]
    finally:
        library_module.charting_code.cache_clear()


def test_a_find_that_keeps_no_options_of_a_model_is_made_with_the_model_that_it_names():
    """One that `ablate` made where there was none; each command's own options are in `cli/test_made_again.py`."""
    model = ModelUsed(name="org/a model", revision="main")
    options = {"tasks": ["wh"], "source": "auto", "seed": 3}
    run = RunRecord(command="find", model=model, options=options, results=())
    assert command_of_run(run) == "neurosteer find --task wh --seed 3 --model 'org/a model' --revision main"
    typed = {**options, "name": "./folder", "revision": None}
    assert command_of_run(replace(run, options=typed)) == "neurosteer find --task wh --seed 3 --model ./folder"
    assert not command_of_run(replace(run, options={"n": 3}))


def test_a_page_that_cannot_be_made_costs_no_run(made, tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("neurosteer.progress.Progress.notice", lambda self, text: said.append(text))
    write_folder(tmp_path / "run", {"command": "find"}, lambda draft: None, progress=Progress())
    assert (tmp_path / "run" / "results.json").is_file()
    assert "index.html" in said[0]


def test_evidence_shows_every_question(made):
    text = write_page(made["evidence"]).read_text("utf-8")
    for question in ("encoded", "necessary", "sufficient", "interchangeable", "selective", "isolated"):
        assert f'id="0-{question}"' in text


@pytest.mark.filterwarnings("error")
def test_units_whose_squares_are_too_large_for_float32():
    """Their size is that of the same numbers in float64, without a warning."""
    mean, var = np.array([[1e38, 3.0, 1.0]], np.float32), np.array([[4.0, 16.0, 0.0]], np.float32)
    found = Stats((0,), mean, var, mean, var)
    assert found.rms == pytest.approx(np.sqrt(mean.astype(float) ** 2 + var))
    assert found.massive.tolist() == [[True, False, False]]
