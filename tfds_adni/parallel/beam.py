"""The examples of a split, made by Apache Beam.

Beam is an extra: `pip install "pet-dcgan[beam]"`.
"""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tfds_adni.parallel.examples import Outcome, Task, make_examples

if TYPE_CHECKING:
    import apache_beam
    from etils import epath


def beam_examples(
    tasks: Sequence[Task], outcomes: "epath.Path"
) -> "apache_beam.PTransform":
    """Returns a transform that makes the examples of a split.

    Args:
        tasks: The scans of the split.
        outcomes: A file that all workers can write, for `read_outcomes`.

    Returns:
        A transform from a pipeline to keys and examples.
    """
    import apache_beam as beam

    @beam.ptransform_fn
    def transform(pipeline):
        made = (
            pipeline
            | "Scans" >> beam.Create(list(tasks))
            | "Spread" >> beam.Reshuffle()
            | "Cut" >> beam.Map(make_examples)
        )
        _ = (
            made
            | "Outcomes" >> beam.Map(lambda pair: dataclasses.asdict(pair[0]))
            | "Collect" >> beam.combiners.ToList()
            | "Write" >> beam.Map(_write_outcomes, path=str(outcomes))
        )
        return made | "Examples" >> beam.FlatMap(lambda pair: pair[1])

    return transform()


def _write_outcomes(rows: list[dict], path: str) -> None:
    """Writes the outcomes of a split; the path may be a bucket's."""
    from etils import epath

    rows = sorted(rows, key=lambda row: row["image_id"])
    epath.Path(path).write_text(json.dumps(rows))


def read_outcomes(path: "epath.Path") -> Iterator[Outcome]:
    """Reads and removes the outcomes that `beam_examples` wrote."""
    rows = json.loads(path.read_text())
    path.unlink()
    return map(Outcome.from_json, rows)
