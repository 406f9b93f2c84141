"""Answers stay what they were, on a set of small problems of all kinds.

The set is a net under changes that are not to change anything: `stored_problems` makes
the problems up, `stored_answers.json` has what the package answered to them when the
set was written. The objective agrees to 1e-10, weights and predictions to 1e-8 where
the optimum is unique; interior points to 1e-9 and 1e-6; what goes through expectation-
maximization, and of several optima the one of least norm, to 1e-6.

A change of a default or of a method changes answers on purpose: then
``python -m tests.stored_problems --write`` stores the new ones, in a commit that says
which answers changed and why. Answers that are known to be wrong are not in the set.
"""

import numpy as np
import pytest
from stored_problems import PROBLEMS, read_answers

STORED = read_answers()


def test_every_problem_has_an_answer_and_every_answer_a_problem():
    assert list(STORED) == list(PROBLEMS)


@pytest.mark.parametrize("name", PROBLEMS)
def test_answers_are_those_stored(name):
    problem = PROBLEMS[name]
    assert problem.differences(problem.solve(), STORED[name]) == []


@pytest.mark.parametrize(
    "name", [name for name, problem in PROBLEMS.items() if not problem.ordered]
)
def test_the_order_of_the_rows_does_not_matter(name):
    """Else the stored answer would be one of many."""
    problem = PROBLEMS[name]
    assert problem.differences(problem.solve(shuffled=True), STORED[name]) == []


@pytest.mark.parametrize(
    ("answer", "off", "differs"),
    [
        ("objective", 1e-9, True),
        ("objective", 1e-11, False),
        ("weights", 1e-7, True),
        ("weights", 1e-9, False),
        ("predictions", 1e-7, True),
        ("intercept", 1e-3, True),
    ],
)
def test_differences_beyond_the_tolerance_are_said(answer, off, differs):
    name = "numbers, simplex, intercept True, auto"
    stored = STORED[name]
    found = {**stored, answer: np.multiply(stored[answer], 1 + off).tolist()}
    assert bool(PROBLEMS[name].differences(found, stored)) == differs
