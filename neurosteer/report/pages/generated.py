"""The page of `generate`: text before and after the edit, at every dose."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.report.edit_labels import edit_label
from neurosteer.results import read_record
from neurosteer.results.text import Continuation
from neurosteer.vocabulary import Json

from .document import Part, View


def texts_of(entries: Sequence[Json]) -> list[Continuation]:
    """The continuations of a run."""
    return [read_record(Continuation, entry) for entry in entries]


def text_reading(texts: Sequence[Continuation]) -> list[tuple[str, str]]:
    """How many texts the edit changes."""
    by = dict.fromkeys(text.method for text in texts)
    said = []
    for method in by:
        own = [text for text in texts if text.method == method]
        changed = sum(text.before != text.after for text in own)
        said.append((method, f"The edit changes {changed:,} of {len(own):,} continuations."))
    return said


def text_settings(texts: Sequence[Continuation]) -> list[tuple[str, str]]:
    first = texts[0]
    return [("edit", edit_label(first.edit)), ("neurons from", first.neurons_from)]


def text_views(texts: Sequence[Continuation]) -> list[View]:
    """A view for each ranking, with a slider over the doses."""
    return [View(method, [_part([t for t in texts if t.method == method])]) for method in _methods(texts)]


def _methods(texts: Sequence[Continuation]) -> list[str]:
    return list(dict.fromkeys(text.method for text in texts))


def _part(texts: Sequence[Continuation]) -> Part:
    scales = sorted({text.edit.scale for text in texts})
    rows = []
    for prompt in dict.fromkeys(text.prompt for text in texts):
        own = {text.edit.scale: text for text in texts if text.prompt == prompt}
        before = next(iter(own.values())).before
        after = [own[scale].after if scale in own else before for scale in scales]
        rows.append({"prompt": prompt, "before": before, "after": after})
    labels = [edit_label(next(t.edit for t in texts if t.edit.scale == scale)) for scale in scales]
    return Part("texts", "Before and after", tool="texts", data={"scales": scales, "edits": labels, "rows": rows})
