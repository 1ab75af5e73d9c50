"""Golden trajectories of the consensus family: `python3 tests/golden/make_consensus.py`.

Needs Python 3 and NumPy. The form of the files, the draws and the checks are those of make.py; the methods are written from
their papers' equations, on arrays that hold the whole swarm.

An iteration that evaluates points before it moves (a drift correction, differences) takes two rounds; its draws belong to its
round number here as everywhere, and the test replays both rounds with it.
"""

import itertools

import numpy as np

import make
from make import best, consensus, diffusion, norms, real, start_points, trajectory


def schedule(p, values, k):
    """alpha and sigma after k iterations; with `sample_size` alpha solves (sum w)^2 / sum w^2 = eta N by bisection."""
    alpha, sigma = p["alpha"], real(p["sigma"]) * real(p.get("sigma_factor", 1.0)) ** k
    if p.get("sample_size"):
        low, high = real("1e-12"), real("1e15")

        def effective(a):
            w = np.exp(-a * (values - values.min()))
            return w.sum() ** 2 / (w * w).sum()

        wanted = p["sample_size"] * len(values)
        low, high = np.log(low), np.log(high)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if effective(np.exp(middle)) > wanted else (low, middle)
        return np.exp((low + high) / 2), sigma
    return min(alpha * p.get("alpha_factor", 1.0) ** k, p.get("alpha_most", 1e15)), sigma


def tangent(x, z, columns):
    """P_X(Z) = Z - X (X^T Z + Z^T X)/2 for each row as an n x k matrix."""
    out = np.empty_like(z)
    for i in range(len(x)):
        a, b = x[i].reshape(-1, columns), z[i].reshape(-1, columns)
        out[i] = (b - a @ (a.T @ b + b.T @ a) / 2).ravel()
    return out


def polar(x, columns):
    """X (X^T X)^(-1/2) for each row, by Newton's iteration X <- (X + X^-T)/2 on the square factor of a QR decomposition."""
    out = np.empty_like(x)
    for i in range(len(x)):
        a = x[i].reshape(-1, columns).copy()
        q = np.zeros_like(a)
        r = np.zeros((columns, columns), dtype=a.dtype)
        for j in range(columns):  # Gram-Schmidt, twice
            v = a[:, j].copy()
            for _ in range(2):
                for l in range(j):
                    c = q[:, l] @ v
                    r[l, j] += c
                    v = v - c * q[:, l]
            r[j, j] = np.sqrt(v @ v)
            q[:, j] = v / r[j, j]
        for _ in range(40):
            r = (r + inverse(r).T) / 2
        out[i] = (q @ r).ravel()
    return out


def inverse(a):
    """Gauss-Jordan with pivots, in any precision."""
    n = len(a)
    m = np.concatenate([a.copy(), np.eye(n, dtype=a.dtype)], axis=1)
    for i in range(n):
        j = i + np.argmax(np.abs(m[i:, i]))
        m[[i, j]] = m[[j, i]]
        m[i] = m[i] / m[i, i]
        for l in range(n):
            if l != i:
                m[l] = m[l] - m[l, i] * m[i]
    return m[:, n:]


def poisson(mean, u):
    k, term = 0, np.exp(-mean)
    total = term
    while u >= total:
        k += 1
        term = term * mean / k
        total = total + term
    return k


def cbo(f, x, p, draw):
    """X += lambda dt H (c - X) + sigma sqrt(dt) min(D(c - X), M) xi + jumps - gradient dt grad E, on a surface if one is given."""
    n, d = x.shape
    lam, dt = real(p["lambda"]), real(p["dt"])
    columns = p.get("columns", 1)
    surface = p.get("surface", "none")
    if surface != "none":
        x = polar(x, columns)
    fx = f(x)
    for k in itertools.count():
        alpha, sigma = schedule(p, fx, k)
        c = consensus(x, fx, alpha)
        yield dict(x=x, fx=fx, g=c, alpha=alpha)
        z = c - x
        size = np.abs(z) if p["noise"] == "anisotropic" else norms(z) + 0 * z
        h = real(1)
        if p.get("correction", "none") != "none":
            gap = (fx - f(c[None, :])[0])[:, None]
            h = (gap > 0).astype(make.REAL) if p["correction"] == "heaviside" else (1 + np.tanh(gap / real(p["epsilon"]))) / 2
        most = real(p["truncation"]) if p.get("truncation") is not None else real("inf")
        step = lam * dt * h * z + sigma * np.sqrt(dt) * np.minimum(size, most) * draw.normal("xi2", n, d)
        if p.get("jump_rate", 0) > 0:
            strength = real(p["jump"]) * np.exp(-real(p["jump_decay"]) * k * dt)
            jumps = np.zeros_like(x)
            for i in range(n):
                count = poisson(real(p["jump_rate"]) * dt, draw.one("jump", i))
                if count:
                    jumps[i] = np.sqrt(real(count)) * draw.more_normals("jump", i, d)
            step = step + strength * size * jumps
        if p.get("gradient", 0) > 0:
            slope = np.empty_like(x)
            for j in range(d):
                e = real(p["difference"]) * np.maximum(np.abs(x[:, j]), real(1))
                y = x.copy()
                y[:, j] = x[:, j] + e
                slope[:, j] = (f(y) - fx) / (y[:, j] - x[:, j])
            step = step - real(p["gradient"]) * dt * slope
        if surface == "none":
            x = x + step
        else:
            inward = (2 * real(d // columns) - columns - 1) / 4 * sigma**2 * dt * norms(z) ** 2
            x = polar(x + tangent(x, step, columns) - inward * x, columns)
        fx = f(x)


def cbs(f, x, p, draw):
    """X' = c + e^-dt (X - c) + sqrt((1 - e^-2dt)/lambda) sigma sum_j sqrt(w_j) (X_j - c) zeta_ij."""
    n, d = x.shape
    fx = f(x)
    for k in itertools.count():
        alpha, sigma = schedule(p, fx, k)
        c = consensus(x, fx, alpha)
        yield dict(x=x, fx=fx, g=c, alpha=alpha)
        w = np.exp(-real(alpha) * (fx - fx.min()))
        w = w / w.sum()
        lam = 1 / (1 + real(alpha)) if p["aim"] == "sample" else real(1)
        keep = np.exp(-real(p["dt"])) if p["dt"] != "inf" else real(0)
        zeta = draw.normal("xi", n, n)
        noise = zeta @ (np.sqrt(w)[:, None] * (x - c))
        x = c + keep * (x - c) + np.sqrt((1 - keep**2) / lam) * sigma * noise
        fx = f(x)


def consensus_hopping(f, x, p, draw):
    n, d = x.shape
    fx = f(x)
    for k in itertools.count():
        alpha, sigma = schedule(p, fx, k)
        c = consensus(x, fx, alpha)
        yield dict(x=x, fx=fx, g=c, alpha=alpha)
        x = c + sigma * draw.normal("xi", n, d)
        fx = f(x)


def adam_cbo(f, x, p, draw):
    n, d = x.shape
    b1, b2, lam, eps, dt = (real(p[s]) for s in ("beta1", "beta2", "lambda", "epsilon", "dt"))
    m, v = np.zeros_like(x), np.zeros_like(x)
    fx = f(x)
    for k in itertools.count():
        alpha, sigma = schedule(p, fx, k)
        c = consensus(x, fx, alpha)
        yield dict(x=x, fx=fx, g=c, alpha=alpha, m=m)
        z = x - c
        m = b1 * m + (1 - b1) * z
        v = b2 * v + (1 - b2) * z * z
        mhat, vhat = m / (1 - b1 ** (k + 1)), v / (1 - b2 ** (k + 1))
        x = x - lam * mhat / (np.sqrt(vhat) + eps) + sigma * np.sqrt(dt) * diffusion(p["noise"], z, draw.normal("xi", n, d))
        fx = f(x)


def mirror_cbo(f, x, p, draw):
    def mirror(y):
        if p["map"] == "ball":
            return y / np.maximum(1, norms(y) / real(p["radius"]))
        if p["map"] == "simplex":
            return np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
        if p["map"] == "sparse":
            return np.sign(y) * np.maximum(np.abs(y) - real(p["threshold"]), 0)
        if p["map"] == "sphere":
            return real(p["radius"]) * y / norms(y)
        if p["map"] == "stiefel":
            return polar(y, p["columns"])
        return y

    n, d = x.shape
    lam, dt = real(p["lambda"]), real(p["dt"])
    y = np.log(x) if p["map"] == "simplex" else x
    x = mirror(y)
    fx = f(x)
    for k in itertools.count():
        alpha, sigma = schedule(p, fx, k)
        c = consensus(x, fx, alpha)
        yield dict(x=x, fx=fx, g=c, alpha=alpha)
        y = y + lam * dt * (c - x) + sigma * np.sqrt(dt) * diffusion(p["noise"], c - x, draw.normal("xi", n, d))
        x = mirror(y)
        fx = f(x)


def polar_cbo(f, x, p, draw):
    kernels = dict(
        gaussian=lambda r: np.exp(-r * r / 2),
        laplace=lambda r: np.exp(-r),
        constant=lambda r: (r <= 1).astype(make.REAL),
        inverse_quadratic=lambda r: 1 / (1 + r * r),
    )
    n, d = x.shape
    lam, dt = real(p["lambda"]), real(p["dt"])
    fx = f(x)
    for k in itertools.count():
        alpha, sigma = schedule(p, fx, k)
        far = np.sqrt(((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=2)) / real(p["width"])
        w = kernels[p["kernel"]](far) * np.exp(-real(alpha) * (fx - fx.min()))[None, :]
        c = (w @ x) / w.sum(axis=1, keepdims=True)
        yield dict(x=x, fx=fx, g=best(c, fx), alpha=alpha)
        x = x + lam * dt * (c - x) + sigma * np.sqrt(dt) * diffusion(p["noise"], c - x, draw.normal("xi", n, d))
        fx = f(x)


def cluster_cbo(f, x, p, draw):
    n, d = x.shape
    lam, dt = real(p["lambda"]), real(p["dt"])
    fx = f(x)
    c = x[:1]
    while len(c) < p["clusters"]:
        far = np.sqrt(((x[:, None, :] - c[None, :, :]) ** 2).sum(axis=2)).min(axis=1)
        c = np.concatenate([c, x[[far.argmax()]]])
    for k in itertools.count():
        alpha, sigma = schedule(p, fx, k)
        a = ((x[:, None, :] - c[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
        c = np.array([consensus(x[a == j], fx[a == j], alpha) if (a == j).any() else c[j] for j in range(len(c))])
        yield dict(x=x, fx=fx, g=c[a[fx.argmin()]], alpha=alpha)
        z = c[a] - x
        x = x + lam * dt * z + sigma * np.sqrt(dt) * diffusion(p["noise"], z, draw.normal("xi", n, d))
        fx = f(x)


def more_normals(self, label, row, columns):
    """Normal draws of a row that has been drawn from already in this step."""
    drawn = self.stream(label).standard_normal(columns)
    self.taken[label][row].extend(float(t) for t in drawn)
    return drawn.astype(make.REAL)


make.Draws.more_normals = more_normals


def files():
    plain = {"lambda": 1.0, "sigma": 0.8, "dt": 0.25, "alpha": 2.0, "noise": "anisotropic"}
    wave = "rastrigin25"
    both = dict(plain, correction="heaviside", sigma_factor=0.9, alpha_factor=1.2, alpha_most=1.5, alpha=1.0)
    trajectory("cbo_corrected", cbo, wave, start_points(101, 6, 3), both, 101, 6)
    smooth = dict(plain, correction="smooth", epsilon=2.0, truncation=0.4, noise="isotropic", sample_size=0.4)
    trajectory("cbo_truncated", cbo, wave, start_points(102, 6, 3), smooth, 102, 4)
    jumping = dict(plain, jump_rate=3.0, jump=0.7, jump_decay=0.3)
    _, walked = trajectory("cbo_jumps", cbo, wave, start_points(103, 6, 3), jumping, 103, 8)
    lengths = [len(row) for s in walked for row in s["draws"]["jump"]]
    assert set(lengths) == {1, 4}
    down = dict(plain, gradient=0.05, difference=0.2, alpha=1.0)  # a coarse difference, so that rounding stays small
    trajectory("cbo_gradient", cbo, wave, start_points(104, 6, 3), down, 104, 6)
    sphere = dict(plain, noise="isotropic", surface="sphere", columns=1, sigma=0.5)
    trajectory("cbo_sphere", cbo, wave, start_points(105, 6, 4), sphere, 105, 8)
    stiefel = dict(sphere, surface="stiefel", columns=2)
    _, walked = trajectory("cbo_stiefel", cbo, wave, start_points(106, 5, 6), stiefel, 106, 8)
    at = walked[-1]["x"][0].reshape(3, 2)
    assert np.allclose(at.T @ at, np.eye(2), atol=1e-12)
    # plain CBO of make.py is this one with everything off
    start = start_points(95, 6, 3)
    ours, theirs = (make.trace(g, wave, start, plain, 95, 8)[1] for g in (cbo, make.cbo))
    assert all(make.gap(a["x"], b["x"]) < 1e-12 for a, b in zip(ours, theirs))

    sampler = dict(sigma=1.0, alpha=0.5, dt=0.5, aim="sample")
    trajectory("cbs", cbs, wave, start_points(111, 6, 3), sampler, 111, 5)
    trajectory("cbs_optimise", cbs, wave, start_points(112, 7, 3), dict(sampler, aim="optimise", sample_size=0.5, dt=1.0), 112, 8)
    hop = dict(sigma=0.7, sigma_factor=0.8, alpha=3.0)
    trajectory("consensus_hopping", consensus_hopping, wave, start_points(113, 6, 3), hop, 113, 8)
    adam = dict(plain, **{"lambda": 0.2}, beta1=0.7, beta2=0.9, epsilon=1e-3)
    trajectory("adam_cbo", adam_cbo, wave, start_points(114, 6, 3), adam, 114, 10)
    trajectory("adam_cbo_isotropic", adam_cbo, "rosenbrock", start_points(115, 5, 3, scale=1.0), dict(adam, noise="isotropic", sigma=0.3, alpha=0.3), 115, 8)

    mirror = dict(plain, map="box", radius=1.0, threshold=0.5, columns=1)
    trajectory("mirror_cbo", mirror_cbo, wave, start_points(121, 6, 3), mirror, 121, 8)
    trajectory("mirror_cbo_ball", mirror_cbo, wave, start_points(122, 6, 3), dict(mirror, map="ball", radius=1.3), 122, 8)
    positive = np.abs(start_points(123, 6, 4)) + 0.05
    trajectory("mirror_cbo_simplex", mirror_cbo, wave, positive, dict(mirror, map="simplex", sigma=2.0, alpha=1.0), 123, 8)
    trajectory("mirror_cbo_sparse", mirror_cbo, wave, start_points(124, 6, 4), dict(mirror, map="sparse"), 124, 8)
    trajectory("mirror_cbo_sphere", mirror_cbo, wave, start_points(125, 6, 3), dict(mirror, map="sphere", noise="isotropic", radius=1.5), 125, 5)
    trajectory("mirror_cbo_stiefel", mirror_cbo, wave, start_points(126, 5, 6), dict(mirror, map="stiefel", columns=2), 126, 8)

    for i, kernel in enumerate(["gaussian", "laplace", "constant", "inverse_quadratic"]):
        polarised = dict(plain, kernel=kernel, width=[0.8, 0.5, 2.0, 0.7][i], alpha=[1.0, 0.8, 2.0, 0.5][i])
        noise = dict(polarised, noise="isotropic", sigma=0.4) if i == 1 else polarised
        trajectory(f"polar_cbo_{kernel}", polar_cbo, wave, start_points(131 + i, 7, 3), noise, 131 + i, 8)
    trajectory("cluster_cbo", cluster_cbo, wave, start_points(141, 9, 3), dict(plain, clusters=3), 141, 8)


if __name__ == "__main__":
    files()
