"""Times other people's programs on the kernels of docs/speed.md, on one core.

Prints a JSON object a line: kernel, who, seconds (the fastest of many short repetitions). What cannot be imported is left out, and said on
standard error. `cargo run --release -p swarmgrad-lab --example speed` runs this.
"""

import json
import os
import sys
import time

try:
    # One core before anything starts its threads.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
except AttributeError:
    pass
os.environ["OMP_NUM_THREADS"] = "1"


def fastest(work):
    def once(times):
        begin = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - begin) / times

    typical = min(once(1) for _ in range(3))
    times = max(1, int(1e-3 / typical))
    return min(once(times) for _ in range(min(400, max(5, int(0.4 / (typical * times))))))


def line(kernel, who, seconds):
    print(json.dumps({"kernel": kernel, "who": who, "seconds": seconds}), flush=True)


NETS = [
    ("Adam, 4-10-3, batch 50, mse", [4, 10, 3], 50),
    ("Adam, 784-32-10, batch 128, cross_entropy", [784, 32, 10], 128),
    ("Adam, 784-32-10, batch 1024, cross_entropy", [784, 32, 10], 1024),
]


def with_numpy():
    import numpy as np

    who, rng = f"NumPy {np.__version__}", np.random.default_rng(1)
    x = rng.standard_normal((128, 784), np.float32)
    first, second = rng.standard_normal((784, 256 * 32), np.float32), rng.standard_normal((256, 32, 10), np.float32)

    def forward():
        hidden = np.maximum(x @ first, 0).reshape(128, 256, 32).transpose(1, 0, 2)
        logits = hidden @ second
        top = logits.max(axis=2, keepdims=True)
        return (top[..., 0] + np.log(np.exp(logits - top).sum(axis=2)) - logits[..., 0]).mean(axis=1)

    line("256 nets 784-32-10, 128 rows, forward", who, fastest(forward))
    n = d = 1000
    x, v, p, g = (rng.standard_normal(shape) for shape in [(n, d), (n, d), (n, d), (d,)])

    def pso():
        nonlocal x, v
        v = 0.7 * v + 1.5 * rng.random((n, d)) * (p - x) + 1.5 * rng.random((n, d)) * (g - x)
        x = x + v

    line("PSO, N = 1000, d = 1000, an iteration", who, fastest(pso))


def with_jax():
    import jax
    import jax.numpy as jnp

    who = f"JAX {jax.__version__}"
    for kernel, (inputs, hidden, outputs), batch in NETS:
        x = jax.random.uniform(jax.random.key(0), (batch, inputs))
        y = jax.nn.one_hot(jnp.arange(batch) % outputs, outputs)

        def loss(w, mse="mse" in kernel):
            logits = jax.nn.relu(x @ w[0] + w[1]) @ w[2] + w[3]
            if mse:
                return jnp.mean((jax.nn.sigmoid(logits) - y) ** 2)
            return jnp.mean(jax.nn.logsumexp(logits, axis=1) - jnp.sum(logits * y, axis=1))

        def step(state):
            w, m, v, t = state
            t = t + 1
            grads = jax.grad(loss)(w)
            m = [0.9 * a + 0.1 * g for a, g in zip(m, grads)]
            v = [0.999 * a + 0.001 * g * g for a, g in zip(v, grads)]
            scale = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            return [a - scale * b / (jnp.sqrt(c) + 1e-8) for a, b, c in zip(w, m, v)], m, v, t

        keys = jax.random.split(jax.random.key(1), 2)
        w = [
            jax.random.normal(keys[0], (inputs, hidden)) * inputs**-0.5, jnp.zeros(hidden),
            jax.random.normal(keys[1], (hidden, outputs)) * hidden**-0.5, jnp.zeros(outputs),
        ]
        zeros = [jnp.zeros_like(a) for a in w]
        one, many = jax.jit(step), jax.jit(lambda state: jax.lax.fori_loop(0, 100, lambda _, s: step(s), state))
        for name, program, steps in [("stepping", one, 1), ("100 steps a call", many, 100)]:
            state = program((w, zeros, zeros, 0.0))

            def work():
                nonlocal state
                state = program(state)
                state[3].block_until_ready()

            line(kernel, f"{who}, {name}", fastest(work) / steps)

    xs = jax.random.normal(jax.random.key(2), (128, 784))
    nets = [jax.random.normal(jax.random.key(3 + k), shape) for k, shape in enumerate([(256, 784, 32), (256, 32, 10)])]

    def value(first, second):
        logits = jax.nn.relu(xs @ first) @ second
        return jnp.mean(jax.nn.logsumexp(logits, axis=1) - logits[:, 0])

    forward = jax.jit(jax.vmap(value))
    line("256 nets 784-32-10, 128 rows, forward", who, fastest(lambda: forward(*nets).block_until_ready()))


def with_torch():
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)
    nn, who = torch.nn, f"PyTorch {torch.__version__}"
    nets = [(kernel, nn.Sequential(nn.Linear(*shape[:2]), nn.ReLU(), nn.Linear(*shape[1:])), shape, batch) for kernel, shape, batch in NETS]
    cases = []
    for kernel, net, shape, batch in nets:
        labels, mse = torch.arange(batch) % shape[2], "mse" in kernel
        y = nn.functional.one_hot(labels, shape[2]).float() if mse else labels
        net = nn.Sequential(net, nn.Sigmoid()) if mse else net
        cases.append((kernel, net, nn.MSELoss() if mse else nn.CrossEntropyLoss(), torch.rand(batch, shape[0]), y))
    cnn = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10), nn.Softmax(dim=1),
    )
    y = nn.functional.one_hot(torch.arange(125) % 10, 10).float()
    cases.append(("Adam, the paper's convolutional net, batch 125, mse", cnn, nn.MSELoss(), torch.rand(125, 1, 28, 28), y))
    for kernel, net, loss, x, y in cases:
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)

        def work():
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()

        line(kernel, who, fastest(work))


def with_cma():
    import cma
    import random

    for dim in [10, 40, 100]:
        strategy = cma.CMAEvolutionStrategy(dim * [0.0], 1.0, {"popsize": 20, "verbose": -9, "seed": 1})

        def work():
            points = strategy.ask()
            strategy.tell(points, [random.random() for _ in points])

        line(f"CMA-ES, d = {dim}, 20 points, an iteration", f"pycma {cma.__version__}", fastest(work))


for run in [with_numpy, with_jax, with_torch, with_cma]:
    try:
        run()
    except ImportError as why:
        print(f"left out: {why}", file=sys.stderr)
