# SPDX-License-Identifier: Apache-2.0
"""What lies beside weights in a checkpoint, which must be no obstacle and must never run; timm's names."""

import argparse
import collections
import datetime
import functools
import os
import pathlib
import random

from torchfile import Tensor, alexnet, drawn, foreign, images, safetensors, torch_file, train

TITLE = "objects beside weights are skipped and never run; timm's names for EfficientNet-Lite0"


class Hostile:
    def __init__(self, call, *arguments):
        self.call = call, arguments

    def __reduce__(self):
        return self.call


def beside(marker):
    """What people keep beside their weights, by what it is."""
    scalar = foreign("numpy.core.multiarray", "scalar", foreign("numpy", "dtype", "f8", 0, 1), b"\0" * 8)
    settings = argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("/data"), nested=argparse.Namespace(a=1))
    return {
        "namespace": settings, "numpy scalar": scalar,
        "rng": Tensor(bytes(5056), (5056,), "ByteStorage"), "python rng": random.getstate(),
        "numpy rng": ("MT19937", foreign("numpy.core.multiarray", "_reconstruct", foreign("numpy", "ndarray"), (0,), b"b"), 624),
        "bool": Tensor(b"\1", (), "BoolStorage"), "date": datetime.datetime(2026, 1, 1),
        "partial": functools.partial(int, base=2), "default": collections.defaultdict(list, a=[1]),
        "ordered": collections.OrderedDict(a=1), "counter": collections.Counter("aab"), "set": {1, 2},
        "optimizer": {"state": {0: {"step": 1, "exp_avg": drawn((3,))}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
        "config": foreign("omegaconf.dictconfig", "DictConfig", {"lr": 0.1}),
        "sparse": foreign("torch._utils", "_rebuild_sparse_tensor", "layout", ()),
        "quantised": foreign("torch._utils", "_rebuild_qtensor", 1, 2), "half": Tensor(b"\0\x3c", (1,), "HalfStorage"),
        "big": 1 << 300, "complex": 1j, "bytes": b"raw" * 1000, "class": foreign("my.models", "Net"),
        "system": Hostile(os.system, f"touch {marker}"), "eval": Hostile(eval, f"open({marker!r}, 'w')"),
        "open": Hostile(open, marker, "w"),
    }


def check(case):
    w = alexnet()
    marker = case.path("ran")
    case.write("images.safetensors", images())
    right = case.fingerprint(train(case, case.write("plain.pth", torch_file(w)), "plain"))
    case.expect(right is not None, "the plain weights' model")
    others = beside(marker)
    for place, (name, value) in enumerate(others.items()):
        # Before the weights and after them, in both formats.
        content = {name: value, **w} if place % 2 else {**w, name: value}
        path = case.write(f"{place}.pth", torch_file(content, legacy=place % 3 == 0))
        result = train(case, path, "m")
        case.expect(case.fingerprint(result) == right, f"{name}: the plain weights' model", result)
    for legacy in (False, True):
        path = case.write("all.pth", torch_file({**others, "state_dict": w, "itself": [others]}, legacy))
        result = train(case, path, "m")
        case.expect(case.fingerprint(result) == right, f"all of them: the plain weights' model (legacy {legacy})", result)
    case.expect(not os.path.exists(marker), "nothing in a file run")
    path = case.write("wanted.pth", torch_file({**w, "features.3.bias": others["quantised"]}))
    case.refuses(train(case, path, "no"), "features.3.bias", "a quantised tensor", "floating-point")
    timm(case)


BLOCKS = ((32, 16, 1, 3), (16, 24, 6, 3), (24, 24, 6, 3), (24, 40, 6, 5), (40, 40, 6, 5))
PLACES = ("0.0", "1.0", "1.1", "2.0", "2.1")


def lite0():
    """Tensors of EfficientNet-Lite0's slice: (efficientnet-pytorch's name, timm's, tensor)."""
    found = []

    def conv(own, other, *shape):
        found.append((own + ".weight", other + ".weight", drawn(shape, len(found), -0.3, 0.3)))

    def norm(own, other, width):
        for part in ("weight", "bias", "running_mean", "running_var"):
            low = 0.5 if part in ("weight", "running_var") else -0.2
            found.append((f"{own}.{part}", f"{other}.{part}", drawn((width,), len(found), low, low + 0.4)))

    conv("_conv_stem", "conv_stem", 32, 3, 3, 3)
    norm("_bn0", "bn1", 32)
    for number, (ins, outs, factor, side) in enumerate(BLOCKS):
        own, other, wide = f"_blocks.{number}.", f"blocks.{PLACES[number]}.", ins * factor
        if factor > 1:
            conv(own + "_expand_conv", other + "conv_pw", wide, ins, 1, 1)
            norm(own + "_bn0", other + "bn1", wide)
        conv(own + "_depthwise_conv", other + "conv_dw", wide, 1, side, side)
        norm(own + "_bn1", other + ("bn2" if factor > 1 else "bn1"), wide)
        conv(own + "_project_conv", other + ("conv_pwl" if factor > 1 else "conv_pw"), outs, wide, 1, 1)
        norm(own + "_bn2", other + ("bn3" if factor > 1 else "bn2"), outs)
    return found


def timm(case):
    tensors = lite0()
    own = {name: tensor for name, _, tensor in tensors}
    other = {name: tensor for _, name, tensor in tensors}
    rest = {"conv_head.weight": drawn((4, 4)), "classifier.bias": drawn((7,)), "blocks.3.0.conv_pw.weight": drawn((2, 2)),
            "bn1.num_batches_tracked": Tensor(bytes(8), (), "LongStorage")}

    def trained(name, content, more=("--head", "linear", "--quiet")):
        return train(case, case.write(name, content), name + ".out", "efficientnet_lite0", more)

    right = case.fingerprint(trained("own.safetensors", safetensors(own)))
    case.expect(right is not None, "a model of efficientnet-pytorch's names")
    for name, content in (("timm.safetensors", safetensors({**other, **rest})), ("timm.pth", torch_file({**other, **rest})),
                          ("state.pth", torch_file({"state_dict": {"module." + n: t for n, t in other.items()}}))):
        result = trained(name, content)
        case.expect(case.fingerprint(result) == right, f"{name}: the same model", result)
    result = trained("told.safetensors", safetensors(other), ("--head", "linear"))
    case.expect(result.err.count("tf_efficientnet_lite0") == 1, "what timm's names are taken for told once", result)
    for name, stranger in (("b0", "blocks.1.0.se.conv_reduce.weight"), ("lite1", "blocks.1.2.conv_pw.weight")):
        result = trained(name, safetensors({**other, stranger: drawn((2, 2))}))
        case.refuses(result, stranger, "another network")
    part = {"conv_stem.weight": other["conv_stem.weight"], "bn1.weight": other["bn1.weight"]}
    case.refuses(trained("part", safetensors(part)), "no tensor", "nearest", "efficientnet_lite0")
