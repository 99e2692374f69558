# SPDX-License-Identifier: Apache-2.0
"""A few wrong rows or stretches, so that nothing else of the run differs: the chance that a sample finds
them is then the one that the certificate states.

Wrong rows of embeddings and images are rows of validation: scaler, layout and training do not see them, and
all that follows from them is made from them by Tessera. So images fit the forged embeddings, and which rows
of images are drawn decides nothing."""

import dataclasses
import typing

import forge as f
import planted


@dataclasses.dataclass
class Case:
    name: str
    stage: str
    wrong: int
    share: str  # for which the certificate states the chance: it comes to `wrong` rows
    sample: tuple
    make: typing.Callable
    opencl: bool = False


def wrong_rows(stage, file, tensor, columns, count):
    def make(shop, run):
        def change(tensors):
            for row in f.Tensors(f"{run}/{f.LAYOUT}").words("rows.validation")[:count]:
                tensors.flip(tensor, row * columns + 7)
        shop.edit(run, stage, file, change)
    return make


def wrong_prediction(shop, run):
    tensors = f.Tensors(f"{run}/{f.PREDICTIONS}")
    tensors.flip("log_probabilities", 2 * 11)
    tensors.save()
    planted.evaluate(run, tensors)


def left_out_step(shop, run):
    fraud = next(fraud for fraud in planted.FRAUDS if fraud.name.startswith("one step left out"))
    fraud.make(shop, run)


def changed_state(shop, run):
    planted.changed_state(run)
    f.fit(run, "model")


CASES = [
    Case("one wrong row of embeddings", "embeddings", 1, "1%", ("--sample", "30", "--stretches", "0"),
         wrong_rows("embeddings", f.EMBEDDINGS, "features", 64, 1)),
    Case("ten wrong rows of embeddings", "embeddings", 10, "10%", ("--sample", "5", "--stretches", "0"),
         wrong_rows("embeddings", f.EMBEDDINGS, "features", 64, 10)),
    Case("one wrong row of images", "images", 1, "1%", ("--sample", "30%", "--stretches", "0"),
         wrong_rows("images", f.IMAGES, "images", 144, 1)),
    Case("one wrong row of predictions", "evaluation", 1, "1%", ("--sample", "12", "--stretches", "0"),
         wrong_prediction),
    Case("one wrong stretch: a step left out by an edited kernel, all after it honest", "model", 1, "1%",
         ("--sample", "1", "--stretches", "5"), left_out_step, opencl=True),
    Case("two wrong stretches: those to and from a forged kept state", "model", 2, "10%",
         ("--sample", "1", "--stretches", "5"), changed_state),
]
