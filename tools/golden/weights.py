#!/usr/bin/env python3
"""Small PyTorch files for Tests/TesseraComputeTests: state dicts in both formats, and two that ask for arbitrary objects.

    tools/golden/weights.py Tests/TesseraComputeTests/Golden

Needs: pip install torch.
"""

import collections
import os
import sys

import torch


class Evil:
    def __reduce__(self):
        return os.system, ("echo taken over",)


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


main()
