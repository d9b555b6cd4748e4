"""`RecipeRun`: what `run_recipe` gives, and `open_run` of its folder."""

from __future__ import annotations

import base64
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.errors import InputError, did_you_mean
from neurosteer.results import Verdict, record
from neurosteer.shown import quoted, table_html
from neurosteer.vocabulary import counted

if TYPE_CHECKING:
    import pandas as pd

    from .outcome import Outcome

_MOST_FIGURES = 4  # in a notebook


@dataclass(frozen=True)
class RecipeRun:
    """The folder of a recipe's run, and its outcome.

    Attributes:
        folder: the run folder.
        outcome: results, verdicts and notices.
        computed: number of units that this process has just computed.

    Example:
        >>> run = ns.run_recipe("fig5", model="gym", data="builtin:gym", tasks="number", limit=300, layers=[1])
        >>> run.page.name, run.results.name, [path.name for path in run.figures]
        ('index.html', 'results.json', ['fig5.png'])
        >>> list(run.to_frame("fig5").columns)[:2]
        ['layer', 'tasks']
    """

    folder: Path
    outcome: Outcome
    computed: int  # units that this process computed just now

    @property
    def results(self) -> Path:
        """The file of the outcome as JSON; its tables are CSV files in the same folder."""
        return self.folder / "results.json"

    @property
    def page(self) -> Path:
        """The file with tables, figures and verdicts on one page."""
        return self.folder / "index.html"

    @property
    def figures(self) -> list[Path]:
        """The files of the figures, as PNG."""
        return sorted(self.folder.glob("*.png"))

    def to_frame(self, table: str | None = None) -> pd.DataFrame:
        """Show the verdicts, or one of the tables, as a data frame.

        Args:
            table: the name of a CSV file of the run, such as "fig5" or "fig5.tasks"; None for the verdicts.

        Returns:
            A row per verdict, or the rows of the table.

        Raises:
            InputError: for a table that the run does not have.
        """
        import pandas as pd

        if table is None:
            return pd.DataFrame(
                list(map(record, self.outcome.verdicts)), columns=[one.name for one in fields(Verdict)]
            )
        path, known = self.folder / f"{table}.csv", sorted(path.stem for path in self.folder.glob("*.csv"))
        if table not in known:
            raise InputError(f"no table '{table}' in {self.folder}{did_you_mean(table, known)}; {', '.join(known)}")
        return pd.read_csv(path)

    def _repr_html_(self) -> str:
        """The verdicts, and some of the figures."""
        verdicts = self.to_frame()[["claim", "statement", "text", "reading"]]
        shown = self.figures[:_MOST_FIGURES]
        left = counted(len(self.figures) - len(shown), "more figure")
        more = f"<p>{left} in {escape(str(self.folder))}</p>" if len(self.figures) > len(shown) else ""
        return f"{table_html(repr(self), verdicts)}{''.join(map(_picture, shown))}{more}"

    def __repr__(self) -> str:
        judged = counted(len(self.outcome.verdicts), "verdict")
        return f"RecipeRun({quoted(self.folder.name)}, {quoted(', '.join(self.outcome.results))}, {judged})"


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img width="700" alt="{escape(path.stem)}" src="data:image/png;base64,{data}">'
