"""How much figures 2 and 4, and the claims on them, depend on how the masks are trained."""

from __future__ import annotations

from neurosteer.errors import InputError
from neurosteer.experiments.design import FEWEST_LAYERS
from neurosteer.experiments.experiment import Drawing, Experiment, Work

from .charts import charts, equal_share_charts
from .compute import compute
from .figures import caption, draw, draw_equal_share, equal_share_caption
from .result import NAME, Sensitivity
from .tables import csvs, tables
from .units import task_units
from .verdicts import verdicts

VARIED = ("l0_states", "l0_start", "l0_log_alpha")  # keys of a recipe in whose place every choice is tried


def check(work: Work) -> None:
    """Raises `InputError` for a recipe that leaves nothing to compare."""
    recipe, layers = work.recipe, work.design.layers
    if recipe.lam not in recipe.lambdas or recipe.lam == 1:
        raise InputError(f"{NAME} looks at one of its lambdas below 1; lambda {recipe.lam} is none of them")
    if len(layers) < FEWEST_LAYERS:
        raise InputError(f"{NAME} asks for trends over layers: give at least {FEWEST_LAYERS}, not {len(layers)}")
    chosen = [name for name in VARIED if getattr(recipe, name) is not None]
    if chosen:
        raise InputError(f"{NAME} trains masks in every way: leave {', '.join(chosen)} out")


EXPERIMENT = Experiment(
    "Sensitivity: what the masks owe to their training",
    Sensitivity,
    compute,
    tables,
    Drawing(draw, caption, charts),
    csvs,
    verdicts,
    needs={"states"},
    task_units=task_units,
    check=check,
    more={"equal": Drawing(draw_equal_share, equal_share_caption, equal_share_charts)},
)
