"""States and statistics are computed once, kept under everything they depend on, and checked when read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from tiny_models import random_pairs, save_tiny, save_tokenizer

from neurosteer.edits import Edit
from neurosteer.forward import eos_states, states_and_stats, steering
from neurosteer.model import Model, load_model
from neurosteer.neurons import NeuronSet
from neurosteer.progress import Progress

PAIRS = random_pairs(12)
TRAIN = [0, 2, 3, 7]
HERE = {"site": "resid_post", "layers": [0, 2], "position": "eos"}


class Notices(Progress):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        self.texts.append(text)


class Passes:
    """Counts a model's forward passes at its embedding."""

    def __init__(self, model: Model) -> None:
        self.count = 0
        embedding = model.bridge.original_model.get_input_embeddings()
        self.handle = embedding.register_forward_pre_hook(self._add)

    def _add(self, *_given: Any) -> None:
        self.count += 1

    def since(self) -> int:
        """How many there were since the last call."""
        count, self.count = self.count, 0
        return count


@pytest.fixture
def model(tiny: Callable[[str], Model]) -> Model:
    return tiny("llama")


@pytest.fixture
def passes(model: Model) -> Iterator[Passes]:
    eos_states(model, random_pairs(1, seed=99), cache=False)  # the check of the forest, once per model
    counter = Passes(model)
    yield counter
    counter.handle.remove()


def files_in(home: Path) -> list[Path]:
    return sorted(home.rglob("*.safetensors"))


def test_the_second_time_nothing_is_computed(model: Model, passes: Passes):
    first = eos_states(model, PAIRS, **HERE)
    assert passes.since() > 0
    second = eos_states(model, PAIRS, **HERE)
    assert passes.since() == 0
    assert torch.equal(first.values, second.values)
    assert torch.equal(first.values, eos_states(model, PAIRS, **HERE, cache=False).values)
    assert {name: getattr(first, name) for name in vars(first) if name != "values"} == {
        name: getattr(second, name) for name in vars(second) if name != "values"
    }


def test_states_and_statistics_take_one_sweep_together(model: Model, passes: Passes):
    eos_states(model, PAIRS, **HERE, cache=False)
    sweep = passes.since()
    states, stats = states_and_stats(model, PAIRS, TRAIN, **HERE)
    assert passes.since() == sweep
    again, same = states_and_stats(model, PAIRS, TRAIN, **HERE)
    assert torch.equal(states.values, again.values)
    assert torch.equal(eos_states(model, PAIRS, **HERE).values, states.values)
    assert passes.since() == 0
    for name in ("token_mean", "token_var", "eos_mean", "eos_var"):
        assert torch.equal(getattr(stats, name), getattr(same, name))
    assert stats.tokens == same.tokens

    states_and_stats(model, PAIRS, [1, 2], **HERE)  # other train pairs, same states
    assert 0 < passes.since() <= sweep


def test_without_the_cache_nothing_is_read_or_written(model: Model, passes: Passes, neurosteer_home: Path):
    for _ in range(2):
        eos_states(model, PAIRS, cache=False)
        assert passes.since() > 0
    assert not neurosteer_home.exists()


def test_the_key_holds_everything_that_matters(tiny_folder: Callable[[str], Path], tmp_path: Path):
    folder = tiny_folder("llama")
    other_weights = save_tiny("llama", tmp_path / "weights", seed=1)
    other_words = save_tiny("llama", tmp_path / "words")
    save_tokenizer(other_words, shift=1)
    reference = load_model(folder)
    requests: dict[str, tuple[Model, Any, dict[str, Any]]] = {
        "reference": (reference, PAIRS, HERE),
        "weights": (load_model(other_weights), PAIRS, HERE),
        "tokenizer": (load_model(other_words), PAIRS, HERE),
        "bos": (load_model(folder, bos="w5"), PAIRS, HERE),
        "no bos": (load_model(folder, bos="none"), PAIRS, HERE),
        "eos": (load_model(folder, eos="w5"), PAIRS, HERE),
        "dtype": (load_model(folder, dtype="bfloat16"), PAIRS, HERE),
        "dtype of the same size": (load_model(folder, dtype="float16"), PAIRS, HERE),  # packed alike
        "site": (reference, PAIRS, {**HERE, "site": "mlp_out"}),
        "layers": (reference, PAIRS, {**HERE, "layers": [0, 1]}),
        "position": (reference, PAIRS, {**HERE, "position": "last"}),
        "pairs": (reference, PAIRS.take([1, 0, *range(2, 12)]), HERE),
    }
    for what, (model, pairs, options) in requests.items():
        cached = eos_states(model, pairs, **options).values
        assert torch.equal(cached, eos_states(model, pairs, **options, cache=False).values), what


def test_the_same_model_elsewhere_shares_the_cache(
    model: Model, tiny_folder: Callable[[str], Path], tmp_path: Path, neurosteer_home: Path
):
    """What a model is called is no part of what it computes."""
    eos_states(model, PAIRS)
    copy = tmp_path / "copy"
    copy.symlink_to(tiny_folder("llama"))
    counter = Passes(moved := load_model(copy))
    eos_states(moved, PAIRS)
    assert counter.since() == 0
    assert len(files_in(neurosteer_home)) == 1


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x01
    path.write_bytes(content)


PLACES: dict[str, Callable[[bytes], int]] = {
    "the header's length": lambda content: 0,
    "the format's name": lambda content: content.index(b"neurosteer-3"),
    "the word format": lambda content: content.index(b'"format"') + 1,
    "the kind": lambda content: content.index(b'"kind":"') + 8,
    "the digest": lambda content: content.index(b'"digest":"') + 10,
    "the provenance": lambda content: content.index(b"resid_post"),
    "a value": lambda content: len(content) - 12,
    "the last byte": lambda content: len(content) - 1,
}


@pytest.mark.parametrize("kind", ["states", "stats"])
@pytest.mark.parametrize("place", PLACES)
def test_a_flipped_byte_is_told_and_computed_again(
    place: str, kind: str, model: Model, passes: Passes, neurosteer_home: Path
):
    states, stats = states_and_stats(model, PAIRS, TRAIN, **HERE)
    before = states.values.clone(), stats.token_var.clone()
    [file] = files_in(neurosteer_home / kind)
    intact = file.read_bytes()
    passes.since()
    flip(file, PLACES[place](intact))

    notices = Notices()
    states, stats = states_and_stats(model, PAIRS, TRAIN, **HERE, progress=notices)
    assert passes.since() > 0
    assert torch.equal(states.values, before[0])
    assert torch.equal(stats.token_var, before[1])
    [text] = notices.texts
    assert str(file) in text
    assert text.endswith("computing it again")
    assert file.read_bytes() == intact

    states_and_stats(model, PAIRS, TRAIN, **HERE, progress=notices)
    assert passes.since() == 0
    assert len(notices.texts) == 1


@pytest.mark.parametrize("left", [0, 5, 100, -1])
def test_a_file_cut_short_is_computed_again(left: int, model: Model, neurosteer_home: Path):
    expected = eos_states(model, PAIRS).values.clone()
    [file] = files_in(neurosteer_home)
    file.write_bytes(file.read_bytes()[:left])
    notices = Notices()
    assert torch.equal(eos_states(model, PAIRS, progress=notices).values, expected)
    assert len(notices.texts) == 1


def test_an_interrupted_run_leaves_no_file(model: Model, neurosteer_home: Path):
    class Interrupting(Progress):
        def step(self, what: str, done: int, total: int) -> None:
            if done:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        eos_states(model, PAIRS, progress=Interrupting())
    assert not [path for path in neurosteer_home.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_cached_states_are_mapped_not_read(model: Model, neurosteer_home: Path):
    """The values lie in the file's own pages: with the file cut off, no second copy of them is in memory."""
    values = eos_states(model, PAIRS).values
    [file] = files_in(neurosteer_home)
    with safe_open(file, framework="pt") as opened:
        assert torch.equal(values, opened.get_tensor("values"))
    start, size = values.data_ptr(), values.numel() * 4
    lines = [line.split() for line in Path("/proc/self/maps").read_text("utf-8").splitlines()]
    spans = [[int(end, 16) for end in line[0].split("-")] for line in lines if line[-1] == str(file.resolve())]
    assert any(low <= start and start + size <= high for low, high in spans)


def test_states_of_a_steered_model_are_not_cached(tiny: Callable[[str], Model], neurosteer_home: Path):
    """And the notice says that it is steered, not that somebody has put hooks on it."""
    model, notices = tiny("llama"), Notices()
    with steering(model, Edit.ablate(NeuronSet.of(model, [(1, 3)]))):
        eos_states(model, PAIRS, progress=notices)
    assert notices.texts == ["the model is being steered: its states are computed and not cached"]
    assert not list(neurosteer_home.rglob("*.safetensors"))
