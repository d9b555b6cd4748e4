"""Pairs from the Hugging Face hub, or from what `datasets` has cached of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from neurosteer.errors import InputError, did_you_mean
from neurosteer.hub import network

from .copies import fetched
from .files import undecodable
from .tables import PairTable


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
    """The configurations of a hub dataset. Raises InputError when it cannot be had."""
    with _network(online) as datasets:
        try:
            return tuple(datasets.get_dataset_config_names(_place(repo, online)))
        except Exception as error:
            raise _unavailable(repo, error, online=online) from error


def hub_table(repo: str, config: str, *, online: bool, split: str = "train") -> PairTable:
    """What one configuration holds: its split of that name, or its only split; `all` for each of them.

    Raises:
        InputError: where it cannot be had, has several other splits, or is no text.
    """
    with _network(online) as datasets:
        try:
            splits = datasets.load_dataset(_place(repo, online), config)
        except Exception as error:
            raise _unavailable(repo, error, online=online) from error
    place = f"{repo} ({config})"
    records = [record for part in _chosen(splits, split, place) for record in _records(part, place)]
    left = [name for name in splits if name != split] if split in splits and len(splits) > 1 else []
    remarks = (f"the split '{split}' alone (there are also {', '.join(left)})",) if left else ()
    return PairTable.of(
        f"'{repo}' ({config})", [(f"{place}, row {row}", one) for row, one in enumerate(records, 1)], remarks
    )


def _place(repo: str, online: bool) -> str:
    """The data set on the hub; without the network its copy, where it was fetched."""
    copy = None if online else fetched(repo)
    return repo if copy is None else str(copy)


def _chosen(splits: Mapping[str, Any], split: str, place: str) -> list[Any]:
    if split == "all" or len(splits) == 1:
        return list(splits.values())
    if split not in splits:
        repo, _, config = place.partition(" ")
        raise InputError(f"'{repo}' {config} has no split '{split}' but several others: {', '.join(splits)}")
    return [splits[split]]


def _records(split: Any, place: str) -> Iterator[Any]:
    try:
        yield from split
    except UnicodeDecodeError:
        columns = {name: split.data.column(name) for name in split.column_names}
        row, name, bad = next(undecodable(columns))
        raise InputError(f"{place}, row {row + 1}: '{name}' is not UTF-8 (byte 0x{bad:02x})") from None


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
