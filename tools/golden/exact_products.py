#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of products as exact integers (NUMERICS.md, rule 12), made by NumPy:

    tools/golden/exact_products.py Tests/TesseraComputeTests/Golden

Needs: pip install numpy safetensors torch. `product` is a second implementation of the rule: it was written from the
text of the contract alone, with Python's integers, which have no width. exact_products.safetensors holds the results
of inputs that IntegerProductTests.swift draws too.
"""

import math
import sys

import numpy
from safetensors.numpy import save_file

NAN = numpy.array(0x7FC00000, numpy.uint32).view(numpy.float32)


def magnitudes(x):
    return x.view(numpy.uint32) & numpy.uint32(0x7FFFFFFF)


def balanced(a, b):
    """A's columns times 2^t, B's rows times 2^-t."""
    bits = magnitudes(b)
    greatest = numpy.where(bits < 0x7F800000, bits, 0).max(axis=1, initial=0).astype(numpy.int64)
    exponents = numpy.where(greatest == 0, 0, numpy.maximum(1, greatest >> 23))
    t = numpy.maximum(exponents - exponents.max(initial=0), -126)
    up = numpy.where(exponents == 0, 0, numpy.exp2(t.astype(float))).astype(numpy.float32)
    down = numpy.where(exponents == 0, 1, numpy.exp2(-t.astype(float))).astype(numpy.float32)
    with numpy.errstate(all="ignore"):
        return a * up[None], b * down[:, None]


def scale(row, digits):
    """s of a row; None where it has an infinity or a NaN."""
    greatest = int(magnitudes(row).max(initial=0))
    if greatest >= 0x7F800000:
        return None
    c, d = (149, 0x10101) if digits == 3 else (141, 0x10100)
    return min(126, c - ((greatest + d) >> 23))


def split(q, digits):
    """The digits of integers, the highest first."""
    data = q + (0x808080 if digits == 3 else 0x8080)
    return [((data >> 8 * (digits - 1 - i)) & 255) - 128 for i in range(digits)]


def single(total):
    """An integer as the nearest float32, ties to even."""
    if total == 0:
        return numpy.float32(0)
    size, sign = abs(total), -1 if total < 0 else 1
    drop = max(0, size.bit_length() - 24)
    kept, rest = size >> drop, size & ((1 << drop) - 1)
    half = (1 << drop) >> 1
    kept += 1 if drop and (rest > half or (rest == half and kept & 1)) else 0
    return numpy.float32(math.ldexp(sign * kept, drop))


def product(a, b, digits):
    """C = A B of float32 matrices by rule 12."""
    a, b = balanced(a, b)
    lines = []
    for row in [*a, *b.T]:
        s = scale(numpy.ascontiguousarray(row), digits)
        q = numpy.zeros(len(row), numpy.int64) if s is None else numpy.rint(numpy.ldexp(row.astype(float), s))
        lines.append((s, split(q.astype(numpy.int64), digits)))
    rows, columns = lines[:len(a)], lines[len(a):]
    out = numpy.empty((len(a), b.shape[1]), numpy.float32)
    for i, (s, x) in enumerate(rows):
        for j, (r, y) in enumerate(columns):
            if s is None or r is None:
                out[i, j] = NAN
                continue
            total = sum(int(x[p] @ y[q]) << 8 * (2 * digits - 2 - p - q) for p in range(digits) for q in range(digits)
                        if digits == 2 or p + q < 3)
            total, e = (total >> 16, 16 - s - r) if digits == 3 else (total, -s - r)
            h = e >> 1
            with numpy.errstate(all="ignore"):
                value = single(total) * numpy.float32(2.0**h)
                out[i, j] = value * numpy.float32(2.0**(e - h))
    return out


def cases():
    from networks import drawn
    for seed, (m, n, k) in enumerate([(20, 17, 300), (9, 12, 70), (5, 33, 1030), (3, 2, 1)]):
        a = drawn(2 * seed, (m, k)).numpy().astype(numpy.float32)
        b = drawn(2 * seed + 1, (k, n)).numpy().astype(numpy.float32)
        yield f"plain.{seed}", a, b
        # Powers of two that differ from row to row of B, the other way in A, and between A's rows.
        powers = numpy.exp2((numpy.arange(k) * 37 % 61 - 30).astype(float)).astype(numpy.float32)
        rows = numpy.exp2((numpy.arange(m) * 29 % 161 - 80).astype(float)).astype(numpy.float32)
        yield f"unbalanced.{seed}", a * powers[None] * rows[:, None], b / powers[:, None]


def main():
    out = {}
    for name, a, b in cases():
        for digits in (3, 2):
            out[f"{name}.s{digits}"] = product(a, b, digits)
    save_file(out, sys.argv[1] + "/exact_products.safetensors")


if __name__ == "__main__":
    main()
