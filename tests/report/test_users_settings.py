"""A user's matplotlib settings never matter: figures are drawn on a canvas and in a style of their own."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fresh_process import told
from made_found import make_found
from matplotlib import rc_context, rcParams, style
from sizes import all_slow_but, quick_and_slow

from neurosteer.report import canvas, find_figure, save_figure
from neurosteer.report.canvas import save_svg

SETTINGS: dict[str, dict[str, Any]] = {
    "usetex": {"text.usetex": True},
    "sizes": {"font.size": 31, "figure.dpi": 17, "savefig.dpi": 17, "lines.linewidth": 9},
    "colours": {"axes.facecolor": "black", "savefig.facecolor": "red", "text.color": "yellow"},
    "layout": {"savefig.bbox": "tight", "figure.autolayout": True, "axes.formatter.use_locale": True},
}


def drawn() -> tuple[bytes, bytes]:
    """PNG and SVG."""
    files = BytesIO(), BytesIO()
    figure = find_figure(make_found())
    for save, file in zip((save_figure, save_svg), files, strict=True):
        save(figure, file, dpi=40)
    return files[0].getvalue(), files[1].getvalue()


@pytest.fixture(scope="module")
def plain() -> tuple[bytes, bytes]:
    return drawn()


@pytest.mark.parametrize("which", all_slow_but([*SETTINGS][:1], SETTINGS))
def test_settings(which: str, plain: tuple[bytes, bytes]):
    """The same bytes; and the user's settings are as they were."""
    with rc_context(SETTINGS[which]):
        assert drawn() == plain
        assert {name: rcParams[name] for name in SETTINGS[which]} == SETTINGS[which]


@pytest.mark.parametrize("sheet", quick_and_slow(["dark_background"], ["ggplot", "classic"]))
def test_style_sheets(sheet: str, plain: tuple[bytes, bytes]):
    with style.context(sheet):
        assert drawn() == plain


def test_settings_are_noticed_where_they_do_matter(plain: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch):
    """The tests above can fail: without a style of our own the bytes are others."""
    from contextlib import nullcontext

    monkeypatch.setattr(canvas.style, "context", lambda _: nullcontext())
    with rc_context(SETTINGS["sizes"]):
        assert drawn() != plain


BACKENDS = ("QQQ", "module://matplotlib_inline.backend_inline", "tkagg")
EACH = """
import json, os
from pathlib import Path
import torch
sys.path.insert(0, sys.argv[1])

def draw(path):
    from neurosteer.cli import main
    try:
        main(["--version"])
    except SystemExit:
        pass
    from made_found import make_found
    from neurosteer.report import find_figure, save_figure
    save_figure(find_figure(make_found()), path, dpi=40)

for i, backend in enumerate(sys.argv[3:]):
    assert "matplotlib" not in sys.modules
    if os.fork() == 0:
        os.environ["MPLBACKEND"] = backend
        draw(Path(sys.argv[2]) / f"{i}.png")
        os._exit(0)
print(json.dumps([os.waitstatus_to_exitcode(os.wait()[1]) for _ in sys.argv[3:]]))
"""


UNREADABLE = EACH.replace(
    """        os.environ["MPLBACKEND"] = backend
""",
    """        os.chdir(backend)
        os.environ["MATPLOTLIBRC"] = os.path.join(backend, "matplotlibrc" if i else "theirs")
""",
)


@pytest.mark.slow
def test_settings_that_cannot_be_read(tmp_path: Path):
    """No UTF-8, named by the environment or in the working folder."""
    folders = [tmp_path / "named", tmp_path / "here"]
    for folder, name in zip(folders, ("theirs", "matplotlibrc"), strict=True):
        folder.mkdir()
        (folder / name).write_bytes(b"font.size: 31  # \xe9\n")
    assert told(UNREADABLE, Path(__file__).parent, tmp_path, *folders) == [0, 0]
    assert [(tmp_path / f"{i}.png").stat().st_size > 1000 for i in range(2)] == [True] * 2


@pytest.mark.slow
def test_backends_that_are_not_there(tmp_path: Path):
    """As a notebook or a shell's profile leaves them behind; each in a process that has not loaded matplotlib."""
    assert told(EACH, Path(__file__).parent, tmp_path, *BACKENDS) == [0, 0, 0]
    assert [(tmp_path / f"{i}.png").stat().st_size > 1000 for i in range(3)] == [True] * 3
