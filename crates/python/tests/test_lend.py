"""Laws of the gradients that swarms lend, with NumPy; the same arithmetic in PyTorch and JAX where these can be imported."""

import numpy as np
import pytest

import swarmgrad
from swarmgrad import lend, problems


def absolute(out, _targets):
    return np.abs(out).sum(axis=1)


def bowl(out, targets):
    return 0.5 * ((out - targets) ** 2).sum(axis=1)


W = np.array([[0.2], [-0.7], [3.0], [-0.01]])


def test_prox_is_moreaus_gradient():
    value, gradient = lend(absolute, W, np.zeros(4), "prox", tau=0.5)
    assert np.array_equal(value, np.abs(W)[:, 0])
    assert np.allclose(gradient, np.clip(W / 0.5, -1, 1), atol=1e-4)


def test_prox_of_a_bowl_in_two_variables():
    w, y = np.array([[1.0, -2.0], [0.5, 0.25]]), np.zeros((2, 2))
    _, gradient = lend(bowl, w, y, "prox", tau=1.0)
    assert np.allclose(gradient, w / 2, atol=1e-3)


@pytest.mark.parametrize("kind, expected", [("es", 1.0), ("consensus", 1 / (1 + 10 * 0.1**2))])
def test_es_and_consensus_have_their_closed_forms(kind, expected):
    w, y = np.array([[1.0, -0.5]]), np.zeros((1, 2))
    found = np.array([lend(bowl, w, y, kind, seed=seed)[1][0] for seed in range(200)])
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    # A consensus of finitely many points has a bias of the order of one over their number.
    bias = 0.0 if kind == "es" else 0.01
    assert (np.abs(found.mean(axis=0) - expected * w[0]) < 3 * error + bias).all() and (error < 0.03).all()


def test_least_squares_is_exact_on_a_plane():
    slope = np.array([1.0, -2.0, 0.5])
    _, gradient = lend(lambda out, y: out @ slope + y, np.ones((5, 3)), np.arange(5.0), "least_squares", particles=12)
    assert np.allclose(gradient, slope, atol=1e-10)


def test_the_swarm_points_down_and_is_the_papers():
    value, gradient = lend(bowl, np.array([[2.0]]), np.array([[1.0]]), "swarm")
    kappa = 2.4 / (2 * 0.8)
    assert gradient[0, 0] == pytest.approx(kappa * 1.0, abs=1e-2)


def test_elements_have_swarms_of_their_own():
    out, y = np.array([[0.9, 0.2], [-0.4, 0.1]]), np.array([[1.0, 0.0], [0.0, 0.0]])
    value, gradient = lend(lambda o, t: np.abs(o - t)[:, 0], out, y, "prox", per="element", tau=1.0)
    assert value.shape == (4,) and np.allclose(gradient, np.clip(out - y, -1, 1), atol=1e-4)


def test_points_without_a_value_do_no_harm():
    loss = lambda out, y: np.where(out[:, 0] < 0, np.nan, out[:, 0])  # noqa: E731
    for kind in ("prox", "consensus", "es", "least_squares", "swarm"):
        _, gradient = lend(loss, np.array([[0.05], [1.0]]), np.zeros(2), kind)
        assert np.isfinite(gradient).all()


def test_draws_depend_on_the_seed_alone():
    a, b, c = (lend(bowl, W, W * 0, "es", seed=seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="kind = 'proxy'"):
        lend(bowl, W, W, "proxy")
    with pytest.raises(TypeError, match="taw: no setting of prox"):
        lend(bowl, W, W, taw=1)
    with pytest.raises(ValueError, match=r"shape \(\), expected \(4,\)"):
        lend(lambda o, t: np.mean(o), W, W, "es")


@pytest.mark.parametrize("source", swarmgrad.list_gradients())
def test_gradients_of_a_bowl(source):
    found, info = swarmgrad.gradient(lambda x: float(x @ x), [1.0, -0.5], source, full_output=True)
    # One direction of spsa says little; the mean of many does.
    mean = np.mean([swarmgrad.gradient(lambda x: float(x @ x), [1.0, -0.5], source, rng=k) for k in range(40)], axis=0)
    assert mean @ np.array([2.0, -1.0]) / np.sqrt(5) / np.linalg.norm(mean) > 0.9
    assert info["value"] == 1.25 and info["nfev"] > 1
    many = swarmgrad.gradient(lambda X: (X * X).sum(axis=1), [1.0, -0.5], source, vectorized=True)
    assert np.allclose(many, found, rtol=1e-9)


def test_a_gradient_where_there_is_none():
    found = swarmgrad.gradient(lambda x: abs(float(x[0])), [0.2], options={"tau": 0.5})
    assert found[0] == pytest.approx(0.4, abs=1e-4)
    with pytest.raises(ZeroDivisionError):
        swarmgrad.gradient(lambda x: 1 / 0, [0.2])
    with pytest.raises(ValueError, match="did you mean 'proximal'"):
        swarmgrad.gradient(abs, [0.2], "proximl")


def test_certificates():
    certificate = swarmgrad.certify(problems.get("sphere", 2), points=2000, horizon=0.5, swarm=200)
    assert certificate.verdict in ("holds", "not_proven", "fails") and certificate.hypotheses
    assert "Theorem" in repr(certificate)
    same = swarmgrad.certify(lambda X: (X * X).sum(axis=1), 2, points=2000, horizon=0.5, swarm=200, vectorized=True,
                             minimum=0.0)
    assert [h["verdict"] for h in same.hypotheses] == [h["verdict"] for h in certificate.hypotheses]
    with pytest.raises(ValueError, match="horizon"):
        swarmgrad.certify(problems.get("sphere", 2), horizon=-1)


def test_named_losses_are_the_same_laws():
    rng = np.random.default_rng(0)
    out, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    value, gradient = lend("mae", out, y, tau=0.5)
    assert value.shape == (60,) and np.allclose(value.reshape(20, 3), np.abs(out - y), atol=1e-6)
    # Moreau's gradient of |r|: r / tau, within -1 and 1.
    assert np.allclose(gradient, np.clip((out - y) / 0.5, -1, 1), atol=1e-5)
    # What is searched for agrees with what Python searches for.
    value, gradient = lend("multi_well", out, y, tau=0.1)
    python, theirs = lend(lambda o, t: ((o - t) ** 2 / 10 + 1 - np.cos(3 * (o - t)))[:, 0], out, y, per="element", tau=0.1)
    assert np.allclose(value, python, atol=1e-5) and np.allclose(gradient, theirs, atol=5e-2)
    for kind, sigma in (("es", 0.1), ("consensus", 0.1), ("swarm", None)):
        settings = {} if sigma is None else {"sigma": sigma, "particles": 400}
        _, gradient = lend("mse", out, y, kind, **settings)
        cosine = (gradient * (out - y)).sum() / np.linalg.norm(gradient) / np.linalg.norm(out - y)
        assert cosine > 0.95, (kind, cosine)


def test_named_losses_of_classes():
    out, classes = np.array([[0.1, 0.9, 0.0], [0.4, 0.3, 0.35], [0.2, 0.1, 0.7]]), np.array([1, 2, 2])
    value, gradient = lend("zero_one", out, classes, "consensus", sigma=0.5)
    assert value.tolist() == [0, 1, 0] and gradient.shape == out.shape
    assert gradient[1, 2] < 0 < gradient[1, 0]
    rows = lend("zero_one", out, np.eye(3)[classes], "consensus", sigma=0.5)
    assert np.array_equal(rows[1], gradient)
    again = lend("zero_one", out, classes, "consensus", seed=1, sigma=0.5)
    assert not np.array_equal(again[1], gradient)
    value, gradient = lend("f1", out, classes, "es", sigma=0.5)
    assert value.shape == (1,) and np.isfinite(gradient).all() and np.abs(gradient).max() > 0
    assert lend("f1", out[:0], classes[:0], "es")[0].shape == (0,)


def test_what_a_named_loss_does_not_take():
    with pytest.raises(ValueError, match="loss = mea.*did you mean 'mae'|'mea'"):
        lend("mea", W, W)
    with pytest.raises(ValueError, match="least_squares"):
        lend("mae", W, W, "least_squares")
    with pytest.raises(ValueError, match="classes from 0 to 2"):
        lend("zero_one", np.zeros((2, 3)), np.array([0, 3]))
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(2, 3\)"):
        lend("mae", np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="per"):
        lend("f1", np.zeros((2, 3)), np.array([0, 1]), per="element")
    assert "zero_one" in swarmgrad.list_losses()


def test_torch_and_jax_take_named_losses():
    rng = np.random.default_rng(1)
    out, y = rng.normal(size=(6, 2)).astype(np.float32), rng.normal(size=(6, 2)).astype(np.float32)
    classes = rng.integers(2, size=6)
    cases = [("mae", y, {"tau": 0.5}), ("zero_one", classes, {"kind": "consensus", "sigma": 1.0}),
             ("f1", classes, {"kind": "es", "sigma": 1.0})]
    tried = 0
    for name, targets, settings in cases:
        value, expected = lend(name, out, targets, **settings)
        try:
            import torch

            from swarmgrad.torch import SwarmLoss

            leaf = torch.tensor(out, requires_grad=True)
            loss = SwarmLoss(name, **settings)(leaf, torch.tensor(targets))
            loss.backward()
            assert loss.item() == pytest.approx(value.mean(), abs=1e-6)
            assert np.allclose(leaf.grad.numpy(), expected / len(value), atol=1e-6)
            tried += 1
        except ImportError:
            pass
        try:
            import jax

            from swarmgrad import jax as ours

            found = jax.grad(lambda o: ours.lend(name, **settings)(o, targets).mean())(out)
            assert np.allclose(found, expected / len(value), atol=1e-6)
            tried += 1
        except ImportError:
            pass
    if not tried:
        pytest.skip("neither torch nor jax")


KINDS = ("prox", "consensus", "es", "least_squares", "swarm")


@pytest.mark.parametrize("kind", KINDS)
def test_torch_is_numpys_twin(kind):
    torch = pytest.importorskip("torch")
    from swarmgrad.torch import SwarmLoss

    out = torch.tensor([[0.5, -1.0], [2.0, 0.1], [-0.3, 0.2]], dtype=torch.float64, requires_grad=True)
    y = torch.zeros(3, 2, dtype=torch.float64)
    loss = SwarmLoss(lambda o, t: 0.5 * ((o - t) ** 2).sum(1), kind, seed=3)
    value = loss(out, y)
    value.backward()
    values, gradient = lend(bowl, out.detach().numpy(), y.numpy(), kind, seed=3)
    assert float(value) == pytest.approx(values.mean(), rel=1e-12)
    assert np.allclose(out.grad.numpy(), gradient / 3, rtol=1e-9, atol=1e-12)


def test_torch_chain_rule_and_func_grad():
    torch = pytest.importorskip("torch")
    from swarmgrad.torch import SwarmLoss, Through, quality

    x, y = torch.randn(8, 3, generator=torch.Generator().manual_seed(1)), torch.zeros(8, 2)
    weight = torch.ones(3, 2)

    def square(o, t):
        return ((o - t) ** 2).sum(1)

    def total(w, seed=5):
        return SwarmLoss(square, "es", seed=seed)(x @ w, y)

    by_func = torch.func.grad(total)(weight)
    leaf = weight.clone().requires_grad_()
    total(leaf).backward()
    _, lent = lend(lambda o, t: ((o - t) ** 2).sum(1), (x @ weight).numpy(), y.numpy(), "es", seed=5)
    assert torch.equal(by_func, leaf.grad)
    assert torch.allclose(leaf.grad, x.T @ torch.as_tensor(lent) / 8, rtol=1e-5, atol=1e-6)
    step = Through(lambda z: torch.round(z * 4) / 4, sigma=0.5, particles=400)
    z = torch.tensor([[0.3, -0.2]], requires_grad=True)
    (step(z) * torch.tensor([[1.0, -2.0]])).sum().backward()
    assert torch.allclose(z.grad, torch.tensor([[1.0, -2.0]]), atol=0.3)
    report = quality(square, torch.randn(4, 2, dtype=torch.float64), torch.zeros(4, 2, dtype=torch.float64), "es")
    assert report["cosine"] > 0.95 and report["bias"] < 0.1
    elements = SwarmLoss(lambda o, t: (o - t).abs()[:, 0], "prox", per="element", reduction="none")
    out = torch.tensor([[0.25, -0.5]], requires_grad=True)
    values = elements(out, torch.zeros(1, 2))
    assert values.shape == (2,)
    values.sum().backward()
    assert torch.allclose(out.grad, out.detach(), atol=1e-3)


def test_torch_networks_without_a_gradient():
    torch = pytest.importorskip("torch")
    from swarmgrad.torch import minimize_module

    x = torch.randn(60, 2, generator=torch.Generator().manual_seed(1))
    y = (x[:, 0] > x[:, 1]).long()
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))

    def wrong(out, labels):
        return (out.argmax(1) != labels).double().mean()

    before = float(wrong(model(x), y))
    result = minimize_module(model, wrong, (x, y), method="cma_es", radius=3.0, maxfun=1500, rng=1)
    assert float(wrong(model(x), y)) == pytest.approx(result.fun) and result.fun < 0.1 < before
    tensor = swarmgrad.minimize(lambda z: torch.as_tensor(z).requires_grad_().square().sum(), [(-5, 5)] * 2, rng=1, maxfun=200)
    arrays = swarmgrad.minimize(lambda z: np.square(z).sum(), [(-5, 5)] * 2, rng=1, maxfun=200)
    assert tensor.fun == arrays.fun


@pytest.mark.parametrize("kind", KINDS)
def test_jax_is_numpys_twin(kind):
    jax = pytest.importorskip("jax")
    from swarmgrad.jax import lend as lend_jax

    w = np.array([[0.5, -1.0], [2.0, 0.1], [-0.3, 0.2]], dtype=np.float32)
    y = np.zeros((3, 2), dtype=np.float32)
    for wrap in (lambda f: f, jax.jit):
        function = lend_jax(bowl, kind, seed=3)
        gradient = wrap(jax.grad(lambda o: function(o, y).mean()))(w)
        _, expected = lend(bowl, w, y, kind, seed=3)
        assert np.allclose(gradient, expected / 3, rtol=1e-5, atol=1e-6)
    labels = np.array([0, 1, 0])
    wrong = lend_jax(lambda o, t: (o.argmax(axis=1) != t) * 1.0, "consensus", sigma=1.0)
    assert np.abs(jax.grad(lambda o: wrong(o, labels).mean())(w)).sum() > 0


def test_iris_on_its_zero_one_loss():
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_iris(return_X_y=True)
    x = np.column_stack([(x - x.mean(0)) / x.std(0), np.ones(len(x))])

    def wrong(out, labels):
        return (out.argmax(axis=1) != labels) * 1.0

    weights, mean, square = np.zeros((5, 3)), np.zeros((5, 3)), np.zeros((5, 3))
    for step in range(1, 301):
        _, gradient = lend(wrong, x @ weights, y, "consensus", seed=step, sigma=1.0, alpha=5.0)
        slope = x.T @ gradient / len(x)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        weights -= 0.05 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    right = 1 - wrong(x @ weights, y).mean()
    # The constant answer is right in a third.
    assert right >= 0.96
