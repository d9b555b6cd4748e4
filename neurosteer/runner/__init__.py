"""The runner: small units of work that survive whatever stops them, here, on workers or on a cluster."""

from __future__ import annotations

from .execution import Interrupted as Interrupted
from .execution import Ran as Ran
from .execution import run_units as run_units
from .slurm import SlurmRequest as SlurmRequest
from .unfinished import unfinished_runs as unfinished_runs
from .units import Read as Read
from .units import Unit as Unit
from .units import UnitResult as UnitResult
