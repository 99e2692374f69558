# SPDX-License-Identifier: Apache-2.0
"""A rank of PyTorch's DDP with gloo: the paper's network on 32 drawn images a step, shared among the ranks; rank 0 prints the
seconds of a step. tools/bench/ranks starts it."""

import os
import sys
import time

import torch
import torchvision

model_name, frozen = sys.argv[1], sys.argv[2] == "frozen"
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
torch.set_num_threads(1)
torch.manual_seed(1)


def head(widths, kernel, dropout, pool):
    layers = []
    for place, (ins, outs) in enumerate(zip(widths, widths[1:])):
        layers += [torch.nn.Conv2d(ins, outs, kernel), torch.nn.ReLU(), torch.nn.BatchNorm2d(outs)]
        layers += [torch.nn.Dropout(dropout)] if dropout and place < 3 else []
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(pool), torch.nn.Flatten())


def classifier(widths):
    layers = [torch.nn.Dropout(0.3)] if widths[0] == 1600 else []
    for ins, outs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(ins, outs)]
        if outs > 50:
            layers += [torch.nn.ReLU(), torch.nn.Dropout(0.3)]
    return torch.nn.Sequential(*layers)


if model_name == "alexnet":
    part = torchvision.models.alexnet().features[:5]
    rest = torch.nn.Sequential(head([192, 192, 192, 192, 64], 2, 0, 5), classifier([1600, 700, 50, 2]))
else:
    part = torchvision.models.vgg16().features[:12]
    rest = torch.nn.Sequential(head([256, 192, 128, 64, 32], 4, 0.05, 10), classifier([3200, 1600, 700, 50, 2]))
for module in part.modules():
    if isinstance(module, torch.nn.ReLU):
        module.inplace = False
for parameter in part.parameters():
    parameter.requires_grad_(not frozen)


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.part, self.rest = part, rest

    def forward(self, x):
        x = torch.nn.functional.interpolate(x, scale_factor=3).expand(-1, 3, -1, -1)
        if frozen:
            with torch.no_grad():
                x = self.part(x)
        else:
            x = self.part(x)
        return self.rest(x)


network = Network()
if size > 1:
    torch.distributed.init_process_group("gloo", rank=rank, world_size=size)
    network = torch.nn.parallel.DistributedDataParallel(network)
optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-5)
rows = 32 // size
images, labels = torch.randn(rows, 1, 50, 50), torch.arange(rows) % 2


def step():
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(network(images), labels).backward()
    optimizer.step()


for _ in range(3):
    step()
count = 16 if model_name == "alexnet" else 4
begin = time.monotonic()
for _ in range(count):
    step()
if rank == 0:
    print((time.monotonic() - begin) / count)
