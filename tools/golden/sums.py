#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values for Tests/TesseraComputeTests: numpy's pairwise float32 sums of data with structure.

    tools/golden/sums.py Tests/TesseraComputeTests/Golden

Needs: pip install numpy. sums.json: of every kind of StructuredInputs (Sources/TesseraVerification) and several counts,
the bits of numpy.sum."""

import json
import os
import sys

import numpy

MASK = (1 << 64) - 1


class CaseInputs:
    """SplitMix64 of a counter, as SplitMix64.swift has it."""

    def __init__(self, seed):
        self.state = seed * 0x9E3779B97F4A7C15 & MASK

    def next(self):
        self.state = self.state + 0x9E3779B97F4A7C15 & MASK
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return z ^ z >> 31

    def floats(self, count, low=-1, high=1):
        low, high = numpy.float32(low), numpy.float32(high)
        units = numpy.array([(self.next() >> 40) * 2.0 ** -24 for _ in range(count)], numpy.float32)
        return low + (high - low) * units


def structured(kind, count):
    inputs = CaseInputs(17)
    if kind == "constant":
        return numpy.full(count, 0.7, numpy.float32)
    if kind == "half zeros":
        return numpy.maximum(inputs.floats(count), numpy.float32(0))
    if kind == "few values":
        return numpy.float32([0, 0.3, 0.9, 0.1])[numpy.arange(count) // 37 % 4]
    if kind == "offset":
        return inputs.floats(count, 999.5, 1000.5)
    values = inputs.floats(count, 0.5, 1.5)
    values[count // 3] = 1e6
    return values


def main():
    result = []
    for kind in ("constant", "half zeros", "few values", "offset", "one huge value"):
        for count in (5, 127, 129, 1000, 67500):
            total = numpy.sum(structured(kind, count))
            result.append({"data": kind, "count": count, "sum": int(total.view(numpy.uint32))})
    with open(os.path.join(sys.argv[1], "sums.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(item) for item in result) + "\n]\n")


if __name__ == "__main__":
    main()
