"""Damaged and hostile files of a run: one line with a remedy, or no effect."""

import io
import json
import os
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest
from toy_networks import own_generator

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.models.network_config import describe
from pet_dcgan.runs.run import Run

NAME = "generator.keras"
STORE, FACTS = "model.weights.h5", "metadata.json"


def refused(action, *words):
    """The one line that an action is refused with, which has the words."""
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        action()
    line = str(caught.value)
    for word in words:
        assert word in line, (word, line)
    assert "\n" not in line
    assert "\x1b" not in line
    assert len(line) < 1000
    for raw in ("Error(", "codec", "Errno", "NoneType", "Traceback"):
        assert raw not in line, line
    return line


def mutations(content, rng, count):
    """Copies of a file with some bytes changed, cut, doubled or emptied."""
    for number in range(count):
        damaged = bytearray(content)
        for place in rng.integers(len(content), size=1 + number % 4):
            damaged[place] ^= 1 << rng.integers(8)
        if number % 5 == 4:
            damaged = damaged[: rng.integers(len(content))]
        yield bytes(damaged)


def unpacked(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def pack(path, members, compression=zipfile.ZIP_STORED):
    """Writes an archive, its checksums right."""
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)


# --- generator.keras ----------------------------------------------------------


def test_any_damage_to_a_generator_is_seen_or_without_effect(make_run):
    run = make_run()
    path, rng = run.path / NAME, np.random.default_rng(0)
    wanted = run.load_generator().get_weights()
    seen = 0
    for damaged in mutations(path.read_bytes(), rng, 40):
        path.write_bytes(damaged)
        try:
            found = run.load_generator().get_weights()
        except ValueError:
            seen += 1
            refused(run.load_generator, str(path), "--resume")
            continue
        for one, other in zip(wanted, found, strict=True):
            np.testing.assert_array_equal(one, other)
    assert seen > 25


def test_no_part_of_a_generator_is_parsed_as_hdf5(make_run, monkeypatch):
    """Mutated HDF5 of right checksums makes its library wait without end."""
    run = make_run()
    path, rng = run.path / NAME, np.random.default_rng(1)
    parts = unpacked(path)
    monkeypatch.setattr(h5py, "File", None)
    for damaged in mutations(parts[STORE], rng, 20):
        pack(path, parts | {STORE: damaged})
        try:
            weights = run.load_generator().get_weights()
        except ValueError:
            refused(run.load_generator, str(path))
        else:
            assert all(np.isfinite(each).all() for each in weights)


def places(parts, change):
    facts = json.loads(parts[FACTS])
    change(facts)
    return parts | {FACTS: json.dumps(facts)}


def with_place(**entries):
    return lambda parts: places(
        parts, lambda facts: facts["weights"][0].update(entries)
    )


def lambda_layer(parts):
    """The network of a file that would run code where Keras read it."""
    layer = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__", "config": {}}},
    }
    return parts | {"config.json": json.dumps(layer), STORE: b"none"}


HOSTILE = {
    "bomb": lambda parts: parts | {STORE: bytes(2**26)},
    "long text": lambda parts: parts | {"config.json": b" " * 2**22},
    "brackets": lambda parts: parts | {FACTS: b"[" * 10**5},
    "one more": lambda parts: parts | {"../../evil": b"1"},
    "one less": lambda parts: {FACTS: parts[FACTS], STORE: parts[STORE]},
    "negative": with_place(begin=-4),
    "beyond": with_place(begin=2**62),
    "huge": with_place(begin=10**400),
    "no number": with_place(begin=[0]),
    "shape": with_place(shape=[2**40, 2**40]),
    "no places": lambda parts: places(parts, lambda f: f.pop("weights")),
    "few places": lambda parts: places(parts, lambda f: f["weights"].pop()),
    "Lambda": lambda_layer,
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_generator_is_refused(make_run, change):
    run = make_run()
    path = run.path / NAME
    pack(path, change(unpacked(path)), zipfile.ZIP_DEFLATED)
    refused(run.load_generator, str(path), "remove it")


def test_weights_that_are_not_finite_are_refused(make_run):
    run = make_run()
    generator = run.load_generator()
    weights = generator.get_weights()
    weights[-1][0] = np.nan
    generator.set_weights(weights)
    run.save_generator(generator)
    refused(run.load_generator, "not finite")


def test_another_network_is_refused(make_run, tiny_model):
    run = make_run()
    run.save_generator(tiny_model().discriminator)
    refused(run.load_generator, "another network")


def test_keras_reads_the_file_too(make_run):
    run = make_run()
    latent = np.ones([2, 6], np.float32)
    loaded = keras.models.load_model(run.path / NAME)
    np.testing.assert_array_equal(loaded(latent), run.load_generator()(latent))


# --- what may lie in the place of any file ------------------------------------


def folder(path):
    path.mkdir()


def pipe(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    "make",
    [
        folder,
        pipe,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\0" * 100),
        lambda path: path.write_bytes(b"\xff\xfe{}"),
        lambda path: path.write_bytes(b"[" * 10**5),
        lambda path: path.write_bytes(b'{"size": ' + b"9" * 5000 + b"}"),
        lambda path: path.write_bytes(b'subject,split\n"a,train\n' * 9),
        lambda path: path.write_bytes(b"subject,split\n" + b"a" * 200_000),
    ],
    ids=["folder", "pipe", "empty", "zeros", "16", "[", "9", '"', "cell"],
)
@pytest.mark.parametrize("name", ["config.json", "subjects.csv"])
def test_anything_in_place_of_a_file_is_one_line(make_run, name, make):
    run = make_run(finished=False)
    path = run.path / name
    path.unlink()
    make(path)
    refused(lambda: Run.open(run.path), str(path), "restore it or train again")


def test_a_file_in_place_of_a_run_is_one_line(tmp_path):
    (tmp_path / "run").touch()
    refused(lambda: Run.open(tmp_path / "run"), "expected a run folder")


# --- networks.json; what it may name is in test_network_config.py -------------


@pytest.fixture
def own_run(tiny_config, tmp_path):
    """A finished run of a generator of the user's own."""
    config = tiny_config()
    network = own_generator(config)
    networks = {"generator": describe(network)}
    run = Run.create(tmp_path / "own", config, ["a"], (), networks)
    run.save_generator(network)
    return Run.open(run.path)


def unsummed(run, text):
    """Writes `networks.json` as somebody who means harm would."""
    (run.path / "SHA256SUMS").unlink(missing_ok=True)
    (run.path / "networks.json").write_bytes(text)


def test_every_wrong_byte_of_networks_is_seen(own_run):
    path, rng = own_run.path / "networks.json", np.random.default_rng(5)
    for damaged in mutations(path.read_bytes(), rng, 60):
        path.write_bytes(damaged)
        refused(lambda: Run.open(own_run.path), "networks.json", "restore it")
    # nor may one be put into a run that had none
    sums = own_run.path / "SHA256SUMS"
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(n for n in lines if "networks" not in n))
    refused(lambda: Run.open(own_run.path), "networks.json")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 10**5,
        b'{"generator": 3}',
        b'{"critic": {}}',
        b'{"generator": {}, "more": {}}',
        b" " * 2**22,
        b'{"generator": {"units": NaN}}',
    ],
    ids=["empty", "list", "none", "[", "3", "critic", "more", "large", "NaN"],
)
def test_other_networks_are_refused(own_run, text):
    unsummed(own_run, text)
    refused(lambda: Run.open(own_run.path), "networks.json", "restore it")


def test_a_hostile_network_is_refused_when_it_is_built(own_run):
    path = own_run.path / "networks.json"
    whole = path.read_text()
    dense = next(
        layer
        for layer in json.loads(whole)["generator"]["config"]["layers"]
        if layer["class_name"] == "Dense"
    )
    hostile = dense | {"class_name": "Lambda"}
    endless = dense | {"config": dense["config"] | {"units": 10**9}}
    for changed, words in (
        (hostile, "found Lambda"),
        (endless, "more weights than"),
    ):
        text = whole.replace(json.dumps(dense), json.dumps(changed))
        assert text != whole
        unsummed(own_run, text.encode())
        run = Run.open(own_run.path)
        refused(run.load_generator, str(path), words)


def test_a_run_that_lost_its_networks_is_no_other(own_run):
    (own_run.path / "networks.json").unlink()
    run = Run.open(own_run.path)
    refused(run.load_generator, "another network")


# --- one wrong byte -----------------------------------------------------------


@pytest.mark.parametrize("name", ["config.json", "subjects.csv"])
def test_every_wrong_byte_of_what_never_changes_is_seen(make_run, name):
    run = make_run(finished=False)
    path, rng = run.path / name, np.random.default_rng(2)
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        line = refused(lambda: Run.open(run.path), str(run.path))
        assert name in line or "recipe" in line
    path.write_bytes(whole)
    assert Run.open(run.path).subjects == run.subjects


def test_another_subject_is_no_held_out_one(make_run):
    """The leak: a subject trained on, renamed, is judged on."""
    run = make_run()
    path = run.path / "subjects.csv"
    path.write_text(path.read_text().replace("999_S_3000", "999_S_3009"))
    line = refused(lambda: Run.open(run.path), "checksum", str(path))
    assert DataLeakageError.__name__ not in line


def test_a_damaged_list_of_checksums_is_one_line(make_run):
    run = make_run()
    path = run.path / "SHA256SUMS"
    for text in (b"\xff", b"x  config.json\n", b"\0" * 99, b""):
        path.write_bytes(text)
        refused(lambda: Run.open(run.path), "SHA256SUMS")
    path.unlink()
    folder(path)
    refused(lambda: Run.open(run.path), str(path), "found a folder")


def test_a_notebook_shows_a_run_of_damaged_logs(make_run):
    run, rng = make_run(), np.random.default_rng(4)
    log = b"epoch,d_loss,g_loss\n1,1.2,0.8\n2,1.1,0.9\n"
    (run.path / "selection.csv").mkdir()
    os.mkfifo(run.path / "health.csv")
    (run.path / "samples").mkdir()
    os.mkfifo(run.path / "samples" / "epoch_0001.png")
    for damaged in [*mutations(log, rng, 200), b"epoch\n" + b"9" * 200_000]:
        (run.path / "log.csv").write_bytes(damaged)
        assert "Run: AD" in run._repr_html_()


# --- an archive of arrays in general is in test_array_files.py ----------------


def test_a_copy_is_as_good_as_the_run(make_run, tmp_path):
    run = make_run()
    shutil.copytree(run.path, tmp_path / "copy")
    assert Run.open(tmp_path / "copy").config == run.config
    buffer = io.BytesIO((tmp_path / "copy" / NAME).read_bytes())
    assert zipfile.ZipFile(buffer).testzip() is None
