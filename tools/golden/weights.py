#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small PyTorch files for tests: state dicts in both formats, two that ask for a program to be run, two
of what people keep beside their weights, and two of a network saved whole.

    tools/golden/weights.py Tests/TestSupport/Golden

Needs: pip install torch numpy.
"""

import argparse
import collections
import datetime
import decimal
import enum
import fractions
import functools
import os
import pathlib
import random
import sys
import warnings

import numpy
import torch


class Evil:
    def __reduce__(self):
        return os.system, ("echo taken over",)


class Phase(enum.Enum):
    TRAIN = 1


class Config(dict):
    """A dictionary with attributes, as configuration libraries have them."""


class Slots:
    __slots__ = ("a", "b")


class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(2, 3, 1)
        self.shared = torch.nn.Sequential(self.first, torch.nn.BatchNorm2d(3))
        self.register_buffer("mask", torch.tensor([True, False]))


def beside(w, zipped):
    """Weights under `model`, and everything that is kept beside them."""
    config = Config(width=3, inner={"w": w + 1})
    config.note = "attribute"
    slots = Slots()
    slots.a, slots.b = w + 2, 1
    network = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    tagged = w.clone()
    tagged.tag = "attribute of a tensor"
    whole = {
        "rng": torch.get_rng_state(), "python_rng": random.getstate(), "numpy_rng": numpy.random.get_state(),
        "args": argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("/a")), "when": datetime.datetime(2026, 1, 1),
        "partial": functools.partial(int, base=2), "scalar": numpy.float64(3), "array": numpy.arange(3.0),
        "strings": numpy.array(["a"]), "dtype": torch.float16, "device": torch.device("cpu"), "size": torch.Size([1, 2]),
        "phase": Phase.TRAIN, "decimal": decimal.Decimal("1.5"), "fraction": fractions.Fraction(1, 2),
        "set": {1, "a"}, "frozen": frozenset([1]), "deque": collections.deque([1, 2]),
        "counter": collections.Counter("aab"), "default": collections.defaultdict(list, a=[1], t=w + 4),
        "bytes": b"raw", "array_of_bytes": bytearray(b"raw"), "big": 1 << 200, "negative": -(1 << 70), "complex": 1j,
        "range": range(3), "slice": slice(1), "function": os.path.join, "config": config, "slots": slots,
        "optimizer": optimizer.state_dict(), "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1).state_dict(),
        "bool": torch.tensor([True]), "uint8": torch.tensor([1], dtype=torch.uint8), "int8": torch.tensor([-1], dtype=torch.int8),
        "int16": torch.tensor([1], dtype=torch.int16), "complex_tensor": torch.tensor([1j]),
        "negated": w.clone()._neg_view(), "sparse": torch.eye(2).to_sparse(), "meta": torch.empty(2, device="meta"), "tagged": tagged,
        "folds": {0: {"w": w + 3}, 1: [w + 5]}, "model": collections.OrderedDict(w=w, view=w[1:]),
    }
    whole["itself"] = whole
    if zipped:
        whole["float8"] = torch.tensor([1.0]).to(torch.float8_e4m3fn)
        whole["uint16"] = torch.tensor([1], dtype=torch.uint16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole["quantised"] = torch.quantize_per_tensor(w, 0.1, 0, torch.qint8)
    return whole


def main():
    base = torch.arange(24, dtype=torch.float32)
    state = collections.OrderedDict(
        plain=base.reshape(4, 6).clone(), view=base[5:11], transposed=base.reshape(4, 6).t(), scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3), half=torch.tensor([1.5, -0.0, 65504, 6e-8], dtype=torch.float16),
        bfloat16=torch.tensor([1.5, -3e38], dtype=torch.bfloat16), double=torch.tensor([0.1, 1e-50], dtype=torch.float64),
        long=torch.tensor([1, -2, 3]), parameter=torch.nn.Parameter(torch.tensor([7.0])))
    whole = {"epoch": 3, "lr": 0.1, "name": "net", "flags": [True, None, (1, 2)], "state_dict": state, "big": 1 << 40}
    for name, zipped in (("zip", True), ("legacy", False)):
        torch.save(whole, f"{sys.argv[1]}/weights_{name}.pth", _use_new_zipfile_serialization=zipped)
        torch.save({"w": base, "evil": Evil()}, f"{sys.argv[1]}/hostile_{name}.pth", _use_new_zipfile_serialization=zipped)
        torch.manual_seed(1)
        w = torch.arange(3, dtype=torch.float32)
        torch.save(beside(w, zipped), f"{sys.argv[1]}/beside_{name}.pth", _use_new_zipfile_serialization=zipped)
        network = Tiny()
        with torch.no_grad():
            network.first.weight.copy_(torch.arange(6.0).reshape(3, 2, 1, 1))
        # The oldest format holds the source of every class; PyTorch's own text does not belong here.
        torch.serialization.get_source_lines_and_file = lambda *_: (["class: ...\n"], 0, "source.py")
        torch.save({"net": network}, f"{sys.argv[1]}/network_{name}.pth", _use_new_zipfile_serialization=zipped)
        for protocol in (3, 4, 5):
            torch.save({"w": w, "v": [w], "u": w * 2}, f"{sys.argv[1]}/protocol_{protocol}_{name}.pth",
                       pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)


main()
