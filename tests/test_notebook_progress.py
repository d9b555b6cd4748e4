"""What the Python API shows by default: a bar in a notebook, nothing elsewhere."""

from __future__ import annotations

import inspect
import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from tqdm.std import tqdm

import neurosteer as ns
from neurosteer import progress
from neurosteer.progress import AUTO, NotebookProgress, in_notebook


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The bars that are drawn, in a process that looks like a kernel."""
    drawn: list[Any] = []

    class Bar:
        def __init__(self, what: str, total: int) -> None:
            self.what, self.total, self.n, self.open = what, total, 0, True
            drawn.append(self)

        def update(self, n: int) -> None:
            assert self.open
            self.n += n

        def close(self) -> None:
            self.open = False

    monkeypatch.setattr(progress, "_bar", Bar)
    pretend(monkeypatch, {"IPKernelApp": {}})
    return drawn


def pretend(monkeypatch: pytest.MonkeyPatch, config: dict[str, Any] | None) -> None:
    """IPython with a shell of this configuration, or without a shell."""
    shell = None if config is None else SimpleNamespace(config=config)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_what_a_notebook_is(monkeypatch: pytest.MonkeyPatch):
    for config, expected in [({"IPKernelApp": {}}, True), ({"TerminalIPythonApp": {}}, False), (None, False)]:
        pretend(monkeypatch, config)
        assert in_notebook() is expected
    monkeypatch.delitem(sys.modules, "IPython")
    assert in_notebook() is False


def test_a_notebook_gets_a_bar_for_each_step(bars: list[Any]):
    shown = NotebookProgress()
    shown.step("states", 10, 40)
    shown.step("states", 25, 40)
    assert [(bar.what, bar.total, bar.n, bar.open) for bar in bars] == [("states", 40, 25, True)]
    shown.step("probes", 1, 2)  # states was interrupted
    assert [(bar.what, bar.n, bar.open) for bar in bars] == [("states", 25, False), ("probes", 1, True)]
    shown.step("probes", 2, 2)
    shown.step("short", 1, 1)  # is done when it is heard of
    assert [bar.open for bar in bars] == [False, False]


def test_a_notebook_gets_a_bar_for_a_long_job(bars: list[Any]):
    shown = NotebookProgress()
    shown.whole(0, 3, share=0.0, left=9.0)
    shown.step("states", 1, 2)
    shown.whole(1, 3, share=0.3, left=6.0)
    assert [(bar.what, bar.n, bar.open) for bar in bars] == [("units", 1, True), ("states", 1, False)]
    shown.whole(3, 3, share=1.0, left=0.0)
    assert not bars[0].open


def test_elsewhere_there_is_none(bars: list[Any], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    pretend(monkeypatch, None)
    AUTO.step("states", 1, 4)
    AUTO.whole(1, 4, share=0.2, left=3.0)
    assert bars == []
    assert capfd.readouterr() == ("", "")


VERBS = ("eos_states", "find", "load_model", "load_pairs", "measure_effect", "rank_neurons", "run_recipe", "score")


@pytest.mark.parametrize("verb", VERBS)
def test_the_verbs_show_it_by_default(verb: str):
    assert inspect.signature(getattr(ns, verb)).parameters["progress"].default is AUTO


def test_notices_go_to_the_logger(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, logger="neurosteer"):
        AUTO.notice("something")
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("neurosteer", "something")]


def test_the_bar_is_tqdms(capsys: pytest.CaptureFixture[str]):
    """Outside of a notebook tqdm writes text; the bar goes when it is done."""
    bar = progress._bar("states", 4)
    assert isinstance(bar, tqdm)
    bar.update(1)
    bar.refresh()
    bar.close()
    said = capsys.readouterr().err
    assert "states:  25%" in said
    assert said.rpartition("\r")[2] == ""
