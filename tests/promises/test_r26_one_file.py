"""R26: a page is one file. Opened in a real browser without network it asks for nothing and complains of nothing.

Its numbers are those of the CSV, it takes at most 5 MB, every control does what it says, what is chosen stands in the
address, and nothing that comes from data is obeyed.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Opened, browser, opened
from made_pages import HOSTILE, make_hostile, make_runs

from neurosteer.model import Model
from neurosteer.store import read_artefact

MOST_BYTES = 5_000_000
COMMANDS = ("find", "ablate", "score", "generate", "evidence")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def runs(chromium: Any, tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    model: Model = tiny("llama")
    return make_runs(tmp_path_factory.mktemp("pages"), model)


@pytest.fixture(scope="module")
def found(chromium: Any, runs: dict[str, Path]) -> Iterator[Opened]:
    with opened(chromium, runs["find"] / "index.html") as page:
        yield page


@pytest.fixture(scope="module")
def ablated(chromium: Any, runs: dict[str, Path]) -> Iterator[Opened]:
    with opened(chromium, runs["ablate"] / "index.html") as page:
        yield page


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("command", COMMANDS)
def test_it_asks_for_nothing_and_complains_of_nothing(chromium, runs, command):
    page = runs[command] / "index.html"
    assert page.stat().st_size <= MOST_BYTES
    look = {"color_scheme": "dark"} if command == "score" else {}
    with opened(chromium, page, **look) as one:
        assert [url for url in one.requests if url != page.as_uri()] == []
        assert one.said == []
        assert one.page.locator("h1").inner_text().startswith(command)
        wide, seen = one.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= seen


def test_on_a_phone_nothing_sticks_out(chromium, runs):
    with opened(chromium, runs["ablate"] / "index.html") as one:
        one.page.set_viewport_size({"width": 390, "height": 800})
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_neurons_flow_in_columns_where_there_is_room(ablated):
    columns = "one => new Set([...one.children].map(item => item.getBoundingClientRect().left)).size"
    assert ablated.page.locator('[id="0-set"] .flow').evaluate(columns) == 3


def test_accuracies_are_those_of_the_csv(found, runs):
    found.page.locator('[data-numbers="0-layers-accuracy"] summary').click()
    found.page.wait_for_selector('[data-numbers="0-layers-accuracy"] tr')
    shown = [row.split("\t") for row in found.texts('[data-numbers="0-layers-accuracy"] tr')]
    head = shown[0]
    dense = {int(row[0]): row for row in shown[1:] if row[1] == "dense: all units"}
    expected = rows_of(runs["find"] / "made.csv")
    assert [dense[int(row["layer"])][2] for row in expected] == [f"{float(row['dense']):g}" for row in expected]
    assert head[:3] == ["layer", "series", "value"]


def test_margins_are_those_of_the_csv(ablated, runs):
    ablated.page.locator('select:near(:text("Sort"))').first.select_option("file")
    while (more := ablated.page.get_by_role("button", name="Show more pairs")).is_visible():
        more.click()
    shown = ablated.texts('[data-place="0-pairs"] li > .head')
    told = {text.split(":")[0]: text.split("margin ")[1].split(" (")[0] for text in shown}
    rows = rows_of(runs["ablate"] / "made.welch.csv")
    expected = {
        f"pair {row['pair']}": f"{float(row['margin_before']):.2f} → {float(row['margin_after']):.2f}" for row in rows
    }
    assert told == {pair: text.replace("-0.00", "0.00") for pair, text in expected.items()}


def test_tokens_sum_to_the_margins_of_the_csv(runs):
    rows = {row["pair"]: row for row in rows_of(runs["ablate"] / "made.welch.csv")}
    arrays, about = read_artefact(runs["ablate"] / "made.welch.tokens.safetensors", "tokens")
    start = 0
    for pair, (good, bad) in zip(about["pairs"], arrays["counts"].tolist(), strict=True):
        sides = arrays["logprobs"][:, start : start + good], arrays["logprobs"][:, start + good : start + good + bad]
        margins = (sides[0].sum(axis=1) - sides[1].sum(axis=1)).tolist()
        assert margins[0] == pytest.approx(float(rows[pair]["margin_before"]), abs=1e-4)
        assert margins[1] == pytest.approx(float(rows[pair]["margin_after"]), abs=1e-4)
        start += good + bad


def test_pairs_at_another_dose_are_sums_of_its_tokens(ablated, runs):
    """A menu draws the pairs as they are at a dose; the address keeps it."""
    menu = ablated.page.locator('[data-choice="0-margins-margins"]')
    names = menu.locator("option").all_inner_texts()
    arrays, about = read_artefact(runs["ablate"] / "made.welch.tokens.safetensors", "tokens")
    assert len(names) == len(arrays["logprobs"]) - 1 > 1
    ends = np.cumsum(arrays["counts"].ravel())
    sums = np.stack([part.sum(axis=1) for part in np.split(arrays["logprobs"], ends[:-1], axis=1)], axis=1)
    margins = sums[:, ::2] - sums[:, 1::2]  # pass pair
    menu.select_option(names[-1])
    assert ablated.signal("0-margins-margins", "dose") == names[-1]
    assert "margins" in ablated.page.evaluate("location.hash")
    marks = ablated.page.locator('[data-chart="0-margins-margins"] .mark-symbol.role-mark path')
    assert marks.count() == len(about["pairs"])  # of this dose alone
    text = (runs["ablate"] / "index.html").read_text("utf-8")
    charts = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])["charts"]
    rows = charts["0-margins-margins"]["data"]["values"]
    for i, name in enumerate(names, 1):
        shown = {row["pair"]: row["after"] for row in rows if row["at"] == name}
        assert [shown[pair] for pair in about["pairs"]] == pytest.approx(margins[i].tolist(), abs=1e-4)
    menu.select_option(names[0])


def test_series_and_layers_are_switched_off_and_the_address_says_so(chromium, found, runs):
    found.page.get_by_role("checkbox", name="random units").uncheck()
    assert found.signal("0-layers-accuracy", "off") == ["random units"]
    found.page.locator('[data-layers="0-layers"] summary').click()
    found.page.locator('[data-layers="0-layers"]').get_by_label("1", exact=True).uncheck()
    assert found.signal("0-layers-accuracy", "hidden") == [1]
    address = found.page.evaluate("location.hash")
    for which, hidden in (("none", 3), ("all", 0)):
        found.page.locator('[data-layers="0-layers"]').get_by_role("button", name=which).click()
        assert len(found.signal("0-layers-accuracy", "hidden")) == hidden
    assert found.said == []
    with opened(chromium, runs["find"] / "index.html", address) as again:
        assert again.signal("0-layers-accuracy", "off") == ["random units"]
        assert again.signal("0-layers-accuracy", "hidden") == [1]
        assert not again.page.get_by_role("checkbox", name="random units").is_checked()
        assert again.said == []


def test_the_map_is_zoomed_sorted_and_filtered(found):
    tool = found.page.locator('[data-place="0-neurons"]')
    tool.get_by_label("From unit").fill("8")
    tool.get_by_label("From unit").press("Enter")
    tool.get_by_label("Order by").select_option("score")
    tool.get_by_label("Only").select_option("10")
    tool.get_by_label("Map of").select_option("attribution")
    assert found.signal("0-neurons-map", "first") == 8
    assert found.signal("0-neurons-map", "order") == "score"
    assert found.signal("0-neurons-map", "best") == 10
    tool.get_by_role("button", name="Whole width").click()
    assert found.signal("0-neurons-map", "first") == 0
    assert "0-neurons.map=attribution" in found.page.evaluate("location.hash")
    tool.get_by_label("Across").select_option("attribution")
    tool.get_by_label("against").select_option("welch")
    titles = [found.signal("0-neurons-against", name) for name in ("across", "upwards")]
    assert titles == ["attribution (nats)", "welch (|t|)"]
    assert found.said == []


def test_a_link_chooses_a_neuron_and_the_address_says_which(chromium, found, runs):
    """One of the table of the highest, from the keyboard."""
    shown = '[id="0-cards"] article:not([hidden]) h3'
    [first] = found.texts(shown)
    link = found.page.locator(f'[id="0-neurons"] td a:not(:text-is("{first}"))').first
    wanted = link.inner_text()
    link.focus()
    found.page.keyboard.press("Enter")
    found.page.wait_for_selector(f'{shown}:text-is("{wanted}")')
    assert found.texts(shown) == [wanted]
    with opened(chromium, runs["find"] / "index.html", found.page.evaluate("location.hash")) as again:
        assert again.texts(shown) == [wanted]
        again.page.locator('[data-place="0-cards"]').get_by_label("Neuron").select_option(index=0)
        assert again.texts(shown) == [first]
        address = again.page.evaluate("location.hash")
        assert again.said == []
    with opened(chromium, runs["find"] / "index.html", address) as copied:
        assert copied.texts(shown) == [first]


def test_pairs_are_sorted_filtered_and_found(ablated):
    tool = ablated.page.locator('[data-place="0-pairs"]')
    tool.get_by_label("Sort").select_option("fall")
    heads = ablated.texts('[data-place="0-pairs"] li > .head')
    falls = [float(text.split("(")[1].split(")")[0]) for text in heads]
    assert falls == sorted(falls)
    tool.get_by_label("Only").select_option("still right")
    assert all(text.endswith("still right") for text in ablated.texts('[data-place="0-pairs"] li > .head'))
    tool.get_by_label("Only").select_option("")
    tool.get_by_label("Find").fill("no such word")
    assert ablated.texts('[data-place="0-pairs"] li') == []
    tool.get_by_label("Find").fill("")
    tool.get_by_label("Colour by").select_option("logprob")
    assert ablated.page.locator('[data-place="0-pairs"] .tok.plain').count() > 0
    tool.get_by_label("Colour by").select_option("change")


def test_the_dose_is_told_drawn_and_shown_in_the_text(ablated):
    dose = ablated.page.locator('[data-place="0-doses"]').get_by_label("Dose")
    dose.fill("1")
    assert "At scale 0.5 the mean margin changes by" in ablated.texts('[data-place="0-doses"] .said')[0]
    assert ablated.signal("0-doses-doses", "dose") == 0.5
    assert ablated.page.locator('[data-choice="0-margins-margins"]').input_value() == "scale 0.5"
    model = ablated.page.locator('[data-place="0-pairs"]').get_by_label("Model")
    assert model.evaluate("menu => menu.selectedOptions[0].text") == "scale 0.5"
    dose.press("ArrowLeft")
    assert model.evaluate("menu => menu.selectedOptions[0].text") == "scale 0"
    model.select_option(label="scale 0.5")
    assert ablated.signal("0-doses-doses", "dose") == 0.5
    assert "At scale 0.5 the mean margin" in ablated.texts('[data-place="0-doses"] .said')[0]
    model.select_option(label="scale 0")


def test_one_set_is_shown_at_a_time(ablated):
    menu = ablated.page.get_by_label("Show neurons by")
    menu.select_option(label="attribution")
    assert ablated.page.locator("#\\31 -pairs").is_visible()
    assert not ablated.page.locator("#\\30 -pairs").is_visible()
    ablated.page.wait_for_function(  # also what was drawn while it was hidden
        '() => [...document.querySelectorAll(".view:not([hidden]) .plot svg")].every(one => one.clientWidth > 300)'
    )
    menu.select_option(label="welch")
    assert ablated.page.locator("#\\30 -pairs").is_visible()


def test_what_comes_from_data_is_shown_and_not_obeyed(chromium, runs, tmp_path):
    page = make_hostile(runs["ablate"], tmp_path / "hostile")
    with opened(chromium, page) as one:
        one.page.locator('[data-numbers="0-margins-margins"] summary').click()
        assert one.page.evaluate("window.hacked") is None
        assert one.dialogs == []
        assert one.said == []
        assert one.requests == [page.as_uri()]
        assert one.page.locator("h1").inner_text().endswith(HOSTILE[0])
        assert one.page.locator("main img, main script").count() == 0
        said = one.page.locator("main").inner_text()
        assert all(text.split(" \u2028 ")[0].split(" \u202e")[0] in said for text in HOSTILE)


def test_it_can_be_used_from_the_keyboard_and_read_aloud(ablated):
    """Every control has a name; figures have a description; headings do not skip a level."""
    unnamed = ablated.page.evaluate(
        """() => [...document.querySelectorAll("main input, main select, main button")]
            .filter(one => !one.closest("[hidden]"))
            .filter(one => !(one.labels?.length || one.textContent.trim() || one.getAttribute("aria-label")))
            .map(one => one.outerHTML)"""
    )
    assert unnamed == []
    pictures = ablated.page.evaluate(
        """() => [...document.querySelectorAll(".view:not([hidden]) .plot svg, main > section .plot svg")]
            .map(one => one.getAttribute("aria-label")
                ?? one.querySelector("[aria-label]")?.getAttribute("aria-label"))"""
    )
    assert pictures
    assert all(pictures)
    levels = ablated.page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert set(levels[1:]) == {2, 3}
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ablated.page.keyboard.press("Tab")
    assert ablated.page.evaluate("document.activeElement !== document.body")
