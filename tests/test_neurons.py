"""Rankings and neuron sets: against plain sorting and Python's own sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.neurons import NeuronSet, Ranking, resolve_k

STATS = ("token_mean", "token_var", "eos_mean", "eos_var")


def ranking_of(scores: torch.Tensor, layers: tuple[int, ...], best_layer: int | None = None) -> Ranking:
    shape = scores.shape
    stats = {name: torch.arange(scores.numel()).reshape(shape).float() + 1000 * i for i, name in enumerate(STATS)}
    about = {"task": "toy", "seed": 3, "seen": ["a", "b"], "l0": {"lambda": {"1": 0.2}}}
    known = UnitStats(**stats, tokens=77, layers=layers)
    return Ranking(scores, best_layer, "welch", known, "model-1", "resid_post", about)


def tied(rows: int, width: int, *, seed: int = 0) -> torch.Tensor:
    """Scores with very many ties, none of them 0."""
    return torch.randint(1, 5, (rows, width), generator=torch.Generator().manual_seed(seed)).float()


def plain_top(ranking: Ranking, k: int, layers: list[int]) -> list[tuple[int, int]]:
    every = [
        (-ranking.scores[ranking.layers.index(layer), unit].item(), layer, unit)
        for layer in layers
        for unit in range(ranking.scores.shape[1])
    ]
    return sorted((layer, unit) for _, layer, unit in sorted(every)[:k])


@pytest.mark.parametrize("k", [1, 5, 30])
@pytest.mark.parametrize(
    ("layers", "means"),
    [(None, [7]), (4, [4]), ([4], [4]), ([9, 4], [4, 9]), ([9, 9], [9]), ("all", [4, 7, 9])],
)
def test_top_against_plain_sorting(k, layers, means):
    ranking = ranking_of(tied(3, 30), (4, 7, 9), best_layer=7)
    top = ranking.top(k, layers=layers)
    assert list(top) == plain_top(ranking, k, means)
    assert len(top) == min(k, 30 * len(means))
    for i, (layer, unit) in enumerate(top):
        row = ranking.layers.index(layer)
        assert top.scores[i] == ranking.scores[row, unit]
        assert {name: float(top.at(name)[i]) for name in STATS} == {
            name: float(getattr(ranking.stats, name)[row, unit]) for name in STATS
        }
    assert (top.model, top.site) == ("model-1", "resid_post")
    assert (top.about["method"], top.about["k"], top.about["seed"]) == ("welch", str(k), 3)


def test_a_score_of_zero_is_never_chosen():
    scores = torch.tensor([[0.0, 3.0, 0.0, 1.0], [2.0, 0.0, 0.0, 0.0]])
    ranking = ranking_of(scores, (0, 5), best_layer=0)
    assert list(ranking.top(1)) == [(0, 1)]
    assert list(ranking.top(3)) == list(ranking.top("100%")) == [(0, 1), (0, 3)]
    assert list(ranking.top(6, layers="all")) == [(0, 1), (0, 3), (5, 0)]


def test_a_share_is_of_all_units_asked_for():
    ranking = ranking_of(tied(4, 150), (0, 1, 2, 3), best_layer=0)
    assert len(ranking.top("2%")) == 3
    assert len(ranking.top("2%", layers="all")) == 12
    assert len(ranking.top("100%", layers=[1, 3])) == 300


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (None, "this ranking has no best layer (no validation pairs chose one); name layers="),
        (5, "this ranking has no layer 5; it has 0, 2"),
        ([0, 1], "this ranking has no layer 1; it has 0, 2"),
        ([], "name a layer at least"),
        ("02", "layers must be 'all' or block indices, not '02'"),
    ],
)
def test_layers_that_a_ranking_lacks(layers, message):
    with pytest.raises(InputError) as caught:
        ranking_of(tied(2, 5), (0, 2)).top(1, layers=layers)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("k", "width", "count"),
    [
        (40, 576, 40),
        ("40", 576, 40),
        (" 7 ", 576, 7),
        ("1%", 576, 6),  # 5.76
        ("1%", 4096, 41),  # 40.96
        ("0.1%", 576, 1),  # 0.576
        ("0.01%", 576, 1),  # never none
        ("25%", 576, 144),
        ("100%", 576, 576),
        (576, 576, 576),
        (1, 1, 1),
    ],
)
def test_resolve_k(k, width, count):
    assert resolve_k(k, width) == count


@pytest.mark.parametrize(
    ("k", "message"),
    [
        (0, "topk must be at least 1, or a share above 0% and up to 100%, not '0'"),
        (-3, "topk must be at least 1, or a share above 0% and up to 100%, not '-3'"),
        ("0%", "topk must be at least 1, or a share above 0% and up to 100%, not '0%'"),
        ("-1%", "topk must be at least 1, or a share above 0% and up to 100%, not '-1%'"),
        ("101%", "topk must be at least 1, or a share above 0% and up to 100%, not '101%'"),
        (577, "topk 577 is more than the 576 units of a layer"),
        ("", "topk must be a count or a share like 40 or 1%, not ''"),
        ("%", "topk must be a count or a share like 40 or 1%, not '%'"),
        ("ten", "topk must be a count or a share like 40 or 1%, not 'ten'"),
        ("1.5", "topk must be a count or a share like 40 or 1%, not '1.5'"),
        ("nan%", "topk must be a count or a share like 40 or 1%, not 'nan%'"),
        ("inf%", "topk must be a count or a share like 40 or 1%, not 'inf%'"),
    ],
)
def test_resolve_k_refuses(k, message):
    with pytest.raises(InputError) as caught:
        resolve_k(k, 576)
    assert str(caught.value) == message


LAYERS, WIDTH = 3, 6
RANKING = ranking_of(tied(LAYERS, WIDTH, seed=1), (1, 4, 6))
neurons = st.sets(st.tuples(st.sampled_from(RANKING.layers), st.integers(0, WIDTH - 1)))


def set_of(chosen: set[tuple[int, int]]) -> NeuronSet:
    every = RANKING.top(LAYERS * WIDTH, layers="all")
    mask = torch.tensor([neuron in chosen for neuron in every])
    return replace(
        every,
        layers=every.layers[mask],
        units=every.units[mask],
        scores=every.scores[mask],
    )


@given(neurons, neurons, neurons)
def test_set_algebra_is_that_of_sets(a, b, c):
    x, y, z = set_of(a), set_of(b), set_of(c)
    assert list(x & y) == sorted(a & b)
    assert list(x - y) == sorted(a - b)
    assert list((x - y) - z) == sorted(a - (b | c))
    assert list(x - (x - y)) == sorted(a & b)
    assert list((x & y) & z) == list(x & (y & z))
    assert len(x & y) + len(x - y) == len(x)
    assert all((neuron in x) == (neuron in a) for neuron in b)
    for part in (x & y, x - y):
        for i, (layer, unit) in enumerate(part):
            row = RANKING.layers.index(layer)
            assert part.scores[i] == RANKING.scores[row, unit]
            assert part.at("eos_var")[i] == RANKING.stats.eos_var[row, unit]


@given(neurons, neurons, neurons)
def test_laws_of_set_algebra(a, b, c):
    x, y, z = set_of(a), set_of(b), set_of(c)
    for left, right in [
        (x & x, x),
        (x & y, y & x),
        (x - x, y - y),
        ((x & y) - z, (x - z) & y),
        (x - (y & z), set_of({*(x - y), *(x - z)})),
        ((x - y) & (x & y), x - x),
    ]:
        assert list(left) == list(right) == sorted({*right})
        assert torch.equal(left.scores, right.scores)


@given(neurons)
def test_reaches(a):
    """Against plain loops; reaching twice is reaching once."""
    x = set_of(a)
    onward = sorted({(later, unit) for layer, unit in a for later in RANKING.layers if later >= layer})
    everywhere = sorted({(other, unit) for _, unit in a for other in RANKING.layers})
    for reach, expected in [("own", sorted(a)), ("onward", onward), ("all", everywhere)]:
        reaching = x.reaching(reach)
        assert list(reaching) == list(reaching.reaching(reach)) == expected
        assert list(x - reaching) == []


GRIDS = st.lists(st.lists(st.integers(-2, 3), min_size=5, max_size=5), min_size=1, max_size=3)


@given(GRIDS, st.integers(1, 15), st.data())
def test_laws_of_the_top(grid, k, data):
    """At most `k`, none at or below 0, none left out that scores more, ties to the lower; more only adds."""
    scores = torch.tensor(grid).float()
    ranking = ranking_of(scores, tuple(2 * row + 1 for row in range(len(grid))))
    layers = data.draw(st.lists(st.sampled_from(ranking.layers), min_size=1, unique=True))
    k = min(k, 5 * len(layers))
    top = ranking.top(k, layers=layers)
    positive = {
        (layer, unit): score
        for layer, row in zip(ranking.layers, grid, strict=True)
        for unit, score in enumerate(row)
        if layer in layers and score > 0
    }
    assert set(top) == set(sorted(positive, key=lambda neuron: (-positive[neuron], neuron))[:k])
    assert list(top) == sorted(top)
    assert top.scores.tolist() == [positive[neuron] for neuron in top]
    if k < 5 * len(layers):
        assert list(top - ranking.top(k + 1, layers=layers)) == []
    assert list(ranking.pick(top)) == list(top)
    assert list(ranking.top(k, layers=layers[0] if len(layers) == 1 else layers)) == list(top)


def test_set_algebra_remembers_both():
    x, y = RANKING.top(4, layers=1), RANKING.top(3, layers="all")
    y = replace(y, about={**y.about, "seen": ["b", "c"]})
    for sign, made in (("&", x & y), ("-", x - y)):
        assert made.about["from"] == [dict(x.about), dict(y.about)]
        assert made.about["operation"] == sign
        assert made.about["seen"] == ["a", "b", "c"]  # what either has seen


@pytest.mark.parametrize("other", [{"model": "model-2"}, {"site": "mlp_out"}])
def test_sets_of_different_models_do_not_mix(other):
    x = RANKING.top(4, layers=1)
    for combine in (NeuronSet.__and__, NeuronSet.__sub__):
        with pytest.raises(InputError, match=r"^these neuron sets belong to different models or sites$"):
            combine(x, replace(x, **other))


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.dtype == b.dtype and torch.equal(a, b)


@pytest.mark.parametrize("best_layer", [None, 9])
def test_ranking_survives_the_disk(tmp_path: Path, best_layer):
    scores = torch.rand(3, 30, generator=torch.Generator().manual_seed(1))
    ranking = ranking_of(scores, (4, 7, 9), best_layer)
    ranking.save(tmp_path / "a.safetensors")
    back = Ranking.load(tmp_path / "a.safetensors")
    assert same(back.scores, ranking.scores)
    assert all(same(getattr(back.stats, name), getattr(ranking.stats, name)) for name in STATS)
    own: list[Any] = [
        (r.layers, r.best_layer, r.method, r.stats.tokens, r.model, r.site, r.about) for r in (ranking, back)
    ]
    assert own[0] == own[1]
    back.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize("k", [1, 9])
def test_neuron_set_survives_the_disk(tmp_path: Path, k):
    top = RANKING.top(k, layers="all")
    for chosen in (top, top - top):  # an empty set too
        chosen.save(str(tmp_path / "a.safetensors"))
        back = NeuronSet.load(tmp_path / "a.safetensors")
        assert list(back) == list(chosen)
        assert same(back.layers, chosen.layers)
        assert same(back.units, chosen.units)
        assert same(back.scores, chosen.scores)
        assert back.stats.layers == chosen.stats.layers
        assert all(same(getattr(back.stats, name), getattr(chosen.stats, name)) for name in STATS)
        assert (back.model, back.site, back.about) == (chosen.model, chosen.site, chosen.about)


def test_loading_another_kind(tmp_path: Path):
    RANKING.save(tmp_path / "ranking.safetensors")
    RANKING.top(2, layers=1).save(tmp_path / "neurons.safetensors")
    with pytest.raises(InputError, match=r"ranking\.safetensors is of kind 'ranking', not 'neurons'$"):
        NeuronSet.load(tmp_path / "ranking.safetensors")
    with pytest.raises(InputError, match=r"neurons\.safetensors is of kind 'neurons', not 'ranking'$"):
        Ranking.load(tmp_path / "neurons.safetensors")
    with pytest.raises(InputError, match=r"^no such file: .*nothing\.safetensors$"):
        Ranking.load(tmp_path / "nothing.safetensors")


def test_they_show_what_they_are():
    ranking = ranking_of(tied(3, 30), (4, 7, 9), best_layer=7)
    assert repr(ranking) == "Ranking(welch of toy, 3 layers x 30 units, best layer 7)"
    assert repr(ranking.top(5)) == "NeuronSet(5 neurons at resid_post, layer 7)"
    assert repr(ranking.top("100%", layers="all")) == "NeuronSet(90 neurons at resid_post, 3 layers)"
