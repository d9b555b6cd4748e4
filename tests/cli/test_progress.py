"""The bar and the notices, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from neurosteer.cli.progress import TerminalProgress


def shown(*, terminal: bool, quiet: bool = False) -> str:
    text = io.StringIO()
    progress = TerminalProgress(Console(file=text, force_terminal=terminal, width=80, quiet=quiet))
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
