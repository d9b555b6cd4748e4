"""Which built-in paradigms allow which form of the swap, by the built-in model's tokens.

Writes the table of recipes/guide/interchange.md:  python recipes/factorial_forms.py
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import neurosteer as ns
from neurosteer.grammar import PARADIGMS
from neurosteer.studies.evidence.factorial import Factorial, factorial_of

PAGE = Path(__file__).parent / "guide" / "interchange.md"
BEGIN, END = "<!-- table: python recipes/factorial_forms.py -->\n", "<!-- end of the table -->\n"
FORMS = {"aligned": "aligned", "last": "last token", None: "none"}


def row(task: str, found: Factorial) -> str:
    first = found.items[0] if found.items else None
    cause = first.cause if first else "–"  # noqa: RUF001
    goes_on = "–" if first is None else "same" if first.same_continuation else "differs"  # noqa: RUF001
    if found.form == "last":
        goes_on = "–"  # noqa: RUF001
    unfit = sum(found.unfit.values())
    return f"| {task} | {cause} | {found.aligned} | {found.unaligned} | {unfit} | {goes_on} | {FORMS[found.form]} |"


def main() -> None:
    model = ns.load_model()
    found = {task: factorial_of(model, task) for task in PARADIGMS}
    forms = Counter(FORMS[one.form] for one in found.values())
    lines = [
        ", ".join(f"{name}: {forms[name]}" for name in FORMS.values()) + ".",
        "",
        "| paradigm | cause | aligned | unequal | no form | continuation | form |",
        "|---|---|---|---|---|---|---|",
        *(row(task, one) for task, one in found.items()),
    ]
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text("".join([before, BEGIN, "\n", "\n".join(lines), "\n\n", END, after]), encoding="utf-8")


if __name__ == "__main__":
    main()
