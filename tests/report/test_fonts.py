"""Names in scripts that matplotlib's own font lacks: drawn where a font is installed, explained where none is."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from figure_checks import check_texts, texts_in
from made_effects import make_effect
from made_found import make_found
from matplotlib import colormaps, font_manager
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import imread
from sizes import quick_and_slow

from neurosteer.report import effect_figure, find_figure, save_figure
from neurosteer.report import fonts as in_figures
from neurosteer.report.canvas import finish, save_svg
from neurosteer.report.fonts import fonts_with, text_width
from neurosteer.report.matrix import draw_matrix
from neurosteer.report.panels import new_sheet

HAN, THAI, EMOJI = "日本語の課題", "ไวยากรณ์", "🙂"


def make_font(path: Path, family: str, letters: str) -> None:
    """A font whose letters are filled squares."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *(f"u{ord(letter):X}" for letter in letters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names[1:], strict=True)})
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 100)))
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=880, usWeightClass=400)
    builder.setupPost()
    builder.save(path)


@pytest.fixture
def only_own_fonts(monkeypatch: pytest.MonkeyPatch):
    """As on a machine without fonts but matplotlib's own; more may be added."""
    own = [entry for entry in font_manager.fontManager.ttflist if "mpl-data" in entry.fname]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    font_manager.fontManager._findfont_cached.cache_clear()
    fonts_with.cache_clear()
    yield own
    font_manager.fontManager._findfont_cached.cache_clear()
    fonts_with.cache_clear()


def with_task(found, task: str):
    return replace(found, task=task)


def saved(figure: Figure) -> np.ndarray:
    """The picture; a glyph that no font has would be a warning, which is an error here."""
    held = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, held, dpi=60)
    held.seek(0)
    return imread(held)


@pytest.mark.parametrize("name", quick_and_slow([f"{HAN} {THAI}"], [HAN, THAI]))
def test_a_font_that_has_the_letters_is_used(only_own_fonts, tmp_path: Path, name: str):
    """From as many fonts as it takes; the name stays what it is, and nothing has to be explained."""
    for family, letters in (("Some Han", HAN), ("Other Thai", THAI)):
        make_font(tmp_path / f"{family}.ttf", family, letters)
        font_manager.fontManager.addfont(str(tmp_path / f"{family}.ttf"))
    figure = find_figure(with_task(make_found(2), name))
    [title] = [text for text in figure.findobj() if getattr(text, "get_text", str)() == name]
    families = title.get_fontfamily()
    assert ("Some Han" in families, "Other Thai" in families) == (HAN in name, THAI in name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_svg(figure, BytesIO())
    assert not any("installed" in text for text in texts_in(figure))
    figure.set_size_inches(8.4, 5.0)
    squares = saved(figure)
    for text in figure.findobj():
        if getattr(text, "get_text", str)() == name:
            text.set_text("")
    assert (squares < 0.5).sum() > (saved(figure) < 0.5).sum() + 100  # the squares have ink


@pytest.mark.parametrize("name", quick_and_slow([f"x {EMOJI} {HAN}"], [HAN, f"{THAI} _1"]))
def test_without_a_font_the_figure_says_what_stands_for_what(only_own_fonts, name: str):
    figure = find_figure(with_task(make_found(2), name))
    saved(figure)
    check_texts(figure)
    [note] = [text for text in texts_in(figure) if "no installed font has these letters" in text]
    [title] = [text for text in texts_in(figure) if text.startswith(("[1]", "x [1]"))]
    said = dict(part.split(" = ") for part in " ".join(note.split()).partition(": ")[2].split(", "))
    for number, code in said.items():
        title = title.replace(number, code.encode().decode("unicode_escape"))
    assert title == name


def test_every_kind_of_figure_says_it(only_own_fonts):
    """Also a map over tasks, whose names are those of ticks, and axes of the user's own, whose size stays."""
    figure, panels = new_sheet(2, "Two maps", ["made up"], [HAN, "plain"])
    for panel in panels:
        cells = [[0.1, 0.2], [0.3, 0.4]]
        draw_matrix(
            panel.axes,
            cells,
            [HAN, "plain"],
            ["a", "b"],
            (colormaps["viridis"], Normalize(0, 1)),
            rows="r",
            columns="c",
        )
    before = [axes.get_position().height * figure.get_figheight() for axes in figure.axes]
    finish(figure)
    saved(figure)
    check_texts(figure)
    assert [axes.get_position().height * figure.get_figheight() for axes in figure.axes] == pytest.approx(before)
    shown = texts_in(figure)
    assert (shown.count("[1]"), shown.count("plain")) == (4, 4)
    assert sum("[1] = " in text for text in shown) == 1

    own = Figure(figsize=(6, 4))
    left, right = own.subplots(1, 2)
    find_figure(with_task(make_found(2), HAN), ax=left)
    effect_figure([replace(make_effect(), task=THAI)], ax=right)
    saved(own)
    assert own.get_size_inches().tolist() == [6, 4]
    assert sum("[1] = " in text for text in texts_in(own)) == 2


def test_control_characters_are_no_letters(only_own_fonts):
    figure = find_figure(with_task(make_found(2), "a\x1b[31mred\u200fx"))
    saved(figure)
    assert any("[1] = \\x1b" in text for text in texts_in(figure))


def test_plain_names_cost_nothing(monkeypatch: pytest.MonkeyPatch):
    """No font is opened for letters that matplotlib's own has."""
    monkeypatch.setattr(in_figures, "fonts_with", lambda letters: pytest.fail("looked for fonts"))
    figure = find_figure(with_task(make_found(2), "naïve_Aufgabe_ß · Ελληνικά — русский …"))
    start = time.process_time()
    for _ in range(20):
        in_figures.draw_any_script(figure)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("été", 3), ("日本", 4), ("ｶﾅ", 2), ("한국 x", 6)])
def test_how_wide_letters_are(text: str, width: int):
    assert text_width(text) == width


def test_wide_names_are_cut_where_the_canvas_ends(only_own_fonts, tmp_path: Path):
    make_font(tmp_path / "han.ttf", "Some Han", HAN)
    font_manager.fontManager.addfont(str(tmp_path / "han.ttf"))
    figure = find_figure(with_task(make_found(2), HAN * 30))
    saved(figure)
    check_texts(figure)
