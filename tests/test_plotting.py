import matplotlib.image
import numpy as np
import pytest

from pet_dcgan.metrics.cuts import three_plane
from pet_dcgan.plotting import mosaic, save_sheet, show_sheet

FLAT = np.full([2, 32, 32], 1.25, np.float32)


def save(path, rows, **options):
    save_sheet(
        path,
        rows,
        **{"title": "AD", "suvr_max": 2.5, "phantom": False} | options,
    )
    return matplotlib.image.imread(path)


def test_a_mosaic_by_hand():
    images = np.arange(1, 4)[:, None, None] * np.ones([1, 1, 2], int)
    assert mosaic(images, 2).tolist() == [[1, 1, 2, 2], [3, 3, 0, 0]]
    assert mosaic(images, 5).tolist() == [[1, 1, 2, 2, 3, 3, 0, 0, 0, 0]]
    images = np.arange(90).reshape(6, 3, 5)
    np.testing.assert_array_equal(mosaic(images, 3)[3:, 10:], images[5])


@pytest.mark.parametrize(
    ("images", "columns"),
    [(np.zeros([0, 2, 2]), 2), (np.zeros([2, 2]), 2), (FLAT, 0)],
)
def test_nothing_to_lay_out_is_refused(images, columns):
    with pytest.raises(ValueError, match="columns above 0"):
        mosaic(images, columns)


def test_128_pixels_are_drawn_one_to_one_in_grey(tmp_path):
    image = np.zeros([1, 128, 128], np.float32)
    image[0, 40:50, 60:80] = 2.5
    picture = save(tmp_path / "a.png", [("", image)])[..., :3]
    bar = picture.shape[1] // 2 + 20
    inside = picture[52:176, 22:bar]
    white = (inside[..., 0] == 1) & (np.ptp(inside, axis=-1) == 0)
    assert white.sum() == pytest.approx(10 * 20, abs=30)


def test_the_scale_is_fixed_and_not_stretched(tmp_path):
    dim = save(tmp_path / "a.png", [("", FLAT)])
    bright = save(tmp_path / "b.png", [("", 2 * FLAT)])
    middle = dim.shape[0] // 2, dim.shape[1] // 3
    assert dim[middle][0] == pytest.approx(0.5, abs=0.01)
    assert bright[middle][0] == 1.0


def test_the_same_input_gives_the_same_bytes(tmp_path):
    rows = [("real", FLAT), ("synthetic", FLAT[:1])]
    save(tmp_path / "a.png", rows)
    save(tmp_path / "b.png", rows)
    first = (tmp_path / "a.png").read_bytes()
    assert first == (tmp_path / "b.png").read_bytes()
    assert b"Software" not in first


def test_a_phantom_is_named_in_the_title(tmp_path):
    rows = [("", FLAT)]
    one = save(tmp_path / "a.png", rows, phantom=True)
    named = save(tmp_path / "b.png", rows, title="AD (phantom)")
    plain = save(tmp_path / "c.png", rows)
    np.testing.assert_array_equal(one, named)
    assert not np.array_equal(one, plain)


def test_a_long_title_fits(tmp_path):
    picture = save(tmp_path / "a.png", [("", FLAT[:1])], title="x" * 80)
    edges = picture[:48, [0, -1], :3]
    assert (edges == 1).all()


def test_images_of_two_sizes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"found \[\(16, 16\), \(32, 32\)\]"):
        save(tmp_path / "a.png", [("", FLAT), ("", FLAT[:, :16, :16])])
    with pytest.raises(ValueError, match="found no row"):
        save(tmp_path / "a.png", [])
    assert not list(tmp_path.iterdir())


def test_volumes_are_three_cuts_with_their_sides_named(tmp_path):
    volumes = np.full([2, 32, 32, 32], 1.25, np.float32)
    one = save(tmp_path / "a.png", [("", volumes)])
    cuts = [("", three_plane(volumes))]
    np.testing.assert_array_equal(
        one, save(tmp_path / "b.png", cuts, cuts=True)
    )
    plain = save(tmp_path / "c.png", cuts)
    assert plain.shape == one.shape
    assert not np.array_equal(one, plain)
    axes = show_sheet([("", volumes)], title="AD", suvr_max=2.5)
    assert axes.get_images()[0].get_size() == (32, 192)
    words = [text.get_text() for text in axes.texts]
    assert words == ["L", "R", "L", "R", "A", "P"] * 2
    places = [text.get_position()[0] for text in axes.texts]
    assert places == sorted(places)
