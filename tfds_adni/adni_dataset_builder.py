"""The TFDS builder `adni`: a folder of brain PET scans to labelled slices."""

import dataclasses
import hashlib
import importlib.metadata
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from tfds_adni.cohort import Cohort, gather
from tfds_adni.cohort.kinds import space_named
from tfds_adni.cohort.selection import Selection
from tfds_adni.cohort.splits import (
    SPLITS,
    assign_splits,
    require_disjoint_splits,
)
from tfds_adni.configurations import (
    CONFIGURATIONS,
    image_features,
)
from tfds_adni.configurations import (
    AdniConfig as AdniConfig,
)
from tfds_adni.deterministic_writing import (
    DeterministicWriter,
    bounded_shuffling,
)
from tfds_adni.parallel.beam import beam_examples, read_outcomes
from tfds_adni.parallel.examples import (
    Examples,
    Outcome,
    SliceSpec,
    Task,
    make_examples,
)
from tfds_adni.parallel.pool import Pool
from tfds_adni.preparation_report import PreparationReport
from tfds_adni.tables.cells import STAGES
from tfds_adni.volumes.affine_registration import (
    registration_facts,
    require_method,
)
from tfds_adni.volumes.normalisation import Normalisation
from tfds_adni.volumes.pet_template import SPACE
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.slices import VOLUME
from tfds_adni.volumes.templates import NATIVE, space_of
from tfds_adni.volumes.volume import VolumeError

HOMEPAGE = "https://github.com/YOUR_NAME/pet-dcgan"
_CHECKED = ("features.json", "metadata.json", "scans.csv")


class _Metadata(tfds.core.MetadataDict):
    """The data set's facts; saves account and page of its scans beside them.

    TFDS saves metadata last, before it renames the folder to its final name:
    the last moment to reject what was written.
    """

    report: PreparationReport | None = None

    def save_metadata(self, data_dir) -> None:
        if self.report:
            require_disjoint_splits(self.report.written)
            self.update(self.report.facts())
            account = self.report.account().to_csv(index=False)
            epath.Path(data_dir, "scans.csv").write_text(account)
            page = self.report.page()
            epath.Path(data_dir, "scans.html").write_bytes(page)
        super().save_metadata(data_dir)
        _write_checksums(epath.Path(data_dir))


def _write_checksums(folder: epath.Path) -> None:
    """Writes checksums of what says what the records mean and who is in them.

    Records have checksums of their own. `sha256sum -c SHA256SUMS` reads the
    file; training compares.
    """
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if path.name in _CHECKED or path.name.endswith(".labels.txt")
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


class Builder(tfds.core.GeneratorBasedBuilder):
    """DatasetBuilder for labelled slices of ADNI's brain PET.

    Args:
        selection: Which scans are used; the paper's choice where `None`.
        normalisation: What volumes are divided by; the mean of the whole brain
            where `None`.
        reading: How files are read; the defaults where `None`.
        split_seed: Another seed gives another split of the subjects. One
            `data_dir` holds one split: prepare all its configurations with
            the same seed.
        jobs: Number of worker processes; see `Pool`.
        register: `"affine"` registers every scan to a template before it is
            cut; `"none"` cuts them where they lie.
        beam: Makes Apache Beam do the work, with the options in
            `tfds.download.DownloadConfig(beam_options=...)`.
        progress: Called with scans done and scans in all, after each scan.

    Attributes:
        cohort: The result of `gather`, if it was called before.
    """

    VERSION = tfds.core.Version("2.0.0")
    RELEASE_NOTES = {
        "1.0.0": "Initial release.",
        "2.0.0": "The brain's place and mean no longer depend on noise, hot "
        "spots and the body: slices move by up to a millimetre, and their "
        "scale by some percent.",
    }
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "manual_dir is the folder that the PET zips from LONI "
        "(https://ida.loni.usc.edu) were unpacked into, with the "
        "collection's CSV beside them; or a BIDS tree; or a phantom made "
        "with `pet-dcgan phantom FOLDER`."
    )
    BUILDER_CONFIGS = list(CONFIGURATIONS)

    def __init__(
        self,
        *,
        selection: Selection | None = None,
        normalisation: Normalisation | None = None,
        reading: Reading | None = None,
        split_seed: int = 0,
        jobs: int | None = None,
        register: str = "none",
        beam: bool = False,
        progress: Callable[[int, int], None] | None = None,
        **kwargs,
    ) -> None:
        self._selection = selection or Selection()
        self._normalisation = normalisation or Normalisation()
        self._reading = reading or Reading()
        self._split_seed = split_seed
        self._pool = Pool(jobs)
        self._register = register
        self._beam = beam
        require_method(register)
        self.cohort: Cohort | None = None
        self._progress = progress
        super().__init__(**kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        config = self.builder_config
        text = tfds.features.Text()
        facts = {
            "suvr_max": config.suvr_max,
            "spacing_mm": config.spacing_mm,
            "size": config.size,
            "planes": list(config.planes),
            "bands_mm": {
                plane: list(config.bands_mm[plane])
                for plane in config.planes
                if plane != VOLUME
            },
            "selection": self._selection.facts(),
            "normalisation": self._normalisation.facts(),
            "reading": self._reading.facts(),
            "split_seed": self._split_seed,
            "made_by": f"pet-dcgan {importlib.metadata.version('pet-dcgan')}",
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                image_features(config)
                | {
                    "label": tfds.features.ClassLabel(names=list(STAGES)),
                    "subject": text,
                    "scan": text,
                    "visit": text,
                    "date": text,
                    "age": np.float32,
                    "sex": text,
                }
            ),
            supervised_keys=("image", "label"),
            homepage=HOMEPAGE,
            metadata=_Metadata(facts),
        )

    def download_and_prepare(self, **kwargs) -> None:
        """Prepares the data set; see the base class."""
        try:
            with bounded_shuffling():
                super().download_and_prepare(**kwargs)
        finally:
            self._pool.close()

    def _example_writer(self) -> DeterministicWriter:
        return DeterministicWriter(self.info.file_format)

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        folder = Path(dl_manager.manual_dir)
        cohort = self.cohort or gather(
            folder, self._selection, reading=self._reading
        )
        split_of = assign_splits(cohort.stage_of_subject, seed=self._split_seed)
        whole = self.builder_config.planes == (VOLUME,)
        space = NATIVE
        if whole:
            space = space_of(space_named(d.record) for d in cohort.used)
        registration = None
        if self._register != "none":
            space, registration = SPACE, registration_facts()
        self._report = PreparationReport(
            cohort,
            split_of,
            folder,
            volumes=whole,
            space=space,
            registration=registration,
        )
        self.info.metadata.report = self._report
        self.info.metadata["source"] = cohort.source
        tasks = self._tasks(cohort, split_of, space)
        if self._beam:
            return {
                s: beam_examples(tasks[s], self._outcomes(s)) for s in SPLITS
            }
        # One pass over all splits, so that no process waits between two.
        in_order = [task for split in SPLITS for task in tasks[split]]
        made = self._pool.map(make_examples, in_order)
        return {s: self._generate_examples(tasks[s], s, made) for s in SPLITS}

    def _tasks(
        self, cohort: Cohort, split_of: Mapping[str, str], space: str
    ) -> dict[str, list[Task]]:
        """Returns the tasks of each split."""
        fields = [field.name for field in dataclasses.fields(SliceSpec)]
        spec = SliceSpec(**{n: getattr(self.builder_config, n) for n in fields})
        masks = self._normalisation.masks_by_scan()
        tasks = defaultdict(list)
        for decision in cohort.used:
            mask, problem = None, ""
            try:
                mask = masks.of(decision.record) if masks else None
            except VolumeError as error:
                problem = str(error)
            task = Task(
                decision=decision,
                spec=spec,
                method=self._normalisation.method,
                mask=mask,
                problem=problem,
                reading=self._reading,
                space=space,
                register=self._register != "none",
            )
            tasks[split_of[decision.record.subject]].append(task)
        return tasks

    def _generate_examples(
        self,
        tasks: list[Task],
        split: str,
        made: Iterator[tuple[Outcome, Examples]],
    ) -> Iterator[tuple[str, dict]]:
        first = tasks[0].decision.record.image_id
        # TFDS may have left a split before its end (max_examples_per_split).
        mine = itertools.dropwhile(lambda m: m[0].image_id != first, made)
        for outcome, examples in itertools.islice(mine, len(tasks)):
            done, total = self._report.count(outcome, split)
            yield from examples
            if self._progress:
                self._progress(done, total)
        self._report.require_subjects(split)

    def _outcomes(self, split: str) -> epath.Path:
        """Returns the file that Beam writes a split's outcomes to."""
        return epath.Path(self.data_dir) / f"outcomes-{split}.json"

    def _process_pipeline_result(self, pipeline_result) -> None:
        for split in SPLITS:
            for outcome in read_outcomes(self._outcomes(split)):
                self._report.count(outcome, split)
            self._report.require_subjects(split)
