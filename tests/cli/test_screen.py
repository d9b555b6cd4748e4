"""What is printed can be read on any terminal, and no terminal obeys it."""

from __future__ import annotations

import pytest
from rich.table import Table
from rich.text import Text

from neurosteer.cli.screen import say, show, visible

NUMBERS = ("0.123456789", "1,234,567", "12 of 4,096")
HEADS = ("accuracy of the probes", "margin", "units", "majority", "unigram")


@pytest.mark.parametrize("columns", ["0", "1", "20", "40", "80", "none", ""])
def test_no_word_breaks_however_narrow_the_terminal(monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", columns)
    table = Table(*HEADS)
    table.add_row(*NUMBERS, ".500", ".970")
    show(table)
    head, row = capsys.readouterr().out.splitlines()[1:4:2]
    assert all(name in head for name in HEADS)
    assert all(number in row for number in NUMBERS)


def test_a_wide_terminal_is_used(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "150")
    show(Text("word " * 40))
    assert max(map(len, capsys.readouterr().out.splitlines())) > 100


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\x1b[31mred", r"a\x1b[31mred"), ("a\x00b\x9bc", r"a\x00b\x9bc"), ("a\u202eb", r"a\u202eb")],
)
def test_control_characters_are_spelled_out(capsys, name, shown):
    assert visible(name) == shown
    say(f"run {name}")
    table = Table("task")
    table.add_row(Text(name))
    show(table)
    out = capsys.readouterr().out
    assert out.count(shown) == 2
    assert not {"\x1b", "\x00", "\x9b", "\u202e"} & set(out)


def test_letters_of_any_script_stay():
    text = "名前 العربية é\nœ — 🙂"
    assert visible(text) == text
