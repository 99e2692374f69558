#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/TesseraDataTests/Golden/arrays: NumPy's own files of arrays, and in arrays.json their values as
NumPy reads them, with moments of columns in binary64.

    tools/golden/arrays.py

Needs numpy."""

import json
import os

import numpy

FOLDER = os.path.join(os.path.dirname(__file__), "../../Tests/TesseraDataTests/Golden/arrays")


def plain(array):
    """Rows of numbers; null for what is none, which JSON has no word for."""
    return [[value if numpy.isfinite(value) else None for value in row] for row in array.astype("f8").tolist()]


def main():
    os.makedirs(FOLDER, exist_ok=True)
    draw = numpy.random.default_rng(31)
    values = numpy.round(draw.normal(size=(7, 3)) * [1, 1e3, 1e-3] + [0, 1e6, 5], 6)
    whole = draw.integers(-100, 100, size=(7, 3))
    with numpy.errstate(over="ignore"):
        half = values.astype("<f2")
    arrays = {
        "f8": values, "f4-fortran": numpy.asfortranarray(values.astype("<f4")), "f2": half,
        "i8": whole.astype("<i8"), "i2-fortran": numpy.asfortranarray(whole.astype("<i2")),
        "i1": whole.astype("i1"), "u8": abs(whole).astype("<u8"), "u1": abs(whole).astype("u1"),
        "b1": whole > 0,
    }
    for name, array in arrays.items():
        numpy.save(f"{FOLDER}/{name}.npy", array)
    names = numpy.array(["width", "Größe", "z"])
    strings = numpy.array(["no", "yes", "no", "yes", "yes", "no", "no"])
    numpy.savez(f"{FOLDER}/stored.npz", X=values, y=whole[:, 0] > 0, feature_names=names)
    numpy.savez_compressed(f"{FOLDER}/packed.npz", features=values, labels=strings)
    numpy.savez(f"{FOLDER}/bytes.npz", other=values.astype("<f4"), kind=strings.astype("S"))
    numpy.save(f"{FOLDER}/big-endian.npy", values.astype(">f8"))
    numpy.save(f"{FOLDER}/objects.npy", numpy.array([["a", 1]], dtype=object), allow_pickle=True)
    numpy.save(f"{FOLDER}/structured.npy", numpy.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]))
    rows = [0, 2, 3, 5, 6, 1]
    fitted = values[rows]
    moments = {
        "rows": rows, "mean": fitted.mean(0), "deviation": fitted.std(0), "median": numpy.median(fitted, 0),
        "least": fitted.min(0), "most": fitted.max(0),
    }
    told = {
        "arrays": {name: plain(array) for name, array in arrays.items()}, "labels": strings.tolist(),
        "names": names.tolist(), "moments": {name: numpy.asarray(of).tolist() for name, of in moments.items()},
        "scaled": plain((values - fitted.mean(0)) / fitted.std(0)),
    }
    with open(f"{FOLDER}/arrays.json", "w") as file:
        file.write(json.dumps(told) + "\n")


main()
