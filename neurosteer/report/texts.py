"""What `neurosteer generate` prints: text before and after an edit, and which tokens an edit touches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .effects import what_was_done


def generation_table(rows: Sequence[dict[str, Any]], edit: dict[str, Any]) -> RenderableType:
    """Continuations side by side; what one has and the other has not stands out, without colours too."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 1, 0), header_style="bold", expand=True)
    table.add_column("unedited", ratio=1, overflow="fold")
    table.add_column("edited", ratio=1, overflow="fold")
    for row in rows:
        before, after = _marked(row["before"], row["after"])
        prompt = Text(row["prompt"], style="dim")
        table.add_row(Text.assemble(prompt, before), Text.assemble(prompt, after))
    return Group(Text(what_was_done(edit)), table)


def touch_table(rows: Sequence[dict[str, Any]]) -> RenderableType:
    """Every token of every prompt with a mark if it is edited, and what holds for generated ones."""
    parts: list[RenderableType] = []
    for row in rows:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for column in ("", "depth", "token", "id"):
            table.add_column(column, justify="right" if column in ("depth", "id") else "left")
        for depth, token in enumerate(row["tokens"]):
            look = "bold green" if token["touched"] else "dim"
            mark = "edited" if token["touched"] else ""
            table.add_row(mark, str(depth), Text(repr(token["text"])), str(token["id"]), style=look)
        parts += [Text(row["prompt"], style="bold"), table, Text(_generated(row["generated"])), Text()]
    return Group(*parts)


def _generated(rule: dict[str, Any]) -> str:
    if not rule["touched"] or not rule["at_most"]:
        return "no generated token is edited"
    return f"each generated token that is read again is edited: {rule['at_most']} at most"


def _marked(before: str, after: str) -> tuple[Text, Text]:
    """Both texts, with the words that only one has underlined and coloured."""
    old, new = (re.findall(r"\s*\S+|\s+$", text) for text in (before, after))
    left, right = Text(), Text()
    for tag, a, b, c, d in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        same = tag == "equal"
        left.append("".join(old[a:b]), style="" if same else "green underline")
        right.append("".join(new[c:d]), style="" if same else "bold red underline")
    return left, right
