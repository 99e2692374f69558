#!/usr/bin/env python3
"""Golden values of networks, made by PyTorch in float64:

    tools/golden/networks.py Tests EFFICIENTNET.pth VGG16_SLICE.safetensors

Tests/TesseraNNTests/Golden/training.safetensors: a small network with every kind of layer, its gradients, its running
statistics, and its weights after three steps of Adam. Tests/TesseraVisionTests/Golden/slices.safetensors: what the
pretrained slices make of one image (every third row and column); heads.safetensors: logits of the heads and classifiers,
and of every gradient the sum, the norm and the first 16 elements.

Needs: pip install torch safetensors numpy. Weights and inputs are drawn by SplitMix64 as `CaseInputs` does, so the files
hold results alone.
"""

import sys

import numpy
import torch
from safetensors.numpy import load_file, save_file
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


def same(x, kernel, stride):
    """TensorFlow's padding: the odd zero at bottom and right."""
    pads = []
    for extent in (x.shape[3], x.shape[2]):
        total = max((-(-extent // stride) - 1) * stride + kernel - extent, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def efficientnet(weights, x):
    def conv(name, x, stride=1, groups=1):
        w = weights[name + ".weight"]
        return F.conv2d(same(x, w.shape[2], stride), w, stride=stride, groups=groups)

    def norm(name, x):
        return F.batch_norm(x, weights[name + ".running_mean"], weights[name + ".running_var"], weights[name + ".weight"],
                            weights[name + ".bias"], eps=1e-3)

    x = F.relu6(norm("_bn0", conv("_conv_stem", x, stride=2)))
    for index, stride in enumerate([1, 2, 1, 2, 1]):
        block, start = f"_blocks.{index}.", x
        if block + "_expand_conv.weight" in weights:
            x = F.relu6(norm(block + "_bn0", conv(block + "_expand_conv", x)))
        x = F.relu6(norm(block + "_bn1", conv(block + "_depthwise_conv", x, stride, x.shape[1])))
        x = norm(block + "_bn2", conv(block + "_project_conv", x))
        if stride == 1 and x.shape == start.shape:
            x = x + start
    return x


def vgg16(weights, x):
    for layer in (0, 2, 5, 7, 10):
        if layer in (5, 10):
            x = F.max_pool2d(x, 2)
        x = F.relu(F.conv2d(x, weights[f"features.{layer}.weight"], weights[f"features.{layer}.bias"], padding=1))
    return x


def alexnet(x):
    net = nn.Sequential(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
                        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU())
    draw_state(net, 300)
    return net(x)


def slices(out, efficientnet_path, vgg16_path):
    image = drawn(2, (1, 1, 50, 50), -2, 2)
    x = F.interpolate(image, scale_factor=3, mode="nearest").expand(1, 3, 150, 150)
    lite = {n: t.double() for n, t in torch.load(efficientnet_path, map_location="cpu", weights_only=True).items()}
    vgg = {n: torch.from_numpy(t).double() for n, t in load_file(vgg16_path).items()}
    made = {"efficientnet_lite0": efficientnet(lite, x), "vgg16": vgg16(vgg, x), "alexnet": alexnet(x)}
    save_file(single({n: t[:, :, ::3, ::3] for n, t in made.items()}), out)


def convolutions(channels, kernel, dropout, pool):
    layers = []
    for i in range(len(channels) - 1):
        layers += [nn.Conv2d(channels[i], channels[i + 1], kernel), nn.ReLU(), nn.BatchNorm2d(channels[i + 1])]
        if dropout and i + 2 < len(channels):
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(pool), nn.Flatten())


def heads(out):
    def tail():
        return [nn.Dropout(.3), nn.Linear(700, 50), nn.ReLU(), nn.Linear(50, 2)]

    def large():
        return nn.Sequential(nn.Linear(3200, 1600), nn.ReLU(), nn.Dropout(.3), nn.Linear(1600, 700), nn.ReLU(), *tail())

    models = {
        "alexnet": (convolutions([192, 192, 192, 192, 64], 2, 0, 5),
                    nn.Sequential(nn.Dropout(.3), nn.Linear(1600, 700), nn.ReLU(), *tail()), (2, 192, 17, 17)),
        "vgg16": (convolutions([256, 192, 128, 64, 32], 4, .05, 10), large(), (1, 256, 37, 37)),
        "efficientnet_lite0": (convolutions([40, 192, 128, 64, 32], 4, .05, 10), large(), (2, 40, 19, 19)),
    }
    result = {}
    for name, (head, classifier, shape) in models.items():
        draw_state(head, 500)
        draw_state(classifier, 600)
        head.eval(), classifier.eval()
        logits = classifier(head(drawn(3, shape)))
        F.cross_entropy(logits, torch.arange(shape[0]) % 2).backward()
        result[name + ".logits"] = logits
        for prefix, module in (("head.", head), ("classifier.", classifier)):
            for key, p in module.named_parameters():
                g = p.grad.flatten()
                result[f"{name}.{prefix}{key}"] = torch.cat([torch.stack([g.sum(), g.norm()]), g[:16]])
    save_file(single(result), out)


def main():
    tests, efficientnet_path, vgg16_path = sys.argv[1:4]
    with torch.no_grad():
        slices(tests + "/TesseraVisionTests/Golden/slices.safetensors", efficientnet_path, vgg16_path)
    training(tests + "/TesseraNNTests/Golden/training.safetensors")
    heads(tests + "/TesseraVisionTests/Golden/heads.safetensors")


if __name__ == "__main__":
    main()
