"""Pictures: their pixels as points, and labels as a picture of few colours."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ._common import FileError, Source, need, one_line
from .points import Columns, Points, choose

CHANNELS = ["red", "green", "blue"]
FORMATS = {"png": "PNG", "jpg": "JPEG", "bmp": "BMP", "tif": "TIFF", "webp": "WebP"}


@dataclass(frozen=True)
class Picture:
    """What the pixels alone don't say: the picture's size and how transparent it is.

    Attributes
    ----------
    shape : (height, width)
    alpha : ndarray of uint8 of shape (height, width), or None
    """

    shape: tuple[int, int]
    alpha: npt.NDArray[np.uint8] | None


def read_image(source: Source, wanted: Columns) -> Points:
    """Read a picture as uint8 points red, green, blue, row after row, upright.

    Transparency is no feature; it is kept aside for `write_image`.

    Raises
    ------
    FileError
        If it can't be decoded, is truncated, or is larger than Pillow thinks safe.
    """
    image_module = need("PIL.Image", "reading images")
    turn = need("PIL.ImageOps", "reading images").exif_transpose
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 million pixels and refuses from 179 million: that is enough.
            warnings.simplefilter("ignore", image_module.DecompressionBombWarning)
            with source.open() as stream, image_module.open(stream) as opened:
                image = turn(opened)
                alpha = None
                if image.has_transparency_data:
                    image = image.convert("RGBA")
                    alpha = np.asarray(image.getchannel("A"))
                if image.mode.startswith("I;16"):  # which Pillow would clip
                    image = image_module.fromarray((np.asarray(image) >> 8).astype(np.uint8))
                if image.mode in {"I", "F"}:
                    raise ValueError(f"mode {image.mode} has more than 8 bits a channel")
                pixels = np.asarray(image.convert("RGB"))
    except image_module.UnidentifiedImageError:
        raise FileError(f"{source.name} is not an image that Pillow can read.") from None
    except (OSError, SyntaxError, ValueError, image_module.DecompressionBombError) as error:
        raise FileError(f"{source.name} can't be read as an image: {one_line(error)}.") from None
    X = pixels.reshape(-1, 3)
    features, _, _ = choose(CHANNELS, wanted, source.name)
    if features != [0, 1, 2]:
        X = X[:, features]
    return Points(
        X,
        [CHANNELS[i] for i in features],
        picture=Picture((pixels.shape[0], pixels.shape[1]), alpha),
    )


def write_image(
    stream: BinaryIO,
    picture: Picture,
    labels: npt.NDArray[Any],
    centroids: npt.NDArray[Any],
    form: str,
) -> None:
    """Write the picture with every pixel in the colour of its centroid.

    Up to 256 colours make a palette PNG, a third of the size.

    Parameters
    ----------
    stream : binary file
    picture : Picture
        Of the image that the points came from.
    labels : ndarray of shape (n_samples,)
    centroids : ndarray of shape (n_clusters, 3)
        Colours, 0 to 255.
    form : str
        One of `FORMATS`.
    """
    image_module = need("PIL.Image", "writing images")
    colours = np.clip(np.rint(centroids), 0, 255).astype(np.uint8)
    if form == "png" and picture.alpha is None and len(colours) <= 256:
        image = image_module.fromarray(labels.astype(np.uint8).reshape(picture.shape))
        image.putpalette(colours.tobytes())
    else:
        image = image_module.fromarray(colours[labels].reshape(*picture.shape, 3))
        if picture.alpha is not None and form in {"png", "webp", "tif"}:
            image.putalpha(image_module.fromarray(picture.alpha))
    image.save(stream, FORMATS[form], **({"quality": 95} if form in {"jpg", "webp"} else {}))
