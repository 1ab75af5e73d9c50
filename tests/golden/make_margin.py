"""Golden trajectories on whole variables, a choice and a flag: `python3 tests/golden/make_margin.py`.

Written from the papers' equations (CMA-ES with margin, GECCO 2022; the rule for choices stands in
crates/algorithms/src/distribution/margin.rs), on top of make_distribution.py, whose methods run here in coordinates w of their own:

    v = S A w,   S the initial deviations over the largest, A the matrix of the margin, both diagonal

What differs in a file: "variables" are the texts of the variables; objectives see the coordinates of the box, in which k is whole
variable number k and a choice is 1 for the word that was chosen, 0 for the others. mean is in the coordinates w after the
update (where A is that of the next step), g a point of the box. A step that leads outside in a continuous coordinate is drawn
anew, up to three times, by cma_es; the trajectories go nowhere else outside in such a coordinate.
"""

import json
import math
from statistics import NormalDist

import numpy as np

import make
from make import Draws
from make_distribution import Cma, natural_weights, ranked

NORMAL = NormalDist()
VARIABLES = ["a=-3:3", "n=int:-2:3", "c=choice:x,y,z", "b=-2:2", "f=flag", "m=int:0:40:4"]
LOWER = np.array([-3, -0.5, 0, 0, 0, -2, -0.5, -0.5])
UPPER = np.array([3, 5.5, 1, 1, 1, 2, 1.5, 10.5])
STEPS = {1: 6, 6: 2, 7: 11}
CHOICES = [[2, 3, 4]]
REALS = [0, 5]


def meaning(v):
    """The middle of all points that mean the same."""
    x = v.copy()
    for j, count in STEPS.items():
        x[j] = min(max(math.floor(v[j] + 0.5), 0), count - 1)
    for choice in CHOICES:
        x[choice] = 0
        x[choice[int(np.argmax(v[choice]))]] = 1
    return x


def kept(m, s, count, alpha):
    """Mean and deviation of a whole coordinate with the margin."""
    thresholds = [k + 0.5 for k in range(count - 1)]
    below = [t for t in thresholds if t <= m]
    above = [t for t in thresholds if t > m]
    if not below or not above:
        l = thresholds[0] if not below else thresholds[-1]
        return l + math.copysign(min(abs(m - l), NORMAL.inv_cdf(1 - alpha) * s), m - l), s
    l1, l2 = below[-1], above[0]
    p1, p2 = NORMAL.cdf((l1 - m) / s), NORMAL.cdf((m - l2) / s)
    p = 1 - p1 - p2
    q1, q2 = max(alpha / 2, p1), max(alpha / 2, p2)
    excess = (1 - q1 - q2 - p) / (q1 + q2 + p - 3 * alpha / 2)
    q1, q2 = q1 + excess * (q1 - alpha / 2), q2 + excess * (q2 - alpha / 2)
    z1, z2 = NORMAL.inv_cdf(1 - q1), NORMAL.inv_cdf(1 - q2)
    return (l1 * z2 + l2 * z1) / (z1 + z2), (l2 - l1) / (z1 + z2)


class Margin:
    def __init__(self, x, share):
        self.widths = UPPER - LOWER
        self.sigma = share * self.widths.max()
        self.S = self.widths / self.widths.max()
        self.A = np.ones(len(x))
        self.raised = 0

    @property
    def scale(self):
        return self.S * self.A

    def keep(self, w, covariance, alpha):
        """Returns the mean in the new coordinates; covariance is that of w."""
        v, s = self.scale * w, self.scale * np.sqrt(np.diag(covariance))
        covariance = covariance * np.outer(self.scale, self.scale)
        for j, count in STEPS.items():
            before = v[j], s[j]
            v[j], deviation = kept(v[j], s[j], count, alpha)
            self.A[j] *= deviation / s[j]
            self.raised += before != (v[j], deviation)
        for choice in CHOICES:
            lead = choice[int(np.argmax(v[choice]))]
            q = NORMAL.inv_cdf(1 - alpha / (len(choice) - 1))
            for k in choice:
                least = v[lead] - q * math.sqrt(max(covariance[k, k] + covariance[lead, lead] - 2 * covariance[k, lead], 0))
                if k != lead and v[k] < least:
                    v[k] = least
                    self.raised += 1
        return v / self.scale


def cma_es(f, x0, p, draw):
    margin = Margin(x0, p["sigma"])
    cma = Cma(x0 / margin.scale, p, p["particles"], margin.sigma)
    while True:
        cma.sample(draw, "z")
        v = lambda y: margin.scale * (cma.m + cma.sigma * y)
        for k in range(cma.lam if cma.g else 0):
            for _ in range(3):
                if ((v(cma.y[k]) < LOWER) | (v(cma.y[k]) > UPPER))[REALS].any():
                    cma.y[k] = draw.normals("again", k, cma.n) @ cma.root
        x = np.array([meaning(v(y)) for y in cma.y])
        assert (x >= LOWER).all() and (x <= UPPER).all()
        if not cma.g:
            x[0] = x0
        fx = f(x)
        cma.update(fx)
        cma.m = margin.keep(cma.m, cma.sigma**2 * cma.C, 1 / (cma.n * cma.lam))
        yield margin, dict(x=x, fx=fx, mean=cma.m, g=meaning(margin.scale * cma.m), sigma=cma.sigma, p_sigma=cma.ps, p_c=cma.pc)


def snes(f, x0, p, draw):
    margin = Margin(x0, p["sigma"])
    lam, n = p["particles"], len(x0)
    mu, sigma = x0 / margin.scale, np.full(n, margin.sigma)
    _, u = natural_weights(lam)
    eta = (3 + np.log(n)) / (5 * np.sqrt(n))
    first = True
    while True:
        s = draw.normal("z", lam, n)
        s[0] *= not first
        x = np.array([meaning(margin.scale * (mu + sigma * t)) for t in s])
        assert (x >= LOWER).all() and (x <= UPPER).all()
        if first:
            x[0] = x0
        first = False
        fx = f(x)
        s = s[ranked(fx)]
        mu = mu + sigma * (u @ s)
        sigma = sigma * np.exp(eta / 2 * (u @ (s * s - 1)))
        mu = margin.keep(mu, np.diag(sigma**2), 1 / (n * lam))
        yield margin, dict(x=x, fx=fx, mean=mu, g=meaning(margin.scale * mu), sigma_vector=sigma)


def golden(name, program, params, objective, x0, steps, seed):
    draw = Draws(seed)
    run = program(make.OBJECTIVES[objective], x0, params, draw)
    states = []
    for k in range(steps + 1):
        margin, state = next(run)
        states.append(dict(round=k, draws=draw.take(), **{key: np.asarray(value).tolist() for key, value in state.items()}))
    assert margin.raised > 5 and (margin.A > 1.2).any(), (margin.raised, margin.A)
    head = dict(method=program.__name__, params=params, objective=objective, dim=len(x0), variables=VARIABLES, start=[x0.tolist()])
    text = json.dumps(dict(head, initial=states[0], steps=states[1:]))
    (make.HERE / f"{name}.json").write_text(text + "\n")
    print(name, len(text), "margin used", margin.raised, "times; A", margin.A)


if __name__ == "__main__":
    start = np.array([1.0, 1.2, 0.2, 0.7, 0.4, -0.5, 0.3, 1.9])
    golden("cma_es_margin", cma_es, dict(particles=8, sigma=0.02), "rosenbrock", start, 24, 5)
    golden("snes_margin", snes, dict(particles=6, sigma=0.02), "rosenbrock", start, 24, 6)
