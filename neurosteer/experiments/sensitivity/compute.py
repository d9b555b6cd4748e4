"""What each configuration of the training shows of figures 2 and 4, at equal lambda and at equal kept share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurosteer.experiments.design import Design
from neurosteer.experiments.experiment import Work
from neurosteer.experiments.fig4 import MOST
from neurosteer.experiments.intervals import TaskSamples, known_mean, plain
from neurosteer.experiments.scope import Scope
from neurosteer.runner.units import Read

from .agreement import ShareOfTies
from .claims import Measurement, answer_of, judge
from .equal_share import SHARE, EqualShare
from .result import CLAIMS, NAME, UNJUDGED, ClaimName, LambdaPoint, LayerPoint, Scale, Sensitivity, Summary
from .units import DenseProbes, TrainedMasks, read_masks


@dataclass(frozen=True, eq=False)
class Analysis:
    """One configuration: by layer and lambda, by layer, as a whole, and what it answers to each claim."""

    points: list[LambdaPoint]
    by_layer: list[LayerPoint]
    summary: Summary
    measurements: Measurements


@dataclass(frozen=True, eq=False)
class Measurements:
    """What one configuration answers to each claim, named as in `ClaimName`."""

    b: Measurement
    b_equal: Measurement
    d: Measurement
    d_equal: Measurement

    def of(self, claim: ClaimName) -> Measurement:
        found: Measurement = getattr(self, claim)
        return found

    def unjudged_but_d(self) -> Measurements:
        """Those of masks that are not trained at the lambda in question: (d) is about all lambdas."""

        def unjudged(one: Measurement) -> Measurement:
            return replace(one, answer=UNJUDGED)

        return Measurements(unjudged(self.b), unjudged(self.b_equal), self.d, unjudged(self.d_equal))


def compute(read: Read, work: Work, scope: Scope) -> Sensitivity:
    design, samples = work.design, work.samples
    assert isinstance(design.lam, float)  # see `check`
    dense = DenseProbes.read(read, work.names)
    found = [analyse(masks, dense, design, design.lam, samples) for masks in read_masks(read, work)]
    return Sensitivity(
        experiment=NAME,
        lambdas=design.lambdas,
        lam=design.lam,
        share=SHARE,
        layers=design.layers,
        rows=[point for one in found for point in one.points],
        by_layer=[point for one in found for point in one.by_layer],
        configurations=[one.summary for one in found],
        claims=[judge(claim, [one.measurements.of(claim) for one in found], samples.drawn) for claim in CLAIMS],
        level=_scales(dense, design, samples),
    )


def analyse(masks: TrainedMasks, dense: DenseProbes, design: Design, lam: float, samples: TaskSamples) -> Analysis:
    """The masks of one configuration, at `lam` and at equal kept share."""
    configuration, at = masks.configuration, design.lambdas.index(lam)
    kept, accuracy = masks.kept[:, :, at], masks.accuracy[:, :, at]
    agreement = ShareOfTies.of(masks.spearman[:, :, at], masks.limit[:, :, at], samples)
    equal = EqualShare.of(masks, dense)
    agreement_equal = ShareOfTies.of(equal.spearman, equal.limit, samples)
    below = [j for j, each in enumerate(design.lambdas) if each < 1]
    trained = masks.trained(design.lambdas)
    rises = samples.trend(np.where(trained, masks.kept, np.nan)[:, :, below])
    whole = np.isfinite(equal.needed).all(axis=1)  # a trend is over tasks that are known at every layer
    most = whole[:, None] & (whole.mean() > MOST)  # and over none, unless most are
    rises_equal = samples.trend(np.where(most, equal.needed, np.nan)[:, :, None])
    measurements = Measurements(
        b=agreement.measurement(configuration),
        b_equal=agreement_equal.measurement(configuration),
        d=Measurement(configuration, answer_of(rises.low, rises.high), rises.draws.mean(axis=1)),
        d_equal=Measurement(configuration, answer_of(rises_equal.low, rises_equal.high), rises_equal.draws[:, 0]),
    )
    if not trained[at]:
        measurements = measurements.unjudged_but_d()
    summary = Summary(
        *configuration.factors,
        lam=lam,
        kept=plain(kept.mean()),
        accuracy=plain(accuracy.mean()),
        relative=known_mean(dense.where_readable(accuracy / dense.accuracy)),
        loss=plain(masks.loss[:, :, at].mean()),
        trained=bool(trained[at]),
        rho=rises.at(below.index(at)),
        rising_lambdas=int((rises.low > 0).sum()),
        falling_lambdas=int((rises.high < 0).sum()),
        of_lambdas=int(trained[below].sum()),
        beyond_half=agreement.estimate,
        agreeing_layers=agreement.agreeing_layers,
        of_layers=agreement.known_layers,
        relative_equal=known_mean(equal.relative),
        needed=known_mean(equal.needed),
        rho_equal=rises_equal.at(0),
        tasks_equal=int(whole.sum()),
        of_tasks=len(whole),
        beyond_half_equal=agreement_equal.estimate,
        agreeing_layers_equal=agreement_equal.agreeing_layers,
        of_layers_equal=agreement_equal.known_layers,
        b=measurements.b.answer,
        b_equal=measurements.b_equal.answer,
        d=measurements.d.answer,
        d_equal=measurements.d_equal.answer,
    )
    by_layer = _layer_points(masks, at, agreement, agreement_equal, equal, design, samples)
    return Analysis(_lambda_points(masks, design, samples), by_layer, summary, measurements)


def _lambda_points(masks: TrainedMasks, design: Design, samples: TaskSamples) -> list[LambdaPoint]:
    curves = (masks.accuracy, masks.kept, masks.limit, masks.loss, masks.penalty, masks.spearman)
    means = [samples.means(values) for values in curves]
    return [
        LambdaPoint(*masks.configuration.factors, layer, lam, *(one.at(i, j) for one in means))
        for i, layer in enumerate(design.layers)
        for j, lam in enumerate(design.lambdas)
    ]


def _layer_points(
    masks: TrainedMasks,
    at: int,
    agreement: ShareOfTies,
    agreement_equal: ShareOfTies,
    equal: EqualShare,
    design: Design,
    samples: TaskSamples,
) -> list[LayerPoint]:
    kept, relative, needed = (samples.means(one) for one in (masks.kept[:, :, at], equal.relative, equal.needed))
    return [
        LayerPoint(
            *masks.configuration.factors,
            layer=layer,
            kept=kept.at(i),
            agreement=agreement.at(i),
            agreement_equal=agreement_equal.at(i),
            relative_equal=plain(relative.mean[i]),
            needed=needed.at(i),
        )
        for i, layer in enumerate(design.layers)
    ]


def _scales(dense: DenseProbes, design: Design, samples: TaskSamples) -> list[Scale]:
    level, loudest, accuracy = (samples.means(one).mean for one in (dense.level, dense.loudest, dense.accuracy))
    return [
        Scale(layer, plain(level[i]), plain(loudest[i]), plain(accuracy[i])) for i, layer in enumerate(design.layers)
    ]
