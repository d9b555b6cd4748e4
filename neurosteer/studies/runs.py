"""Run folders: what is in them, and the list of them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from neurosteer.store import MANIFEST

RESULTS = "results.json"


def list_runs(out: Path) -> list[dict[str, Any]]:
    """Finished runs below a folder, newest first: `{run, command, model, tasks, when, path}` each."""
    runs = []
    for manifest in sorted(out.glob(f"*/{MANIFEST}")):
        folder = manifest.parent
        try:
            result = json.loads((folder / RESULTS).read_text("utf-8"))
            about = {
                "run": folder.name,
                "command": result["command"],
                "model": result["model"]["name"],
                "tasks": [entry["task"] for entry in result["results"]],
            }
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not ours, or damaged: `neurosteer check` tells
        runs.append((manifest.stat().st_mtime, {**about, "path": str(folder)}))
    runs.sort(key=lambda run: run[0], reverse=True)
    return [{**about, "when": f"{datetime.fromtimestamp(time):%Y-%m-%d %H:%M}"} for time, about in runs]
