#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values for Tests/TesseraPipelineTests: scikit-learn's measures of answers by class.

    tools/golden/measures.py Tests/TesseraPipelineTests/Golden

Needs: pip install scikit-learn numpy.

measures.json, a list of cases
  labels, scores    the class of each row; float32 logarithms of its probabilities, row by row
  precision, recall, f1   by class; null where scikit-learn has no value (zero_division=nan)
  balanced, macro, matthews, loss, confusion   over all classes
  areas             by class: the area under the ROC curve of the class against the others; null without any
"""

import json
import os
import sys
import warnings

import numpy
from sklearn import metrics

# Classes, rows, shares of the classes, how well the scores tell them, and a class that is never predicted.
CASES = [(2, 60, None, 2.0, None), (2, 40, [0.95, 0.05], 0.5, 1), (3, 90, [0.6, 0.3, 0.1], 1.5, None),
         (5, 200, [0.5, 0.3, 0.15, 0.05, 0.0], 1.0, 3), (4, 1, None, 1.0, None), (2, 30, [1.0, 0.0], 1.0, None),
         (3, 50, None, 0.0, None), (7, 400, None, 3.0, 0)]


def case(seed, classes, rows, shares, skill, never):
    random = numpy.random.default_rng(seed)
    labels = random.choice(classes, rows, p=shares)
    logits = random.normal(size=(rows, classes))
    logits[numpy.arange(rows), labels] += skill
    if never is not None:
        logits[:, never] -= 20
    scores = (logits - numpy.log(numpy.exp(logits).sum(1, keepdims=True))).astype(numpy.float32)
    answers = scores.argmax(1)
    every = numpy.arange(classes)

    def known(values):
        return [None if numpy.isnan(value) else float(value) for value in values]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nothing = {"labels": every, "zero_division": numpy.nan}
        exact = scores.astype(numpy.float64)
        shares = numpy.exp(exact).astype(numpy.float32)
        return {
            "labels": labels.tolist(), "scores": [float(str(score)) for score in scores.ravel()],
            "classes": classes,
            "precision": known(metrics.precision_score(labels, answers, average=None, **nothing)),
            "recall": known(metrics.recall_score(labels, answers, average=None, **nothing)),
            "f1": known(metrics.f1_score(labels, answers, average=None, **nothing)),
            "balanced": metrics.balanced_accuracy_score(labels, answers),
            "macro": metrics.f1_score(labels, answers, average="macro", zero_division=0),
            "matthews": metrics.matthews_corrcoef(labels, answers),
            "loss": metrics.log_loss(labels, numpy.exp(exact), labels=every),
            "confusion": metrics.confusion_matrix(labels, answers, labels=every).tolist(),
            "areas": [metrics.roc_auc_score(labels == c, shares[:, c]) if 0 < (labels == c).sum() < rows else None
                      for c in every]}


def main():
    cases = [case(number, *options) for number, options in enumerate(CASES)]
    with open(os.path.join(sys.argv[1], "measures.json"), "w") as file:
        json.dump(cases, file, separators=(",", ":"))
        file.write("\n")


main()
