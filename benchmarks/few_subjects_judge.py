"""How `few_subjects.py` judges what an arm draws, by people nobody trained on.

The encoder is trained before any arm runs, on people of all stages who are
neither trained on nor compared with. Real images of one half of the fresh
people stand beside those of the other half: that is what a perfect generator
would have.
"""

import numpy as np

STAGE = "AD"
# 12 slices of a subject are compared: at 128 pixels every second one
_EVERY = {64: 1, 128: 2}


def slices_of(folder, size, splits, stage=STAGE):
    """Slices in SUVR `[n, size, size]`, their subjects and positions."""
    from pet_dcgan.data.prepared_set import load_slices
    from pet_dcgan.data.suvr import suvr_from_png

    parts = [
        load_slices(
            folder / "data",
            f"axial_{size}",
            split=split,
            stage=stage,
            plane="axial",
        )
        for split in splits
    ]
    suvr = [suvr_from_png(p.images, p.meta.suvr_max) for p in parts]
    return (
        np.concatenate(suvr),
        np.concatenate([p.subjects for p in parts]),
        np.concatenate([p.positions_mm for p in parts]),
    )


def training_slices(folder, size, count, stage=STAGE):
    """Slices of the first so many training subjects, as `slices_of` gives."""
    parts = slices_of(folder, size, ("train",), stage)
    chosen = np.isin(parts[1], np.unique(parts[1])[:count])
    return tuple(part[chosen] for part in parts)


def kept_encoder(path, parts):
    """An encoder of some slices, trained once and kept."""
    from pet_dcgan.features.encoder import Encoder
    from pet_dcgan.features.train_encoder import train_encoder

    if path.exists():
        return Encoder.load(path)
    images, subjects, positions = parts()
    encoder = train_encoder(
        images, positions_mm=positions, subjects=subjects, seed=0
    )
    path.parent.mkdir(exist_ok=True)
    encoder.save(path)
    return encoder


def _all_stages(folder, size, splits):
    """As `slices_of`, of all stages together."""
    parts = [slices_of(folder, size, splits, s) for s in ("NC", "MCI", "AD")]
    return tuple(map(np.concatenate, zip(*parts, strict=True)))


class Judge:
    """Scores of images against people whom nobody trained on.

    Args:
        work: Folder of the cohorts.
        cohort: Whose training split the arms are trained on.
        count: How many of its training subjects.
        size: Height and width of an image.
    """

    def __init__(self, work, cohort, count, size):
        from pet_dcgan.features.train_encoder import random_encoder
        from pet_dcgan.metrics.centring import centred

        every = ("train", "validation", "test")
        self.folder, self.size = work / cohort, size
        images, owners, _ = slices_of(work / "fresh", size, every)
        every_nth = slice(None, None, _EVERY[size])
        images, owners = images[every_nth], owners[every_nth]
        names = np.unique(owners)
        first = np.isin(owners, names[: len(names) // 2])
        self.halves = (
            (images[first], owners[first]),
            (
                images[~first],
                owners[~first],
            ),
        )
        parts = training_slices(self.folder, size, count)
        self.suvr, self.trained, _ = parts
        self.train = centred(self.suvr)
        held_out, self.held_out_owners, _ = slices_of(
            work / cohort, size, ("validation",)
        )
        self.held_out = centred(held_out)
        kept = work / "encoders"
        frozen = kept_encoder(
            kept / f"encoder_{size}",
            lambda: _all_stages(work / "encoder", size, every),
        )
        self.encoders = {
            "frozen": frozen,
            "random": random_encoder(self.suvr),
        }
        self.own = kept_encoder(
            kept / f"{cohort}_{count}_{size}", lambda: parts
        )
        self.real = {
            name: encoder.features(self.halves[0][0])
            for name, encoder in self.encoders.items()
        }
        self.validation = self.own.features(held_out)

    def scores(self, draw, *, full=False):
        """Every figure of a generator.

        Args:
            draw: Gives images in SUVR of seeds.
            full: Whether to take what costs more time as well.
        """
        made = draw(np.arange(len(self.halves[0][0])))
        found = {"own": self._own(made)} | self._compared(made, None)
        found["copies"] = self._copies(made)
        if full:
            found |= self._variety(made, None)
        return found

    def real_against_real(self):
        """The same of one half of the fresh people against the other."""
        made, owners = self.halves[1]
        found = self._compared(made, owners) | self._variety(made, owners)
        found["copies"] = self._copies(made)
        return found

    def training(self):
        """The KID of the training people themselves."""
        from pet_dcgan.metrics.distribution import kid

        return {
            name: {
                "kid": kid(
                    self.real[name],
                    encoder.features(self.suvr),
                    subjects=self.halves[0][1],
                    synthetic_subjects=self.trained,
                ).value
            }
            for name, encoder in self.encoders.items()
        }

    def _own(self, made):
        """What a training itself can see: validation and training people."""
        from pet_dcgan.metrics.distribution import kid

        features = self.own.features(made[:256])
        found = kid(self.validation, features, subjects=self.held_out_owners)
        return {"val_kid": found.value}

    def _compared(self, made, owners):
        from pet_dcgan.metrics.distribution import (
            kid,
            precision_recall_density_coverage,
        )

        found = {}
        for name, encoder in self.encoders.items():
            sides = self.real[name], encoder.features(made)
            by_subject = {
                "subjects": self.halves[0][1],
                "synthetic_subjects": owners,
            }
            prdc = precision_recall_density_coverage(*sides, **by_subject)
            value = kid(*sides, **by_subject).value
            found[name] = {"kid": value} | prdc._asdict()
        return found

    def _copies(self, made):
        """How near images lie to training people, beside held-out ones."""
        from pet_dcgan.metrics.centring import centred
        from pet_dcgan.metrics.memorization import check_memorization

        check = check_memorization(
            self.train,
            self.held_out,
            centred(made),
            train_subjects=self.trained,
            held_out_subjects=self.held_out_owners,
        )
        return {
            "suspects": len(check.suspects) / len(made),
            "median_ratio": float(np.median(check.ratios)),
            "mixtures": check.mixtures.synthetic,
            "share_nearer": check.test.share_nearer,
            "authenticity": check.authenticity,
        }

    def _variety(self, made, owners):
        """MS-SSIM of pairs, and how regions vary, beside real images."""
        from pet_dcgan.metrics.image_quality import diversity
        from pet_dcgan.metrics.region_statistics import set_agreement
        from pet_dcgan.metrics.regions import regional_uptake

        real, subjects = self.halves[0]
        pairs = diversity(
            made, dynamic_range=2.5, pairs=500, subjects=owners
        ).values
        agreement = set_agreement(
            regional_uptake(real), regional_uptake(made), subjects=subjects
        )
        return {
            "ms_ssim": float(np.mean(pairs)),
            "regions": {
                "correlation": agreement.correlation,
                "sd_factor": agreement.sd_factor,
            },
        }
