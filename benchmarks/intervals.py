"""How often intervals over few subjects hold the mean they are meant to.

Subjects have means of a normal or of an exponential distribution around 0 and
six values each, which vary half as much. `python benchmarks/intervals.py`
counts the cohorts of 600 whose 95 % interval holds 0, for the bootstrap and
for halves (about half a minute).
"""

import numpy as np

from pet_dcgan.metrics import confidence

COHORTS = 600
VALUES = 6
DRAWS = {
    "normal": lambda rng, count: rng.normal(size=count),
    "exponential": lambda rng, count: rng.exponential(size=count) - 1,
}


def main() -> None:
    confidence.MIN_SUBJECTS = 2
    rng = np.random.default_rng(0)
    for name, draw in DRAWS.items():
        for count in (4, 5, 6, 8, 10, 15, 30):
            subjects = np.repeat(np.arange(count), VALUES)
            held = np.zeros(2)
            for seed in range(COHORTS):
                values = draw(rng, count)[subjects]
                values = values + 0.5 * rng.normal(size=len(values))
                held += [
                    found.low <= 0 <= found.high
                    for found in both(values, subjects, seed)
                ]
            shares = " ".join(f"{share:.1%}" for share in held / COHORTS)
            print(f"{name}, {count} subjects: {shares}")


def both(values, subjects, seed):
    return (
        confidence.mean_interval(values, subjects, seed=seed),
        confidence.halves_interval(
            lambda rows: values[rows].mean(), subjects=[subjects], seed=seed
        ),
    )


if __name__ == "__main__":
    main()
