"""Every cell of the notebooks is run, and prints what the page shows."""

import contextlib
import glob
import io
import json
import os

import pytest

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLACES = (os.path.join(HERE, "notebooks"), os.path.join(HERE, "../../docs/notebooks"))
PAGES = sorted(page for place in PLACES for page in glob.glob(os.path.join(place, "*.ipynb")))


def test_there_are_notebooks():
    assert len(PAGES) == 3


@pytest.mark.parametrize("page", PAGES, ids=os.path.basename)
def test_cells(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open(page, encoding="utf-8") as file:
        cells = [cell for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]
    names = {"__name__": "__main__"}
    for cell in cells:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("".join(cell["source"]), page, "exec"), names)
        shown = "".join(line for output in cell["outputs"] for line in output["text"])
        # Figures may differ in their last digits where NumPy's arithmetic does: words must not.
        words = [[word for word in text.split() if word[:1].isalpha()] for text in (printed.getvalue(), shown)]
        assert words[0] == words[1]
