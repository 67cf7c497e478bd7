"""Bad input: one sentence with name, value and rule; ValueError for values, TypeError for types."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from kmeans_fast import kmeans, predict

X = np.arange(10.0).reshape(5, 2)


def with_value(value: float, dtype: Any = np.float64, order: Any = "C") -> Any:
    bad = np.array(X, dtype, order=order)
    bad[3, 1] = bad[4, 0] = value
    return bad


def check(error: type[Exception], message: str, **arguments: Any) -> None:
    arguments = {"X": X, "n_clusters": 2, **arguments}
    with pytest.raises(error, match="^" + message) as caught:
        kmeans(**arguments)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


# X


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_nan_and_infinity_are_named_with_the_first_row_and_column(dtype, order, value, name):
    message = rf"X contains {name} in row 3, column 1; every value must be finite"
    check(ValueError, message, X=with_value(value, dtype, order))
    with pytest.raises(ValueError, match=message):
        predict(with_value(value, dtype, order), X[:2])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nan_in_the_last_row_is_named_however_many_blocks_come_before(dtype):
    big = np.zeros((400_000, 9), dtype)
    big[399_999, 8] = np.nan
    with pytest.raises(ValueError, match=r"^X contains NaN in row 399999, column 8;"):
        kmeans(big, 2)
    with pytest.raises(ValueError, match=r"^X contains NaN in row 399999, column 8;"):
        predict(big, np.eye(2, 9))


def test_nan_in_a_sample_of_weight_zero_is_an_error_too():
    check(ValueError, "X contains NaN in row 3, column 1", X=with_value(np.nan), sample_weight=[1, 1, 1, 0, 0])


@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce")
def test_an_infinity_beside_its_opposite_is_found():
    bad = X.copy()
    bad[1, 0], bad[2, 0] = np.inf, -np.inf
    check(ValueError, "X contains infinity in row 1, column 0", X=bad)
    with pytest.raises(ValueError, match="X contains infinity in row 1, column 0"):
        predict(bad, X[:2])


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.arange(5.0), ValueError, r"X has shape \(5,\) and must be 2-dimensional .*X\.reshape\(-1, 1\)"),
        (np.zeros((2, 2, 2)), ValueError, r"X has shape \(2, 2, 2\) and must be 2-dimensional"),
        (3.0, ValueError, r"X has shape \(\) and must be 2-dimensional"),
        (np.zeros((0, 2)), ValueError, r"Found array with 0 sample\(s\) \(shape=\(0, 2\)\) while a minimum of 1"),
        (np.zeros((3, 0)), ValueError, r"Found array with 0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1"),
        ([], ValueError, r"X has shape \(0,\) and must be 2-dimensional"),
        ([[1, 2], [3]], ValueError, r"X must be a rectangular array .* ragged"),
        ([["a", "b"], ["c", "d"]], TypeError, r"X has dtype <U1 and must hold real numbers"),
        ("abc", ValueError, r"X='abc' must be an array, or a path that ends in \.npy, "),
        (np.array([[b"a"]]), TypeError, r"X has dtype \|S1 and must hold real numbers"),
        (np.array([[1, 2], [3, "x"]], object), ValueError, r"X has 'x' in row 1, column 1: every entry must be a real"),
        (np.array([[1, 2j]], object), TypeError, r"X has 2j in row 0, column 1: every entry must be a real number"),
        (np.array([[1, None], [2, 3]], object), ValueError, r"X contains NaN in row 0, column 1"),
        (X + 1j, ValueError, r"Complex data not supported: X has dtype complex128 and must be real"),
        (np.zeros((3, 2), "M8[s]"), TypeError, r"X has dtype datetime64\[s\] and must hold real numbers"),
        (np.zeros(3, [("a", float)]), TypeError, r"X has dtype .* and must hold real numbers"),
        (np.ma.masked_array(X, X == 4), ValueError, r"X has masked entries; fill or drop them first"),
        ([[1e200], [0], [0]], ValueError, r"X has values too large: their squares overflow float64; scale X down"),
    ],
)
def test_an_x_that_is_no_table_of_finite_reals_is_refused(bad, error, message):
    check(error, message, X=bad, n_clusters=1)


@pytest.mark.parametrize("form", ["csr_matrix", "coo_array"])
def test_a_sparse_x_is_refused_by_kmeans_and_predict(form):
    sparse = getattr(pytest.importorskip("scipy.sparse"), form)(X)
    message = rf"X is sparse \({form}\); a dense array is required: .*toarray\(\)"
    check(TypeError, message, X=sparse, n_clusters=1)
    with pytest.raises(TypeError, match=message):
        predict(sparse, X[:2])


def test_an_int_that_no_float_holds_is_refused_by_its_place():
    check(ValueError, "X has 1000.* in row 1, column 0", X=np.array([[1], [10**400]], object), n_clusters=1)


def test_a_mask_without_masked_entries_and_objects_that_are_numbers_are_taken():
    assert kmeans(np.ma.masked_array(X, False), 2, random_state=0).inertia == 20.0
    assert kmeans(X.astype(object), 2, random_state=0).inertia == 20.0


# n_clusters and the other numbers


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (0, ValueError, r"n_clusters=0 must be >= 1"),
        (-1, ValueError, r"n_clusters=-1 must be >= 1"),
        (6, ValueError, r"n_clusters=6 must be <= n_samples=5\."),
        (2**40, ValueError, r"n_clusters=1099511627776 must be >= 1 and <= 2147483647"),
        (2.0, TypeError, r"n_clusters=2\.0 must be an int"),
        (True, TypeError, r"n_clusters=True must be an int"),
        ("2", TypeError, r"n_clusters='2' must be an int"),
        (None, TypeError, r"n_clusters=None must be an int"),
        (np.float64(2), TypeError, r"n_clusters=.* must be an int"),
    ],
)
def test_n_clusters_is_an_int_from_1_to_n_samples(value, error, message):
    check(error, message, n_clusters=value)


def test_n_clusters_is_no_more_than_the_samples_of_positive_weight():
    check(ValueError, r"n_clusters=2 must be <= 1, the number of samples with sample_weight > 0\.",
          sample_weight=[0, 0, 1, 0, 0])  # fmt: skip


@pytest.mark.parametrize("name", ["n_init", "max_iter", "n_threads"])
@pytest.mark.parametrize(
    ("value", "error", "rule"),
    [(0, ValueError, ">= 1"), (-3, ValueError, ">= 1"), (1.5, TypeError, "an int"), (True, TypeError, "an int")],
)
def test_counts_are_ints_of_at_least_one(name, value, error, rule):
    check(error, rf"{name}={value} must be {rule}", **{name: value})


def test_numpy_ints_are_ints():
    r = kmeans(X, np.int64(2), n_init=np.int32(2), max_iter=np.uint8(9), n_threads=np.int16(1), random_state=0)
    assert len(r.restarts) == 2


def test_strings_and_large_numbers_of_threads_are_refused():
    check(ValueError, r"n_init='many' must be an int >= 1 or 'auto'", n_init="many")
    check(TypeError, r"max_iter='x' must be an int", max_iter="x")
    check(ValueError, r"n_threads=5000 must be >= 1 and <= 4096", n_threads=5000)


@pytest.mark.parametrize("name", ["tol", "max_time"])
@pytest.mark.parametrize(
    ("value", "error", "rule"),
    [
        (-1, ValueError, "finite and"),
        (np.nan, ValueError, "finite and"),
        (np.inf, ValueError, "finite and"),
        ("x", TypeError, "a number"),
        (True, TypeError, "a number"),
        (1j, TypeError, "a number"),
        ([1], TypeError, "a number"),
    ],
)
def test_tol_and_max_time_are_finite_numbers(name, value, error, rule):
    check(error, rf"{name}={re.escape(repr(value))} must be {rule}", **{name: value})


def test_tol_may_be_zero_and_max_time_may_not():
    assert kmeans(X, 2, tol=0, random_state=0).stop_reason == "labels unchanged"
    check(ValueError, r"max_time=0 must be finite and > 0\.", max_time=0)
    check(TypeError, r"tol=None must be a number\.", tol=None)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"algorithm": "elkan2"}, ValueError, r"algorithm='elkan2' must be one of 'auto', 'lloyd'"),
        ({"algorithm": 3}, ValueError, r"algorithm=3 must be one of"),
        ({"callback": 3}, TypeError, r"callback=3 must be callable"),
        ({"random_state": -1}, ValueError, r"random_state=-1 must be >= 0"),
        ({"random_state": "x"}, TypeError, r"random_state='x' must be None, an int, a numpy RandomState or a Gener"),
    ],
)
def test_the_other_arguments_are_named_with_their_values(arguments, error, message):
    check(error, message, **arguments)


# Weights


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ([1, 2], ValueError, r"sample_weight has shape \(2,\) and must be \(n_samples,\) = \(5,\)"),
        (np.ones((5, 1)), ValueError, r"sample_weight has shape \(5, 1\) and must be"),
        ([1, -1, 1, 1, 1], ValueError, r"sample_weight has -1\.0 in row 1; it must be finite and >= 0"),
        ([1, 1, np.nan, 1, 1], ValueError, r"sample_weight has nan in row 2; it must be finite and >= 0"),
        ([1, 1, 1, 1, np.inf], ValueError, r"sample_weight has inf in row 4; it must be finite and >= 0"),
        (np.zeros(5), ValueError, r"sample_weight is zero everywhere; at least one must be > 0"),
        (["a"] * 5, ValueError, r"sample_weight must be an array of numbers"),
        ([1j] * 5, TypeError, r"sample_weight must be an array of numbers"),
        ([[1], [2, 3]], ValueError, r"sample_weight must be an array of numbers"),
        pytest.param(
            np.ones(5, complex), TypeError, r"sample_weight must be an array of numbers",
        ),
        pytest.param(
            np.ma.masked_array(np.ones(5), [1, 0, 0, 0, 0]), ValueError, r"sample_weight has masked entries",
        ),
        pytest.param(
            np.full(5, 1e308), ValueError, r"sample_weight has values too large",
        ),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_weights_are_one_finite_number_of_at_least_zero_a_sample(bad, error, message):
    check(error, message, sample_weight=bad)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float16, np.float32, ">f8", object])
def test_weights_of_any_real_dtype_and_layout_are_taken(dtype):
    weight = np.array([1, 9, 1, 9, 0, 9, 1, 9, 1, 9]).astype(dtype)[::2]
    assert kmeans(X, 2, sample_weight=weight, random_state=0).inertia == 8.0
    assert kmeans(X, 2, sample_weight=weight.tolist(), random_state=0).inertia == 8.0


# Starts


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (None, ValueError, r"init=None must be one of 'k-means\+\+', .*, an array or a callable\.$"),
        (3, ValueError, "init=3 must be one of"),
        ("kmeans", ValueError, r"init='kmeans' must be one of 'k-means\+\+', .*'random', 'random-part.*', an array"),
        (np.zeros((3, 2)), ValueError, r"init has shape \(3, 2\) and must be \(n_clusters, n_features\) = \(2, 2\)"),
        (np.zeros((2, 3)), ValueError, r"init has shape \(2, 3\) and must be \(n_clusters, n_features\) = \(2, 2\)"),
        (np.zeros(2), ValueError, r"init has shape \(2,\) and must be"),
        ([[np.nan, 0], [0, 0]], ValueError, r"init has nan in row 0, column 0; it must be finite"),
        ([["a", "b"], ["c", "d"]], ValueError, r"init must be an array of numbers"),
        ([[1, 2], [3]], ValueError, r"init must be an array of numbers"),
        pytest.param(
            np.zeros((2, 2), complex), TypeError, r"init must be an array of numbers",
        ),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_a_start_is_a_known_name_or_a_finite_array_of_the_right_shape(bad, error, message):
    check(error, message, init=bad)


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (None, ValueError, r"init\(\.\.\.\) has shape \(\) and must be \(n_clusters, n_features\) = \(2, 2\)"),
        ("abc", ValueError, r"init\(\.\.\.\) must be an array of numbers"),
        (X, ValueError, r"init\(\.\.\.\) has shape \(5, 2\) and must be"),
        (np.full((2, 2), np.inf), ValueError, r"init\(\.\.\.\) has inf in row 0, column 0; it must be finite"),
        ([[1, 2], [3]], ValueError, r"init\(\.\.\.\) must be an array of numbers"),
    ],
)
def test_rubbish_from_a_callable_start_is_refused(returned, error, message):
    check(error, message, init=lambda X, k, random_state: returned)


# predict


@pytest.mark.parametrize(
    ("centroids", "error", "message"),
    [
        (np.zeros((2, 3)), ValueError, r"X has 2 features and must have 3, as the centroids"),
        (np.zeros(2), ValueError, r"centroids has shape \(2,\) and must be \(n_clusters >= 1, n_features >= 1\)"),
        (np.zeros((0, 2)), ValueError, r"centroids has shape \(0, 2\) and must be"),
        ([[np.nan, 0]], ValueError, r"centroids has nan in row 0, column 0; it must be finite"),
        ("a", ValueError, r"centroids must be an array of numbers"),
    ],
)
def test_predict_refuses_centroids_that_do_not_fit(centroids, error, message):
    with pytest.raises(error, match="^" + message):
        predict(X, centroids)


@pytest.mark.filterwarnings("error")
def test_predict_takes_large_values_without_a_warning():
    large = np.full((100, 2), 1e37, np.float32)
    large[50:] *= -1
    np.testing.assert_array_equal(predict(large, [[1.0, 1.0], [-1.0, -1.0]]), np.repeat([0, 1], 50))


def test_predict_says_what_a_result_has_for_it():
    with pytest.raises(TypeError, match=r"^centroids must be an array of numbers: .*; pass its centroids\.$"):
        predict(X, kmeans(X, 2))


@pytest.mark.parametrize("bad", [None, {}, object()])
def test_an_x_that_is_no_table_at_all_is_called_by_its_type(bad):
    check(ValueError, f"X is a {type(bad).__name__} and must be an array, a frame or a path.", X=bad)


def test_a_checkpoint_that_is_no_path_is_named():
    check(TypeError, r"checkpoint=3 must be a path\.", checkpoint=3)


def test_predict_refuses_what_kmeans_refuses():
    with pytest.raises(ValueError, match=r"^Found array with 0 sample"):
        predict(np.zeros((0, 2)), X[:2])
    with pytest.raises(ValueError, match=r"^n_threads=0 must be >= 1"):
        predict(X, X[:2], n_threads=0)
