#!/usr/bin/env python3
"""Golden divergences for Tests/TesseraImagesTests: scikit-learn's exact t-SNE with the recipe's settings on drawn points.

    tools/golden/layout.py Tests/TesseraImagesTests/Golden

Needs: pip install scikit-learn. The points: three overlapping clusters, coordinates by SplitMix64 as TestSupport draws
them. tsne.json: the Kullback-Leibler divergence after 1,000 iterations for five random starts.
"""

import json
import sys

import numpy
from sklearn.manifold import TSNE

from networks import drawn

COUNT, DIMS = 240, 20


def main():
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
