"""What the Python API shows by default: a bar in a notebook, elsewhere a line where something takes long."""

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
from neurosteer.progress import AUTO, AutoProgress, NotebookProgress, in_notebook


class Clock:
    """Time that passes when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


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


def test_elsewhere_there_are_no_bars(bars: list[Any], monkeypatch: pytest.MonkeyPatch, clock: Clock):
    pretend(monkeypatch, None)
    AUTO.step("states", 1, 4)
    AUTO.whole(1, 4, share=0.2, left=3.0)
    assert bars == []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "monotonic", found)
    return found


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capfd.readouterr()
    assert out == ""
    return err.splitlines()


def test_a_script_gets_a_line_where_a_step_is_long(clock: Clock, capfd: pytest.CaptureFixture[str]):
    """Soon after its beginning, then every half minute."""
    shown = AutoProgress()
    for done in range(0, 2001, 50):  # 25 tokens a second
        shown.step("made: states, tokens", done, 2000)
        clock.now += 2.0
    assert lines(capfd) == [
        "made: states, tokens: 100 of 2,000, about 76 s left",
        "made: states, tokens: 850 of 2,000, about 46 s left",
        "made: states, tokens: 1,600 of 2,000, about 16 s left",
    ]


def test_short_steps_say_nothing_however_many(clock: Clock, capfd: pytest.CaptureFixture[str]):
    """Also after hours in which nothing was heard, and of the same name again."""
    shown = AutoProgress()
    for _ in range(50):
        for done in range(4):
            shown.step("states", done, 3)
            clock.now += 0.9
        clock.now += 5000.0
    shown.whole(0, 9, share=0.0, left=2.0)
    shown.whole(9, 9, share=1.0, left=0.0)
    assert lines(capfd) == []


def test_a_long_job_says_so_at_once(clock: Clock, capfd: pytest.CaptureFixture[str]):
    shown = AutoProgress()
    for unit in range(4):
        shown.whole(unit, 4, share=unit / 4, left=25.0 * (4 - unit))
        for step in range(5):
            shown.step(f"states {unit}", step, 5)
            clock.now += 5.0
    shown.whole(4, 4, share=1.0, left=0.0)
    assert lines(capfd) == [
        "0 of 4 units, 0 %, about 2 min left",
        "1 of 4 units, 25 %, about 70 s left",
        "2 of 4 units, 50 %, about 40 s left",
        "3 of 4 units, 75 %, about 10 s left",
    ]
    shown.whole(0, 4, share=0.0, left=100.0)  # another one
    assert lines(capfd) == ["0 of 4 units, 0 %, about 2 min left"]


def test_a_name_cannot_move_the_cursor(clock: Clock, capfd: pytest.CaptureFixture[str]):
    shown = AutoProgress()
    shown.step("a\x1b[2Jb", 0, 5)
    clock.now += 4.0
    shown.step("a\x1b[2Jb", 1, 5)
    assert lines(capfd) == ["a?[2Jb: 1 of 5, about 16 s left"]


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
