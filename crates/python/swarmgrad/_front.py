"""What a front of several objectives is worth."""

import numpy as np

from . import _native


def hypervolume(points, reference):
    """The volume that at least one of the points dominates, up to the reference point; all objectives are minimised.

    Parameters
    ----------
    points : array, one point a row
        Those that are not better than the reference in every objective count nothing.
    reference : array

    Examples
    --------
    >>> from swarmgrad import hypervolume
    >>> hypervolume([[1, 3], [2, 2], [3, 1]], [4, 4])
    6.0
    """
    reference = np.asarray(reference, dtype=float).ravel()
    points = np.asarray(points, dtype=float).reshape(-1, len(reference))
    return _native.hypervolume(points.tolist(), reference.tolist())
