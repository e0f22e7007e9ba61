"""Runs many cases and reports those that failed."""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fuzzing.watch import Worker

_MOST_KILLED = 5  # of one target; each takes many seconds


@dataclasses.dataclass(frozen=True)
class Failure:
    """A case that failed, and how to run it again."""

    target: str
    seed: int
    number: int
    faults: tuple[str, ...]
    files: Path

    def __str__(self) -> str:
        again = f"--only {self.target} --fuzz-seed {self.seed}"
        faults = "\n  ".join(self.faults)
        return (
            f"{self.target} {self.seed} {self.number}: again with python -m "
            f"fuzzing {again} --number {self.number}; files in {self.files}"
            f"\n  {faults}"
        )


@dataclasses.dataclass
class Result:
    """What was run: by target, and the cases that failed."""

    cases: Counter[str] = dataclasses.field(default_factory=Counter)
    refused: Counter[str] = dataclasses.field(default_factory=Counter)
    seconds: Counter[str] = dataclasses.field(default_factory=Counter)
    failures: list[Failure] = dataclasses.field(default_factory=list)
    peak_bytes: int = 0

    def lines(self) -> Iterator[str]:
        """Yields a line for each target, and one for all."""
        for name, count in self.cases.items():
            yield (
                f"{name}: {count} cases, {self.refused[name]} refused, "
                f"{self.seconds[name]:.1f} s of the processor"
            )
        yield (
            f"{self.cases.total()} cases, {len(self.failures)} failed, at most "
            f"{self.peak_bytes / 2**20:.0f} MiB"
        )


def drive(
    worker: Worker,
    counts: Mapping[str, int],
    *,
    seed: int = 0,
    first: int = 0,
    say: Callable[[str], None] = print,
) -> Result:
    """Runs the cases of each target; those that failed are kept.

    Args:
        worker: Runs them.
        counts: Cases of each target.
        seed: Decides them all.
        first: Number of the first case.
        say: Told of each failure at once.
    """
    result = Result()
    for target, count in counts.items():
        killed = worker.killed
        for number in range(first, first + count):
            answer = worker.run(target, seed, number)
            _count(result, target, answer)
            if answer["faults"]:
                failure = _failure(worker.folder, target, seed, number, answer)
                result.failures.append(failure)
                say(str(failure))
            if worker.killed - killed >= _MOST_KILLED:
                say(f"{target}: {_MOST_KILLED} processes ended; left it")
                break
    return result


def _count(result: Result, target: str, answer: dict) -> None:
    result.cases[target] += 1
    result.refused[target] += bool(answer["refused"])
    result.seconds[target] += answer.get("seconds", 0.0)
    result.peak_bytes = max(result.peak_bytes, answer.get("bytes", 0))


def _failure(
    folder: Path, target: str, seed: int, number: int, answer: dict
) -> Failure:
    """The failure of a case, which is added to a list in the folder."""
    files = folder / "case" / f"{target}-{seed}-{number}"
    failure = Failure(target, seed, number, tuple(answer["faults"]), files)
    line = dataclasses.asdict(failure) | {"files": str(files)}
    with (folder / "failures.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    return failure
