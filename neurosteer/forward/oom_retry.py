"""Batches that do not fit into memory are run again in halves, and a notice says so."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import TypeVar

import torch

from neurosteer.errors import OutOfMemoryError, is_out_of_memory
from neurosteer.model import Model
from neurosteer.progress import Progress

Job = TypeVar("Job", bound=Sized)
Result = TypeVar("Result")


def split_on_oom(
    jobs: Iterable[Job],
    run: Callable[[Job], Result],
    *,
    halves: Callable[[Job], Sequence[Job]],
    unit: str,
    model: Model,
    progress: Progress,
) -> Iterator[tuple[Job, Result]]:
    """Run every job in order and yield each with its result. A job that does not fit into memory is cut into two
    `halves`, again if necessary, and so is every later job of its size.

    A job's length is its number of `unit`s. A run that fails may have done half of its work, so `run` must change
    nothing outside of itself. Raises `OutOfMemoryError` if a job of length 1 does not fit.
    """
    waiting, most = deque(jobs), None
    while waiting:
        job = waiting.popleft()
        if most is None or len(job) <= most:
            result = _try(run, job)
            if result:
                yield job, result[0]
                continue
            if len(job) == 1:
                raise OutOfMemoryError(f" on {model.device} with a single {unit} at a time")
            _free_memory(model)
            most = (len(job) + 1) // 2
            progress.caveat(
                f"{model.device} is out of memory with {len(job)} {unit}s at a time; going on with {most} "
                "(slower, same results)"
            )
        waiting.extendleft(reversed(halves(job)))


def _try(run: Callable[[Job], Result], job: Job) -> tuple[Result] | None:
    """The result, or None if memory ran out. The error is dropped here, and with it the tensors in its frames."""
    try:
        return (run(job),)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    return None


def _free_memory(model: Model) -> None:
    gc.collect()
    if model.device.type == "cuda":
        torch.cuda.empty_cache()
