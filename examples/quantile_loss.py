"""A loss of one's own for `train`: the pinball loss of the 0.9 quantile.

    swarmgrad train diabetes --loss-exec 'python3 examples/quantile_loss.py' --particles 6 --iterations 8 --epochs 12 --seeds 2

The program reads lines `prediction label` until its input ends, many at a time, and answers each with a line, flushed.
"""

import sys

for line in sys.stdin:
    prediction, label = map(float, line.split())
    print(max(0.9 * (label - prediction), 0.1 * (prediction - label)), flush=True)
