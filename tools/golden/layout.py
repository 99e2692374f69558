#!/usr/bin/env python3
"""Golden values for Tests/TesseraImagesTests: scikit-learn's exact t-SNE with the recipe's settings on drawn points;
pyDeepInsight's pixels and scipy's linear_sum_assignment for drawn places.

    tools/golden/layout.py Tests/TesseraImagesTests/Golden

Needs: pip install scikit-learn torch safetensors pyDeepInsight, and what that imports (opencv-python-headless,
grad-cam, torchcam, matplotlib). The points: three overlapping
clusters, coordinates by SplitMix64 as TestSupport draws them. tsne.json: the Kullback-Leibler divergence after 1,000
iterations for five random starts. discretization.json: rows and columns by `bin` and `qtb`, and the least sum of squared
distances for `lsa`.
"""

import json
import sys

import numpy
from pyDeepInsight import ImageTransformer
from scipy.optimize import linear_sum_assignment
from sklearn.manifold import TSNE

from networks import drawn

COUNT, DIMS = 240, 20


def places(index):
    values = numpy.round(drawn(20 + index, (150, 2), 0, 1).numpy().astype(numpy.float32) * 64) / 64
    values = values.astype(numpy.float64)[:, ::-1].copy()
    values[:, 0] *= values[:, 0]
    return numpy.concatenate([values, [[0, 0], [1, 1]]])


def discretizations():
    result = []
    for index, side in enumerate((13, 20, 29)):
        xy = places(index)
        grid = (side, side)
        cost, _ = ImageTransformer.assignment_preprocessing(xy, grid, side * side)
        result.append({"side": side, "bin": ImageTransformer.coordinate_binning(xy, grid).tolist(),
                       "qtb": ImageTransformer.coordinate_quantile_transformation(xy, grid).tolist(),
                       "lsa": float(cost[linear_sum_assignment(cost)].sum())})
    return result


def main():
    with open(sys.argv[1] + "/discretization.json", "w") as file:
        json.dump(discretizations(), file)
        file.write("\n")
    points = drawn(11, (COUNT, DIMS)).numpy().astype(numpy.float32)
    points += numpy.repeat(numpy.float32([0, 0.5, 1.0]), COUNT // 3)[:, None]
    divergences = []
    for seed in range(5):
        tsne = TSNE(perplexity=30, early_exaggeration=12, learning_rate=200, max_iter=1000, init="random", method="exact",
                    random_state=seed, n_jobs=1)
        tsne.fit(points)
        divergences.append(float(tsne.kl_divergence_))
    with open(sys.argv[1] + "/tsne.json", "w") as file:
        json.dump(divergences, file)
        file.write("\n")


main()
