"""The registry of methods, which is the program's own."""

import json

from . import _native


def list_methods():
    """The names of all methods: what ``method=`` takes."""
    return [row["name"] for row in json.loads(_native.methods())]


def method_info(name):
    """What a method is: a dict with ``name``, ``summary``, ``source``, ``parameters`` (name, symbol, default, range, about) and
    ``presets``. The parameters go into ``options=`` or into the name: ``"pso(particles=20, topology=ring)"``."""
    return json.loads(_native.method(name))
