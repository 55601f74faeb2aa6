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
from sklearn.utils import estimator_checks

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
