"""Several models or checkpoints: when is a contrast encoded, when is it used, do the same neurons stay?"""

from __future__ import annotations

from neurosteer.experiments.experiment import Drawing, Experiment

from .charts import charts, kept_charts, used_charts
from .compute import compute
from .figures import caption, draw, draw_kept, draw_used, kept_caption, used_caption
from .result import Models
from .tables import csvs, tables
from .units import check, joint_units
from .verdicts import verdicts

EXPERIMENT = Experiment(
    "Models: encoded, used, kept",
    Models,
    compute,
    tables,
    Drawing(draw, caption, charts),
    csvs,
    verdicts,
    joint_units=joint_units,
    check=check,
    more={
        "used": Drawing(draw_used, used_caption, used_charts),
        "kept": Drawing(draw_kept, kept_caption, kept_charts),
    },
)
