import contextlib
import os

import pytest
from ida_tree import put

from tfds_adni.sources.tree import walk


def below(tree, paths):
    return ["/".join(tree.parts(path)) for path in paths]


def test_files_are_in_order_and_hidden_ones_are_odd(tmp_path):
    put(tmp_path, "b/2", "a b/1", "a/3", "ä/ö ü.nii")
    put(tmp_path, ".x.nii", ".cache/y.nii", ".git/objects/o.nii")
    tree = walk(tmp_path)
    assert below(tree, tree.files) == ["a/3", "a b/1", "b/2", "ä/ö ü.nii"]
    assert below(tree, tree.odd) == [".cache/y.nii", ".x.nii"]
    assert all(reason.startswith("hidden") for reason in tree.odd.values())
    assert len(walk(tmp_path / ".cache").files) == 1


AGAIN = "symbolic link to a folder that is read already"


def test_links(tmp_path):
    put(tmp_path, "secret.nii", "else/x.nii", "scans/a/y.nii")
    scans = tmp_path / "scans"
    for link, target in {
        "alias": "a",
        "b": tmp_path / "else",
        "c": tmp_path / "else",
        "a/root": scans,
        "a/self": "self",
        "a/up.nii": "up.nii",
        "around": tmp_path,
        "gone.nii": "nowhere",
    }.items():
        (scans / link).symlink_to(target)
    tree = walk(scans)
    assert below(tree, tree.files) == ["a/y.nii", "b/x.nii"]
    assert {p.name: reason for p, reason in tree.closed.items()} == {
        "alias": AGAIN,
        "c": AGAIN,
        "root": AGAIN,
        "self": "symbolic link in a circle",
        "up.nii": "symbolic link in a circle",
        "around": "symbolic link to a folder around the one given",
        "gone.nii": "symbolic link that leads nowhere",
    }


@pytest.mark.parametrize("order", [1, -1])
def test_first_link_by_name_is_followed(tmp_path, monkeypatch, order):
    put(tmp_path, "elsewhere/x.nii", "scans/y.nii")
    for name in ("a", "b", "c"):
        (tmp_path / "scans" / name).symlink_to(tmp_path / "elsewhere")
    scandir = os.scandir

    def in_order(path):
        with scandir(path) as entries:
            listed = sorted(entries, key=lambda e: e.name)[::order]
        return contextlib.nullcontext(listed)

    monkeypatch.setattr(os, "scandir", in_order)
    tree = walk(tmp_path / "scans")
    assert below(tree, tree.files) == ["a/x.nii", "y.nii"]


def test_pipe_and_unreadable_folder_have_their_reason(tmp_path, monkeypatch):
    put(tmp_path, "a/x.nii", "b/y.nii")
    os.mkfifo(tmp_path / "z.nii")
    scandir = os.scandir

    def deny(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    tree = walk(tmp_path)
    assert below(tree, tree.files) == ["b/y.nii"]
    assert list(tree.odd.values()) == ["not a regular file"]
    assert list(tree.closed.values()) == [
        "folder cannot be read (Permission denied)"
    ]


def test_path_longer_than_the_system_allows_has_its_reason(tmp_path):
    put(tmp_path, "/".join(["d" * 49] * 8) + "/x.nii")
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=here)
        below_here = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below_here
    os.close(here)
    tree = walk(tmp_path)
    assert [path.name for path in tree.files] == ["x.nii"]
    (reason,) = tree.closed.values()
    assert reason.startswith("folder cannot be read")
