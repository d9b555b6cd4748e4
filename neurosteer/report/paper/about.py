"""What every figure says of where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from neurosteer.report.canvas import short_name

Row = Mapping[str, Any]


def about(outcome: Row, *more: str) -> list[str]:
    """Model, data, split, tasks, pairs that a split dropped, and what else a figure has to say."""
    return [
        short_name(outcome["model"]["name"]),
        short_name(outcome["data"]["source"]),
        f"{outcome['data']['split']} split",
        how_many(outcome),
        *used(outcome),
        *more,
    ]


def how_many(outcome: Row) -> str:
    """`67 tasks of 1,000 pairs`."""
    tasks = outcome["tasks"]
    return f"{counted(len(tasks), 'task')} of {span(task['pairs'] for task in tasks)} pairs"


def used(outcome: Row) -> list[str]:
    """How many pairs are in a part, where the split dropped any: `[42,210 pairs of 67,000 used]`."""
    every, dropped = (sum(task[name] for task in outcome["tasks"]) for name in ("pairs", "dropped"))
    return [f"{every - dropped:,} pairs of {every:,} used"] if dropped else []


def over_tasks(outcome: Row) -> list[str]:
    """What lines by layer are, where there is more than one task."""
    if len(outcome["tasks"]) < 2:
        return []
    over = drawn(outcome)
    return [f"mean over tasks with 95 % bootstrap interval over {over}"] if over else ["mean over tasks"]


def drawn(outcome: Row) -> str:
    """What intervals are over: `12 phenomena`, `8 tasks`; nothing where they are too few."""
    resampled = outcome["settings"]["resampled"]
    return f"{resampled['drawn']} {resampled['what']}" if resampled["drawn"] >= resampled["least"] else ""


def counted(n: int, what: str) -> str:
    """`1 task`, `67 tasks`."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def span(counts: Iterable[int]) -> str:
    """`200`, or `141 to 200` where they differ."""
    every = list(counts)
    fewest, most = min(every, default=0), max(every, default=0)
    return f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"


def readable(name: str) -> str:
    """A phenomenon or task in words."""
    return name.replace("_", " ")


def lam(value: float | int) -> str:
    """A lambda: `.05`, `1`."""
    return f"{value:g}".removeprefix("0") if 0 < value < 1 and value >= 1e-4 else f"{value:g}"


def share_of(k: int, width: int) -> str:
    """`1 %` for 6 of 576."""
    return f"{100 * k / width:.2g} %"
