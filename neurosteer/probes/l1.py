"""The L1 path: in which order units enter a sparse logistic probe while its penalty falls.

scikit-learn fits the probes. At the first penalty no unit has a weight yet; below it one after the other enters. Of
units that stand for the same thing the first to enter keeps the others out, so a low score does not say that a unit
encodes nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

PENALTIES = 30  # evenly spaced on a log scale, the first the smallest that keeps every unit out
LAST = 0.01  # of the first


def l1_order(x: Float[Tensor, "layer sample unit"], y: Float[Tensor, "sample"]) -> Float[Tensor, "layer unit"]:
    """How early each unit enters, in penalties from the end of the path: the earlier, the higher; 0 for never.

    Of units that enter at the same penalty the one with the larger weight there is higher, by less than one. `x` is
    standardised and classes are of one size, so there is no bias; labels are 1 and -1.
    """
    labels = y.cpu().numpy()
    orders = [_one_layer(layer.cpu().double().numpy(), labels) for layer in x]  # liblinear draws from a global source
    return torch.from_numpy(np.stack(orders)).float()


def _one_layer(x: Float[np.ndarray, "sample unit"], y: Float[np.ndarray, "sample"]) -> Float[np.ndarray, "unit"]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import l1_min_c

    order = np.zeros(x.shape[1])
    if not (x.T @ y).any():  # no unit differs
        return order
    strengths = l1_min_c(x, y, loss="log", fit_intercept=False) / np.geomspace(1, LAST, PENALTIES)
    probe = LogisticRegression(l1_ratio=1, solver="liblinear", fit_intercept=False, max_iter=1000, random_state=0)
    for step, strength in enumerate(strengths):
        weights = np.abs(probe.set_params(C=strength).fit(x, y).coef_[0])
        entered = (order == 0) & (weights > 0)
        order[entered] = PENALTIES - step + (weights / (1 + weights))[entered]
    return order
