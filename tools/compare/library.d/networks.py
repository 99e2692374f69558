# SPDX-License-Identifier: Apache-2.0
"""The networks of Tests/Examples/Sources/steps/Networks.swift in PyTorch."""

import torch
from torch import nn


def convolutional():
    """A convolutional network for digits of 8 x 8 pixels, 64 at a time."""
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(64 * 2 * 2, 10),
    )
    return Training(net, torch.rand(64, 1, 8, 8) * 2 - 1, 10, 1e-3)


class TextClassifier(nn.Module):
    """Four blocks of width 256 on texts of 128 tokens, 32 at a time."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(1000, 256)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(256, 4, 1024, 0.0, "gelu", batch_first=True, norm_first=True) for _ in range(4))
        self.norm = nn.LayerNorm(256)
        self.head = nn.Linear(256, 2)

    def forward(self, ids):
        x = self.words(ids)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


def transformer():
    ids = torch.arange(32 * 128).mul(7919).remainder(1000).reshape(32, 128)
    return Training(TextClassifier(), ids, 2, 1e-4)


def perceptron():
    """A perceptron 1,024 wide, 128 rows at a time."""
    net = nn.Sequential(
        nn.Linear(1024, 1024), nn.GELU(), nn.Linear(1024, 1024), nn.GELU(), nn.Linear(1024, 1024), nn.GELU(),
        nn.Linear(1024, 10),
    )
    return Training(net, torch.rand(128, 1024) * 2 - 1, 10, 1e-4)


class Training:
    """A network, its optimiser, and the batch that it sees again and again."""

    def __init__(self, net, x, classes, rate):
        self.net, self.x, self.labels = net.train(), x, torch.arange(x.shape[0]) % classes
        self.optimizer = torch.optim.AdamW(net.parameters(), rate, weight_decay=0.01)
        self.loss = nn.CrossEntropyLoss()

    def step(self):
        self.optimizer.zero_grad()
        loss = self.loss(self.net(self.x), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss
