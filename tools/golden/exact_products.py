#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of products and convolutions as exact integers (NUMERICS.md, rules 12 and 13), made by NumPy:

    tools/golden/exact_products.py Tests/TesseraComputeTests/Golden

Needs: pip install numpy safetensors torch. `product` is a second implementation of the rule: it was written from the
text of the contract alone, with Python's integers, which have no width. exact_products.safetensors holds the results
of inputs that IntegerProductTests.swift draws too, exact_convolutions.safetensors those of ExactConvolutionTests.swift.
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


def line(values, digits):
    """Scale and digits of a line."""
    values = numpy.ascontiguousarray(values, numpy.float32).ravel()
    s = scale(values, digits)
    q = numpy.zeros(len(values), numpy.int64) if s is None else numpy.rint(numpy.ldexp(values.astype(float), s))
    return s, split(q.astype(numpy.int64), digits)


def total(x, y, digits):
    """The sum of the products of two lines' digits, in units of the result's."""
    value = sum(int(x[p] @ y[q]) << 8 * (2 * digits - 2 - p - q) for p in range(digits) for q in range(digits)
                if digits == 2 or p + q < 3)
    return value >> 16 if digits == 3 else value


def result(value, s, r, digits):
    if s is None or r is None:
        return NAN
    e = (16 if digits == 3 else 0) - s - r
    h = e >> 1
    with numpy.errstate(all="ignore"):
        return single(value) * numpy.float32(2.0**h) * numpy.float32(2.0**(e - h))


class Convolution:
    """Rule 13: a convolution of one group of channels, x (batch, ins, h, w), w (outs, ins, kh, kw)."""

    def __init__(self, kernel, stride, padding):
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def met(self, x):
        """x at (batch, channel, tap, output pixel), 0 outside."""
        pad = self.padding
        x = numpy.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        oh, ow = ((n - k) // self.stride + 1 for n, k in zip(x.shape[2:], self.kernel))
        taps = [x[:, :, i:i + self.stride * (oh - 1) + 1:self.stride, j:j + self.stride * (ow - 1) + 1:self.stride]
                for i in range(self.kernel[0]) for j in range(self.kernel[1])]
        return numpy.stack([t.reshape(*t.shape[:2], -1) for t in taps], 2)

    def forward(self, x, w, digits):
        outs, ins = w.shape[:2]
        x, w = self.balance(x, w, 1)
        weights = [line(row, digits) for row in w]
        out = []
        for image in x:
            s, planes = line(image, digits)
            planes = [self.met(d.reshape(1, *image.shape))[0] for d in planes]
            planes = [d.reshape(-1, d.shape[-1]) for d in planes]
            out += [[[result(total([d[:, p] for d in planes], y, digits), s, r, digits)
                      for p in range(planes[0].shape[1])] for r, y in weights]]
        return numpy.array(out, numpy.float32)

    def data(self, dy, w, shape, digits):
        """The places where each pixel of x is met, found by the convolution of its own number."""
        outs, ins = w.shape[:2]
        dy, w = self.balance(dy, w, 0)
        places = self.met(numpy.arange(1, shape[2] * shape[3] + 1).reshape(1, 1, *shape[2:]))[0, 0]
        weights = [line(w[:, c], digits) for c in range(ins)]
        out = numpy.zeros(shape, numpy.float32)
        for b, image in enumerate(dy):
            s, planes = line(image, digits)
            planes = [d.reshape(outs, -1) for d in planes]
            for c, (r, kernel) in enumerate(weights):
                kernel = [d.reshape(outs, -1) for d in kernel]
                for pixel in range(shape[2] * shape[3]):
                    taps, at = numpy.nonzero(places == pixel + 1)
                    value = total([d[:, at].ravel() for d in planes], [d[:, taps].ravel() for d in kernel], digits)
                    out[b, c].flat[pixel] = result(value, s, r, digits)
        return out

    def weights(self, x, dy, shape, digits):
        outs, ins = shape[:2]
        out = numpy.zeros((outs, ins, self.kernel[0] * self.kernel[1]), numpy.float32)
        for first in range(0, len(x), 8):
            xs, dys = x[first:first + 8], dy[first:first + 8].reshape(len(dy[first:first + 8]), outs, -1)
            gradients = [line(dys[:, o], digits) for o in range(outs)]
            for c in range(ins):
                s, planes = line(xs[:, c], digits)
                planes = [self.met(d.reshape(len(xs), 1, *xs.shape[2:]))[:, 0] for d in planes]
                for tap in range(out.shape[2]):
                    for o, (r, y) in enumerate(gradients):
                        value = total([d[:, tap].ravel() for d in planes], y, digits)
                        out[o, c, tap] += result(value, s, r, digits)
        return out

    @staticmethod
    def balance(x, w, axis):
        """By the channels of w's axis, which are x's."""
        n = w.shape[axis]
        rows = numpy.moveaxis(w, axis, 0).reshape(n, -1)
        up, down = balanced(numpy.ones((1, n), numpy.float32), rows)
        w = numpy.moveaxis(down.reshape(n, *numpy.moveaxis(w, axis, 0).shape[1:]), 0, axis)
        return x * up.reshape(1, n, 1, 1), w


def convolutions():
    from networks import drawn
    shapes = [((2, 5, 6, 7), (6, 5, 3, 3), 1, 1), ((9, 3, 7, 5), (4, 3, 3, 2), 2, 1)]
    for seed, (xs, ws, stride, padding) in enumerate(shapes):
        ys = [(n + 2 * padding - k) // stride + 1 for n, k in zip(xs[2:], ws[2:])]
        single_of = lambda s, shape: drawn(s, shape).numpy().astype(numpy.float32)  # noqa: E731
        x, w = single_of(100 + 3 * seed, xs), single_of(101 + 3 * seed, ws)
        dy = single_of(102 + 3 * seed, (xs[0], ws[0], *ys))
        conv = Convolution(ws[2:], stride, padding)
        for digits in (3, 2):
            yield f"{seed}.s{digits}.y", conv.forward(x, w, digits)
            yield f"{seed}.s{digits}.dx", conv.data(dy, w, xs, digits)
            yield f"{seed}.s{digits}.dw", conv.weights(x, dy, ws, digits)


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
    save_file({name: numpy.ascontiguousarray(value.ravel()) for name, value in convolutions()},
              sys.argv[1] + "/exact_convolutions.safetensors")


if __name__ == "__main__":
    main()
