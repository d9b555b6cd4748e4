"""The page of a recipe in a real browser: what it asks for, what it shows, what its controls do, hostile names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Opened, browser, opened
from made_outcome import ALL, make_outcome, outcome_page
from made_pages import HOSTILE

MOST_BYTES = 5_000_000


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All experiments, of hostile tasks."""
    outcome = make_outcome(ALL, tasks=4, layers=3, lambdas=(0.2, 1.0))
    outcome["recipe"] |= {"title": HOSTILE[0]}
    outcome["notices"], outcome["again"] = list(HOSTILE), HOSTILE[2]
    names = dict(zip((task["task"] for task in outcome["tasks"]), HOSTILE, strict=True))
    outcome = renamed(outcome, names)
    path = tmp_path_factory.mktemp("recipe") / "index.html"
    path.write_text(outcome_page(outcome), "utf-8")
    return path


def renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): renamed(one, names) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [renamed(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def shown(page: Path) -> Iterator[Opened]:
    with browser() as chromium, opened(chromium, page) as one:
        yield one


def test_it_asks_for_nothing_and_obeys_no_name(shown, page):
    assert shown.requests == [page.as_uri()]
    assert (shown.said, shown.dialogs) == ([], [])
    assert shown.page.evaluate("window.hacked") is None
    assert shown.page.locator("main img, main script").count() == 0
    assert shown.page.locator("h1").inner_text() == HOSTILE[0]
    for width in (1280, 390):
        shown.page.set_viewport_size({"width": width, "height": 900})
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    shown.page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.slow
def test_a_page_of_all_tasks_is_not_too_large():
    assert len(outcome_page(make_outcome()).encode()) <= MOST_BYTES


def test_a_series_and_a_matrix_are_chosen_and_the_address_says_so(shown):
    shown.page.locator('[data-series="all-fig2-kept"]').get_by_label("λ = 1").uncheck()
    assert shown.signal("all-fig2-kept", "off") == ["λ = 1"]
    menu = shown.page.locator('[data-choice="all-fig6-accuracy-cells"]')
    menu.select_option(label="dense probe")
    assert shown.signal("all-fig6-accuracy-cells", "shown") == "dense"
    assert "all-fig6-accuracy-cells.shown=dense" in shown.page.evaluate("location.hash")
    menu.select_option(index=0)
    assert "shown" not in shown.page.evaluate("location.hash")


def test_every_control_has_a_name_and_every_chart_a_description(shown):
    unnamed = """() => [...document.querySelectorAll("main input, main select, main button")]
        .filter(one => !(one.labels?.length || one.textContent.trim())).map(one => one.outerHTML)"""
    assert shown.page.evaluate(unnamed) == []
    told = """() => [...document.querySelectorAll(".plot svg, .plot canvas")]
        .map(one => one.getAttribute("aria-label") ?? one.closest("[aria-label]")?.getAttribute("aria-label")
            ?? one.querySelector("[aria-label]")?.getAttribute("aria-label"))"""
    found = shown.page.evaluate(told)
    assert len(found) == shown.page.locator("[data-chart]").count()
    assert all(found)


@pytest.mark.slow
def test_names_of_a_matrix_are_in_its_numbers(shown):
    """Cells have the numbers of their tasks; what is shown are the names."""
    shown.page.locator('[data-numbers="all-fig6-accuracy-cells"] summary').click()
    shown.page.wait_for_selector('[data-numbers="all-fig6-accuracy-cells"] td')
    first = shown.texts('[data-numbers="all-fig6-accuracy-cells"] tr:nth-child(2) td')
    assert first[0].split()[0] == HOSTILE[0].split()[0]
    assert shown.page.evaluate("window.hacked") is None
