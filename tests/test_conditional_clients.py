"""The clients of export/ ask a conditional model as `generate` does."""

import client_scripts
import numpy as np
import pytest
import stub_server
from client_scripts import one_line, table
from PIL import Image

from pet_dcgan.serving.generate import generate

ASKED = ("--stage", "0.5,0.5,0", "--plane", "coronal", "--count", "3")


@pytest.fixture(autouse=True)
def scripts():
    """The scripts can be imported."""
    with client_scripts.importable():
        yield


@pytest.fixture(scope="module")
def url(conditional_models):
    with stub_server.serve(conditional_models) as stub:
        yield f"{stub.url}/v1/models/conditional"


@pytest.fixture
def rest(tmp_path):
    import rest_client

    out = str(tmp_path / "images")
    return lambda url, *words: rest_client.main([url, "--out", out, *words])


def pixels(folder):
    return [
        np.asarray(Image.open(folder / row["file"])) for row in table(folder)
    ]


def test_files_are_those_of_generate(rest, url, tmp_path):
    assert rest(url, *ASKED, "--seed", "62") == 0
    options = {"stage": (0.5, 0.5, 0), "plane": "coronal", "count": 3}
    generate(url, **options, seed=62, out=tmp_path / "generated")
    found = table(tmp_path / "images")
    assert found == table(tmp_path / "generated")
    assert len({row["position_mm"] for row in found}) == 3
    pairs = (pixels(tmp_path / name) for name in ("images", "generated"))
    np.testing.assert_array_equal(*pairs)


def test_slices_in_suvr_of_a_person_at_a_place(rest, url, tmp_path):
    person = ("--age", "75", "--sex", "M", "--position", "-12.5")
    words = ("--stage", "AD", "--plane", "axial", "--suvr")
    assert rest(url, *words, *person) == 0
    (row,) = table(tmp_path / "images")
    assert row["file"] == "phantom_conditional_ad_0000000.npy"
    assert [row[n] for n in ("position_mm", "age", "sex")] == [
        *("-12.5", "75", "M")
    ]
    assert np.load(tmp_path / "images" / row["file"]).shape == (32, 32)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((), "expected --stage, one of NC, MCI, AD"),
        (("--stage", "AD"), "expected --plane, one of axial, coronal"),
        (("--stage", "AD", "--plane", "sagittal"), "one of axial, coronal"),
        ((*ASKED, "--position", "38"), "--position from -60.5 to 37.3"),
        ((*ASKED, "--age", "20"), "--age from 55 to 90"),
    ],
)
def test_what_the_model_does_not_know(rest, url, capsys, words, part):
    assert rest(url, *words) == 1
    assert part in one_line(capsys.readouterr().err)


@pytest.mark.parametrize("stage", ["XY", "0.5,0.4,0", "nan,0,1", "1,0"])
def test_a_stage_that_is_none(rest, url, capsys, stage):
    with pytest.raises(SystemExit) as stopped:
        rest(url, "--stage", stage)
    assert stopped.value.code == 2
    assert "that sum to 1" in " ".join(capsys.readouterr().err.split())


def test_a_model_without_conditions_is_asked_for_nothing(rest, stub, capsys):
    assert rest(f"{stub.url}/v1/models/ad", "--stage", "AD") == 1
    line = one_line(capsys.readouterr().err)
    assert "expected no --stage: the model has no conditions" in line


def test_a_row_that_the_server_refuses(rest, url, capsys, monkeypatch):
    import wanted

    monkeypatch.setattr(wanted.Asked, "position", lambda *_: 99.0)
    assert rest(url, *ASKED) == 1
    line = one_line(capsys.readouterr().err)
    assert "64 of 64 images were refused (expected position_mm from" in line


def test_over_grpc_the_same(rest, url, conditional_models, tmp_path):
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    import grpc_client
    import stub_grpc

    assert rest(url, *ASKED) == 0
    out = tmp_path / "over_grpc"
    with stub_grpc.serve(conditional_models) as address:
        words = (address, "conditional", "--out", str(out), *ASKED)
        assert grpc_client.main(list(words)) == 0
    for path in (tmp_path / "images").iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()


def test_the_load_test_asks_too(url, capsys):
    import load_test

    words = ("--seconds", "0.2", "--warm-up", "0.05", "--clients", "1")
    assert load_test.main([url, *words, *ASKED[:4]]) == 0
    assert "failed               none" in capsys.readouterr().out
