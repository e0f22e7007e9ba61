import types

import pytest

from pet_dcgan.utils import memory
from pet_dcgan.utils.memory import (
    StepMemory,
    available_memory,
    human_bytes,
    slice_bytes,
    slices_fit,
)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine(free_kb, {"": limit, "job": limit}, own="/job")`."""

    def machine(free_kb, groups=None, own="/"):
        free = types.SimpleNamespace(available=1024 * free_kb)
        monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: free)
        for name, (limit, used, inactive) in (groups or {}).items():
            folder = tmp_path / "cgroup" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "memory.max").write_text(f"{limit}\n")
            (folder / "memory.current").write_text(f"{used}\n")
            stat = f"anon 5\ninactive_file {inactive}\n"
            (folder / "memory.stat").write_text(stat)
        (tmp_path / "self").write_text(f"0::{own}\n")
        monkeypatch.setattr(memory, "_CGROUPS", tmp_path / "cgroup")
        monkeypatch.setattr(memory, "_OWN_GROUP", tmp_path / "self")

    return machine


def test_the_machines_available_memory_is_read(machine):
    machine(free_kb=2000)
    assert available_memory() == 2000 * 1024


def test_a_groups_limit_counts_where_it_is_less(machine):
    # 900 - 500 used, of which 100 are files that would be given back
    machine(free_kb=2000, groups={"": (900, 500, 100)})
    assert available_memory() == 500
    machine(free_kb=2000, groups={"": ("max", 500, 100)})
    assert available_memory() == 2000 * 1024


def test_the_groups_above_count_too(machine):
    machine(
        free_kb=2000,
        groups={
            "": ("max", 0, 0),
            "jobs": (700, 0, 0),
            "jobs/one": (800, 0, 0),
        },
        own="/jobs/one",
    )
    assert available_memory() == 700


def test_a_group_over_its_limit_leaves_nothing(machine):
    machine(free_kb=2000, groups={"": (900, 1500, 0)})
    assert available_memory() == 0


def test_without_groups_the_machine_counts(machine, monkeypatch):
    machine(free_kb=2000, groups={"": (900, 0, 0)})
    monkeypatch.setattr(memory, "_OWN_GROUP", memory._CGROUPS / "absent")
    assert available_memory() == 2000 * 1024


def test_slices_fit_twice_into_half_of_what_is_free(machine):
    one = slice_bytes(1, 128)
    assert one == 2 * 128 * 128
    machine(free_kb=4 * 10 * one // 1024)
    assert slices_fit(10, 128)
    assert not slices_fit(11, 128)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0.1 MB"), (3.2e6, "3.2 MB"), (5.42e8, "542 MB"), (2.4e10, "24.0 GB")],
)
def test_bytes_are_read_by_people(count, text):
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("limit", "batch"),
    [(1000 + 2 * 10, 2), (1000 + 639, 32), (1000 + 640, 64), (1019, 0), (5, 0)],
)
def test_the_batch_that_fits_is_a_power_of_two(limit, batch):
    step = StepMemory(fixed=1000, per_image=10)
    assert step.batch_within(limit, below=1000) == batch
    assert step.of_batch(batch) <= max(limit, 1000)


@pytest.mark.parametrize(
    ("below", "batch"), [(1000, 64), (65, 64), (64, 32), (3, 2), (2, 0)]
)
def test_the_batch_that_fits_is_below_what_did_not(below, batch):
    step = StepMemory(fixed=1000, per_image=10)
    assert step.batch_within(1640, below=below) == batch


def test_devices_share_a_batch_and_not_the_weights():
    step = StepMemory(fixed=1000, per_image=10, replicas=3)
    assert step.of_batch(96) == 1000 + 10 * 32
    assert step.batch_within(1000 + 10 * 32, below=1000) == 96
    assert step.batch_within(1000 + 10 * 31, below=1000) == 48
