"""Code that is run in a process of its own: one that may be forked, killed, measured or cut off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from made_pairs import made_pairs

TESTS = Path(__file__).resolve().parent


def told(code: str, *arguments: object, under: Sequence[str] = (), **env: str) -> Any:
    """The JSON that the code prints last; its arguments are in `sys.argv`. `under` is a command that runs it."""
    command = [*under, sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(TESTS)!r})\n{code}"]
    one_thread = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | one_thread | env,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def write_made(path: Path) -> Path:
    """Made-up pairs as a file, for commands on a tiny model."""
    rows = [{"sentence_good": pair.good, "sentence_bad": pair.bad} for pair in made_pairs()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
