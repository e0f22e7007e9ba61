"""Damaged and hostile inputs: one line or a sane result, in time and memory.

    make test-fuzz MUTATIONS=20000

or `pytest -m slow tests/test_fuzz.py --mutations 20000 --fuzz-seed 7`.
"""

import pytest
from fuzzing import plan
from fuzzing.drive import drive
from fuzzing.watch import Limits, Worker


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    with Worker(tmp_path_factory.mktemp("fuzzing"), Limits()) as worker:
        yield worker


@pytest.mark.slow
@pytest.mark.parametrize("target", plan.SHARES)
def test_damaged_inputs_are_refused_in_one_line(worker, target, pytestconfig):
    mutations = pytestconfig.getoption("--mutations")
    seed = pytestconfig.getoption("--fuzz-seed")
    count = plan.counts(mutations)[target]
    found = drive(worker, {target: count}, seed=seed)
    print(*found.lines(), sep="\n")
    lines = "\n".join(map(str, found.failures))
    assert not found.failures, lines
    # cases that never got as far as a reader would try nothing
    assert found.cases[target] == count


@pytest.mark.parametrize("target", ["headers", "tables", "xml", "server"])
def test_the_same_seed_gives_the_same_inputs(target, tmp_path):
    module = plan.load(target)
    module.prepare(tmp_path)

    def inputs(seed):
        return [
            module.mutate(tmp_path, plan.dice_of(target, seed, number))
            for number in range(20)
        ]

    assert inputs(1) == inputs(1)
    assert inputs(1) != inputs(2)


def test_counts_are_shares_of_all_mutations():
    counts = plan.counts(20_000)
    assert abs(sum(counts.values()) - 20_000) < 10
    assert counts["headers"] == 10 * plan.SHARES["headers"]
    assert min(plan.counts(1).values()) == 1
