"""Two built-in pairs of every paradigm in both forms, to be read by a linguist: writes recipes/pairs.md.

python recipes/pairs.py
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from neurosteer.grammar import PARADIGMS, Form

FORMS: tuple[Form, ...] = ("plain", "balanced")
HEAD = """# The built-in pairs

Two pairs of each paradigm in both forms, as `neurosteer` makes them with seed 0. Pairs of the balanced form come by
two: what is good in one frame is bad in the other.
"""


def main() -> None:
    lines = [HEAD]
    for phenomenon, group in groupby(
        sorted(PARADIGMS.values(), key=lambda p: (p.phenomenon, p.uid)), lambda p: p.phenomenon
    ):
        lines.append(f"## {phenomenon}\n")
        for paradigm in group:
            lines += [f"### {paradigm.uid}\n", f"{paradigm.about}\n"]
            if paradigm.second:
                lines.append(f"Second frame: {paradigm.second}; no instance of this construction.\n")
            lines += ["| | good | bad |", "|---|---|---|"]
            for form in FORMS:
                lines += [f"| {form} | {pair.good} | {pair.bad} |" for pair in paradigm.pairs(2, form=form)]
            lines.append("")
    Path(__file__).with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
