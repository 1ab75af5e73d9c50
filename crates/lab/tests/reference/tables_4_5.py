"""Columns of tables IV and V by a second program, which shares nothing with the crate but the data: in its folder
python3 tables_4_5.py > ../../src/paper/adaswarm/independent-tables-4-5.csv

The published protocol in NumPy, all seeds at once: one hidden layer of ten ReLUs, sigmoid outputs, weights uniform in +-1/sqrt(fan in),
all rows with raw features, batches of 50 in a new order each epoch, learning rate .1; element-wise accuracy is the running mean of
an epoch's batches, each before its step. Rules have PyTorch's constants. Particles are whole batches that start at the labels plus
sqrt(.1) U(0, 1), clipped to [0, 1]: ten of them, forty moves, c1 = .9, c2 = .8, inertia .9, one draw a pull and particle; what is sent back
is kappa (output - best), not divided by the batch, kappa = (mean c1 r1 + mean c2 r2) / eta of the last move.
"""
import csv
import sys
import numpy as np

SEEDS, BATCH, HIDDEN, RATE = 20, 50, 10, 0.1
SETS = ["iris", "ionosphere", "haberman"]
EPOCHS = {"mse": 50, "mae": 100}
QUICK = 10


def load(name):
    with open(f"../../../nn/src/data/embedded/{name}.csv") as file:
        rows = list(csv.reader(file))[1:]
    classes = sorted({row[-1] for row in rows})
    x = np.array([[float(t) for t in row[:-1]] for row in rows])
    return x, np.eye(len(classes))[[classes.index(row[-1]) for row in rows]]


def rule(name):
    """A function of (state, gradient) that gives the step to take off; the state is a list that starts empty."""
    def sgd(s, g): return RATE * g
    def adagrad(s, g):
        if not s: s.append(np.zeros_like(g))
        s[0] += g * g
        return RATE * g / (np.sqrt(s[0]) + 1e-10)
    def adadelta(s, g):
        if not s: s.extend([np.zeros_like(g), np.zeros_like(g)])
        s[0] = 0.9 * s[0] + 0.1 * g * g
        step = g * np.sqrt((s[1] + 1e-6) / (s[0] + 1e-6))
        s[1] = 0.9 * s[1] + 0.1 * step * step
        return RATE * step
    def rmsprop(s, g):
        if not s: s.append(np.zeros_like(g))
        s[0] = 0.99 * s[0] + 0.01 * g * g
        return RATE * g / (np.sqrt(s[0]) + 1e-8)
    def adam(s, g, largest=False):
        if not s: s.extend([np.zeros_like(g), np.zeros_like(g), np.zeros_like(g), 0])
        s[3] += 1
        s[0] = 0.9 * s[0] + 0.1 * g
        s[1] = 0.999 * s[1] + 0.001 * g * g
        s[2] = np.maximum(s[2], s[1]) if largest else s[1]
        return RATE * (s[0] / (1 - 0.9 ** s[3])) / (np.sqrt(s[2] / (1 - 0.999 ** s[3])) + 1e-8)
    def amsgrad(s, g): return adam(s, g, True)
    return {"sgd": sgd, "sgd_swarm": sgd, "adagrad": adagrad, "adadelta": adadelta, "rmsprop": rmsprop,
            "amsgrad": amsgrad, "adam": adam, "adaswarm": adam}[name]


def derivative(loss, y, t):
    n = y.shape[1] * y.shape[2]
    return (2 * (y - t) if loss == "mse" else np.sign(y - t)) / n


def swarm(loss, eta, y, t, rng):
    """What whole-batch particles send back; axes: seed, particle, row, output."""
    c1, c2, inertia = 0.9, 0.8, 0.9
    shape = (SEEDS, 10) + t.shape[1:]
    x = np.clip(t[:, None] + np.sqrt(0.1) * rng.random(shape), 0, 1)
    v, own = np.zeros(shape), x.copy()
    own_value = np.full(shape[:2], np.inf)
    best, best_value = x[:, 0].copy(), np.full(SEEDS, np.inf)
    for _ in range(40):
        gap = x - t[:, None]
        value = (gap * gap if loss == "mse" else np.abs(gap)).mean(axis=(2, 3))
        better = value < own_value
        own_value = np.where(better, value, own_value)
        own = np.where(better[:, :, None, None], x, own)
        first = own_value.argmin(axis=1)
        improved = own_value[np.arange(SEEDS), first] < best_value
        best_value = np.where(improved, own_value[np.arange(SEEDS), first], best_value)
        best = np.where(improved[:, None, None], own[np.arange(SEEDS), first], best)
        r1, r2 = rng.random((2,) + shape[:2])
        v = inertia * v + c1 * r1[:, :, None, None] * (own - x) + c2 * r2[:, :, None, None] * (best[:, None] - x)
        x = np.clip(x + v, 0, 1)
    kappa = (c1 * r1.mean(axis=1) + c2 * r2.mean(axis=1)) / eta
    return kappa[:, None, None] * (y - best)


def train(name, loss, column):
    """Element-wise accuracy in per cent of every seed, epoch by epoch."""
    rng = np.random.default_rng([SETS.index(name), len(loss) + ord(loss[1]), sum(map(ord, column))])
    x, t = load(name)
    sizes = [(x.shape[1], HIDDEN), (1, HIDDEN), (HIDDEN, t.shape[1]), (1, t.shape[1])]
    fans = [x.shape[1], x.shape[1], HIDDEN, HIDDEN]
    w = [rng.uniform(-1, 1, (SEEDS,) + size) / np.sqrt(fan) for size, fan in zip(sizes, fans)]
    states, step, curve = [[] for _ in w], rule(column), []
    for _ in range(EPOCHS[loss]):
        order = np.stack([rng.permutation(len(x)) for _ in range(SEEDS)])
        right = np.zeros(SEEDS)
        for at in range(0, len(x), BATCH):
            pick = order[:, at:at + BATCH]
            bx, bt = x[pick], t[pick]
            z = bx @ w[0] + w[1]
            h = np.maximum(z, 0)
            y = 1 / (1 + np.exp(-np.clip(h @ w[2] + w[3], -700, 700)))
            right += (np.round(y) == bt).sum(axis=(1, 2))
            if "swarm" in column:
                sent = swarm(loss, 0.5 if column == "sgd_swarm" else 0.1, y, bt, rng)
            else:
                sent = derivative(loss, y, bt)
            d2 = sent * y * (1 - y)
            d1 = (d2 @ w[2].transpose(0, 2, 1)) * (z > 0)
            gradient = [bx.transpose(0, 2, 1) @ d1, d1.sum(axis=1, keepdims=True),
                        h.transpose(0, 2, 1) @ d2, d2.sum(axis=1, keepdims=True)]
            w = [a - step(s, g) for a, s, g in zip(w, states, gradient)]
        curve.append(100 * right / t.size)
    return curve


print("# Columns of tables IV and V by tests/reference/tables_4_5.py: element-wise accuracy in per cent after so many epochs, mean and")
print(f"# standard deviation of {SEEDS} seeds")
print("data,loss,column,epochs,mean,deviation,seeds")
for name in SETS:
    for loss, epochs in EPOCHS.items():
        for column in ["sgd", "sgd_swarm", "adagrad", "adadelta", "rmsprop", "amsgrad", "adam", "adaswarm"]:
            curve = train(name, loss, column)
            for after in [QUICK, epochs]:
                a = curve[after - 1]
                print(f"{name},{loss},{column},{after},{a.mean():.3f},{a.std(ddof=1):.3f},{SEEDS}")
            print(name, loss, column, file=sys.stderr)
