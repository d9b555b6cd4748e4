"""The recipe runner: whole experiments as small units of work that survive whatever stops them."""

from __future__ import annotations

from .bundled import recipe_rows as recipe_rows
from .execution import Interrupted as Interrupted
from .execution import Ran as Ran
from .execution import run_units as run_units
from .recipe import Recipe as Recipe
from .recipe import override as override
from .recipe import read_recipe as read_recipe
from .slurm import SlurmAsked as SlurmAsked
from .unfinished import unfinished_runs as unfinished_runs
from .units import Read as Read
from .units import Unit as Unit
from .units import UnitResult as UnitResult
