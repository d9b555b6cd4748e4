"""A real browser for pages: the system's Chromium, driven by Playwright, with the network cut off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 120_000  # milliseconds: a busy machine is slow, not wrong


@dataclass
class Opened:
    """A page that is open, and all it has asked for and complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # warnings and errors
    dialogs: list[str] = field(default_factory=list)

    def texts(self, query: str) -> list[str]:
        return list(self.page.locator(query).all_inner_texts())

    def signal(self, chart: str, name: str) -> Any:
        """The value of a signal of a chart."""
        return self.page.evaluate(
            "([chart, name]) => window.neurosteerCharts.get(chart).then(v => v.signal(name))",
            [
                chart,
                name,
            ],
        )


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium; the test is skipped where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here to open pages in (Debian: apt install chromium)")
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.getuid() == 0 else [])
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def opened(chromium: Any, path: Path, address: str = "", **context: Any) -> Iterator[Opened]:
    """A page from disk, ready, without any network."""
    around = chromium.new_context(offline=True, viewport={"width": 1280, "height": 900}, **context)
    around.set_default_timeout(PATIENCE)
    page = around.new_page()
    one = Opened(page)
    page.on("request", lambda request: one.requests.append(request.url))
    page.on(
        "console", lambda message: one.said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: one.said.append(str(error)))
    page.on("dialog", lambda dialog: (one.dialogs.append(dialog.message), dialog.dismiss()))
    try:
        page.goto(path.as_uri() + address)
        page.wait_for_selector('html[data-ready="yes"]', state="attached")  # its policy forbids what polls by eval
        yield one
    finally:
        around.close()
