#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What timm calls the layers of EfficientNet-Lite0's slice, for Tests/TesseraVisionTests:

    tools/golden/timm_names.py Tests/TesseraVisionTests/Golden/timm_names.json

Pairs of names, efficientnet-pytorch's (models.py's Lite0) and timm's tf_efficientnet_lite0's, found by the order in which
the layers are called, not by their names; the script then loads one network's drawn values into the other by these pairs
and compares the outputs in float64.

Needs: pip install torch torchvision timm.
"""

import json
import sys

import torch
from timm.models.efficientnet import tf_efficientnet_lite0
from torch import nn

from models import Lite0
from networks import draw_state


class Slice(nn.Module):
    """timm's network up to the third of its stages, under timm's names."""

    def __init__(self):
        super().__init__()
        whole = tf_efficientnet_lite0()
        self.conv_stem, self.bn1, self.blocks = whole.conv_stem, whole.bn1, whole.blocks[:3]

    def forward(self, x):
        return self.blocks(self.bn1(self.conv_stem(x)))


def called(network, x):
    """Names of convolutions and norms in the order of their calls, and the output."""
    order, hooks = [], []
    for name, module in network.named_modules():
        if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
            hooks.append(module.register_forward_hook(lambda *_, name=name: order.append(name)))
    y = network(x)
    for hook in hooks:
        hook.remove()
    return order, y


def main():
    ours, timm = Lite0().eval(), Slice().eval()
    x = torch.linspace(-2, 2, 3 * 75 * 75).reshape(1, 3, 75, 75)
    with torch.no_grad():
        draw_state(ours, 300)
        pairs = list(zip(*(called(network, x)[0] for network in (ours, timm)), strict=True))
        values, wanted = ours.state_dict(), timm.state_dict()
        names = [(a + name[len(b):], name) for a, b in pairs for name in wanted if name.startswith(b + ".")]
        timm.load_state_dict({theirs: values[own] for own, theirs in names}, strict=True)
        difference = (ours(x) - timm(x)).abs().max().item()
    print(f"{len(names)} names, outputs differ by {difference:.1e}")
    assert difference < 1e-9
    with open(sys.argv[1], "w") as file:
        json.dump([pair for pair in names if not pair[0].endswith("tracked")], file, indent=0)
        file.write("\n")


main()
