"""Times PyTorch on the nets of `cargo bench -p swarmgrad-nn`, on one thread of the same machine.

    python crates/nn/benches/pytorch.py

Prints microseconds a step (median of rounds) and samples a second. Where PyTorch is not installed it says so and ends.
"""

import sys
import time

try:
    import torch
except ImportError:
    print("skipped: PyTorch is not installed (pip install torch)")
    sys.exit(0)

torch.set_num_threads(1)
nn = torch.nn


def steps(name, net, loss, x, y, fused, count, rounds=15):
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=fused)
    times = []
    for round_ in range(rounds + 1):
        start = time.perf_counter()
        for _ in range(count):
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
        if round_ > 0:
            times.append((time.perf_counter() - start) / count)
    middle = sorted(times)[rounds // 2]
    kind = "fused" if fused else "plain"
    print(f"{name:<42} adam {kind:<6} {1e6 * middle:>10.1f} us a step {len(x) / middle:>10.0f} samples/s")


print(f"PyTorch {torch.__version__}, one thread")
torch.manual_seed(1)
for fused in (False, True):
    net = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 3), nn.Sigmoid())
    x, y = torch.rand(50, 4), nn.functional.one_hot(torch.arange(50) % 3, 3).float()
    steps("iris net 4-10-3, batch 50, MSE", net, nn.MSELoss(), x, y, fused, 400)

    net = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    x, y = torch.rand(128, 784), torch.arange(128) % 10
    steps("dense net 784-32-10, batch 128, CE", net, nn.CrossEntropyLoss(), x, y, fused, 100)

    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10), nn.Softmax(dim=1),
    )
    x, y = torch.rand(125, 1, 28, 28), nn.functional.one_hot(torch.arange(125) % 10, 10).float()
    steps("convolutional net of the paper, batch 125", net, nn.MSELoss(), x, y, fused, 1, rounds=5)
