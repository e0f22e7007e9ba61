"""A phantom cohort, a prepared set and a short run for other benchmarks."""

import os

PHANTOMS = {"NC": 4, "MCI": 4, "AD": 4}
OVERRIDES = {"epochs": 1, "select_every": 0, "patience": 0}


def write_scans(phantom, out, count):
    """Links `count` subjects, in turns, to the phantoms' volumes."""
    from tfds_adni.phantom import write_cohort

    write_cohort(phantom, subjects=PHANTOMS, jobs=2)
    (table,) = phantom.glob("Phantom*.csv")
    header, *rows = table.read_text().splitlines()
    baseline = [row for row in rows if '"bl"' in row or ",bl," in row]
    lines = [header]
    for number in range(count):
        row = baseline[number % len(baseline)]
        fields = [field.strip('"') for field in row.split(",")]
        old_image, old_subject = fields[0].lstrip("I"), fields[1]
        image, subject = str(10_000_000 + number), f"999_S_{10_000 + number}"
        (source,) = phantom.rglob(f"*_I{old_image}.nii")
        name = str(source.relative_to(phantom))
        name = name.replace(f"I{old_image}", f"I{image}")
        target = out / name.replace(old_subject, subject)
        target.parent.mkdir(parents=True)
        os.link(source, target)
        row = row.replace(f"I{old_image}", f"I{image}")
        lines.append(row.replace(old_subject, subject))
    (out / table.name).write_text("\n".join(lines) + "\n")
    return sorted(out.rglob("*.nii"))


def prepared(folder, scans, config="axial_128"):
    """Makes a cohort of so many subjects and prepares it; its `data_dir`."""
    from tfds_adni import prepare

    write_scans(folder / "phantom", folder / "scans", scans)
    prepare(folder / "scans", folder / "data", config=config)
    return folder / "data"


def trained(data_dir, path, config="axial_128", **overrides):
    """A finished run of the demo preset, of all stages; one epoch if unset."""
    from pet_dcgan.training.train import resolve_config, train

    resolved = resolve_config(
        "demo",
        data_dir=data_dir,
        dataset=config,
        stage="ALL",
        overrides=OVERRIDES | overrides,
    )
    return train(resolved, path, verbose=0)
