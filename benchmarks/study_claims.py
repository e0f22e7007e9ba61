"""How often `study` claims a difference that is not there, and sees one.

Two arms whose classifiers are equal on average are compared by the same
functions that `study` uses, over 5 splits that test each subject once:

* `d'`: scores are normal, the stages are d' apart, and d' varies from one
  training to the next by 0, 0.2 or 0.4 (SD) in each arm. Arms share 70 % of
  the variance of a subject's score. At `rho` 0.5 half of that variance is the
  same in all splits of an arm, as their training subjects overlap.
* `learnt`: linear discriminants are trained on the subjects of the other
  splits (all, or a quarter of them); each arm has features of its own, equally
  good ones, so that neither is better on average.

Claimed is the share of studies whose 95 % interval leaves 0 out: by `study`
(corrected t and Newcombe, the wider), by the corrected t interval alone, by
the t interval without correction, and by the bootstrap over test subjects that
`study` had before, of one training that everyone is tested by. `holds` is how
often the interval of one arm holds its true AUC: of `study`, and Newcombe's
alone. The second table, at d' ± 0.2: how often a difference is seen, the mean
of what `study.json` calls `detectable` (1 where there is none), and how often
the arms are called equivalent within 0.05, which at a true difference of 0.05
is an error.

`python benchmarks/study_claims.py` takes about four minutes on one core,
`--quick` half a minute.
"""

import argparse
import itertools

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from pet_dcgan.metrics.confidence import LEVEL
from pet_dcgan.study.intervals import over_subjects, over_trainings
from pet_dcgan.study.scores import Predictions
from pet_dcgan.study.statistics import difference_row, score_row

SPLITS = 5
SHARED = 0.7
FEATURES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    studies = 50 if parser.parse_args().quick else 300
    print(
        "| trainings | subjects a stage | AUC | claimed by study | corrected t "
        "| t | bootstrap of one training | holds: study | Newcombe |"
    )
    print("|" + "---|" * 9)
    signals = itertools.product(
        (12, 24, 30, 60),
        (0.88, 0.975),
        ((0, 0), (0.2, 0), (0.4, 0), (0.4, 0.5)),
    )
    for count, true, (spread, rho) in signals:
        cohort = Signals(count, true, true, spread=spread, rho=rho)
        report(f"d' ± {spread}, rho {rho}", cohort, studies)
    learnt = itertools.product((12, 24, 40), (1, 0.25), (2.2, 3.5))
    for count, share, distance in learnt:
        cohort = Learnt(count, distance, share=share)
        report(f"learnt from {share:.0%}", cohort, studies)
    print(
        "\n| subjects a stage | AUC | other AUC | seen | detectable | called "
        "equivalent |"
    )
    print("|" + "---|" * 6)
    pairs = (0.7, 0.95), (0.8, 0.9), (0.8, 0.95), (0.93, 0.98), (0.98, 0.98)
    for count, (true, other) in itertools.product((12, 24, 40, 60, 100), pairs):
        power(count, true, other, studies)


class Signals:
    """Scores of stages that are d' apart, which varies between trainings."""

    def __init__(self, count, true, other, *, spread, rho=0):
        self.count, self.spread, self.rho = count, spread, rho
        self.true = true
        # so that the AUC is the true one on average over trainings
        self.distances = np.sqrt(2 + spread**2) * norm.ppf([true, other])

    def draw(self, rng):
        """Predictions of both arms by split, and of one split of everyone."""
        truth = np.repeat([0, 1], self.count)
        own = rng.normal(size=len(truth))
        noise = rng.normal(size=(2, len(truth)))
        scores = np.sqrt(SHARED) * own + np.sqrt(1 - SHARED) * noise
        common, each = rng.normal(size=(2, 1)), rng.normal(size=(2, SPLITS))
        varied = np.sqrt(self.rho) * common + np.sqrt(1 - self.rho) * each
        d = self.distances[:, None] + self.spread * varied
        fold = np.tile(np.arange(self.count) % SPLITS, 2)
        arms = [
            [
                [answers(scores[arm] + truth * d[arm, k], truth, fold == k)]
                for k in range(SPLITS)
            ]
            for arm in (0, 1)
        ]
        everyone = np.ones(len(truth), bool)
        single = [
            answers(scores[arm] + truth * d[arm, 0], truth, everyone)
            for arm in (0, 1)
        ]
        return arms, single


class Learnt:
    """Linear discriminants, each arm of features of its own."""

    def __init__(self, count, distance, *, share):
        self.count, self.share = count, share
        self.means = np.full(FEATURES, distance / np.sqrt(FEATURES))
        self.areas = []

    @property
    def true(self):
        """Mean AUC of the discriminants that were learnt so far."""
        return np.mean(self.areas)

    def draw(self, rng):
        """Predictions of both arms by split."""
        truth = np.repeat([0, 1], self.count)
        shape = len(truth), FEATURES
        own, noise = rng.normal(size=shape), rng.normal(size=(2, *shape))
        features = np.sqrt(0.5) * own + np.sqrt(0.5) * noise
        features += truth[:, None] * self.means
        order = [rng.permutation(self.count) % SPLITS for _ in (0, 1)]
        fold = np.concatenate(order)
        arms = [[], []]
        for k in range(SPLITS):
            rows = self.subset(rng, truth, fold != k)
            for arm, each in zip(arms, features, strict=True):
                weights = self.learn(each[rows], truth[rows])
                arm.append([answers(each @ weights, truth, fold == k)])
        return arms, None

    def subset(self, rng, truth, training):
        """A share of the training subjects of each stage."""
        rows = [np.flatnonzero(training & (truth == s)) for s in (0, 1)]
        return np.concatenate(
            [rng.permutation(r)[: round(self.share * len(r))] for r in rows]
        )

    def learn(self, features, truth):
        """Weights of a discriminant with a shrunken covariance."""
        means = [features[truth == stage].mean(axis=0) for stage in (0, 1)]
        centred = features - np.array(means)[truth]
        covariance = centred.T @ centred / len(centred)
        covariance += 0.5 * np.eye(FEATURES)
        weights = np.linalg.solve(covariance, means[1] - means[0])
        distance = weights @ self.means / np.linalg.norm(weights)
        self.areas.append(norm.cdf(distance / np.sqrt(2)))
        return weights


def answers(scores, truth, rows):
    """Predictions of these test subjects."""
    ones = norm.cdf(scores[rows] - scores[rows].mean())
    odds = np.stack([1 - ones, ones], axis=1)
    return Predictions(np.flatnonzero(rows), truth[rows], odds)


def report(name, cohort, studies):
    """A row of the table of claims."""
    rng = np.random.default_rng(0)
    claims, scores = [], []
    for _ in range(studies):
        (real, own), single = cohort.draw(rng)
        claims.append(claimed(own, real, single, rng))
        row, newcombe = (
            score_row(real, "auc", SPLITS),
            over_subjects(real, "auc"),
        )
        scores.append([row["low"], row["high"], newcombe.low, newcombe.high])
    scores, true = np.array(scores), cohort.true
    held = [
        np.mean((scores[:, k] <= true) & (true <= scores[:, k + 1]))
        for k in (0, 2)
    ]
    shares = [f"{share:.3f}" for share in (*np.mean(claims, axis=0), *held)]
    shares = " | ".join("-" if share == "nan" else share for share in shares)
    print(f"| {name} | {cohort.count} | {true:.3f} | {shares} |", flush=True)


def claimed(own, real, single, rng):
    """Whether each method leaves 0 out."""
    row = difference_row(own, real, "auc", SPLITS)
    values = np.array(row["by_split"])
    corrected = over_trainings(values, SPLITS)
    reach = student.ppf((1 + LEVEL) / 2, SPLITS - 1) * values.std(ddof=1)
    reach /= np.sqrt(SPLITS)
    return [
        row["low"] > 0 or row["high"] < 0,
        corrected.low > 0 or corrected.high < 0,
        abs(values.mean()) > reach,
        np.nan if single is None else bootstrapped(single, rng),
    ]


def bootstrapped(single, rng):
    """Whether resampled test subjects of one split leave 0 out."""
    real, own = (wins(each) for each in single)
    count = len(own)
    share = np.full(count, 1 / count)
    drawn = [rng.multinomial(count, share, size=500) for _ in (0, 1)]
    means = ((drawn[1] @ (own - real)) * drawn[0]).sum(axis=1) / own.size
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return low > 0 or high < 0


def wins(one):
    """Which of the second stage score above which of the first."""
    scores = one.probabilities[:, 1]
    own, others = scores[one.truth == 1], scores[one.truth == 0]
    return (own[:, None] > others[None]).astype(np.float64)


def power(count, true, other, studies):
    """A row of the table of what is seen."""
    rng = np.random.default_rng(0)
    cohort = Signals(count, true, other, spread=0.2)
    rows = []
    for _ in range(studies):
        (real, own), _ = cohort.draw(rng)
        rows.append(difference_row(own, real, "auc", SPLITS))
    shares = [
        np.mean([row["low"] > 0 for row in rows]),
        np.mean([row["detectable"] or 1 for row in rows]),
        np.mean([row["equivalent"] for row in rows]),
    ]
    shares = " | ".join(f"{share:.3f}" for share in shares)
    print(f"| {count} | {true} | {other} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
