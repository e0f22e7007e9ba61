"""The same examples made by Apache Beam, on one machine or on many.

Apache Beam is an extra: `pip install "pet-dcgan[beam]"`.
"""

import contextlib
import dataclasses
import io
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from etils import epath

from tfds_adni.parallel.examples import Outcome, Task, make_examples

if TYPE_CHECKING:
    import apache_beam

# What TFDS's own part of the pipeline says.
_EMPTY = re.compile(r"generated examples is 0 for split (\w+)")


def pipeline_options(text: str) -> "apache_beam.pipeline.PipelineOptions":
    """Reads Beam's own options.

    Args:
        text: As on Beam's command lines, such as
            `--runner=DirectRunner --direct_num_workers=2`.

    Raises:
        ImportError: If Apache Beam is not installed.
        ValueError: If Beam does not understand them.
    """
    options = _beam().options.pipeline_options.PipelineOptions
    said = io.StringIO()
    try:
        # argparse prints what is wrong and exits.
        with contextlib.redirect_stderr(said):
            parsed = options(shlex.split(text))
            parsed.get_all_options()
    except (SystemExit, ValueError) as error:
        lines = said.getvalue().strip().splitlines() or [str(error)]
        raise ValueError(
            f"expected options of Apache Beam, found {text!r} "
            f"({lines[-1].rpartition('error: ')[2]}); see docs/scaling-out.md"
        ) from None
    return parsed


def examples_of(
    tasks: Sequence[Task], account: epath.Path
) -> "apache_beam.PTransform":
    """Returns a transform that makes the examples of a split.

    Args:
        tasks: The scans of the split.
        account: A file that all workers can write, for what became of them.

    Returns:
        A transform from a pipeline to keys and examples.
    """
    beam = _beam()

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
            | "Outcomes" >> beam.Map(_outcome)
            | "Collect" >> beam.combiners.ToList()
            | "Account" >> beam.Map(_write, path=str(account))
        )
        return made | "Examples" >> beam.FlatMap(_examples)

    return transform()


@contextlib.contextmanager
def worded_errors() -> Iterator[None]:
    """Puts what stops a pipeline in one line; Beam logs the rest itself.

    Raises:
        ValueError: If a split is left without examples.
        RuntimeError: If Beam stops for another reason.
    """
    try:
        yield
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if empty := _EMPTY.search(text):
            raise ValueError(
                f"expected usable scans for the {empty[1]} split, found none; "
                "prepare without --beam-options to see why"
            ) from None
        raise RuntimeError(
            f"expected Apache Beam to finish, found {text[:200]}; its log "
            "above says more"
        ) from error


def read_outcomes(account: epath.Path) -> Iterator[Outcome]:
    """Reads and removes what `examples_of` wrote of a split."""
    rows = json.loads(account.read_text())
    account.unlink()
    return (
        Outcome(**row | {"subjects": tuple(row["subjects"])}) for row in rows
    )


def _outcome(made: tuple) -> dict:
    return dataclasses.asdict(made[0])


def _examples(made: tuple) -> list:
    return made[1]


def _write(rows: list[dict], path: str) -> None:
    rows = sorted(rows, key=lambda row: row["image_id"])
    epath.Path(path).write_text(json.dumps(rows))


def _beam():
    """Imports Apache Beam."""
    try:
        import apache_beam
    except ImportError as error:
        raise ImportError(
            "expected Apache Beam for --beam-options, found no module "
            f"{error.name}; install it with: "
            'pip install "pet-dcgan[beam]"'
        ) from None
    return apache_beam
