"""Workers on one machine: processes that do the same job beside this one, one for each GPU or some cores.

Whoever calls shows the progress of all. A worker that dies loses what it was at; when the caller stops, all stop.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from time import sleep
from typing import Any

from neurosteer.progress import Progress
from neurosteer.vocabulary import Workers, counted

Job = Callable[[Progress], object]  # that another process can import
_POLITE = 10.0  # seconds in which a worker ends that was asked to
_PAUSE = 0.02  # seconds between two looks whether all have ended
_THREADS = "OMP_NUM_THREADS"
_VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class WorkerPlace:
    """Where a worker computes."""

    threads: int
    gpu: str | None = None  # as `CUDA_VISIBLE_DEVICES` names it

    @property
    def environment(self) -> dict[str, str]:
        """Of its process."""
        return {_THREADS: str(self.threads)} | ({} if self.gpu is None else {_VISIBLE: self.gpu})


def places(workers: Workers, *, device: str, memory: int, spread: bool = False) -> list[WorkerPlace]:
    """A place for each worker.

    `auto` is one for each GPU where the `device` is one. A model that is `spread` over devices, or a device that was
    chosen by number, is one place. Else there is one for each core, as many as have room for twice their `memory`
    (bytes). Cores are shared out, unless `OMP_NUM_THREADS` says how many threads each has.
    """
    one = spread or device not in ("auto", "cuda", "cpu")
    gpus = _gpus() if device in ("auto", "cuda") and not one else []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    fitting = 1 if one else len(gpus) or max(1, min(cores, _room() // max(1, 2 * memory)))
    count = fitting if workers == "auto" else workers
    asked = os.environ.get(_THREADS, "")
    threads = int(asked) if re.fullmatch(r"[1-9][0-9]{0,3}", asked) else max(1, cores // count)
    return [WorkerPlace(threads, gpus[i % len(gpus)] if gpus else None) for i in range(count)]


def _gpus() -> list[str]:
    """The GPUs of NVIDIA that may be used, without importing torch: none where its build is for the CPU alone."""
    if version("torch").endswith("+cpu"):
        return []
    if _VISIBLE in os.environ:
        return [name.strip() for name in os.environ[_VISIBLE].split(",") if name.strip() not in ("", "-1")]
    found = (re.fullmatch(r"nvidia([0-9]+)", path.name) for path in Path("/dev").glob("nvidia[0-9]*"))
    return sorted((match[1] for match in found if match), key=int)


def _room() -> int:
    """Bytes of memory that the machine has."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 1 << 62


@contextmanager
def beside(
    job: Job, others: Sequence[WorkerPlace], own: WorkerPlace | None, progress: Progress
) -> Iterator[Progress]:
    """Do the job in other processes too, while the block does it in this one, at its `own` place.

    Gives the progress for the block, which passes the others' notices on. When the block ends, the others are waited
    for; when it fails, they are stopped.
    """
    crew = _Crew(progress)
    with _threads(own):
        try:
            for number, place in enumerate(others, 2):
                crew.start(number, job, place)
            yield crew
            crew.wait()
        except BaseException:
            crew.stop()
            raise


@contextmanager
def _threads(own: WorkerPlace | None) -> Iterator[None]:
    """Limit the threads of this process; where torch is not imported there is nothing to limit."""
    torch: Any = sys.modules.get("torch")
    if own is None or torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(own.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(eq=False)
class _Worker:
    number: int
    process: Any
    said: Connection


@dataclass(eq=False, repr=False)
class _Crew(Progress):
    """Hands everything on, and what the workers say."""

    progress: Progress
    workers: list[_Worker] = field(default_factory=list)

    def start(self, number: int, job: Job, place: WorkerPlace) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(job, theirs), name=f"neurosteer worker {number}", daemon=True)
        with _environment(place.environment):
            process.start()
        theirs.close()  # so that theirs alone is open: when the worker is gone, so is its end
        self.workers.append(_Worker(number, process, ours))

    def step(self, what: str, done: int, total: int) -> None:
        self.progress.step(what, done, total)

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        self._listen()
        self.progress.whole(done, total, share=share, left=left)

    def notice(self, text: str) -> None:
        self.progress.notice(text)

    def wait(self) -> None:
        """Until all have ended by themselves."""
        while self.workers:
            self._listen()
            sleep(_PAUSE)

    def stop(self) -> None:
        """Ask all to end, and see to it that they do."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join(_POLITE)
            worker.process.kill()
            worker.process.join()

    def _listen(self) -> None:
        for worker in list(self.workers):
            try:
                while worker.said.poll():
                    self.progress.notice(worker.said.recv())
            except (EOFError, OSError):  # it has ended
                worker.process.join()
                self.workers.remove(worker)
                if worker.process.exitcode:
                    why = _why(worker.process.exitcode)
                    self.progress.notice(f"worker {worker.number} {why}; what it was at is free for the others")


def _why(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else "failed"


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """What a process that is started in the block finds in its environment."""
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _work(job: Job, said: Connection) -> None:
    """The worker's process. Ctrl-C is for the process that started it, which then ends it by SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        try:
            job(_Said(said))
        except Exception as error:
            with suppress(OSError):
                said.send(f"a worker stopped: {' '.join(str(error).split()) or type(error).__name__}")
            sys.exit(1)


class _Said(Progress):
    """Sends notices, and ends the work where nobody is there any more to hear them."""

    def __init__(self, said: Connection) -> None:
        self._said = said

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            raise KeyboardInterrupt

    def notice(self, text: str) -> None:
        with suppress(OSError):
            self._said.send(text)


def in_words(own: Sequence[WorkerPlace]) -> str:
    """`4 workers of 2 threads`, `2 workers on GPU 0 and 1`."""
    gpus = list(dict.fromkeys(place.gpu for place in own if place.gpu is not None))
    where = f"on GPU {', '.join(gpus)}" if gpus else f"of {counted(own[0].threads, 'thread')}"
    return f"{counted(len(own), 'worker')} {where}"
