"""How `conditional.py` judges generators, by people nobody trained on.

`fresh` has 100 phantom subjects of each stage. One half of them is what
images are compared with; the other half stands beside the generators, as what
a perfect one would have, and trains the classifier and the reader of
positions. `pairs` has the same invented people with and without the disease.
"""

import json
from pathlib import Path

import numpy as np

STAGES = ("NC", "MCI", "AD")
RESULTS = Path(__file__).with_name("conditional.jsonl")
SPLITS = ("train", "validation", "test")
# latents that one contrast is the mean of, and that identity is looked at for
LATENTS = 128
# a real group difference is of as many subjects as trained a generator
TRAINED = 24
# share of the largest change of the truth from which a pixel is affected
AFFECTED = 0.25


def run(options, tasks):
    """Judges every training that was not judged yet, or prints the table."""
    if options.table:
        from conditional_table import table

        return print(table(read(), size=options.size, steps=options.steps))
    judge = Judge(options.work, options.size)
    done = {(r["arm"], r["seed"], r["steps"], r["size"]) for r in read()}
    if ("real", 0, 0, options.size) not in done:
        write(
            {"arm": "real", "seed": 0, "steps": 0, "size": options.size}
            | judge.real_against_real()
        )
    groups = {}
    for task in tasks:
        key = task.arm, task.seed, options.steps, task.size
        groups.setdefault(key, []).append(task)
    for key, group in groups.items():
        folders = [options.work / "conditional" / t.name for t in group]
        if key in done or not all((f / "done.json").exists() for f in folders):
            continue
        facts = dict(zip(("arm", "seed", "steps", "size"), key, strict=True))
        seconds = sum(
            json.loads((f / "done.json").read_text())["seconds"]
            for f in folders
        )
        found = {
            decay: judge.scores(generators(group, folders, decay))
            for decay in ("0.995", "0.999")
        }
        write(facts | {"seconds": seconds} | found)
        print(key, flush=True)
    return None


def generators(tasks, folders, decay):
    """Function of a stage, seeds and positions that draws images in SUVR."""
    import keras
    import tensorflow as tf

    from pet_dcgan.models.sampling import latents_from_seeds, suvr_from_images

    networks = {
        task.stage: keras.saving.load_model(folder / f"{decay}.keras")
        for task, folder in zip(tasks, folders, strict=True)
    }

    def draw(stage, seeds, positions):
        latents = latents_from_seeds(seeds, 100)
        network = networks.get(stage)
        inputs = latents
        if network is None:
            network = networks["ALL"]
            row = [float(stage == each) for each in STAGES]
            inputs = {
                "latent": latents,
                "stage": tf.constant([row] * len(seeds)),
                "position_mm": tf.constant(positions, tf.float32)[:, None],
            }
        parts = [
            suvr_from_images(network(part, training=False), 2.5).numpy()
            for part in batches(inputs, len(seeds))
        ]
        return np.concatenate(parts)

    draw.conditional = "ALL" in networks
    return draw


def batches(inputs, count, size=64):
    """Parts of tensors, or of a dictionary of them."""
    for first in range(0, count, size):
        rows = slice(first, first + size)
        if isinstance(inputs, dict):
            yield {name: values[rows] for name, values in inputs.items()}
        else:
            yield inputs[rows]


class Real:
    """Slices of one stage: images in SUVR, subjects and positions.

    Args:
        folder: Folder of prepared sets.
        size: Height and width.
        stage: The stage.
        splits: Of the set.
    """

    def __init__(self, folder, size, stage, splits=SPLITS):
        from pet_dcgan.data.prepared_set import NoSlicesError, load_slices
        from pet_dcgan.data.suvr import suvr_from_png

        parts = []
        for split in splits:
            try:
                parts.append(
                    load_slices(
                        folder,
                        f"axial_{size}",
                        split=split,
                        stage=stage,
                        plane="axial",
                    )
                )
            except NoSlicesError:
                continue
        every = slice(None, None, size // 64)  # 12 slices a subject
        suvr = [suvr_from_png(p.images[every], 2.5) for p in parts]
        self.images = np.concatenate(suvr)
        self.subjects = np.concatenate([p.subjects[every] for p in parts])
        self.positions = np.concatenate([p.positions_mm[every] for p in parts])

    def of(self, names):
        """The slices of some subjects."""
        rows = np.isin(self.subjects, list(names))
        found = object.__new__(Real)
        for name in ("images", "subjects", "positions"):
            setattr(found, name, getattr(self, name)[rows])
        return found

    def stack(self, at_mm):
        """A slice of each subject at each position, and who they are."""
        from pet_dcgan.metrics.obedience import slices_at

        return slices_at(
            self.images,
            self.subjects,
            self.positions,
            at_mm=at_mm,
            within_mm=1.6,
        )


class Judge:
    """Scores of generators against phantom people nobody trained on."""

    def __init__(self, work, size):
        from few_subjects_judge import training_slices
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        from pet_dcgan.features.encoder import Encoder
        from pet_dcgan.features.train_encoder import random_encoder
        from pet_dcgan.metrics.centring import centred
        from pet_dcgan.metrics.position import fit_position_reader

        every = {s: Real(work / "fresh" / "data", size, s) for s in STAGES}
        self.halves = []
        for half in range(2):
            chosen = {
                s: np.unique(r.subjects)[half::2] for s, r in every.items()
            }
            self.halves.append({s: every[s].of(chosen[s]) for s in STAGES})
        first, second = self.halves
        self.encoders = {
            "frozen": Encoder.load(
                work.parent / "few" / "encoders" / f"encoder_{size}"
            ),
            "random": random_encoder(first["NC"].images),
        }
        self.features = [
            {
                s: {n: e.features(r.images) for n, e in self.encoders.items()}
                for s, r in half.items()
            }
            for half in self.halves
        ]
        frozen = [self.features[1][s]["frozen"] for s in STAGES]
        self.classifier = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.01, max_iter=2000)
        ).fit(
            np.concatenate(frozen),
            np.repeat(np.arange(3), list(map(len, frozen))),
        )
        self.reader = fit_position_reader(
            *(
                np.concatenate([getattr(r, name) for r in second.values()])
                for name in ("images", "positions", "subjects")
            )
        )
        steps = np.unique(np.round(first["NC"].positions / 3) * 3)
        self.at_mm = np.array([p for p in steps if 3 <= p <= 30])[::3]
        parts = [
            training_slices(work / "few", size, TRAINED, s) for s in STAGES
        ]
        self.train = centred(np.concatenate([p[0] for p in parts]))
        self.owners = np.concatenate([p[1] for p in parts])
        held_out = [
            Real(work / "few" / "data", size, s, ("validation",))
            for s in STAGES
        ]
        self.held_out = centred(np.concatenate([r.images for r in held_out]))
        self.held_out_owners = np.concatenate([r.subjects for r in held_out])
        self.truth = self._truth(work, size)

    def scores(self, draw):
        """Every figure of three generators, or of one that is asked."""
        found = {s: self._compared(draw, s) for s in STAGES}
        found["copies"] = float(
            np.mean([found[s].pop("suspects") for s in STAGES])
        )
        found["accuracy"] = self._accuracy(draw)
        if draw.conditional:
            found |= self._obeyed(draw)
        return found

    def real_against_real(self):
        """The same of one half of the people against the other."""

        def draw(stage, seeds, positions):
            return self.halves[1][stage].images[: len(seeds)]

        found = {}
        for stage in STAGES:
            owners = self.halves[1][stage].subjects
            found[stage] = self._compared(draw, stage, owners)
            found[stage].pop("suspects")
        # the classifier has learned from the second half
        first = self.halves[0]
        answers = {
            s: self.classifier.predict(self.features[0][s]["frozen"])
            for s in STAGES
        }
        found["accuracy"] = _mean_accuracy(answers)
        read = np.concatenate(
            [
                np.abs(self.reader.read(r.images) - r.positions)
                for r in first.values()
            ]
        )
        found["position_mm"] = float(read.mean())
        found["contrast"] = self._real_contrast()
        return found

    def _compared(self, draw, stage, owners=None):
        """Likeness and variety of one stage, and suspected copies."""
        from pet_dcgan.metrics.distribution import (
            kid,
            precision_recall_density_coverage,
        )

        real = self.halves[0][stage]
        made = draw(stage, np.arange(len(real.images)), real.positions)
        found = {}
        for name, encoder in self.encoders.items():
            sides = self.features[0][stage][name], encoder.features(made)
            by = {"subjects": real.subjects}
            by["synthetic_subjects"] = (
                None if owners is None else (owners[: len(made)])
            )
            found[name] = {"kid": kid(*sides, **by).value}
            found[name] |= precision_recall_density_coverage(
                *sides, **by
            )._asdict()
        found["suspects"] = self._suspects(made)
        return found

    def _suspects(self, made):
        """Share of images like one training subject of any stage."""
        from pet_dcgan.metrics.centring import centred
        from pet_dcgan.metrics.memorization import check_memorization

        check = check_memorization(
            self.train,
            self.held_out,
            centred(made),
            train_subjects=self.owners,
            held_out_subjects=self.held_out_owners,
        )
        return len(check.suspects) / len(made)

    def _accuracy(self, draw):
        """Share of images that a real-trained classifier takes for theirs."""
        encoder = self.encoders["frozen"]
        answers = {}
        for stage in STAGES:
            real = self.halves[0][stage]
            made = draw(stage, np.arange(len(real.images)), real.positions)
            answers[stage] = self.classifier.predict(encoder.features(made))
        return _mean_accuracy(answers)

    def _obeyed(self, draw):
        """Position, identity, variety and contrast of a conditional one."""
        from pet_dcgan.metrics.model_contrast import difference
        from pet_dcgan.metrics.obedience import identity_kept, variety

        positions = np.concatenate(
            [r.positions for r in self.halves[0].values()]
        )
        count = len(self.halves[0]["NC"].images)
        errors = []
        for index, stage in enumerate(STAGES):
            wanted = positions[index::3][:count]
            made = draw(stage, np.arange(len(wanted)), wanted)
            errors.append(np.abs(self.reader.read(made) - wanted))
        stacks = {s: self._drawn_stack(draw, s) for s in STAGES}
        model = difference((stacks["NC"], stacks["AD"]))
        truth, affected = self.truth
        varied = [
            variety(stacks[s], self.halves[0][s].stack(self.at_mm)[0]).ratio
            for s in STAGES
        ]
        return {
            "position_mm": float(np.concatenate(errors).mean()),
            "identity": identity_kept(stacks["NC"], stacks["AD"]).share,
            "variety": min(varied),
            "contrast": agreement(model, truth, affected),
        }

    def _drawn_stack(self, draw, stage):
        """Images of the same latents at every position."""
        seeds = np.arange(LATENTS)
        images = [draw(stage, seeds, np.full(LATENTS, at)) for at in self.at_mm]
        return np.stack(images, axis=1)

    def _truth(self, work, size):
        """Stacks without and with the disease, and where it changes them."""
        from pet_dcgan.metrics.model_contrast import difference

        folders = [
            work / "pairs" / name
            for name in ("without_disease", "with_disease")
        ]
        # without the disease nobody is called AD
        stages = "ALL", "AD"
        pair = [
            Real(folder, size, stage)
            for folder, stage in zip(folders, stages, strict=True)
        ]
        shared = np.intersect1d(*(np.unique(r.subjects) for r in pair))
        stacks, names = zip(
            *(r.of(shared).stack(self.at_mm) for r in pair), strict=True
        )
        both = np.intersect1d(*names)
        stacks = [
            stack[np.isin(name, both)]
            for stack, name in zip(stacks, names, strict=True)
        ]
        change = difference(stacks)
        brain = np.mean(stacks[0].mean(axis=0)) / 2 < stacks[0].mean(axis=0)
        moved = np.abs(change - np.median(change[brain]))
        most = np.quantile(moved[brain], 0.99)
        return stacks, moved > AFFECTED * most

    def _real_contrast(self):
        """Differences of as many real people as trained, and their halves."""
        from pet_dcgan.metrics.ceiling import correlation
        from pet_dcgan.metrics.model_contrast import difference
        from pet_dcgan.metrics.regions import brain_mask

        truth, affected = self.truth
        mask = brain_mask(np.mean([x.mean(axis=0) for x in truth], axis=0))
        stacks = {
            s: np.concatenate(
                [half[s].stack(self.at_mm)[0] for half in self.halves]
            )
            for s in ("NC", "AD")
        }
        rng = np.random.default_rng(0)
        halves, rows = [], []
        for _ in range(20):
            drawn = {s: rng.permutation(len(x)) for s, x in stacks.items()}
            pair = [
                difference(
                    [
                        stacks[s][drawn[s][n * TRAINED : (n + 1) * TRAINED]]
                        for s in ("NC", "AD")
                    ]
                )
                for n in range(2)
            ]
            halves.append(correlation(*(each[mask] for each in pair)))
            rows.append(agreement(pair[0], truth, affected))
        mean = {n: float(np.mean([r[n] for r in rows])) for n in rows[0]}
        everyone = difference([stacks["NC"], stacks["AD"]])
        return mean | {
            "halves": float(np.mean(halves)),
            "everyone": agreement(everyone, truth, affected),
            "affected": float(affected[mask].mean()),
        }


def agreement(found, truth, affected):
    """A difference beside the truth's, by pixel and over all of a part.

    `drift` is the mean error outside the affected regions, over the truth's
    mean change inside them: chance, which differs from pixel to pixel, is in
    `outside` and not in it.
    """
    from pet_dcgan.metrics.model_contrast import difference, truth_agreement
    from pet_dcgan.metrics.regions import brain_mask

    wanted = difference(truth)
    mask = brain_mask(np.mean([x.mean(axis=0) for x in truth], axis=0))
    change = np.abs(wanted[mask & affected]).mean()
    drift = abs((found - wanted)[mask & ~affected].mean()) / change
    rows = truth_agreement(found, truth, affected)._asdict()
    return rows | {"drift": float(drift)}


def _mean_accuracy(answers):
    """The mean over stages of the share of right answers."""
    shares = [np.mean(answers[s] == i) for i, s in enumerate(STAGES)]
    return float(np.mean(shares))


def read():
    """The rows there are."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return [json.loads(line) for line in lines]


def write(row):
    """Adds a row, with four digits that say something."""
    from few_subjects_results import rounded

    with RESULTS.open("a") as file:
        file.write(json.dumps(rounded(row)) + "\n")
