"""Golden trajectories of Algorithm 1 over batches of data: `python3 tests/golden/make_mean_field.py`.

Needs Python 3 and NumPy. Written from the paper's algorithm, step by step; one particle a row. The objective is the mean over data
a_j of E_j(x) = sum_k (x_k - a_jk)^2 + 1/2 (1 - cos 3 (x_k - a_jk)).

File: {"params", "data": M x d, "start": N x d, "draws": [[label, iteration, row, values], ...], "steps": [state, ...]}. A state is that
after a batch: x, v, and with memory y and fy; g the consensus of the whole swarm; alpha, sigma2 of the next step; kicks so far.
The iteration of the draws of a move is the number of moves before it, the draws of an epoch's order of data have the
epoch. A permutation is Fisher-Yates from the back, as in make.py.
"""

import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


class Draws:
    def __init__(self, seed):
        self.random, self.taken = np.random.RandomState(seed), []

    def normal(self, label, iteration, rows, columns):
        drawn = self.random.standard_normal((rows, columns))
        self.taken += [[label, iteration, i, list(map(float, row))] for i, row in enumerate(drawn)]
        return drawn

    def permutation(self, label, iteration, n):
        u = self.random.random_sample(n - 1)
        self.taken.append([label, iteration, 0, list(map(float, u))])
        p = np.arange(n)
        for t, i in zip(u, range(n - 1, 0, -1)):
            j = int(t * (i + 1))
            p[i], p[j] = p[j], p[i]
        return p


def mean_over(a, x):
    gap = x[:, None, :] - a[None, :, :]
    return (gap**2 + 0.5 * (1 - np.cos(3 * gap))).sum(axis=2).mean(axis=1)


def consensus(points, values, alpha):
    w = np.exp(-alpha * (values - values.min()))
    return (w[:, None] * points).sum(axis=0) / w.sum()


def size_of_variances(y):
    return np.sqrt((y.var(axis=0) ** 2).sum())


def algorithm_1(a, x, p, draw, steps):
    m, gamma, dt = p["inertia"], p["friction"], p["dt"]
    lam1, lam2, sig1_0, sig2_0 = p["lambda1"], p["lambda2"], p["sigma1"], p["sigma2"]
    memory, n_e, n_n = p["memory"] != "none", p["data_batch"], p["batch"]
    n = len(x)
    v, y, fy = np.zeros_like(x), x.copy(), None
    alpha, sig1, sig2 = p["alpha"], sig1_0, sig2_0
    place, epoch, moves, kicks, old = 0, 0, 0, 0, None
    start_size = size_of_variances(y)
    for _ in range(steps):
        if place == 0:
            order = draw.permutation("data", epoch, len(a))
        batch = a[order[place : place + n_e]]
        if not memory:
            y = x.copy()
            fy = mean_over(batch, y)
        elif fy is None or p["local_best"] == "exact":
            fy = mean_over(batch, y)  # line 9
        if not memory:
            g = consensus(y, fy, alpha)
        who = draw.permutation("batch", moves, n) if n_n < n else np.arange(n)
        for b in range(0, n, n_n):
            s = who[b : b + n_n]
            c = consensus(y[s], fy[s], alpha)  # line 12
            if p["kick"] and old is not None and np.abs(c - old).max() < p["kick"]:
                shift = max(sig1, sig2) * np.sqrt(dt) * draw.normal("kick", moves, n, x.shape[1])
                kicks += 1
                if m > 0:
                    v = v + shift
                else:
                    x = x + shift
                    if not memory:  # values belong to positions
                        y = x.copy()
                        fy = mean_over(batch, y)
            old = c
            t = s if p["update"] == "partial" else np.arange(n)
            xi2 = draw.normal("xi2", moves, len(t), x.shape[1])
            xi1 = draw.normal("xi1", moves, len(t), x.shape[1]) if lam1 or sig1 else np.zeros_like(xi2)
            z1, z2 = y[t] - x[t], c - x[t]
            if not memory:
                z1 = 0 * z1
            v, x = v.copy(), x.copy()
            v[t] = (m * v[t] + dt * (lam1 * z1 + lam2 * z2) + np.sqrt(dt) * (sig1 * abs(z1) * xi1 + sig2 * abs(z2) * xi2)) / (m + gamma * dt)
            x[t] = x[t] + dt * v[t]  # line 13, (4.15)
            fx = mean_over(batch, x[t])
            if memory:
                better = fx < fy[t]
                y[t[better]], fy[t[better]] = x[t[better]], fx[better]
            elif p["update"] == "full":
                y, fy = x.copy(), fx
            moves += 1
        place += n_e
        if place >= len(a):  # line 20
            place, epoch = 0, epoch + 1
            if p["cooling"]:
                alpha = p["alpha"] * 2.0**epoch
                sig1, sig2 = sig1_0 / np.log2(epoch + 2), sig2_0 / np.log2(epoch + 2)
            if p["reduction"]:
                end_size = size_of_variances(y if memory else x)
                mu = p["reduction"]
                factor = min(max((1 - mu) + mu * end_size / start_size, 1 - mu), 1)
                keep = min(int(np.ceil(np.ceil(n * factor) / n_n)) * n_n, n)
                start_size = end_size
                if keep < n:
                    stay = np.sort(draw.permutation("reduction", moves, n)[:keep])
                    x, v, y, fy, n = x[stay], v[stay], y[stay], fy[stay], keep
        if memory:
            g = consensus(y, fy, alpha)
        state = dict(x=x, v=v, g=g, alpha=alpha, sigma2=sig2, kicks=kicks)
        yield dict(state, y=y.copy(), fy=fy.copy()) if memory else state


def plain(t):
    return {k: v.tolist() if isinstance(v, np.ndarray) else float(v) if isinstance(v, np.floating) else v for k, v in t.items()}


def write(name, seed, n, data, steps, **changes):
    p = dict(inertia=0.4, friction=0.6, dt=0.2, lambda1=0.0, lambda2=1.0, sigma1=0.0, sigma2=0.7, alpha=3.0, memory="sharp")
    p.update(local_best="exact", data_batch=3, batch=n, update="full", cooling=True, reduction=0.0, kick=0.0)
    p.update(changes)
    random = np.random.RandomState(seed + 500)
    a, x = random.uniform(-1, 1, (data, 2)), random.uniform(-2, 2, (n, 2))
    draw = Draws(seed)
    states = list(algorithm_1(a, x.copy(), p, draw, steps))
    file = dict(params=dict(p, particles=n), data=a.tolist(), start=x.tolist(), draws=draw.taken, steps=[plain(s) for s in states])
    (HERE / f"batched_{name}.json").write_text(json.dumps(file).replace("], [\"", "],\n[\"") + "\n")
    print(name, "kicks", states[-1]["kicks"], "particles", [len(s["x"]) for s in states])
    return states


if __name__ == "__main__":
    both = dict(lambda1=0.4, sigma1=0.28)
    write("exact", 1, 6, 8, 9, **both)
    write("stale", 2, 6, 8, 9, local_best="stale", **both)
    write("partial", 3, 6, 7, 6, batch=2, update="partial", **both)
    write("full", 4, 6, 7, 6, batch=3, update="full")
    write("memoryless", 5, 6, 7, 6, memory="none", batch=2, update="full")
    write("cbo", 6, 6, 7, 6, memory="none", batch=2, update="partial", inertia=0.0, friction=1.0, kick=0.05, alpha=60.0)
    kicked = write("kick", 7, 5, 4, 12, alpha=1e9, kick=1e-5, data_batch=4)
    assert 2 <= kicked[-1]["kicks"] <= 11
    reduced = write("reduction", 8, 8, 6, 9, batch=2, update="full", reduction=0.7, alpha=20.0)
    assert len(reduced[-1]["x"]) < len(reduced[0]["x"]) < 9
