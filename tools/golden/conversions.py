#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of conversions of element types, made by PyTorch:

    tools/golden/conversions.py Tests/TesseraComputeTests/Golden

Needs: pip install torch safetensors. conversions.safetensors holds float32 numbers of every size, and what PyTorch makes
of them in each other type, stored in that type. Integers are of numbers that the type holds: PyTorch leaves open what the
others become.
"""

import sys

import torch
from safetensors.torch import save_file

FLOATS = [torch.float16, torch.bfloat16]
INTEGERS = [torch.int8, torch.uint8, torch.int32]

torch.manual_seed(1)
patterns = torch.randint(-(2**31), 2**31 - 1, (3000,), dtype=torch.int64).to(torch.int32).view(torch.float32)
near = torch.randn(3000) * 2.0 ** torch.randint(-26, 18, (3000,)).float()
# Between two neighbours, and a little to each side of the middle.
halves = torch.arange(0, 0x7C00, 37, dtype=torch.int32).to(torch.int16).view(torch.float16)
next_ones = (halves.view(torch.int16) + 1).view(torch.float16)
middles = (halves.float() + next_ones.float()) / 2
middles = middles[middles.isfinite()]
sides = [torch.nextafter(middles, torch.tensor(end)) for end in (0.0, float("inf"))]
special = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), 65504, 65519.996, 65520, -65536, 3.4e38, -3.39e38, 2**-24,
                        2**-25, 3 * 2**-26, 2**-133, 2**-134, 2**-149])
x = torch.cat([special, middles, -middles, *sides, near, patterns])
x = x[~x.isnan()]
tensors = {"x": x}
for kind in FLOATS:
    tensors[f"{kind}"[6:]] = x.to(kind)
for kind in INTEGERS:
    name, info = f"{kind}"[6:], torch.iinfo(kind)
    inside = x[(x >= info.min) & (x <= min(info.max, 2**31 - 128))]
    tensors[f"{name}.x"], tensors[name] = inside.clone(), inside.to(kind)
save_file(tensors, f"{sys.argv[1]}/conversions.safetensors")
