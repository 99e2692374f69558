#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of the networks on images, made by PyTorch and torchvision in float64:

    tools/golden/models.py Tests EFFICIENTNET.pth VGG16_SLICE.safetensors ALEXNET_BVLC_SLICE.safetensors

Tests/TesseraVisionTests/Golden/slices.safetensors: what slices with published weights make of one image (every third row
and column). models.safetensors: for each network with drawn weights, in training mode without dropout, the logits of four
images; for every weight the sum, the norm and the first 16 elements of its gradient and those elements after one step of
Adam; for every running statistic its first 16 elements.

Needs: pip install torch torchvision safetensors numpy. Weights and inputs are drawn as in networks.py.
"""

import copy
import sys
from collections import OrderedDict

import torch
import torchvision
from safetensors.numpy import load_file, save_file
from torch import nn
from torch.nn import functional as F

from networks import draw_state, drawn, single

torch.set_default_dtype(torch.float64)


class Same(nn.Conv2d):
    """TensorFlow's padding: the odd zero at bottom and right."""

    def forward(self, x):
        pads = []
        for extent in (x.shape[3], x.shape[2]):
            kernel, stride = self.kernel_size[0], self.stride[0]
            total = max((-(-extent // stride) - 1) * stride + kernel - extent, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, stride=self.stride, groups=self.groups)


class Inverted(nn.Module):
    def __init__(self, ins, outs, expansion, kernel, stride):
        super().__init__()
        wide = ins * expansion
        self.residual = ins == outs and stride == 1
        if expansion > 1:
            self._expand_conv, self._bn0 = Same(ins, wide, 1, bias=False), nn.BatchNorm2d(wide, eps=1e-3)
        self._depthwise_conv = Same(wide, wide, kernel, stride=stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps=1e-3)
        self._project_conv, self._bn2 = Same(wide, outs, 1, bias=False), nn.BatchNorm2d(outs, eps=1e-3)

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x))) if hasattr(self, "_expand_conv") else x
        y = self._bn2(self._project_conv(F.relu6(self._bn1(self._depthwise_conv(y)))))
        return x + y if self.residual else y


class Lite0(nn.Module):
    def __init__(self):
        super().__init__()
        self._conv_stem, self._bn0 = Same(3, 32, 3, stride=2, bias=False), nn.BatchNorm2d(32, eps=1e-3)
        self._blocks = nn.Sequential(Inverted(32, 16, 1, 3, 1), Inverted(16, 24, 6, 3, 2), Inverted(24, 24, 6, 3, 1),
                                     Inverted(24, 40, 6, 5, 2), Inverted(40, 40, 6, 5, 1))

    def forward(self, x):
        return self._blocks(F.relu6(self._bn0(self._conv_stem(x))))


def bvlc():
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(3, 96, 11, stride=4), relu1=nn.ReLU(), norm1=nn.LocalResponseNorm(5), pool1=nn.MaxPool2d(3, 2),
        conv2=nn.Conv2d(96, 256, 5, padding=2, groups=2), relu2=nn.ReLU()))


def part(network, *names):
    return nn.Sequential(OrderedDict((name, getattr(network, name)) for name in names))


def make_slice(name):
    if name in ("alexnet", "vgg16"):
        features = getattr(torchvision.models, name)(weights=None).features
        return nn.Sequential(OrderedDict(features=features[:5 if name == "alexnet" else 12]))
    if name == "efficientnet_lite0":
        return Lite0()
    if name == "alexnet_bvlc":
        return bvlc()
    if name == "patches16":
        return nn.Sequential(OrderedDict(conv_proj=nn.Conv2d(3, 768, 16, stride=8, padding=8), relu=nn.ReLU()))
    network = getattr(torchvision.models, name)(weights=None)
    if name == "shufflenet_v2_x1_0":
        return part(network, "conv1", "maxpool", "stage2")
    return part(network, "conv1", "bn1", "relu", "maxpool", "layer1")


def make_head(channels, kernel, dropout, pool):
    layers = []
    for i in range(len(channels) - 1):
        layers += [nn.Conv2d(channels[i], channels[i + 1], kernel), nn.ReLU(), nn.BatchNorm2d(channels[i + 1])]
        if dropout and i + 2 < len(channels):
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(pool), nn.Flatten())


def make_classifier(widths):
    layers = [nn.Linear(widths[0], widths[1]), nn.ReLU()] if len(widths) > 3 else []
    return nn.Sequential(*layers, nn.Dropout(.3), nn.Linear(widths[-3], widths[-2]), nn.ReLU(), nn.Dropout(.3),
                         nn.Linear(widths[-2], widths[-1]), nn.ReLU(), nn.Linear(widths[-1], 2))


SLICES = {"alexnet": 192, "vgg16": 256, "resnet18": 64, "resnext50_32x4d": 256, "wide_resnet50_2": 256,
          "shufflenet_v2_x1_0": 116, "efficientnet_lite0": 40, "alexnet_bvlc": 256, "patches16": 768}

# Where the head is drawn from (ModelTests.swift has the same): from 500, an input of a ReLU of ResNet-18 is within
# 2e-6 of 0, where float32 may take the other side.
HEAD_SEEDS = {"resnet18": 700}


def whole(name):
    first = SLICES[name]
    if name.startswith(("alexnet", "patches")):
        return make_slice(name), make_head([first, 192, 192, 192, 64], 2, 0, 5), make_classifier([1600, 700, 50])
    dropout = .2 if name == "wide_resnet50_2" else .05
    return make_slice(name), make_head([first, 192, 128, 64, 32], 4, dropout, 10), make_classifier([3200, 1600, 700, 50])


def whole_network(parts):
    network = nn.Sequential(*parts).train()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    return network


def float32_error(parts, images, labels):
    """How far PyTorch's own gradients in float32 are from those in float64, at most, relative to their norms."""
    network = copy.deepcopy(whole_network(parts)).float()
    network.zero_grad()
    F.cross_entropy(network(images.float()), labels).backward()
    exact = [p.grad for p in whole_network(parts).parameters()]
    return max((abs(g.double() - p.grad.double()).max() / g.norm()).item()
               for g, p in zip(exact, network.parameters()) if g.norm() > 1e-6)


def models(out):
    images = F.interpolate(drawn(3, (4, 1, 50, 50), -2, 2), scale_factor=3, mode="nearest").expand(4, 3, 150, 150)
    result = {}
    for name in SLICES:
        parts = whole(name)
        for module, seed in zip(parts, (300, HEAD_SEEDS.get(name, 500), 600)):
            with torch.no_grad():
                draw_state(module, seed)
        network = whole_network(parts)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        logits = network(images)
        labels = torch.tensor([0, 1, 1, 0])
        before = copy.deepcopy(parts)
        F.cross_entropy(logits, labels).backward()
        for old, new in zip(nn.Sequential(*before).parameters(), network.parameters()):
            old.grad = new.grad.clone()
        error = float32_error(before, images, labels)
        optimizer.step()
        result[name + ".logits"] = logits
        for prefix, module in zip(("", "head.", "classifier."), parts):
            for key, p in module.named_parameters():
                g = p.grad.flatten()
                result[f"{name}.{prefix}{key}"] = torch.cat(
                    [torch.stack([g.sum(), g.norm()]), g[:16], p.detach().flatten()[:16]])
            for key, buffer in module.named_buffers():
                if not key.endswith("tracked"):
                    result[f"{name}.{prefix}{key}"] = buffer.flatten()[:16]
        print(f"{name}: PyTorch's gradients in float32 are off by {error:.1e} of their norm at most", flush=True)
    save_file(single(result), out)


def slices(out, lite, vgg, bvlc):
    x = F.interpolate(drawn(2, (1, 1, 50, 50), -2, 2), scale_factor=3, mode="nearest").expand(1, 3, 150, 150)
    result = {}
    for name, weights in (("efficientnet_lite0", lite), ("vgg16", vgg), ("alexnet_bvlc", bvlc)):
        network = make_slice(name).eval()
        wanted = network.state_dict()
        network.load_state_dict({n: weights[n].double() if not n.endswith("tracked") else t for n, t in wanted.items()})
        result[name] = network(x)[:, :, ::3, ::3]
    save_file(single(result), out)


def main():
    tests, lite, vgg, bvlc = sys.argv[1:5]
    golden = tests + "/TesseraVisionTests/Golden/"
    with torch.no_grad():
        slices(golden + "slices.safetensors", torch.load(lite, map_location="cpu", weights_only=True),
               *({n: torch.from_numpy(t) for n, t in load_file(path).items()} for path in (vgg, bvlc)))
    models(golden + "models.safetensors")


if __name__ == "__main__":
    main()
