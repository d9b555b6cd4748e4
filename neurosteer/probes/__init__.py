"""Tensors in, probes and rankings out: no model, no text, no files."""

from __future__ import annotations

from .examples import Standard as Standard
from .examples import labelled as labelled
from .hard_concrete import drawn as drawn
from .hard_concrete import log_alpha_of as log_alpha_of
from .hard_concrete import logistic_noise as logistic_noise
from .hard_concrete import mean_and_slope as mean_and_slope
from .l0 import L0Probes as L0Probes
from .l0 import fit_l0 as fit_l0
from .l0 import fit_l0_at as fit_l0_at
from .l0_settings import L0 as L0
from .l0_settings import L0Settings as L0Settings
from .l1 import l1_order as l1_order
from .logistic import STRENGTHS as STRENGTHS
from .logistic import Probes as Probes
from .logistic import fit_logistic as fit_logistic
from .welch import Welch as Welch
from .welch import welch as welch
