"""Records for what lies in a folder and cannot be used, whatever it holds."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tfds_adni.sources.images import ImageFile
from tfds_adni.sources.names import description_in, image_id_in, subject_in
from tfds_adni.sources.record import ScanRecord
from tfds_adni.sources.tree import parts_below


def refuse(
    paths: Iterable[Path], root: Path, problem: str, *, image_id: str = ""
) -> ScanRecord:
    """Words a record by the names of a path alone.

    Args:
        paths: One file or several that belong together.
        root: The folder of the cohort.
        problem: Why it cannot be used.
        image_id: The image id, where it is known better than from the name.
    """
    paths = tuple(paths)
    names = parts_below(paths[0], root) or (paths[0].name,)
    return ScanRecord(
        paths=paths,
        subject=subject_in(names),
        image_id=image_id or image_id_in(names),
        description=description_in(names),
        problem=problem,
    )


def refuse_images(images: Iterable[ImageFile], root: Path) -> list[ScanRecord]:
    """Words the records of images that cannot be read.

    Args:
        images: Images with a problem.
        root: The folder of the cohort.

    Returns:
        One record for each image, and one for each DICOM series: the files
        of one folder and image id.
    """
    records = []
    series = defaultdict(list)
    for image in images:
        if image.is_dicom:
            image_id = image_id_in(parts_below(image.path, root))
            series[image.path.parent, image_id].append(image)
        else:
            records.append(refuse([image.path], root, image.problem))
    for files in series.values():
        paths = [file.path for file in files]
        records.append(refuse(paths, root, files[0].problem))
    return records
