"""Learning, the papers' experiments, and the uncertainty of what was found."""

import json
import pickle

import numpy as np
import pytest

import swarmgrad
from swarmgrad import Log, Real, Space, learn, list_experiments, minimize, problems, reproduce

PLAN = {"dim": 2, "maxfun": 100, "steps": 3, "pairs": 2, "knots": 2, "rng": 4}


def bowl(x):
    return float(((x - 0.3) ** 2).sum())


def test_a_lesson_is_the_programs_and_is_used(tmp_path):
    lesson = learn("diff_pso", "sphere", **PLAN)
    assert lesson.schedule["knots"] == [0.0, 1.0] and np.isfinite(lesson.gain)
    assert "budget spent" in repr(lesson) and "<pre>" in lesson._repr_html_()
    again = learn("diff_pso", ["sphere"], **PLAN, workers=2)
    assert again.schedule == lesson.schedule and again.gain == lesson.gain
    path = tmp_path / "learned.json"
    lesson.save(path)
    run = dict(bounds=[(-5, 5)] * 2, method="diff_pso", maxfun=100, rng=1)
    found = [minimize(bowl, options={"schedule": schedule}, **run).fun for schedule in (lesson.schedule, str(path))]
    assert found[0] == found[1] != minimize(bowl, **run).fun


def test_an_objective_of_ones_own_is_learned_on(tmp_path):
    more = {"bounds": [(-5, 5)] * 2, "minimum": 0.0, "maxfun": 60, "steps": 2, "pairs": 1, "knots": 1}
    lesson = learn("diff_de", bowl, **more)
    rows = learn("diff_de", lambda X: ((X - 0.3) ** 2).sum(axis=1), vectorized=True, **more)
    assert rows.schedule["numbers"] == lesson.schedule["numbers"]
    path = tmp_path / "kept.jsonl"
    assert learn("diff_de", bowl, record=path, **more).schedule == lesson.schedule
    assert learn("diff_de", bowl, record=path, **more).schedule == lesson.schedule
    assert learn("diff_de", problems.get("sphere", 2), **more).gain != lesson.gain

    def fails(x):
        raise ZeroDivisionError("in the objective")

    with pytest.raises(ZeroDivisionError, match="in the objective"):
        learn("diff_de", fails, **more)
    with pytest.raises(ValueError, match="minimum: needed"):
        learn("diff_de", bowl, bounds=[(-5, 5)])
    with pytest.raises(ValueError, match="bounds: needed"):
        learn("diff_de", bowl, minimum=0.0)
    with pytest.raises(ValueError, match="did you mean"):
        learn("diff_ps", "sphere")
    with pytest.raises(ValueError, match="steps = 0"):
        learn("diff_pso", "sphere", steps=0)


def test_an_experiment_of_a_paper(tmp_path):
    assert "adaswarm/stability" in list_experiments()
    findings = reproduce("adaswarm/stability", quick=True)
    assert findings.experiment == "adaswarm/stability" and findings.claims and findings.tables
    assert {claim["verdict"] for claim in findings.claims} <= {"holds", "partly", "fails", "open"}
    assert repr(findings) and pickle.loads(pickle.dumps(findings)).claims == findings.claims
    findings.save(tmp_path / "page.html")
    assert "<html" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<pre>" in findings._repr_html_() and json.dumps(findings.tables)
    with pytest.raises(ValueError, match="did you mean 'adaswarm/stability'"):
        reproduce("adaswarm/stabilty")
    with pytest.raises(ValueError, match="preset"):
        reproduce("adaswarm/stability", preset="ours")


def test_uncertainty_of_what_was_found():
    scale = np.array([2.0, 0.5])

    def likelihood(x):
        return float((((x - 0.3) / scale) ** 2).sum() / 2)

    result = minimize(likelihood, [(-5, 5)] * 2, method="cma_es", maxfun=600, rng=1, uncertainty=True)
    assert np.allclose(result.uncertainty.standard_errors, scale, rtol=0.02) and "likelihood" in result.uncertainty.assumes
    sphere = minimize(problems.get("sphere", 2), method="cma_es", maxfun=600, rng=1, uncertainty="squares:10")
    called = minimize(lambda x: float((x**2).sum()), [(-5.12, 5.12)] * 2, method="cma_es", maxfun=600, rng=1, uncertainty="squares:10")
    assert np.allclose(sphere.uncertainty.standard_errors, called.uncertainty.standard_errors, rtol=0.5)
    named = minimize(lambda p: (np.log(p["a"]) ** 2 + p["b"] ** 2) / 2, Space({"a": Log(0.1, 10), "b": Real(-5, 5)}), method="cma_es",
                     maxfun=600, rng=1, uncertainty="likelihood")
    assert named.uncertainty.standard_errors["b"] == pytest.approx(1.0, rel=0.05)
    flat = minimize(lambda x: 1.0, [(-5, 5)] * 2, method="cma_es", maxfun=100, rng=1, uncertainty=True)
    assert "error" in flat.uncertainty
    with pytest.raises(ValueError, match="uncertainty = 'square'"):
        minimize(bowl, [(-5, 5)] * 2, uncertainty="square")
    assert "uncertainty" not in minimize(bowl, [(-5, 5)] * 2, maxfun=50, rng=1)
    assert swarmgrad.__version__
