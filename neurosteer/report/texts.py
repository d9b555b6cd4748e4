"""What `neurosteer generate` prints: text before and after an edit, and which tokens an edit touches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neurosteer.results.effect import AppliedEdit
from neurosteer.results.text import Continuation, GeneratedTokens, TouchedPrompt
from neurosteer.vocabulary import counted

from .edit_labels import edit_label
from .grid import add_row, grid

BEFORE, AFTER = "green underline", "bold red underline"


def generation_table(rows: Sequence[Continuation], edit: AppliedEdit) -> RenderableType:
    """Continuations side by side, the width of the terminal; words that only one has are coloured and underlined."""
    table = grid("unedited", "edited", left=2)
    table.expand, table.leading = True, 1
    for column in table.columns:
        column.ratio, column.vertical = 1, "top"
    for row in rows:
        prompt = (visible(row.prompt), "dim")
        before, after = _marked(visible(row.before), visible(row.after))
        add_row(table, Text.assemble(prompt, before), Text.assemble(prompt, after))
    return Group(Text(edit_label(edit)), table)


def touch_table(rows: Sequence[TouchedPrompt]) -> RenderableType:
    """Every token of every prompt with a mark if it is edited, and what holds for generated ones."""
    parts: list[RenderableType] = []
    for row in rows:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("", "depth", "token", "id"):
            table.add_column(name, justify="right" if name in ("depth", "id") else "left", overflow="fold")
        for depth, token in enumerate(row.tokens):
            mark, look = ("▸ edited", "bold green") if token.touched else ("", "dim")
            add_row(table, mark, str(depth), repr(token.text), str(token.id), style=look)
        count = sum(token.touched for token in row.tokens)
        tokens = counted(len(row.tokens), "token")
        notes = [f"edited: {count} of the {tokens} of the prompt", _generated(row.generated)]
        parts += [Text(visible(row.prompt), style="bold"), table, *map(Text, notes), Text()]
    return Group(*parts)


def visible(text: str) -> str:
    """A text whose control characters, apart from new lines, are written out: they must not steer a terminal."""
    return "".join(sign if sign == "\n" or sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _generated(rule: GeneratedTokens) -> str:
    if not rule.touched or not rule.at_most:
        return "generated tokens: none is edited"
    if rule.at_most == 1:
        return "generated tokens: the first is edited when it is read again"
    return f"generated tokens: each of the up to {rule.at_most} that are read again is edited"


def _marked(before: str, after: str) -> tuple[Text, Text]:
    """Both texts, the words marked that only one of them has; the spaces between words stay as they are."""
    old, new = (re.findall(r"(\s*)(\S+|$)", text) for text in (before, after))
    same = SequenceMatcher(a=[word for _, word in old], b=[word for _, word in new], autojunk=False)
    left, right = Text(), Text()
    for what, a, b, c, d in same.get_opcodes():
        for text, words, look in ((left, old[a:b], BEFORE), (right, new[c:d], AFTER)):
            for space, word in words:
                text.append(space).append(word, style="" if what == "equal" else look)
    return left, right
