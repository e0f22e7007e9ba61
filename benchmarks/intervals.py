"""How often intervals over few subjects hold the mean they are meant to.

Subjects have means of a normal or of an exponential distribution around 0 and
six values each, which vary half as much. `python benchmarks/intervals.py`
counts the cohorts of 600 whose 95 % interval holds 0 (about 15 s).
"""

import numpy as np

from pet_dcgan.metrics import intervals

COHORTS = 600
VALUES = 6
DRAWS = {
    "normal": lambda rng, count: rng.normal(size=count),
    "exponential": lambda rng, count: rng.exponential(size=count) - 1,
}


def main() -> None:
    intervals.MIN_SUBJECTS = 2
    rng = np.random.default_rng(0)
    for name, draw in DRAWS.items():
        for count in (4, 5, 6, 8, 10, 15, 30):
            subjects = np.repeat(np.arange(count), VALUES)
            held = 0
            for seed in range(COHORTS):
                values = draw(rng, count)[subjects]
                values = values + 0.5 * rng.normal(size=len(values))
                found = intervals.mean_interval(values, subjects, seed=seed)
                held += found.low <= 0 <= found.high
            print(f"{name}, {count} subjects: {held / COHORTS:.1%}")


if __name__ == "__main__":
    main()
