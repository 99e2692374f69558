#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values for Tests/TesseraImagesTests: scikit-learn's principal components, metrics and t-SNE by metric and start.

    tools/golden/projections.py Tests/TesseraImagesTests/Golden

Needs: pip install scikit-learn torch safetensors. Points are drawn by SplitMix64 as TestSupport draws them.

projections.json
  pca         shape of the points, seed, and `PCA(2).fit_transform` of them (all first coordinates, then all second)
  distances   squared distances by metric of twelve points, one of them another's negative
  divergence  by metric, the Kullback-Leibler divergence of exact t-SNE for ten random starts; `start`: the one from
              the principal components with the automatic learning rate
"""

import json
import sys

import numpy
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import pairwise_distances

from networks import drawn


def clusters():
    points = drawn(11, (240, 20)).numpy()
    return points + numpy.repeat([0, 0.5, 1.0], 80)[:, None]


def distances(points, metric):
    if metric == "absolute-correlation":
        return 1 - numpy.abs(numpy.corrcoef(points))
    return pairwise_distances(points, metric=metric)


def divergence(points, metric, **options):
    if metric == "absolute-correlation":
        points, metric = numpy.clip(distances(points, metric), 0, None), "precomputed"
    tsne = TSNE(perplexity=30, max_iter=1000, method="exact", metric=metric, n_jobs=1, **options)
    tsne.fit(points)
    return float(tsne.kl_divergence_)


def main():
    result = {"pca": [], "distances": {}, "divergence": {}}
    for seed, shape in enumerate(((240, 20), (60, 300), (500, 90)), start=31):
        points = drawn(seed, shape).numpy()
        points[:, 0] *= 2
        points[:, 1] *= 1.5
        places = PCA(2, svd_solver="full").fit_transform(points)
        result["pca"].append({"shape": shape, "seed": seed, "places": places.T.ravel().round(7).tolist()})
    few = clusters()[:12]
    few[11] = -few[3]
    for metric in ("euclidean", "cosine", "correlation", "absolute-correlation"):
        result["distances"][metric] = (distances(few, metric) ** 2).ravel().round(9).tolist()
        if metric != "euclidean":
            result["divergence"][metric] = [divergence(clusters(), metric, init="random", learning_rate=200, random_state=seed)
                                            for seed in range(10)]
    result["divergence"]["start"] = [divergence(clusters(), "euclidean", init="pca", learning_rate="auto")]
    with open(sys.argv[1] + "/projections.json", "w") as file:
        json.dump(result, file)
        file.write("\n")


main()
