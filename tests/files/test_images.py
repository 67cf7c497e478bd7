"""Pictures become points, and labels become pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")

from PIL import Image

from kmeans_fast.files import FileError, read_points
from kmeans_fast.files.images import write_image

RED, BLUE = (255, 0, 0), (0, 0, 255)
PIXELS = np.array([[RED, BLUE, RED], [BLUE, BLUE, RED]], np.uint8)


def test_the_pixels_of_a_picture_are_points_row_after_row(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    points = read_points(tmp_path / "a.png")
    np.testing.assert_array_equal(points.X, PIXELS.reshape(-1, 3))
    assert points.X.dtype == np.uint8
    assert points.feature_names == ["red", "green", "blue"]
    assert points.picture.shape == (2, 3)
    np.testing.assert_array_equal(read_points(tmp_path / "a.png", ["blue"]).X[:2], [[0], [255]])


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "LA", "CMYK", "I;16"])
def test_every_kind_of_picture_is_read_as_red_green_blue(tmp_path: Path, mode: str) -> None:
    name = "a.tif" if mode == "CMYK" else "a.png"
    Image.new(mode, (4, 3)).save(tmp_path / name)
    points = read_points(tmp_path / name)
    assert points.X.shape == (12, 3)
    assert (points.picture.alpha is not None) == ("A" in mode)


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 0x1234, 0xFFFF]], np.uint16)).save(tmp_path / "a.tif")
    assert read_points(tmp_path / "a.tif").X[:, 0].tolist() == [0, 0x12, 0xFF]
    Image.new("F", (2, 2)).save(tmp_path / "a.tif")
    with pytest.raises(FileError, match="more than 8 bits"):
        read_points(tmp_path / "a.tif")


def test_a_picture_turned_by_its_camera_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (4, 3)).save(tmp_path / "a.jpg", exif=exif)
    assert read_points(tmp_path / "a.jpg").picture.shape == (4, 3)


def test_damaged_pictures_are_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    for name in ("a.png", "a.jpg"):
        path = tmp_path / name
        Image.fromarray(noise).save(path)
        whole = path.read_bytes()
        for length in range(1, len(whole) - 20, 97):
            path.write_bytes(whole[:length])
            with pytest.raises(FileError, match=r"a\.(png|jpg) (can't|is not)"):
                read_points(path)


def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    assert len(read_points(tmp_path / "a.png").X) == 6, "Pillow only warns up to twice the limit"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2)
    with pytest.raises(FileError, match="exceeds limit"):
        read_points(tmp_path / "a.png")


@pytest.mark.parametrize(("n_clusters", "mode"), [(2, "P"), (256, "P"), (257, "RGB")])
def test_labels_are_drawn_in_the_colours_of_their_centroids(tmp_path: Path, n_clusters: int, mode: str) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    points = read_points(tmp_path / "a.png")
    centroids = np.full((n_clusters, 3), 300.0)
    centroids[0] = [0.4, 0.6, 254.6]
    labels = np.where(points.X[:, 0] == 255, n_clusters - 1, 0).astype(np.int32)
    stream = io.BytesIO()
    write_image(stream, points.picture, labels, centroids, "png")
    image = Image.open(stream)
    assert image.mode == mode
    drawn = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(drawn[0], [[255] * 3, [0, 1, 255], [255] * 3])


def test_transparency_is_kept(tmp_path: Path) -> None:
    image = Image.fromarray(PIXELS)
    image.putalpha(77)
    image.save(tmp_path / "a.png")
    points = read_points(tmp_path / "a.png")
    stream = io.BytesIO()
    write_image(stream, points.picture, np.zeros(6, np.int32), np.array([[1.0, 2, 3]]), "png")
    assert np.unique(np.asarray(Image.open(stream)).reshape(-1, 4), axis=0).tolist() == [[1, 2, 3, 77]]
