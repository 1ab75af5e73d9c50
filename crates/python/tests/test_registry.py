"""The same bits from Rust (which is what the program runs) and from Python, with every method."""

import json
import os

import numpy as np
import pytest

import swarmgrad
from swarmgrad import minimize, problems

REFERENCE = os.environ.get("SWARMGRAD_REFERENCE")


@pytest.fixture(scope="module")
def reference():
    if not REFERENCE:
        pytest.skip("SWARMGRAD_REFERENCE, which cargo's test writes, is not there")
    with open(REFERENCE, encoding="utf-8") as file:
        return json.load(file)


def same(result, expected):
    assert result.fun == expected["fun"] and list(result.x) == expected["x"]
    assert (result.nfev, result.njev, result.nit) == (expected["nfev"], expected["ngev"], expected["nit"])
    assert (result.message, result.account) == (expected["message"], expected["account"])


def test_the_reference_has_every_method(reference):
    assert sorted(reference) == sorted(swarmgrad.list_methods()) and len(reference) > 40


@pytest.mark.parametrize("method", swarmgrad.list_methods())
def test_python_is_rust(method, reference):
    problem, expected = problems.get("rosenbrock", 3), reference[method]
    same(minimize(problem, method=method, maxfun=300, rng=7), expected)
    # The same through a function of Python, whose gradient is the formula where the method is one that takes it unasked.
    jac = problem.gradient if method.startswith("diff_") else None
    same(minimize(lambda x: problem(x), problem.bounds, method=method, maxfun=300, rng=7, jac=jac), expected)
    if jac is None:
        result = minimize(problem, method=method, maxfun=300, rng=7, vectorized=True)
        same(result, expected)


def test_the_stub_names_what_there_is():
    stub = os.path.join(os.path.dirname(swarmgrad.__file__), "__init__.pyi")
    text = open(stub, encoding="utf-8").read()
    for name in swarmgrad.__all__:
        assert name in text, f"{name} is not in __init__.pyi"
    methods = "Method = Literal[\n" + "".join(f'    "{name}",\n' for name in swarmgrad.list_methods()) + "]"
    assert methods in text, f"__init__.pyi must have\n{methods}"


def test_native_threads_are_the_same():
    problem = problems.get("rastrigin", 5)
    one = minimize(problem, method="cma_es", rng=1, maxfun=2000)
    two = minimize(problem, method="cma_es", rng=1, maxfun=2000, workers=2)
    assert one.fun == two.fun and np.array_equal(one.x, two.x)
