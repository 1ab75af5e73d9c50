"""The sphere function for --exec, with faults on request: python3 objective.py LOG [FAULTS].

Every request is logged before anything happens, with what is going to happen to it. FAULTS is a comma list of the faults
below; one point in seven suffers one of them.
"""

import json
import os
import sys
import time

LOG = sys.argv[1]
FAULTS = sys.argv[2] if len(sys.argv) > 2 else ""


def log(kind):
    # One write in append mode: several copies may log at once.
    fd = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (kind + "\n").encode())
    os.close(fd)


def fault(x):
    """Which fault the point x suffers: pseudo-random, but the same whichever copy evaluates it."""
    h = 0
    for t in x:
        for c in repr(t):
            h = (h * 131 + ord(c)) % 1000003
    kinds = FAULTS.split(",")
    return kinds[h // 7 % len(kinds)] if h % 7 == 0 else "fine"


for line in sys.stdin:
    x = json.loads(line)["x"]
    value = sum(t * t for t in x)
    kind = fault(x) if FAULTS else "fine"
    log(kind)
    if kind == "crash":
        sys.stderr.write("I crash now\n")
        os._exit(3)
    elif kind == "hang":
        # A child that holds the pipes open must not matter.
        os.system("sleep 1000 & sleep 1000")
    elif kind == "nan":
        print("nan", flush=True)
    elif kind == "rubbish":
        print("what?", flush=True)
    elif kind == "inf":
        print(json.dumps({"value": float("inf")}), flush=True)
    elif kind == "two":
        os.write(1, b"1\n2\n")
    elif kind == "noise":
        sys.stderr.write("noise " * 50000)
        print(json.dumps({"value": value}), flush=True)
    elif kind == "closes":
        os.close(1)
        time.sleep(1000)
    else:
        print(value, flush=True)
