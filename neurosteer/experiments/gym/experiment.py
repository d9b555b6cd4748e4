"""The gym of known answers: rankings and the questions of evidence where it is known what every unit does."""

from __future__ import annotations

from neurosteer.errors import InputError
from neurosteer.experiments.experiment import Drawing, Experiment, Work

from .charts import ranking_charts, rate_charts
from .compute import compute
from .figures import caption, draw, draw_rankings, rankings_caption
from .result import NAME, Gym
from .tables import csvs, tables
from .units import SOURCE, joint_units
from .verdicts import verdicts


def check(work: Work) -> None:
    """Raises `InputError` for other models and pairs than the gym's own."""
    if work.model.name != NAME:
        raise InputError(f"{NAME} makes its own models: model must be {NAME}, not {work.model.name}")
    sources = {task.pairs.source for task in work.tasks}
    if sources != {SOURCE} or len(work.tasks) != 1 or work.names != ["number"]:
        raise InputError(f"{NAME} asks about one task of its own: data must be {SOURCE}, and tasks number")


EXPERIMENT = Experiment(
    "Gym: where the answers are known",
    Gym,
    compute,
    tables,
    Drawing(draw, caption, rate_charts),
    csvs,
    verdicts,
    joint_units=joint_units,
    check=check,
    more={"rankings": Drawing(draw_rankings, rankings_caption, ranking_charts)},
)
