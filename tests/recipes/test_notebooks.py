"""Every notebook runs from top to bottom: on stand-ins, cell after cell as IPython runs them.

`pytest -m slow` runs them in a kernel of their own, on the built-in model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from traitlets.config import Config

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "recipes").rglob("*.ipynb"))

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def with_parameters(path: Path, **values: object) -> Any:
    """The notebook, with other values behind those of its cell of parameters."""
    notebook = nbformat.read(path, as_version=4)
    [parameters] = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    parameters.source += "".join(f"\n{name} = {value!r}" for name, value in values.items())
    return notebook


def check_shown(shown: list[dict[str, Any]]) -> None:
    """A result shows its figure, and what must be true is."""
    assert any("data:image/png" in data.get("text/html", "") for data in shown)
    assert any(data["text/plain"] == "True" for data in shown)


@pytest.fixture
def shell(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("NEUROSTEER_HOME", str(stand_in))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem == "ablate" else [pytest.mark.slow])
        for path in NOTEBOOKS
    ],
)
def test_notebook_runs(path: Path, shell: InteractiveShell, stand_in: Path):
    shown = []
    for cell in with_parameters(path, source=str(stand_in / "blimp"), n=300, controls=2, nulls=2).cells:
        if cell.cell_type == "code":
            ran = shell.run_cell(cell.source)
            ran.raise_error()
            if ran.result is not None:
                data, _ = shell.display_formatter.format(ran.result)
                shown.append(data)
    check_shown(shown)


@pytest.mark.slow
@every_notebook
def test_notebook_runs_in_full(path: Path, blimp_sample: Path, tmp_path: Path):
    notebook = with_parameters(path, source=str(blimp_sample), n=300, controls=2, nulls=2)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    check_shown([out.data for out in outs if out.output_type == "execute_result"])
