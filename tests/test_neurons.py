"""Rankings and neuron sets: against plain sorting and Python's own sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from described import described
from hypothesis import given
from hypothesis import strategies as st

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.neurons import NeuronSet, Ranking, matched_controls, resolve_topk
from neurosteer.results.model import ModelDescription
from neurosteer.store import read_artefact

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
    assert (top.metadata["method"], top.metadata["k"], top.metadata["seed"]) == ("welch", str(k), 3)


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
def test_resolve_topk(k, width, count):
    assert resolve_topk(k, width) == count


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
def test_resolve_topk_refuses(k, message):
    with pytest.raises(InputError) as caught:
        resolve_topk(k, 576)
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
    assert list(x | y) == sorted(a | b)
    assert len(x & y) + len(x - y) == len(x)
    assert all((neuron in x) == (neuron in a) for neuron in b)
    for part in (x & y, x - y, x | y):
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
        (x | y, y | x),
        ((x | y) | z, x | (y | z)),
        (x & (y | z), (x & y) | (x & z)),
        ((x | y) - y, x - y),
        ((x - y) | (x & y), x),
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
    y = replace(y, metadata={**y.metadata, "seen": ["b", "c"]})
    for sign, made in (("&", x & y), ("-", x - y), ("|", x | y)):
        assert made.metadata["from"] == [dict(x.metadata), dict(y.metadata)]
        assert made.metadata["operation"] == sign
        assert made.metadata["seen"] == ["a", "b", "c"]  # what either has seen


@pytest.mark.parametrize("other", [{"model": "model-2"}, {"site": "mlp_out"}])
def test_sets_of_different_models_do_not_mix(other):
    x = RANKING.top(4, layers=1)
    for combine in (NeuronSet.__and__, NeuronSet.__sub__, NeuronSet.__or__):
        with pytest.raises(InputError, match=r"^these neuron sets belong to different models or sites$"):
            combine(x, replace(x, **other))


def test_a_union_of_rankings_that_know_other_layers():
    """Scores and statistics are those of the left set, where it has them."""
    one, other = ranking_of(tied(2, 6), (1, 4)), ranking_of(tied(2, 6, seed=5), (4, 6))
    x, y = one.pick([(1, 2), (4, 0)]), other.pick([(4, 0), (4, 3), (6, 5)])
    both = x | y
    assert list(both) == [(1, 2), (4, 0), (4, 3), (6, 5)]
    assert both.scores.tolist() == [one.scores[0, 2], one.scores[1, 0], other.scores[0, 3], other.scores[1, 5]]
    assert both.stats.layers == (1, 4, 6)
    for name in STATS:
        values = getattr(both.stats, name)
        assert torch.equal(values[:2], getattr(one.stats, name))
        assert torch.equal(values[2], getattr(other.stats, name)[1])


class Three:
    """A model of 3 layers of 8 units, of 20 at `mlp_post`."""

    fingerprint = "model-1"
    n_layers = 3

    def site_width(self, site: str, layers: Sequence[int]) -> int:
        if any(not 0 <= layer < 3 for layer in layers):
            raise InputError("no such layer")
        return 20 if site == "mlp_post" else 8

    def head_width(self, layers: Sequence[int]) -> int:
        return 4

    def describe(self) -> ModelDescription:
        return described("three", fingerprint=self.fingerprint, n_layers=3)


def test_neurons_of_ones_own_choice():
    chosen = NeuronSet.of(Three(), [(2, 7), (0, 3), (2, 7), (2, 0)])
    assert list(chosen) == [(0, 3), (2, 0), (2, 7)]
    assert chosen.scores.tolist() == [0.0, 0.0, 0.0]
    assert (chosen.model, chosen.site) == ("model-1", "resid_post")
    assert chosen.metadata == {"method": "given", "network": {"name": "three", "bos": 1, "eos": 2}}
    assert list(chosen.reaching("onward")) == [(layer, unit) for layer, unit in sorted({*chosen, (1, 3), (2, 3)})]
    assert list(NeuronSet.of(Three(), [(0, 19)], site="mlp_post")) == [(0, 19)]
    assert list(NeuronSet.of(Three(), [])) == []


@pytest.mark.parametrize(
    ("neurons", "message"),
    [
        ([(0, 8)], "no unit 8: resid_post has units 0 to 7 at layer 0"),
        ([(1, -1)], "no unit -1: resid_post has units 0 to 7 at layer 1"),
        ([(3, 0)], "no such layer"),
    ],
)
def test_neurons_that_a_model_lacks(neurons, message):
    with pytest.raises(InputError) as caught:
        NeuronSet.of(Three(), neurons)
    assert str(caught.value) == message


def test_what_nobody_has_measured_is_not_made_up(tmp_path: Path):
    chosen = NeuronSet.of(Three(), [(1, 3)])
    for use in (lambda: chosen.at("token_mean"), lambda: matched_controls(chosen, 1)):
        with pytest.raises(InputError, match=r"^nobody has measured the means and variances of these"):
            use()
    assert matched_controls(chosen, 0) == []
    assert chosen.to_frame()["massive"].isna().all()
    chosen.save(tmp_path / "a.safetensors")
    back = NeuronSet.load(tmp_path / "a.safetensors")
    assert list(back) == [(1, 3)]
    assert back.to_frame()["massive"].isna().all()

    ranking = ranking_of(tied(3, 8), (0, 1, 2))
    for other in (ranking_of(tied(3, 9), (0, 1, 2)), ranking_of(tied(2, 8), (0, 2))):
        with pytest.raises(InputError, match=r"^stats= is of UnitStats\(.*\): not of these layers of resid_post"):
            NeuronSet.of(Three(), [(1, 3)], stats=other.stats)
    known = NeuronSet.of(Three(), [(1, 3)], stats=ranking.stats)
    assert known.at("token_mean").tolist() == [ranking.stats.token_mean[1, 3]]
    assert len(matched_controls(known, 2)) == 2
    for both in (chosen | ranking.top(2, layers=1), ranking.top(2, layers=1) | chosen):
        assert torch.equal(both.stats.token_mean, ranking.stats.token_mean)


def test_frames():
    scores = tied(2, 30)
    ranking = ranking_of(scores, (4, 9))
    ranking.stats.token_mean[1, 7] = 1e6
    frame = ranking.to_frame()
    assert list(frame) == ["layer", "unit", "score", "massive"]
    assert frame["layer"].tolist() == [4] * 30 + [9] * 30
    assert frame["unit"].tolist() == [*range(30), *range(30)]
    assert frame["score"].tolist() == scores.flatten().tolist()
    assert frame[frame["massive"]][["layer", "unit"]].values.tolist() == [[9, 7]]
    picked = ranking.pick([(9, 7), (4, 2)]).to_frame()
    assert picked["score"].tolist() == [scores[0, 2], scores[1, 7]]
    assert picked["massive"].tolist() == [False, True]


def plain_comparison(a: list[float], b: list[float], k: int) -> tuple[float, float, float]:
    """Spearman as Pearson's correlation of ranks, and the top k by plain sorting."""
    ranks = [pd.Series(values).rank() for values in (a, b)]
    tops = [{i for i in sorted(range(len(v)), key=lambda i, v=v: (-v[i], i))[:k] if v[i] > 0} for v in (a, b)]
    chance = len(tops[0]) * len(tops[1]) / len(a) / k
    return float(np.corrcoef(*ranks)[0, 1]), len(tops[0] & tops[1]) / k, chance


@pytest.mark.parametrize(("topk", "all_layers", "one_layer"), [(4, 4, 4), ("10%", 6, 3)])
def test_comparing_rankings(topk, all_layers, one_layer):
    a, b = tied(3, 30), tied(3, 30, seed=1) - 2.0  # many of b's are not above 0
    one, other = ranking_of(a, (1, 4, 6)), ranking_of(b, (0, 4, 6))
    found = one.compare(other, topk=topk)
    expected = plain_comparison(a[1:].flatten().tolist(), b[1:].flatten().tolist(), all_layers)
    assert (found.spearman, found.overlap, found.chance) == pytest.approx(expected)
    assert found.topk == all_layers
    assert [row.layer for row in found.layers] == [4, 6]
    for row, i in zip(found.layers, (1, 2), strict=True):
        expected = plain_comparison(a[i].tolist(), b[i].tolist(), one_layer)
        assert (row.spearman, row.overlap, row.chance) == pytest.approx(expected)
        assert row.topk == one_layer
    frame = found.to_frame()
    assert list(frame) == ["layer", "spearman", "topk", "overlap", "chance"]
    assert frame["overlap"].tolist() == [row.overlap for row in found.layers]


def test_comparing_what_cannot_be_ranked():
    flat = ranking_of(torch.ones(2, 6), (1, 4))
    found = flat.compare(ranking_of(torch.arange(12.0).reshape(2, 6), (1, 4)), topk=2)
    assert (found.spearman, [row.spearman for row in found.layers]) == (None, [None, None])
    assert repr(found) == "RankingComparison(no Spearman, top 2: 0.00 shared, 0.17 by chance; 2 layers)"
    with pytest.raises(InputError, match=r"^these rankings have no layer in common$"):
        flat.compare(ranking_of(tied(2, 6), (0, 5)))
    with pytest.raises(InputError, match=r"^these rankings belong to different models or sites$"):
        flat.compare(replace(flat, site="mlp_out"))


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
        (r.layers, r.best_layer, r.method, r.stats.tokens, r.model, r.site, r.metadata) for r in (ranking, back)
    ]
    assert own[0] == own[1]
    back.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    _, written = read_artefact(tmp_path / "a.safetensors", "ranking")  # under the names of version 0.1
    named = {"best_layer": best_layer, "method": "welch", "model": "model-1", "site": "resid_post"}
    assert written == {**ranking.metadata, **named}


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
        assert (back.model, back.site, back.metadata) == (chosen.model, chosen.site, chosen.metadata)


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


def test_a_ranking_from_anywhere_else(tmp_path: Path):
    scores = np.arange(16.0).reshape(2, 8) - 3
    ranking = Ranking.from_scores(Three(), scores, layers=[0, 2], best_layer=2, method="theirs", task="toy")
    assert (ranking.layers, ranking.method, ranking.model) == ((0, 2), "theirs", "model-1")
    assert list(ranking.top(2)) == [(2, 6), (2, 7)]
    assert len(ranking.top("100%", layers=0)) == 4  # scores of at most 0 are never chosen
    ranking.save(tmp_path / "theirs.safetensors")
    again = Ranking.load(tmp_path / "theirs.safetensors")
    assert same(again.scores, ranking.scores)
    assert (again.metadata["task"], again.best_layer) == ("toy", 2)
    ones = torch.ones(2, 8)
    known = UnitStats(ones, ones, ones, ones, tokens=5, layers=(0, 2))
    assert Ranking.from_scores(Three(), scores, layers=[0, 2], stats=known).stats is known
    assert Ranking.from_scores(Three(), np.ones((3, 20)), site="mlp_post").layers == (0, 1, 2)


@pytest.mark.parametrize(
    ("scores", "more", "message"),
    [
        (np.ones((2, 8)), {}, "scores are [2, 8], not [3 layers, 8 units of resid_post]"),
        (np.ones(8), {"layers": [1]}, "scores are [8], not [1 layers, 8 units of resid_post]"),
        (np.full((3, 8), np.nan), {}, "a score is no finite real number, or none that float32 can hold"),
        (np.full((3, 8), 1e300), {}, "a score is no finite real number, or none that float32 can hold"),
        (
            np.full((3, 8), 1e-50),
            {},
            "a score above 0 is too small for float32, where it would be 0 and never be chosen",
        ),
        (np.ones((2, 8)), {"layers": [2, 0]}, "layers must ascend, each once, not [2, 0]"),
        (np.ones((1, 8)), {"layers": [1], "best_layer": 2}, "best_layer 2 is not among the layers [1]"),
        (np.ones((1, 8)), {"layers": [3]}, "no such layer"),
    ],
)
def test_scores_that_are_no_ranking(scores, more, message):
    with pytest.raises(InputError) as caught:
        Ranking.from_scores(Three(), scores, **more)
    assert str(caught.value) == message
