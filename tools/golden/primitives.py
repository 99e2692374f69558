#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of the primitives, made by PyTorch in float64:

    tools/golden/primitives.py Tests/TesseraComputeTests/Golden

Needs: pip install torch safetensors numpy. primitives.safetensors: what PyTorch's functions and its automatic
differentiation make of inputs that are drawn by SplitMix64 as TestSupport draws them, so that the file holds results
alone. PyTorchTests.swift and PyTorchLayerTests.swift draw the same; the number of a draw is its seed.
"""

import sys

import torch
from safetensors.numpy import save_file
from torch.nn import functional as F

from networks import drawn, single

OUT = {}


def keep(name, **tensors):
    OUT.update({f"{name}.{key}": tensor for key, tensor in tensors.items()})


def leaf(seed, shape, low=-1.0, high=1.0):
    return drawn(seed, shape, low, high).requires_grad_()


def gradients(y, dy, *inputs):
    return torch.autograd.grad(y, inputs, dy)


def products():
    a, b = drawn(1, (2, 5, 600)), drawn(2, (2, 600, 7))
    keep("matmul", column=F.gelu(a @ b + drawn(3, (7,))), row=F.relu(a @ b + drawn(4, (5, 1))))
    keep("matmul", geluTanh=F.gelu(a @ b + drawn(3, (7,)), approximate="tanh"))
    keep("matmul", transposed=drawn(5, (513, 9)).T @ drawn(6, (11, 513)).T)
    # Every second column of some rows, times a block: by offsets and strides.
    keep("matmul", strided=drawn(7, (6, 20))[1:5, 3:17:2] @ drawn(8, (9, 10))[2:9, 4:7])
    x = drawn(9, (40, 70))
    keep("distances", d=torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist") ** 2)


def convolutions():
    shapes = [((2, 3, 11, 9), (4, 3, 3, 2), 2, 1, 1, 1), ((2, 4, 9, 10), (6, 2, 3, 3), 1, 2, 2, 2),
              ((9, 6, 7, 7), (6, 1, 5, 5), 2, 2, 1, 6), ((1, 3, 23, 25), (8, 3, 11, 11), 4, 2, 1, 1),
              ((2, 8, 8, 12), (6, 4, 3, 3), 3, 0, 2, 2)]
    for i, (xs, ws, stride, padding, dilation, groups) in enumerate(shapes):
        x, w, b = leaf(20 + 4 * i, xs), leaf(21 + 4 * i, ws), drawn(22 + 4 * i, ws[:1])
        y = F.conv2d(x, w, b, stride, padding, dilation, groups)
        dx, dw = gradients(y, drawn(23 + 4 * i, y.shape), x, w)
        keep(f"conv2d.{i}", y=y, dx=dx, dw=dw)


def attention():
    x, bias = drawn(50, (20, 3, 2, 9), -2, 2), drawn(51, (2, 2 * 20 - 1))
    for name, span in (("plain", 0), ("biased", 20)):
        parts = []
        for begin, length in ((0, 3), (3, 17)):
            q, k, v = x[begin:begin + length].permute(1, 2, 0, 3)
            at = torch.arange(length)[None, :] - torch.arange(length)[:, None] + 19
            parts.append(F.scaled_dot_product_attention(q, k, v, bias[:, at] if span else None, scale=0.5).permute(1, 0, 2))
        keep("attention", **{name: torch.cat(parts)})


def maps():
    names = {"exp": torch.exp, "tanh": torch.tanh, "erf": torch.erf, "sigmoid": torch.sigmoid, "gelu": F.gelu,
             "relu": F.relu, "relu6": F.relu6, "square": torch.square, "abs": torch.abs, "negate": torch.neg,
             "identity": torch.clone, "sinTurn": lambda x: torch.sin(2 * torch.pi * x),
             "cosTurn": lambda x: torch.cos(2 * torch.pi * x), "affine": lambda x: 0.5 * x - 0.25,
             "geluTanh": lambda x: F.gelu(x, approximate="tanh"), "softplus": F.softplus, "silu": F.silu}
    for name, function in names.items():
        keep("unary", **{name: function(drawn(60, (97,), -8, 8))})
    for name, function in {"log": torch.log, "rsqrt": torch.rsqrt, "sqrt": torch.sqrt, "reciprocal": torch.reciprocal}.items():
        x = leaf(61, (97,), 0.125, 9)
        keep("unary", **{name: function(x)})
        keep("unaryGrad", **{name: gradients(function(x), drawn(62, (97,)), x)[0]})
    for name in ("relu", "relu6", "gelu", "tanh", "sigmoid", "geluTanh", "exp", "square", "abs", "negate", "erf", "softplus",
                 "silu"):
        x = leaf(60, (97,), -8, 8)
        keep("unaryGrad", **{name: gradients(names[name](x), drawn(62, (97,)), x)[0]})
    binary = {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div,
              "maximum": torch.maximum, "minimum": torch.minimum, "less": lambda a, b: (a < b).double(),
              "lessOrEqual": lambda a, b: (a <= b).double(), "equal": lambda a, b: (a == b).double()}
    for name, function in binary.items():
        keep("binary", **{name: function(drawn(63, (97,), -3, 3), drawn(64, (97,), 0.5, 2))})
        keep("binaryChannels", **{name: function(drawn(65, (3, 5, 7), -3, 3), drawn(66, (5, 1), 0.5, 2))})


def rows():
    x = drawn(70, (5, 130), -9, 9)
    keep("rows", sum=x.sum(1), max=x.max(1).values, argmax=x.argmax(1).double())
    c = drawn(71, (19, 3, 7), 1, 4)
    keep("rows", channels=c.sum((0, 2)), mean=c.mean(), variance=c.var(unbiased=False))
    for name, function in (("softmax", lambda x: torch.softmax(0.5 * x, 1)), ("logSoftmax", lambda x: F.log_softmax(x, 1))):
        x = leaf(70, (5, 130), -9, 9)
        keep(name, y=function(x), dx=gradients(function(x), drawn(72, (5, 130)), x)[0])
    scores, bias = drawn(73, (2, 17, 17), -9, 9), drawn(74, (2, 2 * 20 - 1), -4, 4)
    at = torch.arange(17)[None, :] - torch.arange(17)[:, None] + 19
    keep("distanceSoftmax", y=torch.softmax(0.5 * scores + bias[:, at], 2))
    logits, labels = leaf(75, (9, 4), -9, 9), torch.arange(9) * 3 % 4
    for name, smoothing in (("plain", 0.0), ("smoothed", 0.125)):
        losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
        keep("crossEntropy." + name, losses=losses, gradient=torch.autograd.grad(losses.mean(), logits)[0])


def norms():
    x, g, b = leaf(80, (9, 67), -2, 5), leaf(81, (67,), 0.5, 2), leaf(82, (67,))
    y = F.layer_norm(x, (67,), g, b, 1e-3)
    dx, dg, db = gradients(y, drawn(83, (9, 67)), x, g, b)
    keep("layerNorm", y=y, dx=dx, gamma=dg, beta=db)
    for name, training in (("training", True), ("evaluation", False)):
        x, g, b = leaf(84, (9, 3, 5, 4), -2, 5), leaf(85, (3,), 0.5, 2), leaf(86, (3,))
        mean, variance = drawn(87, (3,)), drawn(88, (3,), 0.5, 2)
        y = F.batch_norm(x, mean, variance, g, b, training, 0.25, 1e-3)
        dx, dg, db = gradients(y, drawn(89, x.shape), x, g, b)
        keep("batchNorm." + name, y=y, dx=dx, gamma=dg, beta=db, mean=mean, variance=variance)
    keep("standardize", y=(drawn(90, (99,), -3, 3) - 0.5) / torch.sqrt(torch.tensor(4 + 1e-3)))
    x = leaf(91, (2, 7, 3, 2), -2, 3)
    y = F.local_response_norm(x, 5, alpha=0.5, beta=0.75, k=1.5)
    keep("localResponseNorm", y=y, dx=gradients(y, drawn(92, x.shape), x)[0])


def pooling():
    for i, (kernel, stride, padding) in enumerate(((3, 2, 1), (2, 3, 0), (3, 1, 1))):
        x = leaf(100 + i, (2, 3, 9, 37))
        y, at = F.max_pool2d(x, kernel, stride, padding, return_indices=True)
        dy = drawn(110 + i, y.shape)
        keep(f"maxPool.{i}", y=y, indices=at.double(), dx=gradients(y, dy, x)[0])
        y = F.avg_pool2d(x, kernel, stride, padding)
        keep(f"averagePool.{i}", y=y, dx=gradients(y, dy, x)[0])
    for i, (size, out) in enumerate((((13, 13), (5, 5)), ((4, 3), (5, 7)))):
        x = leaf(120 + i, (2, 3, *size))
        y = F.adaptive_avg_pool2d(x, out)
        keep(f"adaptiveAveragePool.{i}", y=y, dx=gradients(y, drawn(125 + i, y.shape), x)[0])
    x = leaf(128, (2, 3, 3, 5))
    y = F.interpolate(x, scale_factor=3, mode="nearest")
    keep("upsampleNearest", y=y, dx=gradients(y, drawn(129, y.shape), x)[0])


def memory():
    keep("memory", transpose=drawn(130, (17, 33)).T, swap=F.channel_shuffle(drawn(131, (2, 15, 4, 3)), 5),
         gather=F.embedding(torch.arange(13) * 5 % 11, drawn(132, (11, 3))))
    target = torch.full((6, 9), 0.25)
    target[1:5, 2:7] = drawn(133, (7, 8))[2:6, 3:8]
    keep("memory", copy=target)


def broadcasts():
    for name, a, b in (("column", (3, 1), (17,)), ("middle", (4, 1, 3), (2, 1)), ("scalar", (), (5, 7))):
        keep("broadcast." + name, subtract=drawn(170, a) - drawn(171, b), divide=drawn(170, a) / drawn(171, b, 0.5, 2))
    condition = (torch.arange(15) % 4 - 1).reshape(3, 5)
    keep("broadcast", select=torch.where(condition != 0, drawn(172, (3, 1)), drawn(173, (2, 1, 5))))
    x = drawn(174, (3, 4, 5))
    part = torch.full((6, 7), 0.25)
    part[1:4, 2:7] = x[:, 1]
    keep("strided", permuted=x.permute(2, 0, 1), flipped=x.flip(1), every=x[:, ::3], part=part)
    ids, table = torch.arange(30) * 7 % 11 % 5, leaf(175, (6, 3))
    keep("gatherRows", gradient=gradients(F.embedding(ids, table), drawn(176, (30, 3)), table)[0])


def descent():
    for name, make in (("sgd", lambda p: torch.optim.SGD(p, 0.1, 0.9, weight_decay=0.05)),
                       ("nesterov", lambda p: torch.optim.SGD(p, 0.1, 0.9, weight_decay=0.05, nesterov=True)),
                       ("plain", lambda p: torch.optim.SGD(p, 0.1)),
                       ("rmsprop", lambda p: torch.optim.RMSprop(p, 0.01, 0.9, 1e-6, 0.05, 0.5))):
        p = torch.nn.Parameter(drawn(180, (67,)))
        optimizer = make([p])
        for step in range(5):
            p.grad = drawn(181 + step, (67,), -0.1, 0.1)
            optimizer.step()
        keep("descent", **{name: p})


def adam():
    p = torch.nn.Parameter(drawn(140, (67,)))
    optimizer = torch.optim.Adam([p], lr=1e-2, weight_decay=0.1)
    for step in range(5):
        p.grad = drawn(141 + step, (67,), -0.1, 0.1)
        optimizer.step()
    state = optimizer.state[p]
    keep("adam", parameter=p, first=state["exp_avg"], second=state["exp_avg_sq"])


def neighbours():
    x = drawn(150, (50, 4))
    d = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    d.fill_diagonal_(torch.inf)
    nearest = d.topk(7, largest=False, sorted=True)
    keep("nearestNeighbours", distances=nearest.values, points=nearest.indices.double())


def main():
    for make in (products, convolutions, attention, maps, rows, norms, pooling, memory, broadcasts, descent, adam, neighbours):
        make()
    save_file(single(OUT), sys.argv[1] + "/primitives.safetensors")


main()
