"""Every block of the pages is run."""

import os
import re

import pytest

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def blocks():
    for page in ("README.md", "python.md"):
        path = next(p for p in (os.path.join(HERE, page), os.path.join(HERE, "../../docs", page)) if os.path.exists(p))
        text = open(path, encoding="utf-8").read()
        for found in re.finditer(r"^```python\n(.*?)^```", text, re.S | re.M):
            line = text[: found.start()].count("\n") + 2
            yield pytest.param("\n" * (line - 1) + found.group(1), path, id=f"{page}-{line}")


@pytest.mark.parametrize("code, path", list(blocks()))
def test_block(code, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r"^(?:import|from) (\w+)", code, re.M):
        pytest.importorskip(name)
    for name in re.findall(r"^from swarmgrad\.(torch|jax|optuna|sklearn)", code, re.M):
        pytest.importorskip(name)
    exec(compile(code, path, "exec"), {"__name__": "__main__"})
