"""A phantom cohort, a prepared set and a short run for other benchmarks."""

from prepare import write_scans

OVERRIDES = {"epochs": 1, "select_every": 0, "patience": 0}


def prepared(folder, scans, config="axial_128"):
    """Makes a cohort of so many subjects and prepares it; its `data_dir`."""
    from tfds_adni.prepare import prepare

    write_scans(folder / "phantom", folder / "scans", scans)
    prepare(folder / "scans", folder / "data", config=config)
    return folder / "data"


def trained(data_dir, path, config="axial_128", **overrides):
    """A finished run of the demo preset, of all stages; one epoch if unset."""
    from pet_dcgan.train import resolve_config, train

    resolved = resolve_config(
        "demo",
        data_dir=data_dir,
        dataset=config,
        stage="ALL",
        overrides=OVERRIDES | overrides,
    )
    return train(resolved, path, verbose=0)
