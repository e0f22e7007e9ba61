"""How volumes are best stored: bytes, and time to pack and to unpack.

Forms that TFDS reads alone: a PNG strip of 4096 x 64 pixels, as slices are
encoded, and its `Tensor` behind zlib at several levels. Beside them forms with
filters before zlib, which a reader would have to undo: what is lost without.
Then both kinds of set through `tfds.load`.

    python benchmarks/volume_format.py DATA_DIR
    python benchmarks/volume_format.py DATA_DIR --no-tfds

DATA_DIR holds a prepared `volume_64`. A minute. Times are processor time, the
least of all rounds; all forms take turns.
"""

import argparse
import io
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import reporting
from PIL import Image

from tfds_adni.volumes.cube import pack_volume
from tfds_adni.volumes.slices import encode_png

SIDE = 64


def packed(level, strategy=zlib.Z_DEFAULT_STRATEGY, before=np.asarray):
    """A function from a volume to zlib's bytes, after a filter."""

    def pack(volume):
        packer = zlib.compressobj(level, strategy=strategy)
        content = np.ascontiguousarray(before(volume)).data
        return packer.compress(content) + packer.flush()

    return pack


def byte_planes(volume):
    """All high bytes before all low ones."""
    parts = (volume >> 8).astype(np.uint8), (volume & 255).astype(np.uint8)
    return np.stack(parts)


def less_the_one_behind(volume):
    """Each voxel less its neighbour along y."""
    return np.diff(volume, axis=1, prepend=np.uint16(0))


def both(volume):
    """Byte planes of the differences."""
    return byte_planes(less_the_one_behind(volume))


RLE = zlib.Z_RLE
PLAIN = {
    "PNG strip": lambda v: encode_png(v.reshape(-1, SIDE)),
    "zlib 1": packed(1),
    "zlib 6": packed(6),
    "zlib, run lengths (chosen)": pack_volume,
}
FILTERED = {
    "differences, run lengths": packed(6, RLE, less_the_one_behind),
    "byte planes, run lengths": packed(6, RLE, byte_planes),
    "both, run lengths": packed(6, RLE, both),
    "both, zlib 6": packed(6, before=both),
}


def unpacked(content):
    """The time is zlib's, or Pillow's for a PNG."""
    if content.startswith(b"\x89PNG"):
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image)
    return zlib.decompress(content)


def measured(volumes, rounds):
    """A row for each form."""
    forms = PLAIN | FILTERED
    times = {name: ([], []) for name in forms}
    sizes = {}
    for _ in range(rounds):
        for name, pack in forms.items():
            start = time.process_time()
            contents = [pack(volume) for volume in volumes]
            middle = time.process_time()
            for content in contents:
                unpacked(content)
            end = time.process_time()
            sizes[name] = np.mean([len(content) for content in contents])
            times[name][0].append(middle - start)
            times[name][1].append(end - middle)
    raw = volumes[0].nbytes
    return [
        {
            "form": name,
            "read by TFDS alone": "yes" if name in PLAIN else "no",
            "KB": sizes[name] / 1000,
            "of raw": sizes[name] / raw,
            "packed, ms": 1000 * min(times[name][0]) / len(volumes),
            "unpacked, ms": 1000 * min(times[name][1]) / len(volumes),
        }
        for name in forms
    ]


def _examples(images):
    return [(number, {"image": image}) for number, image in enumerate(images)]


def loaded(volumes, rounds):
    """Processor time of `tfds.load`, of a set of each kind."""
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    features = {
        "PNG strip": tfds.features.Image(
            shape=(SIDE * SIDE, SIDE, 1), dtype=np.uint16
        ),
        "zlib, run lengths (chosen)": tfds.features.Tensor(
            shape=(SIDE,) * 3, dtype=np.uint16, encoding="zlib"
        ),
    }
    many = [volumes[n % len(volumes)] for n in range(200)]
    times = {name: [] for name in features}
    with tempfile.TemporaryDirectory() as folder:
        sets = {}
        for number, (name, feature) in enumerate(features.items()):
            images = many
            if name == "PNG strip":
                images = [v.reshape(-1, SIDE, 1) for v in many]
            sets[name] = tfds.dataset_builders.store_as_tfds_dataset(
                name=f"form{number}",
                version="1.0.0",
                data_dir=folder,
                split_datasets={"train": _examples(images)},
                features=tfds.features.FeaturesDict({"image": feature}),
            )
        for _ in range(rounds):
            for name, built in sets.items():
                start = time.process_time()
                count = sum(1 for _ in tfds.as_numpy(built.as_dataset("train")))
                times[name].append((time.process_time() - start) / count)
    return [
        {"form": name, "loaded, ms of processor time": 1000 * min(found)}
        for name, found in times.items()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-tfds", action="store_true", help="skip tfds.load")
    reporting.add_out(parser)
    options = parser.parse_args()
    machine = reporting.machine()
    from pet_dcgan.data.prepared_set import load_slices

    where = {"split": "train", "stage": "ALL", "plane": "volume"}
    found = load_slices(options.data_dir, "volume_64", **where)
    volumes = list(found.images[:24])
    rows = measured(volumes, options.rounds)
    reporting.print_table(rows)
    result = {"machine": machine, "rows": rows}
    if not options.no_tfds:
        print()
        result["loaded"] = loaded(volumes, options.rounds)
        reporting.print_table(result["loaded"])
    reporting.write(result, options.out)


if __name__ == "__main__":
    main()
