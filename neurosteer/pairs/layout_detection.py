"""Finding the layout of a table: what the user said, else what its columns are called, else one line that asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from neurosteer.errors import InputError
from neurosteer.vocabulary import COLUMNS

from .advice import say_order
from .known_columns import (
    EITHER,
    GOOD_BAD,
    LABEL,
    PAIR,
    PERHAPS_PAIR,
    PHENOMENON,
    SENTENCE,
    TASK,
    columns_named,
    is_known,
    label_of,
    pairs_named,
)
from .layouts import COLUMN_PARTS, JOIN, PLAIN, Layout
from .rows import PairRow, rows_of
from .tables import LINE, PairTable, refuse_twins

_SAY = "say which with --columns GOOD,BAD or --layout"


@dataclass(frozen=True)
class DetectedLayout:
    """A table and its layout.

    Attributes:
        table: what was read.
        layout: all that is known of it.
        remarks: what was found without being asked for, for a notice.
    """

    table: PairTable
    layout: Layout
    remarks: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Of its tasks, in their order; "" alone where it is one, under the table's own name."""
        return list(_counts(self.table, self.layout.task)) if self.layout.task else [""]

    @cached_property
    def tasks(self) -> dict[str, list[PairRow]]:
        """The rows of each task. Raises `InputError` for a row that is no pair."""
        found: dict[str, list[PairRow]] = {} if self.layout.task else {"": []}
        for row in rows_of(self.table.records, self.layout):
            found.setdefault(row.task, []).append(row)
        return found


def read(table: PairTable, asked: Layout) -> DetectedLayout:
    """A table with the layout that was asked for, or is found.

    Raises:
        InputError: for what cannot be found, or is ambiguous.
    """
    if not table.records:
        return DetectedLayout(table, replace(PLAIN, task="", phenomenon=""))
    layout, remarks = _sentences(table, asked)
    layout, of_tasks = _tasks(table, layout)
    layout, of_pair = _pair(table, layout)
    refuse_twins(_used(table, layout, asked), table.columns, table.place)
    return DetectedLayout(table, layout, (*remarks, *of_pair, *of_tasks, *table.remarks))


def _used(table: PairTable, layout: Layout, asked: Layout) -> list[str]:
    """The columns that were taken without being asked for; those that may have been meant where none was."""
    parts = {
        part: value for part, value in layout.named().items() if part in COLUMN_PARTS and part not in asked.named()
    }
    used = {name for value in parts.values() for name in value.split(JOIN)}
    found = [name for name in table.columns if name in used]
    lost = "good" in parts and not set(COLUMNS) & set(found)
    return [name for name in table.columns if is_known(name)] if lost else found


def _sentences(table: PairTable, asked: Layout) -> tuple[Layout, tuple[str, ...]]:
    """Which columns hold the sentences, and which their labels."""
    if asked.good is not None:
        return asked, ()
    if asked.first is not None:
        return _labelled(table, asked, ())
    if asked.one_a_row:
        return _one_a_row(table, asked)
    return _by_names(table, asked)


def _by_names(table: PairTable, asked: Layout) -> tuple[Layout, tuple[str, ...]]:
    """The same where nobody said: by what the columns are called."""
    columns, labels = table.columns, columns_named(LABEL, table.columns)
    both = [] if set(COLUMNS) <= set(columns) else pairs_named(GOOD_BAD, columns)
    if len(both) > 1:
        found = " or ".join(f"'{good}' and '{bad}'" for good, bad in both)
        raise InputError(f"{table.place}: the sentences may be in {found}; {_SAY}")
    if both:
        [(good, bad)] = both
        return replace(asked, good=good, bad=bad), (f"good sentences in '{good}', bad ones in '{bad}'",)
    either = pairs_named(EITHER, columns) if labels else []
    if either:
        [(first, second)] = either
        remarks = f"two sentences in '{first}' and '{second}'"
        return _labelled(table, replace(asked, first=first, second=second), (remarks,))
    if columns == (LINE,) and not table.headed:
        raise InputError(
            f"{table.place} holds one sentence a line, and nothing says which are good; {say_order(table, LINE)}"
        )
    if labels and columns_named(SENTENCE, columns) and not set(COLUMNS) & set(columns):
        return _one_a_row(table, asked)
    return replace(asked, good=COLUMNS[0], bad=COLUMNS[1]), ()  # what is missing is said of the first record


def _labelled(table: PairTable, asked: Layout, remarks: tuple[str, ...]) -> tuple[Layout, tuple[str, ...]]:
    """Two sentences a row, of which a label says which is good."""
    if asked.label is not None:
        return asked, remarks
    label = _only(table, columns_named(LABEL, table.columns), "label", "says which sentence is good")
    return replace(asked, label=label), (
        *remarks,
        f"which of the two is good in '{label}' (0 the first, 1 the second)",
    )


def _one_a_row(table: PairTable, asked: Layout) -> tuple[Layout, tuple[str, ...]]:
    """One sentence a row."""
    columns, remarks = table.columns, list[str]()
    if asked.order and asked.sentence is None and columns == ("1", "2"):
        good, bad = ("1", "2") if asked.order == "good-bad" else ("2", "1")
        return replace(asked, good=good, bad=bad), ()
    sentence, label = asked.sentence, asked.label
    if sentence is None and len(columns) == 1:
        [sentence] = columns
    if sentence is None:
        found = [name for name in columns_named(SENTENCE, columns) if name != label]
        sentence = _only(table, found, "sentence", "holds the sentences")
        remarks.append(f"one sentence a row in '{sentence}'")
    if label is None and asked.order is None:
        found = [name for name in columns_named(LABEL, columns) if name != sentence]
        known = [name for name in found if _labels(table, name)]
        label = _only(table, known or found, "label", "says which sentences are good")
        remarks.append(f"whether it is good in '{label}'")
    return replace(asked, sentence=sentence, label=label), tuple(remarks)


def _labels(table: PairTable, column: str) -> bool:
    """Whether a column holds nothing but labels."""
    return all(isinstance(one, dict) and label_of(one.get(column)) is not None for _, one in table.records)


def _only(table: PairTable, found: Sequence[str], part: str, does: str) -> str:
    """The one column that may be meant."""
    if len(found) == 1:
        return found[0]
    if found:
        both = f"'{found[0]}' or '{found[1]}'"
        raise InputError(f"{table.place}: it may be {both} that {does}; say which with --layout {part}=COLUMN")
    names = ", ".join(table.columns) or "none"
    raise InputError(
        f"{table.place}: no column is known that {does} (found: {names}); name it with --layout {part}=COLUMN"
    )


def _pair(table: PairTable, layout: Layout) -> tuple[Layout, tuple[str, ...]]:
    """What the two sentences of a pair have in common, where they are in two rows."""
    if layout.sentence is None:
        return layout, ()
    if layout.pair is not None or layout.order is not None:
        return replace(layout, pair=layout.pair or ""), ()
    free = [name for name in table.columns if name not in (layout.sentence, layout.label, layout.task)]
    found = columns_named(PAIR, free) + [
        name for name in columns_named(PERHAPS_PAIR, free) if _in_twos(table, name, layout)
    ]
    if found:
        return replace(layout, pair=found[0]), (f"pairs by '{found[0]}'",)
    return replace(layout, pair=""), ("pairs of neighbouring rows",)


def _in_twos(table: PairTable, column: str, layout: Layout) -> bool:
    """Whether each value of a column stands in two rows of a task."""
    rows = [record for _, record in table.records if isinstance(record, dict)]
    counts = Counter((row.get(layout.task or ""), row.get(column)) for row in rows)
    return set(counts.values()) == {2}


def _tasks(table: PairTable, layout: Layout) -> tuple[Layout, tuple[str, ...]]:
    """Which column makes tasks, and which says their phenomena."""
    remarks = list[str]()
    taken = {value for value in layout.named().values() if value}
    if layout.task is None:
        several = [
            name for name in columns_named(TASK, table.columns) if name not in taken and _values(table, name) > 1
        ]
        least = 2 if layout.sentence is None else 4  # rows of a task, on average: of fewer it numbers the pairs
        makes = [name for name in several if least * _values(table, name) <= len(table.records)]
        layout = replace(layout, task=makes[0] if makes else "")
        if makes:
            remarks.append(f"a task for each '{makes[0]}'")
        elif several:
            remarks.append(f"one task, as '{several[0]}' has a value of its own in nearly every row")
    if layout.phenomenon is None:
        found = [name for name in columns_named(PHENOMENON, table.columns) if name not in taken | {layout.task}]
        layout = replace(layout, phenomenon=found[0] if found else "")
        if found and found[0] != PHENOMENON[0]:
            remarks.append(f"phenomena in '{found[0]}'")
        if found and not layout.task and _values(table, found[0]) > 1:
            remarks.append(f"one task of {_values(table, found[0])} phenomena (--layout task={found[0]} parts them)")
    return layout, tuple(remarks)


def _counts(table: PairTable, column: str) -> Counter[str]:
    found = (record.get(column) for _, record in table.records if isinstance(record, dict))
    return Counter(str(value).strip() for value in found if value is not None and str(value).strip())


def _values(table: PairTable, column: str) -> int:
    return len(_counts(table, column))
