"""What a caller may hand over, as arrays: points, barriers as lines and areas, crossings as points and bridges."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LINES = (shapely.LineString, shapely.MultiLineString, shapely.LinearRing)
AREAS = (shapely.Polygon, shapely.MultiPolygon)


def as_points(value: Any, name: str) -> Floats:
    """Check an array of places, shape (n >= 1, 2); shapely Points, a sequence or a MultiPoint, are places too."""
    value = _geometries_of(value, name)
    if isinstance(value, shapely.MultiPoint) or isinstance(next(iter(value), None), shapely.Point):
        value = [(p.x, p.y) for p in shapely.get_parts(value).tolist()]
    try:
        points = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers: {str(error).rstrip('.')}.") from None
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"{name} has shape {points.shape} and must be (n >= 1, 2): x and y of each place.")
    _check_finite(points, name)
    return points


def as_barriers(barriers: Any) -> tuple[list[Floats], Any]:
    """Return lines as arrays of vertices, the rims of areas among them, and the union of the areas or None."""
    lines, areas = [], []
    for name, item in _named(barriers, "barriers", alone=2):
        for part in shapely.get_parts(item).tolist():  # of a collection, a multi-part geometry or a single one
            parts = shapely.get_parts(part)
            if isinstance(part, LINES):
                lines += [shapely.get_coordinates(line) for line in parts]
            elif isinstance(part, AREAS):
                if not part.is_valid:
                    raise ValueError(f"{name} is no valid polygon: {shapely.is_valid_reason(part)}.")
                areas.append(part)
            else:
                raise TypeError(f"{name} is a {part.geom_type} and must be a line or a polygon.")
    area = shapely.union_all(areas) if areas else None
    if area is not None:  # lakes that overlap are one, and have one rim
        lines += [shapely.get_coordinates(rim) for rim in shapely.get_parts(shapely.boundary(area))]
    return [line for line in lines if len(line) > 1], area


def as_crossings(crossings: Any) -> list[tuple[str, Floats]]:
    """Return (name, vertices): one for a point, two or more for a bridge."""
    out = []
    for name, item in _named(crossings, "crossings", alone=1):
        parts = shapely.get_parts(item).tolist()
        for part in parts:
            if not isinstance(part, shapely.Point | shapely.LineString) or part.is_empty:
                raise TypeError(f"{name} is a {item.geom_type} and must be a point, or a line along a bridge.")
            out.append((name, shapely.get_coordinates(part)))
    return out


def _named(value: Any, name: str, alone: int) -> list[tuple[str, Any]]:
    """Give (name, geometry) of each item; an array of `alone` dimensions is an item."""
    if value is None:
        return []
    value = _geometries_of(value, name)
    if isinstance(value, shapely.Geometry):
        items = [(name, value)]
    else:
        if _is_row(value, alone):
            value = [value]
        items = [(f"{name}[{i}]", item) for i, item in enumerate(value)]
    return [(label, _geometry(item, label)) for label, item in items]


def _geometries_of(value: Any, name: str) -> Any:
    """Take the geometries out of a GeoDataFrame, unless they are in degrees; refuse what is no sequence."""
    crs = getattr(value, "crs", None)
    if getattr(crs, "is_geographic", False):
        raise ValueError(
            f"{name} has crs={getattr(crs, 'name', crs)!r}, in degrees, and must be in a plane: use to_crs."
        )
    value = getattr(value, "geometry", value)
    if not isinstance(value, shapely.Geometry) and not hasattr(value, "__iter__"):
        raise TypeError(f"{name}={value!r} must be an array, a geometry or a sequence of these.")
    return value


def _is_row(value: Any, alone: int) -> bool:
    """Say whether nested sequences are `alone` deep: numbers after so many steps."""
    for _ in range(alone):
        if isinstance(value, shapely.Geometry) or not hasattr(value, "__len__") or not len(value):
            return False
        value = next(iter(value))
    return isinstance(value, int | float | np.number)


def _geometry(item: Any, name: str) -> Any:
    if not isinstance(item, shapely.Geometry):
        try:
            array = np.asarray(item, np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} must be a geometry or an array of numbers: {str(error).rstrip('.')}.") from None
        if array.shape != (2,) and (array.ndim != 2 or array.shape[1] != 2 or len(array) < 2):
            raise ValueError(f"{name} has shape {array.shape} and must be (2,), a point, or (n >= 2, 2), a line.")
        _check_finite(array, name)
        item = shapely.Point(array) if array.ndim == 1 else shapely.LineString(array)
    _check_finite(shapely.get_coordinates(item), name)
    return item


def _check_finite(array: Floats, name: str) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        row = "" if array.ndim == 1 else f" in row {np.argwhere(~finite)[0][0]}"
        raise ValueError(f"{name} has {array[~finite][0]}{row}; coordinates must be finite.")
