"""Pairs from the Hugging Face hub, or from what `datasets` has cached of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from neurosteer.errors import InputError, did_you_mean
from neurosteer.hub import network

from .files import Record


def stay_offline() -> None:
    """Keep `datasets` and `huggingface_hub`, not imported yet, off the network in this process."""
    if "datasets" not in sys.modules:
        os.environ["HF_DATASETS_OFFLINE"] = "1"
    if "huggingface_hub" not in sys.modules:
        os.environ["HF_HUB_OFFLINE"] = "1"


@contextmanager
def _network(allowed: bool) -> Iterator[Any]:
    """The `datasets` library, confined to its cache unless the network is allowed."""
    import datasets

    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = before or not allowed
    try:
        with network(allowed):
            yield datasets
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def config_names(repo: str, *, online: bool) -> tuple[str, ...]:
    """The configurations of a hub dataset: its tasks. Raises InputError when it cannot be had."""
    with _network(online) as datasets:
        try:
            return tuple(datasets.get_dataset_config_names(repo))
        except Exception as error:
            raise _unavailable(repo, error, online=online) from error


def hub_records(repo: str, config: str, *, online: bool) -> Iterator[Record]:
    """The records of one configuration: of its split `train`, or of its only split."""
    with _network(online) as datasets:
        try:
            splits = datasets.load_dataset(repo, config)
        except Exception as error:
            raise _unavailable(repo, error, online=online) from error
    if "train" not in splits and len(splits) != 1:
        raise InputError(f"'{repo}' ({config}) has no split 'train' but several others: {', '.join(splits)}")
    split = splits["train"] if "train" in splits else next(iter(splits.values()))
    for row, record in enumerate(split, start=1):
        yield f"{repo} ({config}), row {row}", record


def _unavailable(repo: str, error: Exception, *, online: bool) -> InputError:
    """Not cached and not reachable, not there (or private: the hub does not tell), or anything else."""
    if not online or isinstance(error, ConnectionError | TimeoutError):
        return InputError(
            f"'{repo}' is not in the cache and the hub cannot be reached; "
            "give a folder of BLiMP JSONL files or a file of pairs with --data"
        )
    if type(error).__name__ == "DatasetNotFoundError":
        return InputError(
            f"no dataset '{repo}' on the hub, or no access to it{did_you_mean(repo, ['nyu-mll/blimp'])}"
        )
    return InputError(f"cannot load '{repo}' from the hub: {(str(error) or type(error).__name__).splitlines()[0]}")
