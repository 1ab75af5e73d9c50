"""The tables and figures of the papers, computed again."""

import json
import os

from . import _native
from ._minimize import _whole
from ._result import OptimizeResult


def list_experiments():
    """The names of the experiments: what :func:`reproduce` takes."""
    return [row["name"] for row in json.loads(_native.experiments())]


def reproduce(experiment, *, quick=False, full=False, preset=None, seeds=None, grid=None, workers=0, data=None, record=None):
    """Computes a table or a figure of one of the papers again, and returns :class:`Findings`: what the paper says, what is found,
    and whether the claim holds.

    ``experiment`` is a name of :func:`list_experiments`. ``quick`` takes fewer seeds and smaller sets, ``full`` whole data sets;
    ``preset`` is ``"paper-text"``, ``"paper-code"`` or ``"sound"``: whose numbers to use. ``seeds`` is how many, ``grid`` the two
    lists of numbers of a phase diagram, ``workers`` the threads, 0 for one a core. ``data`` is the folder of the data sets that are
    not built in. Finished units of work are kept in ``record``, and the same call goes on from there. Experiments with
    networks are the program's: ``swarmgrad reproduce``.

    >>> findings = reproduce("adaswarm/stability", quick=True)
    >>> findings.claims[0]["verdict"]
    'holds'
    """
    options = {"quick": bool(quick), "full": bool(full), "workers": int(workers)}
    if preset is not None:
        options["preset"] = str(preset)
    if seeds is not None:
        options["seeds"] = _whole("seeds", seeds)
    if grid is not None:
        first, second = grid
        options["grid"] = [[float(t) for t in first], [float(t) for t in second]]
    if data is None:
        data = os.environ.get("SWARMGRAD_DATA")
    if data is not None:
        options["data"] = os.fspath(data)
    found, text, markdown, page, pictures = _native.reproduce(str(experiment), json.dumps(options), record)
    return Findings(json.loads(found), text=text, markdown=markdown, page=page, svg=dict(pictures))


class Findings(OptimizeResult):
    """What an experiment found: ``claims`` (with ``claim``, ``paper``, ``ours``, ``verdict``, ``because``), ``tables`` (``caption``,
    ``headers``, ``rows``), ``notes``, ``data``; ``text``, ``markdown``, and the pictures in ``svg`` by their names."""

    def __init__(self, found, *, text, markdown, page, svg):
        super().__init__(found, text=text, markdown=markdown, svg=svg, page=page)

    def save(self, path):
        """Writes a self-contained page."""
        _native.write_whole(os.fspath(path), self["page"])

    def __repr__(self):
        return self["text"].rstrip("\n")

    def _repr_html_(self):
        import html

        return f"<pre>{html.escape(repr(self))}</pre>" + "".join(self["svg"].values())
