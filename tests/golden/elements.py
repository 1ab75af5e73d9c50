"""Golden trajectories of the swarms at a network's outputs, written from the equations: `python3 elements.py > elements.json`.

    M <- beta M + (1 - beta) v;  v <- M + c1 r1 (p - x) + c2 r2 (g - x);  x <- x + v,   v = M = 0 at the start

Each block of outputs has a swarm of its own; blocks take their draws from lane k % 16 of the draws of row k // 16.
"""
import json
import numpy as np

LANES = 16


def swarm(w, target, loss, start, pulls, n, T, c1=1.2, c2=1.2, beta=0.2, eta=None, begin=None, confine=None, momentum=True,
          tau=None, kappa="expected", radius=None, leak=False):
    """One swarm. `start(i)` and `pulls(t, i)` give its uniforms; returns all positions (t, i), g, its loss and kappa."""
    eta = 1 - beta if eta is None else eta
    clip = (lambda z: z) if confine is None else (lambda z: np.clip(z, *confine))
    x = [w.copy() if i == 0 and not leak else clip(begin(w, target, start(i))) for i in range(n)]
    v, M = [np.zeros_like(w) for _ in x], [np.zeros_like(w) for _ in x]
    p, pf, gf, gl, g = [z.copy() for z in x], [np.inf] * n, np.inf, np.inf, x[0].copy()
    path, values, last = [], [], []
    for t in range(T + 1):
        if t > 0:
            last = [pulls(t, i) for i in range(n)]
            for i, (r1, r2) in enumerate(last):
                m = beta * M[i] + (1 - beta) * v[i]
                v[i] = m + c1 * r1 * (p[i] - x[i]) + c2 * r2 * (g - x[i])
                x[i] = clip(x[i] + v[i])
                if momentum:
                    M[i] = m
        f = [loss(z, target) for z in x]
        path.append([z.copy() for z in x])
        values.append(f)
        for i in range(n):
            total = f[i] + (0 if tau is None else np.sum((x[i] - w) ** 2) / (2 * tau))
            if total < pf[i]:
                p[i], pf[i] = x[i].copy(), total
        for i in range(n):
            total = f[i] + (0 if tau is None else np.sum((x[i] - w) ** 2) / (2 * tau))
            if total < gf:
                g, gf, gl = x[i].copy(), total, f[i]
    if tau is not None:
        k = 1 / tau
    elif kappa == "expected":
        k = (c1 + c2) / (2 * eta)
    elif kappa == "paper":
        k = (c1 * np.mean([np.mean(r1) for r1, _ in last]) + c2 * np.mean([np.mean(r2) for _, r2 in last])) / eta
    else:
        d2 = np.array([np.sum((z - g) ** 2) for row in path for z in row])
        df = np.array([value - gl for row in values for value in row])
        near = np.sqrt(d2) <= radius
        k = 2 * np.sum(d2[near] * df[near]) / np.sum(d2[near] ** 2)
    return path, g, gl, k


absolute = lambda z, t: float(np.sum(np.abs(z - t)))
squares = lambda z, t: float(np.sum((z - t) ** 2 * (1 + np.arange(len(z)))))
around = lambda span: lambda w, target, u: w + span * (2 * u - 1)
within = lambda low, high: lambda w, target, u: low + (high - low) * u
leaked = lambda spread: lambda w, target, u: target + spread * u


def case(name, kind, blocks, D, loss, begin, search, seed, n, T, per_particle=False, **law):
    rng = np.random.default_rng(seed)
    w, target = rng.uniform(0, 1, (blocks, D)), rng.integers(0, 2, (blocks, D)).astype(float)
    leak = law.get("leak", False)
    draws, runs = [], []
    if kind == "batch":
        r = {0: rng.uniform(0, 1, (2 * n * (T + 1), D))}[0]
        draws = [[row, values.tolist()] for row, values in enumerate(r)]
        pulls = lambda t, i: (r[2 * (t * n + i)][:1], r[2 * (t * n + i) + 1][:1]) if per_particle else (
            r[2 * (t * n + i)], r[2 * (t * n + i) + 1])
        runs = [swarm(w[0], target[0], loss, lambda i: r[2 * i], pulls, n, T, begin=begin, **law)]
        path = np.array(runs[0][0]).ravel()
    else:
        path = []
        for group in range(0, blocks, LANES):
            u = rng.uniform(0, 1, (n if leak else n - 1, D, LANES))
            r = rng.uniform(0, 1, (T, n, 1 if per_particle else D, 2, LANES))
            draws.append([group // LANES, np.concatenate([u.ravel(), r.ravel()]).tolist()])
            some = [swarm(w[b], target[b], loss, lambda i: u[i if leak else i - 1, :, b - group],
                          lambda t, i: (r[t - 1, i, :, 0, b - group], r[t - 1, i, :, 1, b - group]), n, T, begin=begin, **law)
                    for b in range(group, min(group + LANES, blocks))]
            path.append(np.array([run[0] for run in some]).transpose(1, 2, 0, 3).ravel())  # t, particle, block, coordinate
            runs += some
        path = np.concatenate(path)
    search = dict(search, particles=n, iterations=T, draws="per_particle" if per_particle else "per_coordinate")
    return dict(name=name, kind=kind, columns=D, loss=loss is absolute and "absolute" or "squares", search=search, draws=draws,
                outputs=w.ravel().tolist(), targets=target.ravel().tolist(), path=path.tolist(),
                best=np.array([run[1] for run in runs]).ravel().tolist(), value=[run[2] for run in runs],
                kappa=[float(run[3]) for run in runs])


print(json.dumps([
    case("elements", "elements", 20, 1, absolute, around(0.7), dict(start={"around": {"span": 0.7}}, kappa="paper"), 1, 4, 6,
         kappa="paper"),
    case("elements, paper's parameters in a range, curvature", "elements", 17, 1, squares, within(-1, 2),
         dict(start={"range": {"low": -1, "high": 2}}, c1=0.8, c2=0.9, beta=0.9, eta=0.1, kappa={"calibrated": {"radius": 0.4}}),
         2, 5, 8, c1=0.8, c2=0.9, beta=0.9, eta=0.1, kappa="calibrated", radius=0.4),
    case("elements, proximity", "elements", 16, 1, absolute, around(1), dict(proximity=0.3), 3, 3, 6, tau=0.3),
    case("samples", "samples", 5, 3, squares, around(1), dict(kappa={"calibrated": {"radius": 0.5}}), 4, 3, 6,
         kappa="calibrated", radius=0.5),
    case("samples, proximity, confined", "samples", 18, 2, absolute, around(1), dict(proximity=0.5, confine=[0, 1]), 5, 3, 5,
         tau=0.5, confine=(0, 1)),
    case("samples as published", "samples", 3, 3, squares, leaked(0.3), dict(start={"target": {"spread": 0.3}}, confine=[0, 1],
         momentum=False, c1=0.9, c2=0.8, beta=0.1, eta=0.1, kappa="paper"), 6, 4, 6, per_particle=True, confine=(0, 1),
         momentum=False, c1=0.9, c2=0.8, beta=0.1, eta=0.1, kappa="paper", leak=True),
    case("batch", "batch", 1, 7, squares, around(1), dict(kappa="paper"), 7, 4, 6, kappa="paper"),
    case("batch, one draw a particle, proximity, confined", "batch", 1, 5, absolute, within(-1, 2),
         dict(start={"range": {"low": -1, "high": 2}}, proximity=0.4, confine=[-0.5, 1]), 8, 3, 5, per_particle=True, tau=0.4,
         confine=(-0.5, 1)),
    case("batch as published, curvature", "batch", 1, 6, squares, leaked(0.3), dict(start={"target": {"spread": 0.3}},
         kappa={"calibrated": {"radius": 0.4}}), 9, 3, 5, kappa="calibrated", radius=0.4, leak=True),
], separators=(",", ":")))
