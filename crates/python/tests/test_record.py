import json
import os
import signal
import subprocess
import sys
import zlib

import numpy as np
import pytest

from swarmgrad import Choice, Integer, Log, Space, minimize, problems

BOX = [(-5, 5)] * 3


def sphere(x):
    return float(((x - 1) ** 2).sum())


def test_a_record_is_a_chain_and_continues(tmp_path):
    path = tmp_path / "run.jsonl"
    whole = minimize(sphere, BOX, method="de", rng=3, maxfun=200, record=path)
    crc, kinds = 0, []
    for line in path.read_bytes().splitlines():
        crc = zlib.crc32(line[: line.rindex(b',"crc":')], crc)
        row = json.loads(line)
        assert row["crc"] == f"{crc:08x}"
        kinds.append(row["kind"])
    assert kinds == ["header", *["evaluation"] * 200, "result"]
    calls = []
    again = minimize(lambda x: calls.append(1) or sphere(x), BOX, method="de", rng=3, maxfun=200, record=path)
    assert not calls and again.fun == whole.fun and again.repeated == 200
    with pytest.raises(OSError, match="holds another run.*seed"):
        minimize(sphere, BOX, method="de", rng=4, maxfun=200, record=path)
    minimize(sphere, BOX, method="de", rng=4, maxfun=200, record=path, overwrite=True)
    assert (tmp_path / "run.jsonl.1").exists()


def test_a_torn_record_continues_to_the_same_bits(tmp_path):
    path = tmp_path / "run.jsonl"
    whole = minimize(sphere, BOX, method="cma_es", rng=3, maxfun=300, record=path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:120]) + lines[120][:20])
    calls = []
    again = minimize(lambda x: calls.append(1) or sphere(x), resume=path)
    assert len(calls) == 300 - 119 and again.repeated == 119
    assert again.fun == whole.fun and np.array_equal(again.x, whole.x)
    assert np.array_equal(again.history["fun"], whole.history["fun"])
    more = minimize(sphere, resume=path, maxfun=400)
    assert more.nfev > 300 and more.repeated == 300


CHILD = """
import sys, time
from swarmgrad import minimize

def slow(x):
    time.sleep(0.005)
    return float(((x - 1) ** 2).sum())

if __name__ == "__main__":
    minimize(slow, [(-5, 5)] * 3, method="de", rng=3, maxfun=400, record=sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_kill_minus_nine(tmp_path):
    path, program = tmp_path / "run.jsonl", tmp_path / "child.py"
    program.write_text(CHILD)
    child = subprocess.Popen([sys.executable, program, path])
    while child.poll() is None and not (path.exists() and path.read_bytes().count(b"\n") > 60):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    known = path.read_bytes().count(b"\n") - 1
    assert 60 <= known < 400
    calls = []
    result = minimize(lambda x: calls.append(1) or sphere(x), resume=path)
    # The last evaluations of a line or two may have been on their way.
    assert len(calls) == 400 - result.repeated and result.repeated >= known - 1
    assert result.fun == minimize(sphere, BOX, method="de", rng=3, maxfun=400).fun


def test_typed_records(tmp_path):
    space = Space({"lr": Log(1e-4, 1), "n": Integer(1, 8), "act": Choice(["relu", "tanh"])})
    fun = lambda p: p["lr"] + p["n"] + (p["act"] == "relu")  # noqa: E731
    path = tmp_path / "run.jsonl"
    whole = minimize(fun, space, method="de", rng=1, maxfun=60, record=path)
    assert set(json.loads(path.read_text().splitlines()[1])["x"]) == {"lr", "n", "act"}
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:20]))
    again = minimize(fun, resume=path)
    assert again.x == whole.x and again.fun == whole.fun and again.repeated == 19
    known = minimize(fun, space, x0=str(path), method="de", rng=2, maxfun=60)
    assert known.fun <= whole.fun


def test_records_of_test_problems(tmp_path):
    path = tmp_path / "run.jsonl"
    whole = minimize(problems.get("rastrigin", 3), method="de", rng=1, maxfun=100, record=path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:50]))
    again = minimize(problems.get("rastrigin", 3), resume=path)
    assert again.fun == whole.fun and again.repeated == 49


PROGRAM = os.environ.get("SWARMGRAD_PROGRAM", "")

MODEL = """
import json, sys
for line in sys.stdin:
    x = json.loads(line)["x"]
    print(repr(sum((t - 1) ** 2 for t in x)), flush=True)
"""


@pytest.mark.skipif(not os.path.exists(PROGRAM), reason="the program swarmgrad has not been built")
def test_the_program_and_python_continue_each_other(tmp_path):
    fun = lambda x: sum((t - 1) ** 2 for t in x.tolist())  # noqa: E731
    (tmp_path / "model.py").write_text(MODEL)
    command = f"{sys.executable} {tmp_path / 'model.py'}"

    def cut(path, lines):
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:lines]))

    def program(*words):
        run = subprocess.run([PROGRAM, *map(str, words), "--json"], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    ours = tmp_path / "ours.jsonl"
    whole = minimize(fun, BOX, method="de", rng=3, maxfun=120, record=ours)
    cut(ours, 50)
    report = program("resume", ours, "--exec", command)
    assert (report["fun"], report["x"], report["repeated"]) == (whole.fun, list(whole.x), 49)

    theirs = tmp_path / "theirs.jsonl"
    words = ["minimize", "--exec", command, "--bounds", "-5:5", "--dim", 3, "-m", "de", "--seed", 3, "-n", 120]
    assert program(*words, "--record", theirs)["fun"] == whole.fun
    cut(theirs, 50)
    again = minimize(fun, resume=theirs)
    assert (again.fun, list(again.x), again.repeated) == (whole.fun, list(whole.x), 49)
