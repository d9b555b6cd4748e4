"""Several ways to do one job, run in turns in one process, and how they compare."""

from __future__ import annotations

import ctypes
import gc
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

MEBIBYTE = 2**20
OF_TOKENS = 0.85  # of the ratio of tokens, that the ratio of times shall reach


@dataclass
class Side:
    """One way to do the job, and what each of its turns took."""

    name: str
    job: Callable[[], Any]
    tokens: int | None = None  # computed for the whole job; a peer's padding is
    share: Callable[[Any], float] = lambda _: 1.0  # what part of the job a result is; seconds stand for all of it
    parts: list[float] = field(default_factory=list)  # the share of each turn
    seconds: list[float] = field(default_factory=list)
    mebibytes: float = 0.0  # by which memory grew at most
    result: Any = None

    def warm(self) -> None:
        """A turn that is not timed, in which memory is measured."""
        self.result = None
        with _memory() as grown:
            self.result = self.job()
        self.mebibytes = grown() / MEBIBYTE

    def turn(self) -> None:
        start = time.perf_counter()
        self.result = self.job()
        _wait_for_the_device()
        took = time.perf_counter() - start
        self.parts.append(self.share(self.result))
        self.seconds.append(took / self.parts[-1])

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Comparison:
    """A peer beside neurosteer. Ratios above 1 say that neurosteer is faster, or computes less."""

    job: str
    on: str  # which data
    peer: Side
    ours: Side
    count: int  # of what the whole job does
    unit: str  # a sentence, a probe
    target: float
    difference: str = ""  # largest numeric difference of the results, with its unit
    at_most: bool = False  # the target is an upper bound of ours over peer
    of_tokens: float | None = OF_TOKENS  # what share of the ratio of tokens the ratio of times shall reach, if any

    @property
    def ratios(self) -> list[float]:
        """Peer over ours, turn by turn; ours over peer where the target bounds that from above."""
        pairs = zip(self.peer.seconds, self.ours.seconds, strict=True)
        return sorted(b / a if self.at_most else a / b for a, b in pairs)

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def tokens(self) -> float | None:
        """How many times as many tokens the peer computes."""
        theirs, ours = self.peer.tokens, self.ours.tokens
        return theirs / ours if theirs and ours else None

    @property
    def reached(self) -> bool:
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; times in seconds, memory in MiB."""
        share = self.ratio / self.tokens if self.tokens and self.of_tokens else None
        sides = {
            name: {
                "name": side.name,
                "seconds": side.seconds,
                "per_second": self.count / side.median,
                "tokens": side.tokens,
                "done": sum(side.parts),  # how often the whole job, in all turns
                "grows_by_mib": side.mebibytes,
            }
            for name, side in (("peer", self.peer), ("ours", self.ours))
        }
        return {
            "job": self.job,
            "on": self.on,
            "count": self.count,
            "unit": self.unit,
            **sides,
            "ratio": self.ratio,
            "lowest": self.ratios[0],
            "highest": self.ratios[-1],
            "tokens_ratio": self.tokens,
            "share_of_tokens_ratio": share,
            "reached_of_tokens": None if share is None or self.of_tokens is None else share >= self.of_tokens,
            "target": self.target,
            "at_most": self.at_most,
            "reached": self.reached,
            "difference": self.difference,
        }


@dataclass(frozen=True)
class Bound:
    """A figure of neurosteer alone, beside what it is held against."""

    what: str
    values: list[float]  # one a turn
    unit: str  # seconds, a share, or a number
    target: float
    at_most: bool
    detail: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        middle = statistics.median(self.values)
        reached = middle <= self.target if self.at_most else middle >= self.target
        return asdict(self) | {"median": middle, "reached": reached}


def take_turns(sides: Sequence[Side], repeats: int, say: Callable[[str], None]) -> None:
    """Every side once, again and again, so that whatever slows the machine slows them all; first one warms up."""
    for side in sides:
        side.warm()
    for turn in range(1, repeats + 1):
        for side in sides:
            side.turn()
        say(f"turn {turn} of {repeats}: " + ", ".join(f"{side.name} {side.seconds[-1]:.2f} s" for side in sides))


def _wait_for_the_device() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


@contextmanager
def _memory() -> Iterator[Callable[[], int]]:
    """By how many bytes the process (on a GPU: what torch holds there) grew at most while the block ran."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        held = torch.cuda.memory_allocated()
        yield lambda: torch.cuda.max_memory_allocated() - held
        return

    import psutil  # of the bench extra

    with suppress(AttributeError, OSError):  # glibc alone; what an earlier side has freed would be used unseen
        ctypes.CDLL(None).malloc_trim(0)
    process, over = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def look() -> None:
        nonlocal peak
        peak = max(peak, process.memory_info().rss)

    def watch() -> None:
        while not over.wait(0.005):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: peak - before
    finally:
        look()
        over.set()
        watcher.join()
