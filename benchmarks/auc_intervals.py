"""How often intervals of an AUC hold the true one, for few subjects.

Scores are normal with the same spread in both stages (binormal). For each
number of subjects a stage and each true AUC, cohorts are drawn, and the share
is counted whose 95 % interval holds the true AUC, by

* Newcombe's method 5, which `pet_dcgan.metrics.confidence.auc_interval` has;
* the percentile bootstrap within stages, with Hesterberg's correction;
* DeLong's variance (1988, doi 10.2307/2531595) and a normal quantile, on the
  area itself and on its logit; where it is 0 the interval has no width, or
  does not exist, and holds nothing.

`python benchmarks/auc_intervals.py` takes a minute on one core (2,000
cohorts, of them 500 for the bootstrap), `--quick` ten seconds. `three` is the
mean of one-against-the-rest areas of three stages as `study` has it.
"""

import argparse

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student

from pet_dcgan.metrics.confidence import LEVEL, auc_interval
from pet_dcgan.study.intervals import over_subjects
from pet_dcgan.study.scores import Predictions

AREAS = (0.879, 0.917, 0.975, 0.993)
COUNTS = (6, 12, 30)
REACH = norm.ppf((1 + LEVEL) / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    cohorts = 200 if parser.parse_args().quick else 2000
    methods = {
        "Newcombe": newcombe,
        "bootstrap": bootstrap,
        "DeLong": delong,
        "logit": logit_delong,
    }
    print("| subjects a stage | true AUC |", " | ".join(methods), "| three |")
    print("|" + "---|" * (len(methods) + 3))
    for count in COUNTS:
        for area in AREAS:
            rng = np.random.default_rng(0)
            wins = draw_wins(rng, cohorts, count, area)
            held = []
            for name, method in methods.items():
                few = wins[: cohorts // 4] if name == "bootstrap" else wins
                ends = np.array([method(each, rng) for each in few])
                held.append(
                    np.mean((ends[:, 0] <= area) & (area <= ends[:, 1]))
                )
            held.append(three(rng, cohorts // 4, count, area))
            shares = " | ".join(f"{share:.3f}" for share in held)
            print(f"| {count} | {area} | {shares} |", flush=True)


def draw_wins(rng, cohorts, count, area):
    """Whether each of one stage scores above each of the other."""
    others, own = rng.normal(size=(2, cohorts, count))
    own = own + np.sqrt(2) * norm.ppf(area)
    return (own[:, :, None] > others[:, None]).astype(np.float64)


def newcombe(wins, rng):
    found = auc_interval(wins.mean(), *wins.shape)
    return found.low, found.high


def bootstrap(wins, rng):
    """Percentiles of resampled subjects, as `study` once had them."""
    count = len(wins)
    share = np.full(count, 1 / count)
    drawn = [rng.multinomial(count, share, size=1000) for _ in range(2)]
    means = ((drawn[0] @ wins) * drawn[1]).sum(axis=1) / wins.size
    degrees = 2 * count - 2
    reach = np.sqrt(2 * count / degrees) * student.ppf((1 + LEVEL) / 2, degrees)
    return np.quantile(means, norm.cdf([-reach, reach]))


def variance(wins):
    """DeLong's variance of the area."""
    parts = [wins.mean(axis=axis).var(ddof=1) / len(wins) for axis in (0, 1)]
    return sum(parts)


def delong(wins, rng):
    reach = REACH * np.sqrt(variance(wins))
    return wins.mean() - reach, wins.mean() + reach


def logit_delong(wins, rng):
    area = wins.mean()
    if area in (0, 1):
        return area, area
    reach = REACH * np.sqrt(variance(wins)) / (area * (1 - area))
    return expit(logit(area) - reach), expit(logit(area) + reach)


def three(rng, cohorts, count, area):
    """Coverage of three stages' mean area; the truth is that of many."""
    distance = 1.2 * norm.ppf(area)

    def draw(size):
        truth = np.repeat(np.arange(3), size)
        scores = rng.normal(size=(3 * size, 3))
        scores[np.arange(3 * size), truth] += distance
        odds = np.exp(scores)
        odds /= odds.sum(axis=1, keepdims=True)
        return Predictions(np.arange(3 * size), truth, odds)

    true = draw(2000).areas().mean()
    found = [over_subjects([[draw(count)]], "auc") for _ in range(cohorts)]
    return np.mean([each.low <= true <= each.high for each in found])


if __name__ == "__main__":
    main()
