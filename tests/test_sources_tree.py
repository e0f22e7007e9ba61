import contextlib
import os

import pytest

from tfds_adni.sources.tree import parts_below, walk


def below(tree, paths):
    return ["/".join(parts_below(path, tree.root)) for path in paths]


def put(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_files_are_in_order_whatever_order_the_disk_gives(tmp_path):
    put(tmp_path, "b/2", "a b/1", "a/3", "ä/ö ü.nii")
    tree = walk(tmp_path)
    expected = ["a/3", "a b/1", "b/2", "ä/ö ü.nii"]
    assert below(tree, tree.files) == expected


def test_hidden_files_and_what_lies_in_hidden_folders_is_odd(tmp_path):
    put(tmp_path, ".x.nii", ".cache/y.nii", "z.nii", ".git/objects/o.nii")
    tree = walk(tmp_path)
    assert below(tree, tree.files) == ["z.nii"]
    assert below(tree, tree.odd) == [".cache/y.nii", ".x.nii"]
    assert all(reason.startswith("hidden") for reason in tree.odd.values())


def test_a_hidden_root_is_read(tmp_path):
    put(tmp_path, ".scans/x.nii")
    assert len(walk(tmp_path / ".scans").files) == 1


def test_links_to_folders_are_followed_once(tmp_path):
    put(tmp_path, "elsewhere/x.nii", "scans/real/y.nii")
    scans = tmp_path / "scans"
    (scans / "a").symlink_to(tmp_path / "elsewhere")
    (scans / "b").symlink_to(tmp_path / "elsewhere")
    (scans / "alias").symlink_to("real")
    tree = walk(scans)
    assert below(tree, tree.files) == ["a/x.nii", "real/y.nii"]
    assert below(tree, tree.closed) == ["alias", "b"]
    assert set(tree.closed.values()) == {
        "symbolic link to a folder that is read already"
    }


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_links_the_first_by_name_is_followed(
    tmp_path, monkeypatch, order
):
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


def test_links_in_a_circle_end(tmp_path):
    put(tmp_path, "scans/a/x.nii")
    scans = tmp_path / "scans"
    (scans / "a/root").symlink_to(scans)
    (scans / "a/self").symlink_to("self")
    (scans / "a/up.nii").symlink_to("up.nii")
    (scans / "gone.nii").symlink_to("nowhere")
    tree = walk(scans)
    assert below(tree, tree.files) == ["a/x.nii"]
    assert {p.name: reason for p, reason in tree.closed.items()} == {
        "root": "symbolic link to a folder that is read already",
        "self": "symbolic link in a circle",
        "up.nii": "symbolic link in a circle",
        "gone.nii": "symbolic link that leads nowhere",
    }


def test_a_link_to_a_folder_around_the_root_is_not_followed(tmp_path):
    put(tmp_path, "secret.nii", "scans/x.nii")
    (tmp_path / "scans/up").symlink_to(tmp_path)
    tree = walk(tmp_path / "scans")
    assert below(tree, tree.files) == ["x.nii"]
    assert below(tree, tree.closed) == ["up"]


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "x.nii")
    tree = walk(tmp_path)
    assert not tree.files
    assert list(tree.odd.values()) == ["not a regular file"]


def test_a_folder_that_cannot_be_listed_has_its_reason(tmp_path, monkeypatch):
    put(tmp_path, "a/x.nii", "b/y.nii")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    tree = walk(tmp_path)
    assert below(tree, tree.files) == ["b/y.nii"]
    assert list(tree.closed.values()) == [
        "folder cannot be read (Permission denied)"
    ]


@pytest.mark.parametrize("length", [200, 400])
def test_long_paths(tmp_path, length):
    folder = tmp_path
    for _ in range(length // 50):
        folder = folder / ("d" * 49)
    put(folder, "x.nii")
    assert [p.name for p in walk(tmp_path).files] == ["x.nii"]


def test_a_path_longer_than_the_system_allows_has_its_reason(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=here)
        below_here = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below_here
    os.close(here)
    (reason,) = walk(tmp_path).closed.values()
    assert reason.startswith("folder cannot be read")
