import joblib
import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks, get_tags

import molgraph
from molgraph.errors import ConfigError, DataError
from molgraph.workflows.estimator import MolgraphClassifier, MolgraphRegressor

TINY = {"encoder": {"hidden": 16, "depth": 2}, "head": {"hidden": 16}}


def regressor(**given):
    return MolgraphRegressor(**{"epochs": 1, "split": "random", "settings": TINY, **given})


def classifier(**given):
    return MolgraphClassifier(**{"epochs": 4, "split": "random", "settings": TINY, **given})


@pytest.fixture(scope="module")
def ligands(chembl_table):
    frame = chembl_table.iloc[::9].head(90)
    return frame["smiles"].tolist(), frame["pAct"].to_numpy()


@pytest.fixture(scope="module")
def fitted(ligands):
    return regressor().fit(*ligands)


def test_it_is_what_scikit_learn_calls_an_estimator():
    assert is_regressor(regressor()) and is_classifier(classifier())
    assert molgraph.MolgraphRegressor is MolgraphRegressor
    made = regressor(epochs=7, seed=3)
    assert made.get_params() == {
        "model": "molecule/dmpnn", "epochs": 7, "split": "random", "ensemble": 1, "seed": 3, "settings": TINY,
    }  # fmt: skip
    assert made.set_params(epochs=2) is made and made.epochs == 2
    copy = clone(made)
    assert copy is not made and copy.get_params() == made.get_params()
    with pytest.raises(ValueError, match="Invalid parameter"):
        made.set_params(epoch=2)


@pytest.mark.parametrize("made", [regressor(), classifier()], ids=["regressor", "classifier"])
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_estimators_unfitted,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_mixin_order,
    ],
    ids=lambda check: check.__name__,
)
def test_checks_of_scikit_learn_that_need_no_matrix_of_numbers(made, check):
    check(type(made).__name__, made)


MATRIX = "X is a column of SMILES or molecules, and the check gives a matrix of numbers: "
REFUSED = MATRIX + "it is refused, in words that name its first row or its shape"
CANNOT_HOLD = {
    **dict.fromkeys(
        (
            "check_fit_score_takes_y",
            "check_estimators_overwrite_params",
            "check_dont_overwrite_parameters",
            "check_estimators_fit_returns_self",
            "check_readonly_memmap_input",
            "check_n_features_in_after_fitting",
            "check_positive_only_tag_during_fit",
            "check_estimators_dtypes",
            "check_sample_weights_pandas_series",
            "check_sample_weights_not_an_array",
            "check_sample_weights_list",
            "check_sample_weights_shape",
            "check_sample_weights_not_overwritten",
            "check_sample_weight_equivalence_on_dense_data",
            "check_dtype_object",
            "check_pipeline_consistency",
            "check_estimators_pickle",
            "check_f_contiguous_array_estimator",
            "check_regressors_train",
            "check_regressor_data_not_an_array",
            "check_regressor_multioutput",
            "check_regressors_no_decision_function",
            "check_regressors_int",
            "check_classifiers_train",
            "check_classifiers_classes",
            "check_classifier_data_not_an_array",
            "check_classifier_multioutput",
            "check_classifiers_multilabel_representation_invariance",
            "check_classifiers_multilabel_output_format_predict",
            "check_classifiers_multilabel_output_format_predict_proba",
            "check_classifiers_multilabel_output_format_decision_function",
            "check_supervised_y_2d",
            "check_methods_sample_order_invariance",
            "check_methods_subset_invariance",
            "check_fit2d_1feature",
            "check_dict_unchanged",
            "check_fit_idempotent",
            "check_fit_check_is_fitted",
            "check_n_features_in",
            "check_fit2d_predict1d",
        ),
        REFUSED,
    ),
    "check_estimators_empty_data_messages": MATRIX + "it has no features that could be too few",
    "check_fit2d_1sample": "the regressor refuses the matrix, and says nothing of one sample",
    "check_estimators_nan_inf": MATRIX + "NaN and infinity are refused as no SMILES",
}


def _as_if_of_numbers(kind):
    """Return a class that says it reads matrices, as else scikit-learn makes no check but those of the interface."""

    class Pretender(kind):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False
            return tags

    Pretender.__name__ = Pretender.__qualname__ = kind.__name__
    return Pretender(epochs=1, settings=TINY)


@estimator_checks.parametrize_with_checks(
    [_as_if_of_numbers(kind) for kind in (MolgraphRegressor, MolgraphClassifier)],
    expected_failed_checks=lambda made: {
        name: why for name, why in CANNOT_HOLD.items() if is_regressor(made) or name != "check_fit2d_1sample"
    },
    xfail_strict=True,
)
def test_every_check_of_scikit_learn_but_those_that_cannot_hold(estimator, check):
    check(estimator)


def test_the_tags_say_what_is_read():
    for made in (regressor(), classifier()):
        tags = get_tags(made)
        read = tags.input_tags
        assert (read.two_d_array, read.one_d_array, read.string, read.sparse, read.allow_nan) == (
            *(False, True, True),
            *(False, False),
        )
        assert tags.target_tags.multi_output and tags.target_tags.required and tags.requires_fit
    assert get_tags(classifier()).classifier_tags.multi_class


def test_a_row_counts_by_its_weight(ligands):
    smiles, values = ligands
    forest = {"model": "molecule/forest", "settings": {"encoder": {"rounds": 20, "depth": 3}}}
    plain = regressor(**forest).fit(smiles, values).predict(smiles)
    for ones in (np.ones(90), [3.0] * 90, pd.Series(np.full(90, 0.5)), 2.0):
        np.testing.assert_array_equal(
            regressor(**forest).fit(smiles, values, sample_weight=ones).predict(smiles), plain
        )
    weight = np.where(values > np.median(values), 1.0, 0.001)
    high = regressor(**forest).fit(smiles, values, sample_weight=weight).predict(smiles)
    assert high.mean() > plain.mean() + 0.3, "the light rows, which are low, hardly count"
    none = np.arange(90) % 3 > 0
    some = regressor(**forest).fit(smiles, values, sample_weight=none.astype(float)).predict(smiles)
    chosen = regressor(**forest).fit(np.array(smiles)[none], values[none]).predict(smiles)
    np.testing.assert_array_equal(some, chosen)
    network = [regressor().fit(smiles, values, sample_weight=w).predict(smiles) for w in (None, weight)]
    assert not np.array_equal(*network)


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        ([1.0] * 3, r"sample_weight has the shape \(3,\), and there are 90 rows"),
        ([np.nan] * 90, "finite and nowhere below 0"),
        ([-1.0] * 90, "nowhere below 0"),
        (["a"] * 90, "sample_weight must hold numbers"),
        (np.zeros(90), "every sample_weight is zero"),
    ],
)
def test_weights_that_are_none_are_refused(ligands, weight, says):
    with pytest.raises(ValueError, match=says):
        regressor().fit(*ligands, sample_weight=weight)


def test_one_class_that_has_a_weight_is_one_class(ligands):
    y = (np.arange(90) % 2).astype(int)
    with pytest.raises(ValueError, match="1 class"):
        classifier().fit(ligands[0], y, sample_weight=y)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({3: np.inf}, "Input y contains infinity: row 4 of 90"),
        ({0: -np.inf}, "infinity: row 1"),
        ({89: np.nan}, "Input y contains NaN: row 90 of 90"),
    ],
)
def test_values_that_are_no_numbers_are_refused_with_their_row(ligands, change, says):
    smiles, values = ligands
    y = values.copy()
    for row, value in change.items():
        y[row] = value
    for error in (ValueError, DataError):
        with pytest.raises(error, match=says):
            regressor().fit(smiles, y)
    two = np.stack([values, y], axis=1)
    if np.isinf(y).any():
        with pytest.raises(ValueError, match=says):
            regressor().fit(smiles, two)


@pytest.mark.parametrize(
    ("made", "y", "says"),
    [
        (regressor(), ["a"] * 90, "y must hold numbers"),
        (regressor(), np.ones(90) * 1j, "Complex data not supported"),
        (regressor(), None, "requires y to be passed"),
        (regressor(), np.zeros((90, 2, 2)), r"y has the shape \(90, 2, 2\)"),
        (classifier(), np.linspace(0, 1, 90), "continuous"),
        (classifier(), [None, *"ab" * 44, "a"], "Input y contains NaN"),
    ],
)
def test_what_is_no_y_is_said(ligands, made, y, says):
    with pytest.raises(ValueError, match=says):
        made.fit(ligands[0], y)


def test_several_columns_of_numbers_of_which_some_were_not_measured(ligands):
    smiles, values = ligands
    y = pd.DataFrame({"pKi": values, "low": np.where(np.arange(90) % 4, -values, np.nan)})
    made = regressor(model="molecule/forest", settings={"encoder": {"rounds": 30, "depth": 3}}).fit(smiles, y)
    found = made.predict(smiles)
    assert found.shape == (90, 2) and made.targets_ == ["pKi", "low"]
    assert np.corrcoef(found[:, 0], found[:, 1])[0, 1] < -0.5
    assert {"pKi", "low", "low_lo90"} <= set(made.predict_frame(smiles[:2]))
    assert made.score(smiles, np.stack([values, -values], axis=1)) > 0.1
    assert regressor().fit(smiles, values[:, None]).predict(smiles).shape == (90,)
    assert regressor().fit(smiles, np.stack([values] * 2, axis=1)).targets_ == ["y_0", "y_1"]


def test_several_columns_of_classes(ligands):
    smiles, values = ligands
    y = np.stack(
        [np.where(values > np.median(values), "hit", "miss"), np.array(["a", "b", "c"])[np.arange(90) % 3]], axis=1
    )
    made = classifier(epochs=1).fit(smiles, y)
    assert [classes.tolist() for classes in made.classes_] == [["hit", "miss"], ["a", "b", "c"]]
    two, three = made.predict_proba(smiles)
    assert two.shape == (90, 2) and three.shape == (90, 3)
    named = made.predict(smiles)
    assert named.shape == (90, 2) and set(named[:, 0]) <= {"hit", "miss"} and set(named[:, 1]) <= {"a", "b", "c"}


def test_a_search_over_what_lies_inside_the_settings(ligands):
    made = regressor(settings={**TINY, "train": {"warmup": 0}})
    before = made.settings
    grid = {"settings__train__lr": [1e-3, 1e-2], "settings__encoder__depth": [1]}
    search = GridSearchCV(made, grid, cv=2, scoring="neg_mean_absolute_error").fit(*ligands)
    best = search.best_estimator_
    assert best.settings["train"] == {"warmup": 0, "lr": search.best_params_["settings__train__lr"]}
    run = best.predictor_.recipe.run
    assert (run.train.lr, run.train.epochs, run.encoder["depth"], run.encoder["hidden"]) == (
        best.settings["train"]["lr"],
        1,
        1,
        16,
    )
    assert made.settings is before and before == {**TINY, "train": {"warmup": 0}}, "the first one is as it was"
    assert clone(best).settings == best.settings
    assert regressor(settings=None).set_params(settings__train__lr=0.1, epochs=3).settings == {"train": {"lr": 0.1}}
    with pytest.raises(ConfigError, match="did you mean 'lr'"):
        made.set_params(settings__train__llr=1)


def test_all_ways_to_hold_molecules_give_the_same(fitted, ligands):
    smiles = ligands[0][:6]
    expected = fitted.predict(smiles)
    assert expected.dtype == np.float64 and expected.shape == (6,)
    mols = [Chem.MolFromSmiles(s) for s in smiles]
    ways = [pd.Series(smiles), np.array(smiles), np.array(smiles)[:, None], pd.DataFrame({"any": smiles}), mols]
    for way in ways:
        np.testing.assert_array_equal(fitted.predict(way), expected)


def test_a_refit_is_equal_to_the_bit(fitted, ligands):
    again = clone(fitted).fit(*ligands)
    np.testing.assert_array_equal(again.predict(ligands[0]), fitted.predict(ligands[0]))


def test_all_columns_are_there_too(fitted):
    found = fitted.predict_frame(["CCO", "xx"])
    assert found["status"].tolist() == ["ok", "invalid_smiles"]
    assert {"y", "y_std", "y_lo90", "y_hi90", "nn_similarity", "in_domain"} <= set(found)


def test_a_molecule_without_a_prediction_is_an_error_not_a_number(fitted):
    with pytest.raises(DataError, match="1 of 2 molecules have no prediction, first number 2"):
        fitted.predict(["CCO", "xx"])


def test_before_fit():
    with pytest.raises(NotFittedError):
        regressor().predict(["CCO"])


@pytest.mark.parametrize(
    ("molecules", "values", "says"),
    [
        (["CC", "CCO"], [1.0], "2 molecules but 1 values"),
        (np.array([["CC", "CO"]] * 3), [1, 2, 3], r"shape \(3, 2\): one column of molecules"),
        (["xx", "yy"], [1, 2], "none of 2 rows can be used"),
    ],
)
def test_what_cannot_be_fitted_is_said(molecules, values, says):
    with pytest.raises(DataError, match=says):
        regressor().fit(molecules, values)
    with pytest.raises(ConfigError, match="unknown model"):
        regressor(model="molecule/none").fit(["CC"], [1])


def test_cross_validation_and_search(ligands):
    scores = cross_val_score(regressor(), *ligands, cv=2, scoring="neg_mean_absolute_error")
    assert scores.shape == (2,) and (scores < 0).all()
    search = GridSearchCV(regressor(), {"epochs": [1, 3]}, cv=2, scoring="neg_mean_absolute_error").fit(*ligands)
    assert search.best_params_["epochs"] in (1, 3)
    assert search.predict(["CCO"]).shape == (1,)


def test_in_a_pipeline(ligands):
    smiles, values = ligands
    spaced = [f" {s} " for s in smiles]
    pipeline = make_pipeline(FunctionTransformer(lambda texts: [t.strip() for t in texts]), regressor())
    found = pipeline.fit(spaced, values).predict(spaced[:3])
    np.testing.assert_array_equal(found, regressor().fit(smiles, values).predict(smiles[:3]))


def test_it_survives_joblib(fitted, tmp_path):
    joblib.dump(fitted, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(again.predict(["CCO"]), fitted.predict(["CCO"]))


def test_a_protein_needs_no_word_about_the_split():
    draw = np.random.default_rng(0)
    sequences = ["".join(draw.choice(list("ACDEFGHIKLMNPQRSTVWY"), 30)) for _ in range(40)]
    made = MolgraphRegressor("protein/feedforward", epochs=1, settings={"encoder": {"hidden": 8}})
    assert made.split == "auto"
    assert made.fit(sequences, draw.normal(size=40)).predict(sequences[:3]).shape == (3,)
    assert made.predictor_.recipe.run.split == "family"


def test_trees_too(ligands):
    forest = regressor(model="molecule/forest", settings={"encoder": {"rounds": 20, "depth": 3}}).fit(*ligands)
    assert forest.score(*ligands) > 0.1


@pytest.mark.parametrize("labels", [(0, 1), (-1, 1), ("inactive", "active"), (False, True)], ids=str)
def test_two_classes_of_any_name(ligands, labels):
    smiles, values = ligands
    y = np.array(labels)[(values > np.median(values)).astype(int)]
    made = classifier(epochs=1).fit(smiles, y)
    assert made.classes_.tolist() == sorted(labels)
    shares = made.predict_proba(smiles)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_array_equal(made.predict(smiles), made.classes_[shares.argmax(axis=1)])


def test_three_classes(ligands):
    smiles, values = ligands
    y = np.array(["low", "mid", "high"])[np.digitize(values, np.quantile(values, [1 / 3, 2 / 3]))]
    made = classifier(epochs=2).fit(smiles, y)
    shares = made.predict_proba(smiles)
    assert shares.shape == (90, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert set(made.predict(smiles)) <= {"low", "mid", "high"}
    assert 0 <= made.score(smiles, y) <= 1


def test_one_class_is_refused(ligands):
    with pytest.raises(DataError, match="1 class; there is nothing to tell apart"):
        classifier().fit(ligands[0], [1] * 90)
