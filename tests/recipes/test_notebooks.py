"""Every notebook runs from top to bottom, on few pairs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.mark.parametrize("path", sorted(RECIPES.rglob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_runs(path: Path, blimp: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    [parameters] = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    parameters.source += f"\nsource, n, controls = {str(blimp)!r}, 300, 2"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [out for cell in notebook.cells for out in cell.get("outputs", []) if out.output_type == "execute_result"]
    assert any("data:image/png" in out.data.get("text/html", "") for out in shown)
    assert any(out.data["text/plain"] == "True" for out in shown)
