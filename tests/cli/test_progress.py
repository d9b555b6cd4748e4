"""The bar and the notices, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from neurosteer.cli.progress import TerminalProgress, duration


class Clock:
    """Time that passes when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def shown(*, terminal: bool, quiet: bool = False) -> str:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=80, quiet=quiet)
    progress = TerminalProgress(console, clock=Clock())
    progress.step("EOS states", 1, 4)
    progress.notice("something")
    progress.step("EOS states", 4, 4)
    progress.step("probes", 1, 2)
    progress.clear()
    progress.step("probes", 2, 2)
    return text.getvalue()


def test_a_terminal_gets_bars():
    text = shown(terminal=True)
    for part in ("EOS states", "1/4", "probes", "2/2", "note: something"):
        assert part in text
    assert text.endswith("\x1b[2K")  # the last bar is wiped


def test_a_file_gets_notices_only():
    assert shown(terminal=False) == "note: something\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_gets_nothing(terminal):
    assert shown(terminal=terminal, quiet=True) == ""


def test_stdout_is_left_alone_while_a_bar_is_shown(capsys):
    progress = TerminalProgress(Console(file=io.StringIO(), force_terminal=True))
    progress.step("x", 1, 3)
    print("a result")
    progress.clear()
    assert capsys.readouterr().out == "a result\n"


def long_job(text: io.StringIO, *, terminal: bool = False, quiet: bool = False) -> None:
    """40 units of a minute each with 6 steps in each; in the 20th a notice."""
    clock = Clock()
    console = Console(file=text, force_terminal=terminal, width=80, quiet=quiet)
    progress = TerminalProgress(console, clock=clock)
    for unit in range(40):
        progress.whole(unit, 40, share=unit / 40, left=60.0 * (40 - unit))
        for step in range(6):
            progress.step(f"states {unit}", step, 6)
            clock.now += 10.0
        if unit == 20:
            progress.notice("half of it")
    progress.whole(40, 40, share=1.0, left=0.0)


def test_a_long_job_says_a_line_now_and_then():
    """Every 30 s where there is no terminal, also while one unit takes longer; not at its end."""
    text = io.StringIO()
    long_job(text)
    lines = text.getvalue().splitlines()
    assert lines[:3] == [
        "0 of 40 units, 0 %, about 40 min left",
        "0 of 40 units, 0 %, about 40 min left",
        "1 of 40 units, 2 %, about 39 min left",
    ]
    assert len(lines) == 81
    assert lines[42] == "note: half of it"
    assert lines[-1] == "39 of 40 units, 97 %, about 30 s left"


def test_steps_say_a_line_now_and_then():
    """Without a terminal, each with its count and estimate: soon after the beginning, then every half minute."""
    text, clock = io.StringIO(), Clock()
    progress = TerminalProgress(Console(file=text, force_terminal=False, width=80), clock=clock)
    for done in range(0, 2001, 50):  # 25 tokens a second, from the first that is heard of
        progress.step("made: states, tokens", done, 2000)
        clock.now += 2.0
    progress.step("made: probes", 1, 3)
    clock.now += 7.0
    progress.step("made: probes", 2, 3)
    clock.now += 30.0
    progress.step("made: probes", 3, 3)  # done: nothing to say
    assert text.getvalue().splitlines() == [
        "made: states, tokens: 100 of 2,000, about 76 s left",
        "made: states, tokens: 850 of 2,000, about 46 s left",
        "made: states, tokens: 1,600 of 2,000, about 16 s left",
    ]


def test_a_step_of_unknown_pace_says_its_count():
    text, clock = io.StringIO(), Clock()
    progress = TerminalProgress(Console(file=text, force_terminal=False, width=80), clock=clock)
    progress.step("a", 0, 9)
    clock.now += 4.0
    progress.step("b", 3, 9)
    assert text.getvalue() == "b: 3 of 9\n"


def test_a_long_job_keeps_its_bar_above_the_steps():
    text = io.StringIO()
    clock = Clock()
    progress = TerminalProgress(Console(file=text, force_terminal=True, width=80), clock=clock)
    progress.whole(3, 40, share=0.1, left=7800.0)
    progress.step("states of x", 1, 6)
    progress.step("states of x", 6, 6)
    progress.notice("something")
    progress.whole(4, 40, share=0.1, left=7620.0)
    clock.now += 600.0
    progress.step("probes", 2, 5)
    said = text.getvalue()
    for part in ("units", "3/40", "about 2 h 10 min left", "states of x", "1/6", "note: something", "4/40", "2/5"):
        assert part in said, part
    lines = said.rpartition("\n")
    assert "about 1 h 57 min left" in lines[0].rpartition("units")[2]
    assert "probes" in lines[2]
    progress.whole(40, 40, share=1.0, left=0.0)
    assert text.getvalue().endswith("\x1b[2K")  # all bars are wiped


@pytest.mark.parametrize("terminal", [True, False])
def test_a_quiet_long_job(terminal):
    text = io.StringIO()
    long_job(text, terminal=terminal, quiet=True)
    assert text.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "0 s"),
        (89.4, "89 s"),
        (90.0, "2 min"),
        (2040.0, "34 min"),
        (5460.0, "1 h 31 min"),
        (7800.0, "2 h 10 min"),
    ],
)
def test_duration(seconds, told):
    assert duration(seconds) == told
