"""Every block of the pages is run."""

import os
import re
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def page(name):
    """A page's path and text: cargo's test puts it beside the package."""
    path = next(p for p in (os.path.join(HERE, folder, name) for folder in ("", "../../docs", "../../docs/guide")) if os.path.exists(p))
    with open(path, encoding="utf-8") as file:
        return path, file.read()


def blocks():
    for name in ("README.md", "python.md"):
        path, text = page(name)
        for found in re.finditer(r"^```python\n(.*?)^```", text, re.S | re.M):
            line = text[: found.start()].count("\n") + 2
            yield pytest.param("\n" * (line - 1) + found.group(1), path, id=f"{name}-{line}")


@pytest.mark.parametrize("code, path", list(blocks()))
def test_block(code, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r"^(?:import|from) (\w+)", code, re.M):
        pytest.importorskip(name)
    for name in re.findall(r"^from swarmgrad\.(torch|jax|optuna|sklearn)", code, re.M):
        pytest.importorskip(name)
    exec(compile(code, path, "exec"), {"__name__": "__main__"})


def recipes():
    found = re.findall(r"^```python (\w+\.py)\n(.*?)^```", page("many-machines.md")[1], re.S | re.M)
    return [pytest.param(name, code, id=name) for name, code in found if "minimize(" in code]


@pytest.mark.parametrize("name, code", recipes())
def test_recipe_for_many_machines(name, code, tmp_path):
    for package in re.findall(r"^from (mpi4py|dask|ray)", code, re.M):
        pytest.importorskip(package)
    (tmp_path / name).write_text(code, encoding="utf-8")
    command = [sys.executable, name]
    if "mpi4py" in code:
        if not shutil.which("mpiexec"):
            pytest.skip("there is no mpiexec")
        futures = ["-m", "mpi4py.futures"] if "futures" in code else []
        command = ["mpiexec", "-n", "2", sys.executable, *futures, name]
    allowed = {f"{system}_ALLOW_{what}": "1" for system in ("OMPI", "PRTE") for what in ("RUN_AS_ROOT", "RUN_AS_ROOT_CONFIRM")}
    allowed |= {"OMPI_MCA_rmaps_base_oversubscribe": "1"}
    path = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **allowed, "PYTHONPATH": path}, capture_output=True, text=True, timeout=300)
    assert "1.7723436588370903e-15 2490" in done.stdout, done.stdout + done.stderr
