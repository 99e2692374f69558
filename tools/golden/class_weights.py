#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of learning where classes have weights, in float64:

    tools/golden/class_weights.py Tests

Tests/TesseraNNTests/Golden/weighted.safetensors: PyTorch's `CrossEntropyLoss(weight=...)` of logits, one batch: the loss,
the gradient of the logits, and a layer's weights after three steps of Adam.
Tests/TesseraPipelineTests/Golden/weighted_probe.json: scikit-learn's logistic regression with `class_weight="balanced"`,
and with weights by class: coefficients and intercepts, and each class's weight where they are balanced.

Needs: pip install torch scikit-learn safetensors numpy. Inputs are drawn by SplitMix64 as TestSupport draws them.
"""

import json
import os
import sys

import numpy
import torch
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from networks import drawn, single

LABELS = [0, 1, 2, 2, 1, 0, 0, 2, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0]
WEIGHTS = [0.5, 3.0, 1.25]


def loss(out):
    x, labels = drawn(41, (len(LABELS), 7)), torch.tensor(LABELS)
    layer = nn.Linear(7, 3)
    with torch.no_grad():
        layer.weight.copy_(drawn(42, (3, 7)))
        layer.bias.copy_(drawn(43, (3,)))
    judge = nn.CrossEntropyLoss(weight=torch.tensor(WEIGHTS))
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-2)
    result = {}
    for step in range(3):
        optimizer.zero_grad()
        logits = layer(x)
        logits.retain_grad()
        mean = judge(logits, labels)
        mean.backward()
        if step == 0:
            result = {"loss": mean.reshape(1), "logits": logits, "gradient": logits.grad.clone(),
                      "gradient.weight": layer.weight.grad.clone()}
        optimizer.step()
    result.update({"after.weight": layer.weight, "after.bias": layer.bias})
    save_file(single(result), out)


def probe(out):
    rows, columns, penalty = 300, 6, 0.05
    x = drawn(51, (rows, columns)).numpy()
    score = x[:, 0] + 0.5 * x[:, 1]
    labels = numpy.where(score > 0.9, 2, numpy.where(score > 0.4, 1, 0))
    result = {"rows": rows, "columns": columns, "penalty": penalty, "labels": labels.tolist(), "fits": []}
    balanced = compute_class_weight("balanced", classes=numpy.arange(3), y=labels)
    for weights in (balanced, numpy.array(WEIGHTS)):
        # scikit-learn adds |w|^2 / 2 to C times the weighted sum.
        fit = LogisticRegression(C=1 / (penalty * weights[labels].sum()), class_weight=dict(enumerate(weights)),
                                 tol=1e-12, max_iter=10000).fit(x, labels)
        result["fits"].append({"weights": weights.tolist(), "coefficients": fit.coef_.ravel().round(9).tolist(),
                               "intercepts": (fit.intercept_ - fit.intercept_.mean()).round(9).tolist()})
    with open(out, "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


def main():
    loss(os.path.join(sys.argv[1], "TesseraNNTests/Golden/weighted.safetensors"))
    probe(os.path.join(sys.argv[1], "TesseraPipelineTests/Golden/weighted_probe.json"))


main()
