#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of a small network, made by PyTorch in float64:

    tools/golden/networks.py Tests

Tests/TesseraNNTests/Golden/training.safetensors: a small network with every kind of layer, its gradients, its running
statistics, and its weights after three steps of Adam.

Needs: pip install torch safetensors numpy. Weights and inputs are drawn by SplitMix64 as `CaseInputs` does, so the files
hold results alone.
"""

import sys

import numpy
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def drawn(seed, shape, low=-1.0, high=1.0):
    """The numbers of CaseInputs(seed:).floats(count, low, high)."""
    golden = numpy.uint64(0x9E3779B97F4A7C15)
    count = int(numpy.prod(shape))
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(seed) * golden + golden * numpy.arange(1, count + 1, dtype=numpy.uint64)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    unit = (z >> numpy.uint64(40)).astype(numpy.float32) * numpy.float32(2.0**-24)
    low, high = numpy.float32(low), numpy.float32(high)
    return torch.from_numpy((low + (high - low) * unit).reshape(shape).astype(numpy.float64))


def draw_state(module, first_seed):
    """Fills weights and statistics in the order of the state dict; scale by the fan in, variances positive."""
    names = [n for n in module.state_dict() if not n.endswith("num_batches_tracked")]
    for i, name in enumerate(names):
        tensor = module.state_dict()[name]
        if name.endswith("running_var"):
            values = drawn(first_seed + i, tensor.shape, 0.5, 2)
        elif tensor.dim() == 1:
            values = drawn(first_seed + i, tensor.shape, 0.25, 1)
        else:
            bound = numpy.float32(numpy.sqrt(numpy.float32(3) / numpy.float32(tensor[0].numel())))
            values = drawn(first_seed + i, tensor.shape, -bound, bound)
        tensor.copy_(values)
    return names


def single(tensors):
    return {name: t.detach().float().contiguous().numpy() for name, t in tensors.items()}


def training(out):
    net = nn.Sequential(
        nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2), nn.BatchNorm2d(8), nn.GELU(), nn.MaxPool2d(2, 1),
        nn.Conv2d(8, 6, 2, dilation=2), nn.ReLU6(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 10), nn.Tanh(),
        nn.Linear(10, 7), nn.Sigmoid(), nn.Linear(7, 3))
    draw_state(net, 100)
    net.train()
    x, labels = drawn(1, (9, 4, 11, 11)), torch.tensor([0, 1, 2, 2, 1, 0, 0, 2, 1])
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2, weight_decay=1e-2)
    result = {}
    for step in range(3):
        optimizer.zero_grad()
        losses = F.cross_entropy(net(x), labels, reduction="none")
        losses.mean().backward()
        if step == 0:
            result["losses"] = losses
            result.update({"gradient." + n: p.grad.clone() for n, p in net.named_parameters()})
        optimizer.step()
    result.update({"after." + n: t.clone() for n, t in net.state_dict().items() if not n.endswith("tracked")})
    save_file(single(result), out)


if __name__ == "__main__":
    training(sys.argv[1] + "/TesseraNNTests/Golden/training.safetensors")
