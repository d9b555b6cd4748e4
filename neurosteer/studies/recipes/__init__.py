"""The recipe runner: whole experiments as small units of work that survive whatever stops them."""

from __future__ import annotations

from .recipe import Recipe as Recipe
from .recipe import override as override
from .recipe import read_recipe as read_recipe
from .runner import Interrupted as Interrupted
from .runner import Ran as Ran
from .runner import run_units as run_units
from .shard import Shard as Shard
from .shelf import recipe_rows as recipe_rows
from .units import Piece as Piece
from .units import Plan as Plan
from .units import Read as Read
from .units import Unit as Unit
