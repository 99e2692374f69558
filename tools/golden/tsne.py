#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values for Tests/TesseraImagesTests: the parts of scikit-learn's exact t-SNE.

    tools/golden/tsne.py Tests/TesseraImagesTests/Golden

Needs: pip install scikit-learn torch safetensors. exact.safetensors, of 60 points (three overlapping clusters, drawn by
SplitMix64 as TestSupport draws them) at perplexity 5:

  p                    joint probabilities, the upper triangle by rows
  divergence.F         Kullback-Leibler divergence of a drawn layout with F p in the place of p (F: 1, 12)
  gradient.F           its gradient, all x, then all y
  layout.F             the layout after ten steps of gradient descent, learning rate 20, momentum 0.5
"""

import sys

import numpy
from safetensors.numpy import save_file
from sklearn.manifold._t_sne import _gradient_descent, _joint_probabilities, _kl_divergence
from sklearn.metrics import pairwise_distances

from networks import drawn

COUNT = 60


def main():
    points = drawn(11, (COUNT, 20)).numpy().astype(numpy.float32)
    points += numpy.repeat(numpy.float32([0, 0.5, 1.0]), COUNT // 3)[:, None]
    distances = pairwise_distances(points.astype(numpy.float64), squared=True)
    p = _joint_probabilities(distances, 5, 0)
    start = drawn(12, (2, COUNT), -2, 2).numpy()
    result = {"p": p}
    for factor in (1, 12):
        divergence, gradient = _kl_divergence(start.T.ravel(), factor * p, 1, COUNT, 2)
        layout, _, _ = _gradient_descent(_kl_divergence, start.T.ravel(), 0, 10, momentum=0.5, learning_rate=20,
                                         args=[factor * p, 1, COUNT, 2])
        result[f"divergence.{factor}"] = numpy.array([divergence])
        result[f"gradient.{factor}"] = gradient.reshape(COUNT, 2).T
        result[f"layout.{factor}"] = layout.reshape(COUNT, 2).T
    save_file({n: numpy.ascontiguousarray(t, dtype=numpy.float32) for n, t in result.items()}, sys.argv[1] + "/exact.safetensors")


main()
