#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values for Tests/TesseraImagesTests: scikit-learn's t-SNE by nearest neighbours (its Barnes-Hut method).

    tools/golden/neighbours.py Tests/TesseraImagesTests/Golden

Needs: pip install scikit-learn torch safetensors. Points are drawn by SplitMix64 as TestSupport draws them: three
overlapping clusters.

neighbours.json
  joint       of 60 points at perplexity 5: row starts, columns and values of the joint probabilities, columns ascending
  divergence  of 240 points at perplexity 30, over the neighbours, for five random starts and the recipe's settings
"""

import json
import sys

import numpy
from sklearn.manifold import TSNE
from sklearn.manifold._t_sne import _joint_probabilities_nn
from sklearn.neighbors import NearestNeighbors

from networks import drawn


def clusters(count):
    points = drawn(11, (count, 20)).numpy().astype(numpy.float32)
    return points + numpy.repeat(numpy.float32([0, 0.5, 1.0]), count // 3)[:, None]


def joint(count, perplexity):
    neighbours = min(count - 1, int(3.0 * perplexity + 1))
    graph = NearestNeighbors(n_neighbors=neighbours).fit(clusters(count)).kneighbors_graph(mode="distance")
    graph.data **= 2
    p = _joint_probabilities_nn(graph, perplexity, 0).tocsr()
    p.sort_indices()
    return {"starts": p.indptr.tolist(), "columns": p.indices.tolist(), "values": p.data.astype(numpy.float32).tolist()}


def divergence(seed):
    tsne = TSNE(perplexity=30, early_exaggeration=12, learning_rate=200, max_iter=1000, init="random",
                method="barnes_hut", random_state=seed, n_jobs=1)
    tsne.fit(clusters(240))
    return float(tsne.kl_divergence_)


def main():
    values = {"joint": joint(60, 5), "divergence": [divergence(seed) for seed in range(5)]}
    values["joint"]["values"] = [float(f"{v:.8g}") for v in values["joint"]["values"]]
    with open(sys.argv[1] + "/neighbours.json", "w") as file:
        json.dump(values, file)
        file.write("\n")


main()
