#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of tensor functions, losses, layers and optimisers, made by PyTorch in float64:

    tools/golden/tensors.py Tests/TesseraNNTests/Golden

Needs: pip install torch safetensors numpy. tensors.safetensors: what each function makes of inputs
that are drawn by SplitMix64 (seed 300 + the input's number), and the gradients for all inputs of its elements weighted by
draw 399. layers.safetensors: a small transformer's losses, gradients, and weights after ten steps of each optimiser. The
tests draw the same, so that the files hold results alone.
"""

import sys

import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

from networks import draw_state, drawn, single

IDS = torch.tensor([[2, 0, 2], [1, 2, 2]])
LABELS = torch.tensor([0, 2, 1, 3, 3])


def mask(shape):
    count = 1
    for extent in shape:
        count *= extent
    return (torch.arange(count) % 3 != 1).double().reshape(shape)


def split(x):
    a, b, c = x.split([1, 0, 3], 1)
    return torch.cat([c.tanh(), a * 2, b], 1)


def used_twice(x):
    y = x.exp()
    return (y + 1) * y - y.detach()


# Name, extents of the inputs, the least and greatest number, the function.
FUNCTIONS = [
    ("add", [(3, 1, 4), (2, 1)], -1, 1, torch.add),
    ("subtract", [(3, 1, 4), (2, 1)], -1, 1, torch.sub),
    ("multiply", [(3, 1, 4), (2, 1)], -1, 1, torch.mul),
    ("divide", [(3, 1, 4), (2, 1)], 0.5, 2, torch.div),
    ("maximum", [(3, 1, 4), (2, 1)], -1, 1, torch.maximum),
    ("minimum", [(3, 1, 4), (2, 1)], -1, 1, torch.minimum),
    ("maximum of equals", [(5,)], -1, 1, lambda x: torch.maximum(x, x * 1)),
    ("numbers", [(2, 5)], 0.5, 2, lambda x: (2 * x + 1 - x / 3) * (3 - 2 / x) - (-x)),
    ("select", [(3, 1), (1, 5)], -1, 1, lambda a, b: torch.where(mask((3, 5)) != 0, a, b)),
    ("exp", [(7,)], -2, 2, torch.exp), ("log", [(7,)], 0.25, 3, torch.log), ("sqrt", [(7,)], 0.25, 3, torch.sqrt),
    ("square", [(7,)], -2, 2, torch.square), ("abs", [(7,)], -2, 2, torch.abs), ("tanh", [(7,)], -2, 2, torch.tanh),
    ("sigmoid", [(7,)], -2, 2, torch.sigmoid), ("relu", [(7,)], -2, 2, torch.relu), ("gelu", [(7,)], -2, 2, F.gelu),
    ("softplus", [(7,)], -2, 2, F.softplus), ("silu", [(7,)], -2, 2, F.silu),
    ("sum", [(3, 4, 5)], -1, 1, lambda x: x.sum()),
    ("sum of axes", [(3, 4, 5)], -1, 1, lambda x: x.sum((0, 2))),
    ("sum, kept", [(3, 4, 5)], -1, 1, lambda x: x.sum(1, keepdim=True)),
    ("mean", [(3, 4, 5)], -1, 1, lambda x: x.mean((1, 2))),
    ("max", [(3, 4, 5)], -1, 1, lambda x: x.amax((0, 1))),
    ("min", [(3, 4, 5)], -1, 1, lambda x: x.amin(2)),
    ("max of equals", [(3, 1, 2)], -1, 1, lambda x: x.expand(3, 4, 2).amax(1)),
    ("softmax of axis 0", [(4, 3)], -2, 2, lambda x: x.softmax(0)),
    ("softmax", [(2, 3, 4)], -2, 2, lambda x: x.softmax(-1)),
    ("logSoftmax of axis 1", [(2, 3, 4)], -2, 2, lambda x: x.log_softmax(1)),
    ("reshaped", [(3, 4)], -1, 1, lambda x: x.reshape(2, -1) * 2),
    ("permuted", [(2, 3, 4)], -1, 1, lambda x: x.permute(2, 0, 1)),
    ("transposed", [(2, 3, 4)], -1, 1, lambda x: x.transpose(-2, -1)),
    ("slice", [(3, 7)], -1, 1, lambda x: x[:, 1:6:2]),
    ("split", [(2, 4)], -1, 1, split),
    ("concatenated", [(2, 3), (2, 1), (2, 4)], -1, 1, lambda *x: torch.cat(x, 1)),
    ("stacked", [(2, 3), (2, 3)], -1, 1, lambda *x: torch.stack(x, -1)),
    ("padded", [(2, 3)], -1, 1, lambda x: F.pad(x, (2, 0, 0, 1), value=0.5)),
    ("expanded", [(3, 1)], -1, 1, lambda x: x.expand(2, 3, 4)),
    ("taken", [(4, 3)], -1, 1, lambda x: x[IDS]),
    ("taken of axis 1", [(2, 3, 2)], -1, 1, lambda x: x[:, IDS]),
    ("matmul", [(3, 4), (4, 5)], -1, 1, torch.matmul),
    ("matmul of rows", [(2, 3, 4), (4, 5)], -1, 1, torch.matmul),
    ("matmul of batches", [(2, 1, 3, 4), (5, 4, 2)], -1, 1, torch.matmul),
    ("matmul by batches", [(3, 4), (2, 4, 5)], -1, 1, torch.matmul),
    ("matmul of a row", [(4,), (2, 4, 5)], -1, 1, torch.matmul),
    ("matmul by a column", [(2, 3, 4), (4,)], -1, 1, torch.matmul),
    ("matmul of vectors", [(4,), (4,)], -1, 1, torch.matmul),
    ("linear of three axes", [(2, 3, 4), (5, 4), (5,)], -1, 1, F.linear),
    ("transposed convolution", [(2, 3, 4, 5), (3, 2, 3, 2), (2,)], -1, 1,
     lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1, 1)),
    ("transposed convolution in groups", [(9, 4, 3, 2), (4, 3, 2, 2)], -1, 1,
     lambda x, w: F.conv_transpose2d(x, w, None, 1, 0, 0, 2, 2)),
    ("attention", [(2, 3, 4), (2, 5, 4), (2, 5, 3)], -1, 1, F.scaled_dot_product_attention),
    ("attention with a mask", [(2, 3, 4), (2, 5, 4), (2, 5, 3)], -1, 1,
     lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask((2, 1, 5)) != 0)),
    ("used twice", [(6,)], -1, 1, used_twice),
    ("meanSquared", [(5, 3), (5, 3)], -1, 1, lambda y, t: F.mse_loss(y, t, reduction="none").mean(1)),
    ("meanAbsolute", [(5, 3), (5, 3)], -1, 1, lambda y, t: F.l1_loss(y, t, reduction="none").mean(1)),
    ("huber", [(5, 3), (5, 3)], -2, 2, lambda y, t: F.huber_loss(y, t, reduction="none", delta=0.75).mean(1)),
    ("binaryCrossEntropy", [(5, 3), (5, 3)], 0, 1,
     lambda y, t: F.binary_cross_entropy_with_logits(8 * y - 4, t, reduction="none").mean(1)),
    ("negativeLogLikelihood", [(5, 4)], -2, 2, lambda y: F.nll_loss(y, LABELS, reduction="none")),
    ("crossEntropy", [(5, 4)], -2, 2, lambda y: F.cross_entropy(y, LABELS, reduction="none")),
    ("kullbackLeibler", [(5, 4), (5, 4)], 0.1, 1, lambda y, t: F.kl_div(-y, t, reduction="none").sum(1)),
    ("cosineDistance", [(5, 4), (5, 4)], -1, 1, lambda a, b: 1 - F.cosine_similarity(a, b)),
    ("tripletMargin", [(5, 4), (5, 4), (5, 4)], -1, 1,
     lambda a, p, n: F.triplet_margin_loss(a, p, n, margin=0.5, reduction="none")),
    ("cosineEmbedding", [(5, 4), (5, 4)], -1, 1,
     lambda a, b: F.cosine_embedding_loss(a, b, torch.tensor([1, -1, -1, 1, -1]), margin=-0.25, reduction="none")),
]


def functions(folder):
    out = {}
    for name, shapes, low, high, function in FUNCTIONS:
        inputs = [drawn(300 + i, shape, low, high).requires_grad_() for i, shape in enumerate(shapes)]
        y = function(*inputs)
        out[f"{name}.y"] = y
        gradients = torch.autograd.grad(y, inputs, drawn(399, y.shape))
        out.update({f"{name}.{i}": gradient for i, gradient in enumerate(gradients)})
    save_file(single(out), folder + "/tensors.safetensors")


class Encoder(nn.Module):
    """A classifier of texts: embedding, two blocks, mean over the tokens."""

    def __init__(self, norm_first):
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(8, 2, 12, 0, F.gelu, batch_first=True, norm_first=norm_first) for _ in range(2))
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 3)

    def forward(self, ids):
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, src_key_padding_mask=ids == 0)
        return self.head(self.norm(x).mean(1))


OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, 1e-2, weight_decay=1e-2),
    "adamw": lambda p: torch.optim.AdamW(p, 1e-2, weight_decay=0.1),
    "sgd": lambda p: torch.optim.SGD(p, 5e-2, 0.9, weight_decay=1e-2),
    "nesterov": lambda p: torch.optim.SGD(p, 5e-2, 0.9, nesterov=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 1e-3, 0.9, 1e-8, 1e-2, 0.5),
}


def layers(folder):
    out = {}
    ids, labels = torch.arange(10 * 5).reshape(10, 5) * 7 % 11, torch.arange(10) * 5 % 3
    for norm_first in (True, False):
        for name, make in OPTIMIZERS.items() if norm_first else (("post", OPTIMIZERS["adam"]),):
            net = Encoder(norm_first)
            draw_state(net, 500)
            optimizer = make(net.parameters())
            for step in range(10):
                optimizer.zero_grad()
                losses = F.cross_entropy(net(ids), labels, reduction="none")
                losses.mean().backward()
                if step == 0:
                    out[name + ".losses"] = losses
                    out[name + ".norm"] = nn.utils.clip_grad_norm_(net.parameters(), 0.5)
                    if name in ("adam", "post"):
                        out.update({f"{name}.gradient.{n}": p.grad.clone() for n, p in net.named_parameters()})
                optimizer.step()
            out.update({f"{name}.after.{n}": t.clone() for n, t in net.state_dict().items()})
    x, net = drawn(1, (2, 3, 6, 6)).requires_grad_(), nn.Sequential(nn.AvgPool2d(3, 2, 1), nn.AvgPool2d(2))
    y = net(x)
    out["avgPool.y"], out["avgPool.dx"] = y, torch.autograd.grad(y, x, drawn(2, y.shape))[0]
    x, gru = drawn(1, (9, 4, 3)).requires_grad_(), nn.GRU(3, 5, batch_first=True)
    draw_state(gru, 600)
    y = gru(x)[0]
    gradients = torch.autograd.grad(y, [x, *gru.parameters()], drawn(2, y.shape))
    out["gru.y"] = y
    out.update({f"gru.{n}": g for n, g in zip(["x", *(n for n, _ in gru.named_parameters())], gradients)})
    save_file(single(out), folder + "/layers.safetensors")


functions(sys.argv[1])
layers(sys.argv[1])
