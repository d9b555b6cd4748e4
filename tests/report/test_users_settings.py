"""A user's matplotlib settings never matter: figures are drawn on a canvas and in a style of their own."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fresh_process import told
from made_found import make_found
from matplotlib import rc_context, rcParams, style

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


@pytest.mark.parametrize("which", SETTINGS)
def test_settings(which: str, plain: tuple[bytes, bytes]):
    """The same bytes; and the user's settings are as they were."""
    with rc_context(SETTINGS[which]):
        assert drawn() == plain
        assert {name: rcParams[name] for name in SETTINGS[which]} == SETTINGS[which]


@pytest.mark.parametrize("sheet", ["dark_background", "ggplot", "classic"])
def test_style_sheets(sheet: str, plain: tuple[bytes, bytes]):
    with style.context(sheet):
        assert drawn() == plain


def test_settings_are_noticed_where_they_do_matter(plain: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch):
    """The tests above can fail: without a style of our own the bytes are others."""
    from contextlib import nullcontext

    monkeypatch.setattr(canvas.style, "context", lambda _: nullcontext())
    with rc_context(SETTINGS["sizes"]):
        assert drawn() != plain


@pytest.mark.parametrize("backend", ["QQQ", "module://matplotlib_inline.backend_inline", "tkagg"])
def test_a_backend_that_is_not_there(backend: str, tmp_path: Path):
    """As a notebook or a shell's profile leaves it behind."""
    code = """
import json
from pathlib import Path
from neurosteer.cli import main
try:
    main(["--version"])
except SystemExit:
    pass
from made_found import make_found
from neurosteer.report import canvas, find_figure, save_figure
from neurosteer.report.canvas import save_svg
save_figure(find_figure(make_found()), Path(sys.argv[2]), dpi=40)
print(json.dumps("torch" in sys.modules))
"""
    folder = Path(__file__).parent
    told(f"sys.path.insert(0, sys.argv[1])\n{code}", folder, tmp_path / "a.png", MPLBACKEND=backend)
    assert (tmp_path / "a.png").stat().st_size > 1000
