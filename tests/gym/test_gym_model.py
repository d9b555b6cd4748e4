"""The models of the gym are what their plan says: every unit zeroed by hand, one by one, in plain Hugging Face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import torch
from tiny_models import hf_blocks
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import attribute, score
from neurosteer.gym import GYM_TASKS, LAYER, WIDTH, plan_of, truth_of
from neurosteer.gym.truth import preference
from neurosteer.model import load_model
from neurosteer.model.gym import gym_network
from neurosteer.pairs import Pairs, load_pairs
from neurosteer.studies import measure_effect, rank_neurons

SEED = 3
FEW = 40


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return load_pairs("number", source="builtin:gym", limit=FEW)


class Plain:
    """Margins by Hugging Face alone; the output of a block may be edited by a hook of its own."""

    def __init__(self, pairs: Pairs, seed: int = SEED) -> None:
        self.network, tokenizer = gym_network(seed)
        sentences = [sentence for pair in pairs for sentence in (pair.good, pair.bad)]
        self.ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(one).input_ids] for one in sentences])

    @contextmanager
    def zeroed(self, units: Sequence[int]) -> Iterator[None]:
        """At every token but BOS."""

        def hook(_module: object, _given: object, gives: Tensor | tuple[Tensor, ...]) -> object:
            hidden = (gives[0] if isinstance(gives, tuple) else gives).clone()
            hidden[:, 1:, list(units)] = 0.0
            return (hidden, *gives[1:]) if isinstance(gives, tuple) else hidden

        handle = hf_blocks(self.network)[LAYER].register_forward_hook(hook)
        try:
            yield
        finally:
            handle.remove()

    def logits(self) -> Tensor:
        with torch.no_grad():
            return self.network(self.ids).logits

    def margins(self, units: Sequence[int] = ()) -> Tensor:
        with self.zeroed(units):
            logprobs = self.logits()[:, :-1].double().log_softmax(dim=-1)
        sums = logprobs.gather(2, self.ids[:, 1:, None])[..., 0].sum(dim=1).reshape(-1, 2)
        return sums[:, 0] - sums[:, 1]


@pytest.fixture(scope="module")
def plain(pairs: Pairs) -> Plain:
    return Plain(pairs)


def test_the_margins_are_those_of_plain_hugging_face(plain: Plain, pairs: Pairs):
    found = score(load_model(f"gym:{SEED}"), pairs)
    assert found.accuracy == 1.0
    assert torch.allclose(torch.as_tensor(found.margin).double(), plain.margins(), atol=1e-5)


def test_every_unit_does_what_the_plan_says(pairs: Pairs):
    """Zeroed alone: the share of the preference that is lost is that of the plan, for all 384 units."""
    plain = Plain(pairs.take(range(4)))
    plan, clean = plan_of(SEED), plain.margins().mean()
    lost = torch.tensor([float(1 - plain.margins([unit]).mean() / clean) for unit in range(WIDTH)])
    expected = torch.tensor([truth_of(plan, [unit]).lost for unit in range(WIDTH)])
    assert torch.allclose(lost, expected, atol=0.05)
    assert float(lost[list(plan.of("idle", "other", "massive", "twin"))].abs().max()) < 0.01
    assert float(lost[list(plan.of("used", "together", "shared"))].min()) > 0.03


@pytest.mark.parametrize("role", ["decoy", "spent", "answer"])
def test_what_nobody_reads_changes_no_bit(plain: Plain, role: str):
    """Not one logit; of decoys alone, and of all of them. What is used does change them."""
    units = plan_of(SEED).of(role)
    clean = plain.logits()
    for some in (units, units[:1]):
        with plain.zeroed(some):
            assert torch.equal(plain.logits(), clean)
    with plain.zeroed(plan_of(SEED).of("used")[:1]):
        assert not torch.equal(plain.logits(), clean)


def test_twins_are_redundant_and_the_conjunction_is_one(plain: Plain):
    plan, clean = plan_of(SEED), float(plain.margins().mean())

    def lost(units: Sequence[int]) -> float:
        return 1 - float(plain.margins(units).mean()) / clean

    twins, both = plan.of("twin"), plan.of("together")
    assert [abs(lost([one])) < 1e-4 for one in twins] == [True, True]
    assert lost(twins) == pytest.approx(truth_of(plan, twins).lost, abs=0.01)
    assert [lost([one]) == pytest.approx(lost(both), abs=0.02) for one in both] == [True, True]
    without_others = [unit for unit in range(WIDTH) if unit != both[0]]
    assert lost(without_others) == pytest.approx(1.0, abs=0.02)  # one of them alone keeps nothing
    assert lost([unit for unit in range(WIDTH) if unit not in both]) < 0.9
    assert lost([unit for unit in range(WIDTH) if unit != twins[0]]) < 0.9


def test_massive_units_move_text_and_no_margin(plain: Plain):
    plan, clean = plan_of(SEED), plain.margins()
    massive = plan.of("massive")
    assert torch.allclose(plain.margins(massive), clean, atol=1e-4)
    before = plain.logits().log_softmax(dim=-1)
    with plain.zeroed(massive):
        after = plain.logits().log_softmax(dim=-1)
    assert float((before.exp() * (before - after)).sum(dim=-1).mean()) > 0.1


def test_decoys_are_read_behind_the_sentence_and_used_units_less(pairs: Pairs):
    """Welch puts decoys first; attribution gives them nothing."""
    plan, model = plan_of(SEED), load_model(f"gym:{SEED}")
    t = rank_neurons(model, pairs, layers=LAYER).scores[0]
    decoys, used = list(plan.of("decoy")), list(plan.of("used"))
    assert len(set(t.argsort(descending=True)[: len(decoys)].tolist()) & set(decoys)) >= len(decoys) - 1
    assert float(t[used].mean()) > 2 * float(t[list(plan.of("idle"))].mean())
    drop = attribute(model, pairs, site="resid_post", layers=[LAYER]).drop(None)[0]
    assert float(drop[decoys].abs().max()) < 1e-10  # nats: the norms let through no more
    assert float(drop[used].min()) > 10 * float(drop[list(plan.of("idle"))].abs().max())


def test_ablation_by_neurosteer_is_bit_equal_too(pairs: Pairs):
    model = load_model(f"gym:{SEED}")
    ranking = rank_neurons(model, pairs.take(range(20)), layers=LAYER)
    decoys = ranking.pick((LAYER, unit) for unit in plan_of(SEED).of("decoy"))
    effect = measure_effect(model, pairs.take(range(20, FEW)), Edit.ablate(decoys, "mean"), controls=0)
    assert effect.margin.before == effect.margin.after
    assert effect.margin.delta == 0.0


def test_every_task_has_a_preference_of_its_own():
    model = load_model(f"gym:{SEED}")
    for task in GYM_TASKS.values():
        found = score(model, load_pairs(task.name, source="builtin:gym", limit=FEW))
        assert found.accuracy == 1.0
        mean = float(torch.as_tensor(found.margin).mean())
        assert mean == pytest.approx(preference(plan_of(SEED), task.index), rel=0.2)


def test_seeds_are_other_models_and_a_name_is_one_of_them():
    stamps = [load_model(name).fingerprint for name in ("gym", "gym:0", "gym:1", "gym:1")]
    assert stamps[0] == stamps[1] != stamps[2] == stamps[3]


def test_what_a_gym_model_cannot_be():
    with pytest.raises(InputError, match=r"^gym is tiny and made in float32: leave --dtype and --device-map out$"):
        load_model("gym", dtype="float16")
    with pytest.raises(InputError, match="has no revisions"):
        load_model("gym:2", revision="main")
