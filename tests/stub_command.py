"""`neurosteer` on a recipe whose units are stubs, in this process and in the workers that it starts.

    python tests/stub_command.py N run sums.toml --workers N

A worker imports this module too, and so has the same stubs. Each process begins its first unit when N of them are
there, so that all of them work. With STUB_STOP the first unit that is not this process's own never ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from stub_recipe import logging_to, stub_plan, stub_rooms

LOG, THERE, STOPPED = Path("log"), Path("there"), Path("stopped")
SECONDS = 60


def started(name: str) -> None:
    """Of a unit: says which, in which process, and with how many threads."""
    THERE.mkdir(exist_ok=True)
    (THERE / str(os.getpid())).touch()
    deadline = time.monotonic() + SECONDS
    while len(list(THERE.iterdir())) < int(os.environ["STUB_WORKERS"]) and time.monotonic() < deadline:
        time.sleep(0.02)
    logging_to(LOG)(f"{name} {os.getpid()} {os.environ.get('OMP_NUM_THREADS')}")
    if "STUB_STOP" in os.environ and multiprocessing.parent_process() is not None:
        with suppress(FileExistsError):
            STOPPED.open("x").write(f"{name} {os.getpid()}")
            time.sleep(SECONDS)


sys.modules |= stub_rooms(lambda: stub_plan(started))
if __name__ == "__main__":
    from neurosteer.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start us deaf to it
    os.environ["STUB_WORKERS"] = sys.argv[1]
    main(sys.argv[2:])
