"""Tensors brought to where a model computes."""

from __future__ import annotations

import torch
from torch import Tensor


def placed(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device. A GPU takes it when its turn comes: nobody waits for what is still being computed."""
    if device.type != "cuda" or tensor.is_cuda:
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
