"""Golden trajectories of soft selection and of diff_lshade: `python3 tests/golden/make_selection.py` rewrites their files.

In the form and with the checks of make.py, in mode classical: no gradients. From the description of soft selection:

* diff_ga: a parent is the mixture of two entrants a, b (draws as in make_evolution.ga), the weight of a 1 / (1 + exp(-z / tau)),
  z = (better(b) - better(a)) / (n - 1), where better(i) is how many have a smaller value, and of equals the first drawn counts as one
  better. With `parents` ranks it is a mixture of all: weights exp(-|place - rho| / ((n - 1) tau)), their sum 1,
  rho = n (1 - u^(1 / k)) - 1/2, u one uniform of the pair's row.
* Survivor r of diff_ga: the 2 n candidates in order, weights exp(-|r - s| / ((2 n - 1) tau)), their sum 1.
* Survivor i of diff_de: y + (x - y) / (1 + exp(-z / tau)), z = (f(y) - f(x)) / D, D the standard deviation of all 2 n values;
  x where they are equal.
* Weight of rank i in diff_es: sum over k of (w_k - w_(k+1)) m_ik, w_(n+1) = 0 and m_i(n) = 1, m_ik = 1 / (1 + exp(-(l_i / tau + nu))),
  l_i = -i / (n - 1) from rank 0 on, nu such that sum_i m_ik = k.
* diff_lshade: as L-SHADE, F and CR drawn around their means with other spreads, and an entry of the memory goes the share c of the
  way to what succeeded.

Survivors that are mixtures are evaluated anew.
"""

import math

import numpy as np

import make
import make_distribution
import make_evolution
from make import best, real, start_points


def weights(logits, tau):
    w = np.exp((logits - logits.max()) / tau)
    return w / w.sum()


def gate(z, tau):
    return 1 / (1 + np.exp(-z / tau))


# ---------------------------------------------------------------------------------------------- GA


def parent(x, fx, p, draw, k):
    n, tau = len(x), real(p["selection_temperature"])
    if p["parents"] == "ranks":
        place = np.empty(n, dtype=make.REAL)
        place[sorted(range(n), key=lambda i: (fx[i], i))] = np.arange(n)
        u = real(draw.one("pair", k))
        rho = n * (1 - u ** (1 / real(p["pressure"]))) - real(1) / 2
        return weights(-abs(place - rho) / (n - 1), tau) @ x
    a = draw.index("pair", k, n)
    b = [j for j in range(n) if j != a][draw.index("pair", k, n - 1)]
    better = [int((fx < fx[i]).sum()) for i in (a, b)]
    z = real(max(better[1] - better[0], 1) if better[0] <= better[1] else better[1] - better[0]) / (n - 1)
    w = gate(z, tau)
    return w * x[a] + (1 - w) * x[b]


def ga(f, x, p, draw):
    n, d = x.shape
    low, high = (real(b) for b in p["bounds"])
    eta_c, eta_m, rate = real(p["eta_c"]), real(p["eta_m"]), real(p["mutation"])
    tau = real(p["selection_temperature"])
    fx = f(x)
    yield dict(x=x, fx=fx, g=best(x, fx))
    while True:
        pairs = (n + 1) // 2
        which, spread = draw.uniform("which", pairs, d), draw.uniform("spread", pairs, d)
        mutate = draw.uniform("mutate", n, d)
        trial = np.empty_like(x)
        for k in range(pairs):
            parents = [parent(x, fx, p, draw, k) for _ in range(2)]
            children = [parents[0].copy(), parents[1].copy()]
            if draw.one("pair", k) < p["crossover"]:
                for j in range(d):
                    if which[k, j] < 0.5:
                        small, large = make_evolution.sbx(parents[0][j], parents[1][j], spread[k, j], eta_c, low, high)
                        first = (parents[0][j] <= parents[1][j]) == (which[k, j] < 0.25)
                        children[0][j], children[1][j] = (small, large) if first else (large, small)
            for i, child in enumerate(children):
                if 2 * k + i < n:
                    u = mutate[2 * k + i]
                    trial[2 * k + i] = [
                        make_evolution.polynomial(y, u[j] / rate, eta_m, low, high) if u[j] < rate else y
                        for j, y in enumerate(child)
                    ]
        trial = np.clip(trial, low, high)
        ft = f(trial)
        everybody, values = np.concatenate([trial, x]), np.concatenate([ft, fx])
        order = sorted(range(2 * n), key=lambda i: (values[i], i))
        ranks = np.arange(2 * n, dtype=make.REAL)
        x = np.array([weights(-abs(r - ranks) / (2 * n - 1), tau) @ everybody[order] for r in range(n)])
        fx = f(x)
        yield dict(x=x, fx=fx, g=best(x, fx), trial=trial, ftrial=ft)


# ---------------------------------------------------------------------------------------------- DE


def de(f, x, p, draw):
    n, d = x.shape
    tau, plain = real(p["selection_temperature"]), None
    fx = f(x)
    yield dict(x=x, fx=fx, g=best(x, fx))
    while True:
        # One iteration of the plain method from here gives the trials.
        plain = make.de(f, x, p, draw)
        next(plain)
        step = next(plain)
        trial, ft = step["trial"], step["ftrial"]
        deviation = np.concatenate([ft, fx]).std()
        w = np.where(ft == fx, real(1), gate((fx - ft) / deviation, tau))
        x = x + w[:, None] * (trial - x)
        fx = f(x)
        yield dict(x=x, fx=fx, g=best(x, fx), trial=trial, ftrial=ft)


# ---------------------------------------------------------------------------------------------- ES


def soft_weights(w, tau):
    n = len(w)
    logits = -np.arange(n, dtype=make.REAL) / (n - 1)
    out = np.full(n, w[-1], dtype=make.REAL)
    for k in range(1, n):
        low, high = real(-1000), real(1000) / tau
        for _ in range(300):
            nu = (low + high) / 2
            low, high = (nu, high) if gate(logits / tau + nu, 1).sum() < k else (low, nu)
        out = out + (w[k - 1] - w[k]) * gate(logits / tau + nu, 1)
    return out


def diff_es(f, x, p, draw, bounds):
    lam, mu, n = p["particles"], x[0], real(x.shape[1])
    sigma = np.full_like(mu, make_distribution.first_sigma(p, bounds))
    _, w = make_distribution.natural_weights(lam)
    u = soft_weights(w, real(p["selection_temperature"]))
    assert abs(u.sum() - w.sum()) < 1e-12 and (np.diff(u) < 0).all() and abs(u - w).max() > 0.05
    eta = (3 + np.log(n)) / (5 * np.sqrt(n))
    first = True
    while True:
        s = draw.normal("z", lam, len(mu))
        if first:
            s[0], first = 0, False
        x = mu + sigma * s
        fx = f(x)
        s = s[make_distribution.ranked(fx)]
        mu = mu + sigma * (u @ s)
        sigma = sigma * np.exp(eta / 2 * (u @ (s * s - 1)))
        yield dict(x=x, fx=fx, mean=mu, g=mu, sigma_vector=sigma)


# ---------------------------------------------------------------------------------------------- L-SHADE


class Lshade(make_evolution.Lshade):
    def __init__(self, p):
        super().__init__(p)
        self.c, self.spread_f, self.spread_cr = real(p["memory_rate"]), p["weight_spread"], p["rate_spread"]

    def store(self, f, cr):
        k = self.k
        self.m_f[k] = self.m_f[k] + self.c * (f - self.m_f[k])
        self.m_cr[k] = None if cr is None else self.m_cr[k] + self.c * (cr - self.m_cr[k])


# ---------------------------------------------------------------------------------------------- the files


def file(name, program, objective, seed, n, d, p, steps, scale=2.0):
    method = "_".join(name.split("_")[:2])
    p = dict(p, mode="classical")
    while True:
        try:
            return make.trajectory(name, program, objective, start_points(seed, n, d, scale), p, seed, steps, method)
        except AssertionError as why:
            print("    ", seed, why)
            seed += 1


if __name__ == "__main__":
    p = dict(crossover=0.9, eta_c=2.0, eta_m=20.0, mutation=0.4, bounds=[-2.0, 2.2], selection="soft", selection_temperature=0.1)
    file("diff_ga_soft", ga, "rastrigin25", 401, 8, 3, dict(p, parents="tournament"), 10)
    file("diff_ga_ranks", ga, "rosenbrock", 421, 7, 3, dict(p, selection_temperature=0.05, parents="ranks", pressure=2.6), 10, 1.5)
    p = dict(F=0.5, CR=0.9, selection="soft", selection_temperature=0.3)
    file("diff_de_soft", de, "rosenbrock", 441, 8, 4, p, 12, 1.2)
    p = dict(memory=3, best=0.2, archive=0.8, budget=120, memory_rate=0.4, weight_spread=0.2, rate_spread=0.05)
    _, walked = file("diff_lshade", make_evolution.adaptive(Lshade), "rastrigin25", 461, 14, 3, p, 13)
    sizes = [len(s["x"]) for s in walked]
    assert sizes[0] < 14 and sizes[-1] == 4 and any("archive" in s["draws"] for s in walked), sizes
    p = dict(particles=8, sigma=0.2, selection="soft", selection_temperature=0.15, mode="classical")
    make_distribution.trajectory("diff_es_soft", diff_es, "rosenbrock", make_distribution.one(481, 4, 1.2), p, 481, 14)
