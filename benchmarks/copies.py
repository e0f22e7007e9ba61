"""What the check for copies finds in replays and in new subjects, measured.

    pet-dcgan phantom A --seed 0
    pet-dcgan phantom B --seed 777 --subjects NC=24,MCI=1,AD=60
    (both prepared with --config axial_64)
    python benchmarks/copies.py DATA_A DATA_B --config axial_64

A "generator" that replays training slices of A, changed in several ways, and
a healthy one (slices of the AD subjects of B) are checked against A's training
subjects, with A's validation and test subjects held out. Then how often the
C_T test calls new subjects nearer than they are: training, held-out and
"synthetic" subjects are all drawn from both cohorts, a slice counting as one
observation, or a subject.
"""

import argparse

import numpy as np
from features import load
from scipy import ndimage

from pet_dcgan.cli.console import start_tensorflow

COUNT, DRAWS, TRAIN, SYNTHETIC = 200, 200, 16, 40
CHANGES = {
    "as they are": lambda x, rng: x,
    "shifted by 1 pixel": lambda x, rng: np.roll(x, (1, 1), (1, 2)),
    "shifted by 2 and -2": lambda x, rng: np.roll(x, (2, -2), (1, 2)),
    "noise of 0.05 SUVR": lambda x, rng: _noisy(x, 0.05, rng),
    "noise of 0.1 SUVR": lambda x, rng: _noisy(x, 0.1, rng),
    "noise of 0.2 SUVR": lambda x, rng: _noisy(x, 0.2, rng),
    "turned by up to 3 degrees": lambda x, rng: _turned(x, rng),
    "blurred by 3 mm": lambda x, rng: _blurred(x, 2),
    "3 % dimmer": lambda x, rng: x * 0.97,
    "10 % dimmer": lambda x, rng: x * 0.9,
    "means of two": lambda x, rng: (x + rng.permutation(x)) / 2,
    "mirrored": lambda x, rng: x[:, :, ::-1],
}


def _noisy(images, level, rng):
    return images + rng.normal(0, level, images.shape) * (images > 0.05)


def _blurred(images, pixels_of_128):
    sigma = pixels_of_128 * images.shape[1] / 128
    return ndimage.gaussian_filter(images, (0, sigma, sigma))


def _turned(images, rng):
    angles = rng.uniform(-3, 3, len(images))
    return np.stack(
        [
            ndimage.rotate(image, angle, reshape=False, order=1)
            for image, angle in zip(images, angles, strict=True)
        ]
    )


def show_replays(own, held_out, fresh):
    """One row for each "generator"."""
    from pet_dcgan.metrics.memorization import check_memorization

    rng = np.random.default_rng(0)
    replayed = own[0][rng.integers(0, len(own[0]), COUNT)]
    healthy = fresh[0][rng.integers(0, len(fresh[0]), COUNT)]
    tenth = np.concatenate([replayed[: COUNT // 10], healthy[COUNT // 10 :]])
    kinds = {f"replays, {k}": f(replayed, rng) for k, f in CHANGES.items()}
    kinds |= {
        "a tenth replays": tenth,
        "new subjects": healthy,
        "new subjects, blurred by 3 mm": _blurred(healthy, 2),
    }
    print(
        "| images | verdict | twins | nearer | C_T | authenticity (held out) |"
    )
    print("| --- |" + " --- |" * 5)
    for name, images in kinds.items():
        found = check_memorization(
            own[0],
            held_out[0],
            images,
            train_subjects=own[1],
            held_out_subjects=held_out[1],
        )
        print(
            f"| {name} | {found.verdict} | {found.twins:.0%} "
            f"| {found.test.share_nearer:.2f} | {found.test.z_score:+.1f} "
            f"| {found.authenticity:.2f} ({found.held_out_authenticity:.2f}) |"
        )


def show_false_alarms(everyone):
    """How often p is under 0.01 for new subjects, by held-out subjects."""
    from pet_dcgan.metrics.memorization import centred, copy_test

    rows, subjects = centred(everyone[0]), everyone[1]
    names = np.unique(subjects)
    print("| held-out subjects | by slices | by subjects |")
    print("| --- | --- | --- |")
    for held_out in (4, 8, 16):
        alarms = np.zeros(2)
        for draw in range(DRAWS):
            order = np.random.default_rng(draw).permutation(names)
            parts = np.split(order, [TRAIN, TRAIN + held_out])
            parts[2] = parts[2][:SYNTHETIC]
            train, out, new = (np.isin(subjects, part) for part in parts)
            for index, owners in enumerate((None, subjects[out])):
                test = copy_test(
                    rows[train], rows[out], rows[new], held_out_subjects=owners
                )
                alarms[index] += test.p_value < 0.01
        by_slices, by_subjects = alarms / DRAWS
        print(
            f"| {held_out} | {by_slices:.1%} | {by_subjects:.1%} |", flush=True
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trained_on")
    parser.add_argument("fresh")
    parser.add_argument("--config", default="axial_64")
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    own = load(options.trained_on, options.config, "AD", ["train"])
    held_out = load(
        options.trained_on, options.config, "AD", ["validation", "test"]
    )
    fresh = load(
        options.fresh, options.config, "AD", ["train", "validation", "test"]
    )
    show_replays(own, held_out, fresh)
    print()
    # the two cohorts may name different subjects alike
    parts = [*(own, held_out), (fresh[0], np.char.add("new ", fresh[1]))]
    show_false_alarms([np.concatenate([p[i] for p in parts]) for i in (0, 1)])


if __name__ == "__main__":
    main()
