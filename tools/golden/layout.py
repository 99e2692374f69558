#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values for Tests/TesseraImagesTests: scikit-learn's exact t-SNE with the recipe's settings on drawn points;
pyDeepInsight's pixels and scipy's linear_sum_assignment for drawn places.

    tools/golden/layout.py Tests/TesseraImagesTests/Golden

Needs: pip install scikit-learn torch safetensors pyDeepInsight, and what that imports (opencv-python-headless,
grad-cam, torchcam, matplotlib). The points: three overlapping
clusters, coordinates by SplitMix64 as TestSupport draws them. tsne.json: the Kullback-Leibler divergence after 1,000
iterations for five random starts. discretization.json: rows and columns by `bin` and `qtb`, and the least sum of squared
distances for `lsa`. rendering.json: whole images of pyDeepInsight's ImageTransformer, from places in the plane and scaled
rows on, for each discretisation. The places fill an upright rectangle: where it has to be turned, pyDeepInsight 0.2.3 turns
it the other way (and leaves out the hull's closing edge), and its rectangle is not the smallest.
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


class Placed:
    """A feature extractor that knows the places."""

    def __init__(self, places):
        self.places = places

    def fit_transform(self, _):
        return self.places


def rendering():
    result = []
    for seed, discretization in enumerate(("bin", "qtb", "lsa"), start=1):
        seed *= 1000
        side, features = 9, 60
        places = drawn(seed, (features, 2)).numpy() * [3, 1]
        places[:4] = [[-3, -1], [3, -1], [-3, 1], [3, 1]]
        rows = drawn(seed + 500, (2, features), 0, 1).numpy()
        transformer = ImageTransformer(Placed(places), discretization, side).fit(rows)
        images = transformer.transform(rows, img_format="scalar")
        result.append({"discretization": discretization, "seed": seed, "side": side,
                       "images": numpy.asarray(images, dtype=float).round(7).ravel().tolist()})
    return result


def main():
    for name, values in (("discretization", discretizations()), ("rendering", rendering())):
        with open(sys.argv[1] + f"/{name}.json", "w") as file:
            json.dump(values, file)
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
