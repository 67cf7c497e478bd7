"""Walking distances around barriers, against brute force that knows nothing of sectors or grids."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations, pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

shapely = pytest.importorskip("shapely")
pytest.importorskip("scipy")

from hypothesis import assume, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from numpy.testing import assert_allclose, assert_array_equal  # noqa: E402
from scipy.sparse.csgraph import csgraph_from_dense, shortest_path  # noqa: E402

from kmeans_fast.barriers import travel_distance  # noqa: E402
from kmeans_fast.barriers._lattice import Lattice  # noqa: E402
from kmeans_fast.barriers._sight import clear, cross  # noqa: E402
from kmeans_fast.barriers._walls import cut, noded  # noqa: E402

HALF = np.array([0.37, 0.41])  # from the corners to the homes
SIDE = 6  # of the small maps; their barriers run between integer places
NEAR = 1e-4  # radius of the ring of places that brute force puts around every corner
RING = NEAR * np.exp(1j * (np.arange(12) * np.pi / 6 + 0.1))
RING = np.stack([RING.real, RING.imag], axis=1)

corners = st.tuples(st.integers(0, SIDE), st.integers(0, SIDE))
polylines = st.lists(corners, min_size=2, max_size=4).filter(lambda line: len(set(line)) > 1)
homes = st.lists(corners, min_size=2, max_size=5).map(lambda p: np.array(p) + HALF)


@st.composite
def maps(draw: Any) -> tuple[Any, list[Any], list[Any]]:
    """Homes, lines that touch, cross and overlap as they like, and points on them that are bridges."""
    lines = draw(st.lists(polylines, min_size=1, max_size=4))
    bridges = []
    for line, share in draw(
        st.lists(st.tuples(st.sampled_from(lines), st.sampled_from([0.25, 0.5, 0.75])), max_size=3)
    ):
        a, b = np.array(line[0], float), np.array(line[1], float)
        bridges.append(a + share * (b - a))
    points = draw(homes)
    union = shapely.union_all(pieces_of(lines))
    return points[shapely.distance(union, shapely.points(points)) > 1e-3], lines, bridges


def brute_force(points: Any, walls: Any, gaps: Any = (), bridges: Any = ()) -> Any:
    """Shortest paths over rings of places around every corner; gaps are half as wide as a ring; bridges are edges."""
    union = shapely.union_all(walls)
    corners = np.unique(shapely.get_coordinates(union), axis=0)
    places = (corners[:, None] + RING).reshape(-1, 2)
    for gap in gaps:
        union = union.difference(shapely.Point(gap).buffer(NEAR / 2))
        places = np.concatenate([places, [gap], gap + RING])
    places = np.concatenate([points, np.reshape(bridges, (-1, 2)), places])
    i, j = np.triu_indices(len(places), 1)
    shapely.prepare(union)
    free = ~shapely.intersects(union, shapely.linestrings(np.stack([places[i], places[j]], axis=1)))
    free |= (i - len(points) >= 0) & (j == i + 1) & ((i - len(points)) % 2 == 0) & (j < len(points) + 2 * len(bridges))
    legs = np.full((len(places), len(places)), np.inf)
    legs[i[free], j[free]] = np.hypot(*(places[i[free]] - places[j[free]]).T)
    graph = csgraph_from_dense(np.minimum(legs, legs.T), null_value=np.inf)
    return shortest_path(graph, directed=False, indices=np.arange(len(points)))[:, : len(points)]


def pieces_of(lines: Any) -> Any:
    return shapely.linestrings(np.reshape([piece for line in lines for piece in pairwise(line)], (-1, 2, 2)))


@given(maps())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_small_maps_agree_with_brute_force(city: Any) -> None:
    points, lines, bridges = city
    if len(points):
        travel = travel_distance(points, lines, bridges, unreachable="inf")
        assert_allclose(travel, brute_force(points, pieces_of(lines), bridges), atol=100 * NEAR)


@st.composite
def lakes(draw: Any) -> tuple[Any, list[Any], list[Any], list[Any]]:
    """Homes on land, lines, rectangular lakes that may overlap, and bridges over lakes or lines."""
    lines = draw(st.lists(polylines, max_size=2))
    boxes = []
    for (x, y), wide, high in draw(st.lists(st.tuples(corners, st.integers(1, 3), st.integers(1, 3)), max_size=3)):
        boxes.append(shapely.box(x, y, x + wide, y + high))
    land = ~shapely.intersects(shapely.union_all(boxes), shapely.points(points := draw(homes)))
    walls = [*pieces_of(lines), shapely.boundary(shapely.union_all(boxes))]
    apart = shapely.distance(shapely.union_all(walls), shapely.points(points)) > 1e-3
    bridges = [
        (np.array(a) + HALF, np.array(b) + HALF[::-1])
        for a, b in draw(st.lists(st.tuples(corners, corners), max_size=2))
    ]
    for left, low, right, _ in (box.bounds for box in boxes if draw(st.booleans())):
        bridges.append(((left, low + 0.53), (right, low + 0.47)))
    return points[land & apart], lines, boxes, [np.array(bridge, float) for bridge in bridges]


@given(lakes())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_small_maps_with_lakes_and_bridges_agree_with_brute_force(city: Any) -> None:
    points, lines, boxes, bridges = city
    assume(len(points))
    try:
        travel = travel_distance(points, [*lines, *boxes], bridges, unreachable="inf")
    except ValueError as error:  # the bridge of one lake may end in another
        assume(not re.search("ends inside a polygon|crosses no barrier", str(error)))
        raise
    walls = shapely.union_all([*pieces_of(lines), shapely.boundary(shapely.union_all(boxes))])
    ends = np.array([[bridge[0], bridge[-1]] for bridge in bridges]).reshape(-1, 2, 2)
    on_wall = shapely.distance(walls, shapely.points(ends)) < 1e-9
    outwards = (ends - ends[:, ::-1]) / np.hypot(*(ends - ends[:, ::-1]).transpose(2, 0, 1))[..., None]
    ends = ends + 3 * NEAR * outwards * on_wall[..., None]
    assert_allclose(travel, brute_force(points, walls, bridges=ends), atol=100 * NEAR)


@given(maps())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_travel_is_a_metric_no_shorter_than_the_straight_line(city: Any) -> None:
    points, lines, bridges = city
    if not len(points):
        return
    travel = travel_distance(points, lines, bridges, unreachable="inf")
    assert_array_equal(travel, travel.T)
    assert_array_equal(travel.diagonal(), 0.0)
    assert (travel >= np.hypot(*(points[:, None] - points).transpose(2, 0, 1))).all()
    through = (travel[:, :, None] + travel[None, :, :]).min(axis=1)
    assert (travel <= through * (1 + 1e-12)).all()
    assert (travel_distance(points, lines, (), unreachable="inf") >= travel * (1 - 1e-8)).all()


@given(maps())
@settings(max_examples=30, deadline=None, derandomize=True)
def test_travel_does_not_depend_on_how_the_map_is_drawn(city: Any) -> None:
    points, lines, bridges = city
    if not len(points):
        return
    travel = travel_distance(points, lines, bridges, unreachable="inf")
    backwards = [line[::-1] for line in lines[::-1]]
    assert_allclose(travel_distance(points, backwards, bridges[::-1], unreachable="inf"), travel, rtol=1e-8)
    pieces = [piece for line in lines for piece in pairwise(line) if piece[0] != piece[1]]
    assert_allclose(travel_distance(points, pieces, bridges, unreachable="inf"), travel, rtol=1e-8)
    moved = [4 * np.array(line, float)[:, ::-1] + 1e6 for line in lines]
    far = travel_distance(4 * points[:, ::-1] + 1e6, moved, [4 * b[::-1] + 1e6 for b in bridges], unreachable="inf")
    assert_allclose(far, 4 * travel, rtol=1e-7)
    assert_allclose(travel_distance(points, lines, bridges, to=points, unreachable="inf"), travel, rtol=1e-12)


def test_walls_on_the_grid_meet_at_their_ends_alone() -> None:
    rng = np.random.default_rng(0)
    lattice = Lattice(np.array([[0.0, 0.0], [1.0, 1.0]]))
    walls = noded(lattice.scale(rng.random((80, 2, 2))))
    walls = noded(cut(walls, lattice.snap(rng.random((20, 2)))))
    a, b = walls[:, 0], walls[:, 1]
    sides = [np.sign(cross(b - a, walls[:, None, end] - a)) for end in (0, 1)]
    apart = sides[0] * sides[1]  # of wall i and the line through wall j
    assert not ((apart < 0) & (apart.T <= 0)).any()


def test_a_target_behind_the_very_end_of_a_wall_is_hidden_and_one_beside_it_is_not() -> None:
    big = 2**29
    walls = np.array([[[0, 0], [0, big]]])
    here = np.array([-big, 0])
    targets = np.array([[big, 0], [big, -1], [big, 1], [-1, big], [0, 0]])
    assert clear(here, targets, walls).tolist() == [False, True, False, True, True]


def test_a_wall_on_the_far_side_of_the_cut_of_angles_hides() -> None:
    walls = np.array([[[-5, -3], [-5, 3]]])  # straight to the left, where angles jump from pi to -pi
    targets = np.array([[-9, 0], [-9, 1], [-9, -1], [-9, 6], [-9, -6], [9, 0], [-4, 0]])
    assert clear(np.array([0, 0]), targets, walls).tolist() == [False, False, False, True, True, True, True]


RIVER = [[0.0, -10.0], [0.0, 10.0]]
HOMES = [[-3.0, 4.0], [3.0, 4.0]]


def far_from(barriers: Any, crossings: Any = (), points: Any = HOMES, **kwargs: Any) -> float:
    return float(travel_distance(points, barriers, crossings, **kwargs)[0, 1])


def test_one_walks_round_the_free_end_of_a_river() -> None:
    assert far_from(RIVER) == pytest.approx(2 * np.hypot(3, 6))


def test_a_point_on_the_river_is_a_bridge() -> None:
    assert far_from(RIVER, [[0, 0]]) == pytest.approx(10)
    assert far_from(RIVER, [[0, 4]]) == 6  # straight over it
    assert far_from(RIVER, shapely.Point(0, 0)) == pytest.approx(10)


def test_a_point_near_the_river_is_moved_onto_it_within_the_tolerance() -> None:
    assert far_from(RIVER, [[0.01, 0]]) == pytest.approx(10)
    assert far_from(RIVER, [[0.5, 0]], tolerance=0.5) == pytest.approx(10)
    with pytest.raises(ValueError, match=r"^crossings\[1\] is 0.5 from the nearest barrier and must be within tol"):
        travel_distance(HOMES, RIVER, [[0, 0], [0.5, 0]])


def test_a_river_with_corners_is_followed_around_them() -> None:
    bend = [[-10, 0], [0, 0], [0, -10]]  # homes to both sides of the corner
    assert far_from(bend, points=[[-5, -1], [1, 5]]) == pytest.approx(np.hypot(5, 1) + np.hypot(11, 5))
    inside, outside = [[-1, -4], [-4, -1]], [[1, -4], [-4, 1]]
    assert far_from(bend, points=inside) == pytest.approx(np.hypot(3, 3))
    assert far_from(bend, points=outside) == pytest.approx(2 * np.hypot(1, 4))


def test_a_path_does_not_change_sides_at_a_corner_or_at_a_joint() -> None:
    joint = [[[0, -10], [0, 4]], [[0, 4], [0, 10]]]
    assert far_from(joint) == pytest.approx(2 * np.hypot(3, 6))
    tee = [[[-10, 0], [10, 0]], [[0, 0], [0, 10]]]
    assert far_from(tee) == pytest.approx(2 * np.hypot(3, 6))
    assert far_from(tee, points=[[-3, 4], [-3, -4]]) == pytest.approx(2 * np.hypot(7, 4))


def test_barriers_that_cross_are_opened_together_where_they_cross() -> None:
    cross_ = [[[-10, 0], [10, 0]], [[0, -10], [0, 10]]]
    points = [[-3, 4], [3, -4]]
    assert far_from(cross_, [[0, 0]], points) == pytest.approx(10)
    one = far_from(cross_, [[5, 0]], points)  # one river bridged, the other walked round
    assert one == pytest.approx(np.hypot(3, 6) + np.hypot(5, 10) + np.hypot(2, 4))


def test_a_bridge_is_walked_from_end_to_end() -> None:
    twin = [[[-0.5, -10], [-0.5, 10]], [[0.5, -10], [0.5, 10]]]  # a river beside a railway
    assert far_from(twin, [[[-1, 4], [1, 4]]]) == 6
    assert far_from(twin, [[[-1, 4], [0, 5], [1, 4]]]) == pytest.approx(4 + 2 * np.sqrt(2))
    assert far_from(twin, [shapely.LineString([[-1, 0], [1, 0]])]) == pytest.approx(2 * np.hypot(2, 4) + 2)
    with pytest.raises(ValueError, match=r"^crossings\[0\] crosses no barrier and must cross one"):
        far_from(twin, [[[2, 0], [3, 0]]])


def test_the_bank_of_one_bridge_does_not_lead_along_the_water_to_another() -> None:
    banks = [[[-1, -9], [-1, 9], [1, 9], [1, -9], [-1, -9]]]
    lake = shapely.Polygon(banks[0])
    bridges = [[[-1, 6], [1, 6]], [[-1, -6], [1, -6]]]
    points = [[-1.5, 6], [1.5, -6]]
    for barrier in (banks, lake):
        assert far_from(barrier, bridges, points) == pytest.approx(0.5 + 2 + np.hypot(0.5, 12))


def test_ends_of_bridges_short_of_the_shore_are_moved_onto_it() -> None:
    lake = shapely.box(-1, -1, 1, 1)
    points = [[-3, 0], [3, 0]]
    for bridge in ([[-1, 0], [1, 0]], [[-0.999, 0], [0.999, 0]], [[-1.05, 0], [0.999, 0]], [[-1.05, 0], [2, 0]]):
        assert far_from(lake, [bridge], points) == pytest.approx(6)
    with pytest.raises(ValueError, match=r"^crossings\[0\] ends inside a polygon and must end within tolerance"):
        far_from(lake, [[[-1, 0], [0.5, 0]]], points)
    with pytest.raises(ValueError, match=r"^crossings\[0\] is a point on the rim of a polygon"):
        far_from(lake, [[1, 0]], points)


def test_a_lake_is_walked_round_and_its_island_needs_a_bridge() -> None:
    lake = shapely.Polygon(shapely.box(-2, -2, 2, 2).exterior, [shapely.box(-1, -1, 1, 1).exterior.coords])
    assert far_from(lake, points=[[-4, 0], [4, 0]]) == pytest.approx(2 * np.hypot(2, 2) + 4)
    island = [[-4, 0], [0, 0]]
    assert far_from(lake, points=island, unreachable="inf") == np.inf
    assert far_from(lake, [[[-2, 0], [-1, 0]]], island) == pytest.approx(4)


def test_lakes_that_overlap_are_one_lake() -> None:
    lakes = [shapely.box(-1, -2, 0.2, 2), shapely.box(-0.2, -2, 1, 2)]
    assert far_from(lakes, points=[[-3, 0], [3, 0]]) == pytest.approx(
        far_from(shapely.box(-1, -2, 1, 2), points=[[-3, 0], [3, 0]])
    )


def test_barriers_come_as_geometries_collections_and_arrays() -> None:
    expected = far_from(RIVER)
    lines = (
        shapely.LineString(RIVER),
        shapely.MultiLineString([RIVER]),
        shapely.GeometryCollection([shapely.LineString(RIVER)]),
    )
    for barrier in (*lines, list(lines), np.array(RIVER), np.array([RIVER]), [RIVER], [np.array(RIVER, "i4")]):
        assert far_from(barrier) == expected
    assert far_from([]) == far_from(None) == 6
    places = [shapely.Point(p) for p in HOMES]
    assert far_from(RIVER, points=places) == far_from(RIVER, points=shapely.MultiPoint(places)) == expected


class Geo(list[Any]):
    """What a GeoSeries or GeoDataFrame of geopandas shows of itself here."""

    def __init__(self, items: Any, degrees: bool = False) -> None:
        super().__init__(["geometry"])
        self.geometry, self.crs = np.array([*items, None])[:-1], SimpleNamespace(is_geographic=degrees, name="WGS 84")


def test_geometries_come_in_frames_and_object_arrays_but_not_in_degrees() -> None:
    places, river, bridge = [shapely.Point(p) for p in HOMES], shapely.LineString(RIVER), shapely.Point(0, 0)
    for wrap in (Geo, list, lambda items: np.array([*items, None])[:-1]):
        assert far_from(wrap([river]), wrap([bridge]), wrap(places)) == pytest.approx(10)
    with pytest.raises(ValueError, match=r"^barriers has crs='WGS 84', in degrees, and must be in a plane"):
        far_from(Geo([river], degrees=True))


def test_medoids_of_walks_are_the_best_places_of_schools() -> None:
    pytest.importorskip("kmedoids")
    pytest.importorskip("sklearn")
    from kmeans_fast import KMedoids

    points = np.random.default_rng(0).uniform(-9, 9, (14, 2))
    walk = travel_distance(points, RIVER, [[0, -8]])
    best = min(walk[:, pair].min(axis=1).sum() for pair in combinations(range(14), 2))
    schools = KMedoids(2, metric="precomputed", random_state=0).fit(walk)
    assert schools.inertia_ == pytest.approx(best)
    new = travel_distance([[-5, 5], [5, 5]], RIVER, [[0, -8]], to=points)
    assert_array_equal(schools.predict(new), new[:, schools.medoid_indices_].argmin(axis=1))


def test_a_point_without_a_path_is_named() -> None:
    ring = [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]
    points = [[3, 3], [4, 4], [0.5, 0], [5, 5]]
    with pytest.raises(ValueError, match=r"^points\[2\] is cut off by barriers from most others \(1 of 4 points are\)"):
        travel_distance(points, ring)
    with pytest.raises(ValueError, match=r"^points\[2\] can't reach to\[0\]: add a crossing"):
        travel_distance(points, ring, to=[[9, 9]])
    travel = travel_distance(points, ring, unreachable="inf")
    assert np.isinf(travel).sum() == 6
    assert np.isfinite(travel_distance(points, ring, [[1, 0]])).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 1], [2, 2]], RIVER), r"points\[0\] = \(0.0, 1.0\) lies on a barrier and must lie on one side of it"),
        (([[2, 0], [0, 0]], shapely.box(-1, -1, 1, 1)), r"points\[1\] = \(0.0, 0.0\) lies inside a polygon"),
        (([[2, np.nan]], RIVER), "points has nan in row 0; coordinates must be finite"),
        (([[2, 1, 3]], RIVER), r"points has shape \(1, 3\) and must be \(n >= 1, 2\)"),
        ((HOMES, [[0, np.inf], [1, 1]]), r"barriers\[0\] has inf in row 0"),
        ((HOMES, [[[0, 0]]]), r"barriers\[0\] has shape \(1, 2\) and must be"),
        ((HOMES, RIVER, [[0, np.nan]]), r"crossings\[0\] has nan; coordinates must be finite"),
        ((HOMES, [], [[0, 0]]), r"crossings\[0\] is inf from the nearest barrier and must be within tolerance="),
        ((HOMES, shapely.Polygon([[0, 0], [2, 2], [2, 0], [0, 2]])), "barriers is no valid polygon: Self-intersection"),
    ],
)
def test_bad_places_are_named(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        travel_distance(*arguments)


def test_other_kinds_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^barriers is a Point and must be a line or a polygon"):
        travel_distance(HOMES, shapely.Point(0, 0))
    with pytest.raises(TypeError, match=r"^crossings is a Polygon and must be a point, or a line along a bridge"):
        travel_distance(HOMES, RIVER, shapely.box(0, 0, 1, 1))
    with pytest.raises(TypeError, match=r"^crossings\[0\] must be a geometry or an array of numbers"):
        travel_distance(HOMES, RIVER, [["here", "there"]])
    with pytest.raises(TypeError, match=r"^points must be an array of numbers"):
        travel_distance([["a", "b"]], RIVER)
    with pytest.raises(TypeError, match=r"^barriers=5 must be an array, a geometry or a sequence of these"):
        travel_distance(HOMES, 5)
    with pytest.raises(ValueError, match=r"^unreachable='maybe' must be 'error' or 'inf'"):
        travel_distance(HOMES, RIVER, unreachable="maybe")
    with pytest.raises(ValueError, match=r"^tolerance=-1 must be finite and >= 0"):
        travel_distance(HOMES, RIVER, tolerance=-1)


def test_a_missing_package_is_named_with_its_extra(run_python: Callable[..., str]) -> None:
    told = run_python("import sys; sys.modules['shapely'] = None; import kmeans_fast.barriers", fails=True)
    assert 'barriers needs SciPy and shapely; install them with: pip install "kmeans_fast[barriers]"' in told
