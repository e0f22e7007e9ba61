import types

import pytest

from pet_dcgan.utils import memory
from pet_dcgan.utils.memory import (
    StepMemory,
    available_memory,
    human_bytes,
    images_fit,
    stored_bytes,
)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine(free_kb, {"job": (limit, used, cached)}, own="/job")`."""

    def machine(free_kb, groups=(), own=None):
        free = types.SimpleNamespace(available=1024 * free_kb)
        monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: free)
        for name, (limit, used, inactive) in dict(groups).items():
            folder = tmp_path / "cgroup" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "memory.max").write_text(f"{limit}\n")
            (folder / "memory.current").write_text(f"{used}\n")
            stat = f"anon 5\ninactive_file {inactive}\n"
            (folder / "memory.stat").write_text(stat)
        if own is not None:
            (tmp_path / "self").write_text(f"0::{own}\n")
        monkeypatch.setattr(memory, "_CGROUPS", tmp_path / "cgroup")
        monkeypatch.setattr(memory, "_OWN_GROUP", tmp_path / "self")

    return machine


@pytest.mark.parametrize(
    ("groups", "own", "expected"),
    [
        ({}, "/", 2000 * 1024),
        # 900 - 500 used, of which 100 are cached files
        ({"": (900, 500, 100)}, "/", 500),
        ({"": ("max", 500, 100)}, "/", 2000 * 1024),
        ({"": (900, 1500, 0)}, "/", 0),
        # the least of the groups above counts too
        (
            {"": ("max", 0, 0), "jobs": (700, 0, 0), "jobs/one": (800, 0, 0)},
            "/jobs/one",
            700,
        ),
        # a system without control groups
        ({"": (900, 0, 0)}, None, 2000 * 1024),
    ],
)
def test_what_a_machine_and_its_groups_leave(machine, groups, own, expected):
    machine(2000, groups, own)
    assert available_memory() == expected


def test_slices_fit_twice_into_half_of_what_is_free(machine):
    one = stored_bytes((1, 128, 128))
    assert one == 2 * 128 * 128
    machine(4 * 10 * one // 1024)
    assert images_fit((10, 128, 128))
    assert not images_fit((11, 128, 128))


def test_volumes_fit_twice_into_half_of_what_is_free(machine):
    one = stored_bytes((1, 16, 16, 16))
    assert one == 2 * 16**3
    machine(4 * 10 * one // 1024)
    assert images_fit((10, 16, 16, 16))
    assert not images_fit((11, 16, 16, 16))


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0.1 MB"), (3.2e6, "3.2 MB"), (5.42e8, "542 MB"), (2.4e10, "24.0 GB")],
)
def test_bytes_are_read_by_people(count, text):
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("limit", "below", "replicas", "batch"),
    [
        (1000 + 2 * 10, 1000, 1, 2),
        (1000 + 639, 1000, 1, 32),
        (1000 + 640, 1000, 1, 64),
        (1019, 1000, 1, 0),
        (5, 1000, 1, 0),
        (1640, 65, 1, 64),
        (1640, 64, 1, 32),
        (1640, 3, 1, 2),
        (1640, 2, 1, 0),
        # devices share a batch and not the weights
        (1000 + 10 * 32, 1000, 3, 96),
        (1000 + 10 * 31, 1000, 3, 48),
    ],
)
def test_the_largest_batch_that_fits(limit, below, replicas, batch):
    step = StepMemory(fixed=1000, per_image=10, replicas=replicas)
    assert step.batch_within(limit, below=below) == batch
    assert step.of_batch(batch) == 1000 + 10 * batch / replicas
