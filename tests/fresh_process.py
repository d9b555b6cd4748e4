"""Code that is run in a process of its own: one that may be forked, killed, measured or cut off.

`told` starts Python anew. `told_warm` forks a server that has imported the libraries once, which takes seconds: for
code of which it does not matter when it imports them, and under what environment.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from made_pairs import made_pairs

TESTS = Path(__file__).resolve().parent
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
SECONDS = 300  # after which a process has failed
IMPORTED = (
    "torch",
    "transformer_lens",
    "transformers.models.llama.modeling_llama",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "scipy.stats",
    "neurosteer.cli.app",
    "neurosteer.experiments.run",
    "neurosteer.forward.states",
    "neurosteer.forward.attribution",
    "neurosteer.model.load",
    "neurosteer.studies.finding",
    "neurosteer.studies.effects",
)


def told(code: str, *arguments: object, under: Sequence[str] = (), **env: str) -> Any:
    """The JSON that the code prints last; its arguments are in `sys.argv`. `under` is a command that runs it."""
    command = [*under, sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(TESTS)!r})\n{code}"]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=os.environ | ENVIRONMENT | env,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def told_warm(code: str, *arguments: object, **env: str) -> Any:
    """The same in a fork of a process that has imported the libraries."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        asked = (code, list(map(str, arguments)), {**os.environ, **ENVIRONMENT, **env}, out, err)
        process = _server().Process(target=_run, args=asked)
        before = os.environ.copy()
        os.environ.update(ENVIRONMENT)  # the server starts with the first process
        try:
            process.start()
        finally:
            os.environ.clear()
            os.environ.update(before)
        process.join(SECONDS)
        process.kill()
        assert process.exitcode == 0, err.read_text()
        return json.loads(out.read_text().splitlines()[-1])


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


def _run(code: str, arguments: list[str], env: dict[str, str], out: Path, err: Path) -> None:
    os.environ.clear()
    os.environ.update(env)
    for path, stream in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    sys.argv = ["-c", *arguments]
    exec(compile(f"import sys\n{code}", "<told>", "exec"), {"__name__": "__main__"})


def write_made(path: Path) -> Path:
    """Made-up pairs as a file, for commands on a tiny model."""
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in made_pairs()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
