"""Names in any script in figures: a font that has the letters, or a note that says which name stands for what.

Nothing is looked for where matplotlib's own font has all letters, so most figures take no longer than without this.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from functools import cache
from typing import TypeAlias

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

Letters: TypeAlias = frozenset[str]
NOTE_SIZE = 7.0  # points
NOTE_LETTER = 0.6  # mean width of a letter of a note, in font sizes
PLACEHOLDERS = "Last Resort"  # matplotlib's font of boxes for every letter there is
REGULAR = (400, "normal", "regular", "book")
_BROAD = re.compile(
    "noto|cjk|unicode|unifont|droid|gothic|hei|song|ming", re.I
)  # fonts of many scripts, looked at first


def text_width(text: str) -> int:
    """How many letters wide a text is: those of East Asia count as two.

    Example:
        >>> text_width("task"), text_width("課題")
        (4, 4)
    """
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def draw_any_script(drawn: Figure | Axes) -> None:
    """Give every text the fonts that its letters need, and those that none has a number, which a note explains."""
    lacking = {text: letters for text in drawn.findobj(Text) if (letters := _lacks(text))}
    if not lacking:
        return
    fonts, none = fonts_with(frozenset().union(*lacking.values()))
    if none:
        numbers = _numbered(drawn, list(lacking), none)
        _explain(drawn, numbers)
    for text in lacking:
        needed = [name for name, has in fonts.items() if has & _lacks(text)]
        if needed:
            text.set_fontfamily([*text.get_fontfamily(), *needed])
            text.set_fontweight("normal")  # the bold face of a font may lack the letters, or be missing


def _lacks(text: Text) -> Letters:
    """The letters of a text that its own font has not."""
    letters = frozenset(letter for letter in text.get_text() if not " " <= letter <= "~" and letter != "\n")
    return letters - _in_font(str(findfont(text.get_fontproperties())), letters) if letters else letters


@cache
def _in_font(path: str, letters: Letters) -> Letters:
    try:
        font = FT2Font(path)
        return frozenset(letter for letter in letters if font.get_char_index(ord(letter)))
    except (OSError, RuntimeError):  # no outlines, or another kind of file
        return frozenset()


@cache
def fonts_with(letters: Letters) -> tuple[dict[str, Letters], Letters]:
    """Installed fonts by name that together have these letters, with those of each; and the letters that none has."""
    found: dict[str, Letters] = {}
    left = frozenset(letter for letter in letters if letter.isprintable())
    upright = [entry for entry in fontManager.ttflist if entry.weight in REGULAR and entry.style == "normal"]
    for entry in sorted(upright, key=lambda entry: (not _BROAD.search(entry.name), entry.name)):
        if not left:
            break
        if entry.name.startswith(PLACEHOLDERS) or not _in_font(entry.fname, left):
            continue
        drawn_from = str(findfont(FontProperties(family=[entry.name])))  # of several files of that name
        if has := _in_font(drawn_from, left):
            found[entry.name] = found.get(entry.name, frozenset()) | has
            left -= has
    return found, letters - frozenset().union(*found.values())


def _numbered(drawn: Figure | Axes, texts: list[Text], none: Letters) -> dict[str, int]:
    """Put a number for each word with letters that cannot be drawn, and give them; ticks have theirs of an axis."""
    no = re.escape("".join(sorted(none)))
    word = rf"[{no}]|[^\W\x00-\x7f]"  # beside such letters, those that can be drawn would only confuse
    words = re.compile(f"(?:{word})*[{no}](?:{word})*")
    numbers: dict[str, int] = {}

    def put(text: str) -> str:
        return words.sub(lambda found: f"[{numbers.setdefault(found.group(), len(numbers) + 1)}]", text)

    for text in texts:
        text.set_text(put(text.get_text()))
    for axis in drawn.findobj(Axis):
        assert isinstance(axis, Axis)
        if isinstance(axis.get_major_locator(), FixedLocator):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if any(map(words.search, labels)):
                axis.set_ticklabels(list(map(put, labels)))
    return numbers


def _explain(drawn: Figure | Axes, numbers: dict[str, int]) -> None:
    """Which number stands for which letters, by their code points: on top of a figure, or in a corner of axes."""
    figure = drawn.get_figure(root=True)
    assert isinstance(figure, Figure)
    told = [f"[{number}] = {run.encode('unicode_escape').decode()}" for run, number in numbers.items()]
    room = int(72 * figure.get_figwidth() / (NOTE_LETTER * NOTE_SIZE)) - 6
    lines = textwrap.wrap(f"no installed font has these letters: {', '.join(told)}", room)
    look = {"fontsize": NOTE_SIZE, "color": "#595959", "va": "top", "parse_math": False}
    if isinstance(drawn, Axes):
        drawn.text(0.01, 0.99, "\n".join(lines), transform=drawn.transAxes, zorder=9, **look)  # type: ignore[arg-type]
        return
    top = _room_on_top(figure, (10 + 1.25 * NOTE_SIZE * len(lines)) / 72)
    figure.text(9 / (72 * figure.get_figwidth()), top, "\n".join(lines), linespacing=1.15, **look)  # type: ignore[arg-type]


def _room_on_top(figure: Figure, strip: float) -> float:
    """Make a figure higher by a strip (inches), under which all stays as it is. Gives where a text in it begins."""
    wide, high = figure.get_size_inches()
    share = high / (high + strip)
    figure.set_size_inches(wide, high + strip)
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        left, bottom, across, up = engine.get()["rect"]
        engine.set(rect=(left, bottom * share, across, up * share))
    else:
        for axes in figure.axes:
            box = axes.get_position(original=True)
            axes.set_position((box.x0, box.y0 * share, box.width, box.height * share))
    for text in figure.texts:
        text.set_y(text.get_position()[1] * share)
    return 1 - 5 / (72 * (high + strip))
