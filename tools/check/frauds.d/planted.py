# SPDX-License-Identifier: Apache-2.0
"""The frauds: each is a name, the stage that has to be named, what its finding has to hold, and how it is
made in a copy of the honest run. `shop` is the Workshop, `run` the copy's folder."""

import dataclasses
import shutil
import typing

import forge as f
from workshop import EPOCHS, TRAINED, Refused


@dataclasses.dataclass
class Fraud:
    group: str
    name: str
    stage: str
    named: str
    make: typing.Callable
    states: bool = False  # whether the copy has the kept states
    opencl: bool = False  # whether it is made on an OpenCL device
    how: tuple = (("--full",),)  # how it is verified, until it is found


FRAUDS = []


def fraud(group, name, stage, named="", **more):
    def add(make):
        FRAUDS.append(Fraud(group, name, stage, named, make, **more))
        return make
    return add


def bit(name, stage, file, tensor, element, number=0, alone=False):
    """A bit of a tensor; what follows from it is made by Tessera, or (`alone`) is left as it was."""
    def make(shop, run):
        if not alone:
            return shop.edit(run, stage, file, lambda tensors: tensors.flip(tensor, element, number))
        tensors = f.Tensors(f"{run}/{file}")
        tensors.flip(tensor, element, number)
        tensors.save()
        f.fit(run, stage)
    fraud("one bit", name, stage, tensor)(make)


bit("of an embedding, all after it made from it", "embeddings", f.EMBEDDINGS, "features", 4242)
bit("the sign of an embedding", "embeddings", f.EMBEDDINGS, "features", 77, 31)
bit("of an embedding to test on", "test-embeddings", f.TEST_EMBEDDINGS, "features", 5)
bit("of a label of the embeddings", "embeddings", f.EMBEDDINGS, "labels", 3)
bit("of a place of the layout", "layout", f.LAYOUT, "coordinates", 3)
bit("of a feature's pixel", "layout", f.LAYOUT, "pixel_of_feature", 3)
bit("of the scaler's minimum", "layout", f.LAYOUT, "minimum", 9)
bit("of the scaler's maximum", "layout", f.LAYOUT, "maximum", 0)
bit("of an image's pixel, all after it made from it", "images", f.IMAGES, "images", 12345)
bit("of an image to test on", "images", f.TEST_IMAGES, "images", 1000, 22)
bit("of an image's label", "images", f.IMAGES, "labels", 3)
bit("of a weight, predictions made with it", "model", f.MODEL, "classifier.1.weight", 1000)
bit("of a frozen weight", "model", f.MODEL, "features.3.weight", 70000)
bit("of a running variance", "model", f.MODEL, "head.0.running_var", 100)
bit("of the pixels' standardisation", "model", f.MODEL, "pixel.scale", 20)
bit("of a row's log probability", "evaluation", f.PREDICTIONS, "log_probabilities", 31, alone=True)


# Data

def reviews(shop, change):
    """A file of reviews after a change of its lines."""
    path = shop.folder("reviews") + ".csv"
    with open(f"{shop.work}/reviews.csv") as file:
        lines = file.read().splitlines()
    change(lines)
    f.write(path, "\n".join(lines) + "\n")
    return path


def with_data(name, stage, named, change):
    fraud("data", name, stage, named)(
        lambda shop, run: shop.elsewhere(run, "--data", reviews(shop, lambda lines: change(shop, lines))))


def swap_labels(shop, lines):
    (one, first), (other, second) = (lines[row].rsplit(",", 1) for row in (5, 10))
    assert first != second
    lines[5], lines[10] = f"{one},{second}", f"{other},{first}"


def take_test_rows(shop, lines):
    with open(f"{shop.work}/test.csv") as file:
        lines[1:11] = file.read().splitlines()[1:11]


def other_word(shop, lines):
    lines[20] = ("dull " if lines[20].startswith("fine") else "fine ") + lines[20].partition(" ")[2]


def swap_reviews(shop, lines):
    lines[7], lines[9] = lines[9], lines[7]


with_data("two labels swapped", "embeddings", "labels", swap_labels)
with_data("ten rows of the test among those of training", "embeddings", "features", take_test_rows)
with_data("one word of a review", "embeddings", "features", other_word)
with_data("two reviews of a class exchanged", "embeddings", "features", swap_reviews)
with_data("a review left out", "embeddings", "", lambda shop, lines: lines.pop(30))
with_data("a review twice", "embeddings", "", lambda shop, lines: lines.append(lines[30]))


def test_data(name, named, change):
    def make(shop, run):
        path = shop.folder("test") + ".csv"
        with open(f"{shop.work}/test.csv") as file:
            lines = file.read().splitlines()
        change(lines)
        f.write(path, "\n".join(lines) + "\n")
        shop.elsewhere(run, "--test", path)
    fraud("data", name, "test-embeddings", named)(make)


test_data("the test of other reviews", "features", lambda lines: lines.__setitem__(slice(1, 5), lines[5:9]))
test_data("a test label turned", "labels", lambda lines: lines.__setitem__(
    4, lines[4].replace("positive", "negative") if "positive" in lines[4]
    else lines[4].replace("negative", "positive")))


@fraud("data", "a row of validation trained on, from the layout on", "layout", "rows.training")
def _(shop, run):
    def change(tensors):
        training, validation = tensors.words("rows.training"), tensors.words("rows.validation")
        tensors.put("rows.training", sorted(training + validation[:1]))
        tensors.put("rows.validation", validation[1:])
    shop.edit(run, "layout", f.LAYOUT, change)


@fraud("data", "all rows of validation trained on, from the images on", "images", "rows.training")
def _(shop, run):
    def change(tensors):
        training, validation = tensors.words("rows.training"), tensors.words("rows.validation")
        tensors.put("rows.training", sorted(training + validation[2:]))
        tensors.put("rows.validation", validation[:2])
    shop.edit(run, "images", f.IMAGES, change)


@fraud("data", "the embeddings of two reviews exchanged", "embeddings", "features")
def _(shop, run):
    shop.edit(run, "embeddings", f.EMBEDDINGS, lambda tensors: tensors.swap("features", 4, 6, size=64 * 2))


@fraud("data", "the images of two rows exchanged", "images", "images")
def _(shop, run):
    shop.edit(run, "images", f.IMAGES, lambda tensors: tensors.swap("images", 4, 6, size=144))


# The encoder

@fraud("encoder", "its file in the run changed, its record edited to fit", "embeddings", "features")
def _(shop, run):
    shutil.rmtree(f"{run}/encoder")
    shutil.copytree(f"{shop.honest}/encoder", f"{run}/encoder")
    weights = f"{run}/encoder/model.safetensors"
    with open(weights, "rb") as file:
        data = bytearray(file.read())
    data[-2] ^= 64
    f.write(weights, data)
    f.fit(run, "encoder")
    # The run's encoder is what its folder has; Tessera tells a forger the fingerprint of that.
    other = shop.folder("encoder-run")
    shop.run(other, "--encoder", f"{run}/encoder")
    f.put(other, run, "encoder.json")
    for stage in ("embeddings", "test-embeddings"):
        own, told = f.read_json(f"{run}/{stage}.json"), f.read_json(f"{other}/{stage}.json")
        f.fit(run, stage, inputs={**own["inputs"], "encoder": told["inputs"]["encoder"]})


@fraud("encoder", "another one, in the honest one's name", "embeddings", "features")
def _(shop, run):
    folder = shop.folder("encoder")
    shutil.copytree(f"{shop.work}/encoder", folder)
    with open(f"{folder}/model.safetensors", "rb") as file:
        data = bytearray(file.read())
    data[-2] ^= 64
    f.write(f"{folder}/model.safetensors", data)
    shop.elsewhere(run, "--encoder", folder)


# Options: what the run was made by is not what it says.

def by(name, stage, named, *options):
    fraud("options", name, stage, named)(lambda shop, run: shop.other(run, *options))


by("pooled by the mean", "embeddings", "features", "--pooling", "mean")
by("other hidden states", "embeddings", "features", "--layers", "0...1")
by("another seed for all", "layout", "", "--seed", "7")
by("another perplexity", "layout", "", "--perplexity", "6")
by("an iteration of t-SNE less", "layout", "", "--iterations", "119")
by("another start of t-SNE", "layout", "", "--init", "pca")
by("the layout sees the validation rows", "layout", "", "--fit", "all")
by("another discretisation", "layout", "", "--discretization", "bin")
by("another learning rate", "model", "history.json", "--classifier-lr", "3.0000003e-4")
by("another batch", "model", "history.json", "--batch", "2")
by("an epoch less", "model", "history.json", "--epochs", "9")
by("an epoch more", "model", "history.json", "--epochs", "11")
by("label smoothing", "model", "history.json", "--label-smoothing", "0.01")
by("weight decay", "model", "history.json", "--weight-decay", "1e-6")
by("noise on the pixels", "model", "history.json", "--noise", "0.001")
by("another schedule", "model", "history.json", "--schedule", "linear")
by("another standardisation", "model", "history.json", "--normalization", "centered")
by("a slice that is trained", "model", "history.json", "--slice", "trainable")
fraud("options", "another seed of the training alone", "model", "history.json")(
    lambda shop, run: shop.train(run, None, "--seed", "7"))


# Steps of the training

@fraud("steps", "two steps of each epoch in the other order", "model", "history.json")
def _(shop, run):
    def change(images):
        # The two are added to the same running sum, so that the standardisation stays as it is.
        rows = images.words("rows.training")
        images.swap("images", rows[3], rows[67], size=144)
        images.swap("labels", rows[3], rows[67])
    shop.train(run, change)


@fraud("steps", "a row twice an epoch in place of another", "model", "history.json")
def _(shop, run):
    def change(images):
        rows = images.words("rows.training")
        for name, size in (("images", 4 * 144), ("labels", 4)):
            one, other = (slice(size * row, size * (row + 1)) for row in rows[:2])
            images.values[name][other] = images.values[name][one]
    shop.train(run, change)


@fraud("steps", "a training row left out", "model", "history.json")
def _(shop, run):
    shop.train(run, lambda images: images.put("rows.training", images.words("rows.training")[:-1]))


OPTIMIZER = "optimizer/optimizer.cl"
ADAM = "  const float w = parameter[i];\n"


def at(step):
    """Whether it is that step: the bias correction tells the optimiser's kernel."""
    low, high = (1 - 0.999 ** (step + off) for off in (-0.5, 0.5))
    return f"p.correction2 > {low:.9f}f && p.correction2 < {high:.9f}f"


def by_kernel(group, name, stage, named, file, old, new, again):
    """A run gone on with from a stage (`again`) on an OpenCL device by an edited kernel."""
    def make(shop, run):
        shop.warm()
        own = ["--kernels", shop.kernels(file, old, new)]
        record = f.read_json(f"{run}/{again}.json")
        try:
            shop.other(run, *own, device=shop.options.opencl, again=again)
        except Refused as error:
            if "--allow-nonconforming" not in str(error):
                raise
            f.write(f"{run}/{again}.json", f.seal(record))
            shop.other(run, *own, "--allow-nonconforming", device=shop.options.opencl, again=again)
            return "made with --allow-nonconforming alone: the probe refuses the device"
        return "the probe lets it pass"
    fraud(group, name, stage, named, states=True, opencl=True)(make)


STEP = (EPOCHS // 2 - 1) * TRAINED + 17  # of the fifth epoch
by_kernel("steps", "one step left out, all after it honest", "model", "its entry[4]", OPTIMIZER, ADAM,
          ADAM + f"  if ({at(STEP)}) return;\n", "model")
by_kernel("steps", "one step taken twice", "model", "its entry[4]", OPTIMIZER,
          "tsr_fma(-tsr_div(p.lr, p.correction1),",
          f"tsr_fma(-tsr_div(p.lr, p.correction1) * (({at(STEP)}) ? 2.0f : 1.0f),", "model")
by_kernel("steps", "one element of one step's gradient", "model", "its entry[4]", OPTIMIZER,
          "tsr_fma(p.weight_decay, w, gradient[i])",
          f"tsr_fma(p.weight_decay, w, ({at(STEP)}) && p.count > 1000 && i == 1000"
          " ? gradient[i] + 1e-6f : gradient[i])", "model")

# Kernels
by_kernel("kernels", "another epsilon in Adam", "model", "its entry[0]", OPTIMIZER, "+ p.eps",
          "+ 1.01f * p.eps", "model")
EXPONENTIAL = "const float e = tsr_exp((score) - largest)"
by_kernel("kernels", "the exponentials of softmax off by a last bit", "model", "its entry[0]",
          "reduction/rows.cl", EXPONENTIAL, EXPONENTIAL + " * 1.0000001f", "model")
by_kernel("kernels", "t-SNE's gains grow otherwise", "layout", "", "tsne/tsne.cl", "gains[i] + 0.2f",
          "gains[i] + 0.2000001f", "layout")
FMA = "else acc = fma((__typeof__(acc))(x), y, acc);"
by_kernel("kernels", "products rounded twice, not by fma", "embeddings", "features", "gemm/gemm.h", FMA,
          "else acc = (__typeof__(acc))(x) * y + acc;", "embeddings")
by_kernel("kernels", "products by mad, not by fma", "embeddings", "features", "gemm/gemm.h", FMA,
          "else acc = mad((__typeof__(acc))(x), y, acc);", "embeddings")


# The history

def history(name, named, change, chained=False):
    """The history after a change, each epoch's figures sealed again; `chained`: every digest made anew from
    the kept states."""
    def make(shop, run):
        path = f"{run}/{f.HISTORY}"
        entries = f.read_json(path)
        change(entries)
        for entry in entries:
            entry["state"] = f.state_seal(entry)
        f.write(path, f.compact(entries))
        if chained:
            f.chain(run, TRAINED)
        f.fit(run, "model")
    fraud("history", name, "model", named, states=chained)(make)


history("a loss lowered, all digests chained anew", "its entry[1]",
        lambda entries: entries[1].update(loss=entries[1]["loss"] * 0.9), chained=True)
history("a right answer more, all digests chained anew", "its entry[0]",
        lambda entries: entries[0].update(correct=entries[0]["correct"] + 1), chained=True)
history("the digest of a state", "its entry[6]",
        lambda entries: entries[6]["stretches"].__setitem__(0, "a" * 64))
history("two epochs exchanged", "its entry[2]", lambda entries: entries.__setitem__(
    slice(2, 4), [{**entries[3], "epoch": 3}, {**entries[2], "epoch": 4}]))
history("its last epoch removed", f"its entry[{EPOCHS - 1}]", lambda entries: entries.pop())
history("an epoch added", f"its entry[{EPOCHS}]", lambda entries: entries.append(
    {**entries[-1], "epoch": EPOCHS + 1}))
history("a stretch's digest removed", "its entry[4]", lambda entries: entries[4]["stretches"].pop(0))


def keep(run, epoch):
    """Puts the network of an epoch in the kept one's place."""
    model = f.Tensors(f"{run}/{f.MODEL}")
    state = f.Tensors(f"{run}/states/epoch-{epoch}-step-{TRAINED}.safetensors")
    for name in model.values:
        if "model." + name in state.values:
            model.values[name] = state.values["model." + name]
    model.metadata["epoch"] = str(epoch)
    return model.save()


@fraud("history", "another epoch kept, the history left", "model", "", states=True)
def _(shop, run):
    shop.go_on(run, "model", keep(run, EPOCHS), facts={"kept epoch": str(EPOCHS)})


@fraud("history", "another epoch kept, the history chained to make it the best", "model", "its entry[7]",
       states=True)
def _(shop, run):
    entries = f.read_json(f"{run}/{f.HISTORY}")
    entries[7]["correct"] = 20
    f.write(f"{run}/{f.HISTORY}", f.compact(entries))
    f.chain(run, TRAINED)
    shop.go_on(run, "model", keep(run, 8), facts={"kept epoch": "8"})


@fraud("history", "another kept epoch told in the record alone", "model", "its facts")
def _(shop, run):
    f.fit(run, "model", facts={"kept epoch": "7"})


@fraud("history", "a bit of a kept state, all digests chained anew", "model", "its entry[4]", states=True)
def _(shop, run):
    changed_state(run)
    f.fit(run, "model")


def changed_state(run):
    """A bit of a weight in a kept state; the digests from there on are chained anew."""
    state = f.Tensors(f"{run}/states/epoch-5-step-64.safetensors")
    state.flip("model.classifier.1.weight", 77, 3)
    state.save()
    f.chain(run, TRAINED)


@fraud("history", "a bit of a kept state, the history left", "", "epoch-5-step-64", states=True)
def _(shop, run):
    state = f.Tensors(f"{run}/states/epoch-5-step-64.safetensors")
    state.flip("model.classifier.1.weight", 77, 3)
    state.save()


def layout_history(name, named, change):
    def make(shop, run):
        channels = f.read_json(f"{run}/{f.LAYOUT_HISTORY}")
        change(channels[0]["states"])
        f.write(f"{run}/{f.LAYOUT_HISTORY}", f.compact(channels))
        f.fit(run, "layout")
    fraud("history", name, "layout", named)(make)


layout_history("the digest of a state of t-SNE", f.LAYOUT_HISTORY,
               lambda states: states[1].update(state="b" * 64))
layout_history("a state of t-SNE removed", f.LAYOUT_HISTORY, lambda states: states.pop(0))


@fraud("history", "the divergence of t-SNE told smaller", "layout", "divergence")
def _(shop, run):
    layout = f.Tensors(f"{run}/{f.LAYOUT}")
    layout.metadata["divergence"] = "1.25"
    layout.save()
    f.fit(run, "layout")


# Files of another run

def files_of_another(name, stage, named, *names):
    def make(shop, run):
        other = shop.finished("other", "--seed", "7")
        f.put(other, run, *names)
        record = f.read_json(f"{other}/{stage}.json")
        facts = {"facts": record["facts"]} if "facts" in record else {}
        shop.go_on(run, stage, record["fingerprint"], **facts)
    fraud("another run", name, stage, named)(make)


files_of_another("its model and history", "model", "history.json", f.MODEL, f.HISTORY)
files_of_another("its layout", "layout", "", f.LAYOUT, f.LAYOUT_HISTORY)
files_of_another("its images", "images", "", f.IMAGES, f.TEST_IMAGES)


@fraud("another run", "its model alone, the history left", "model", "")
def _(shop, run):
    f.put(shop.finished("other", "--seed", "7"), run, f.MODEL)
    model = f.Tensors(f"{run}/{f.MODEL}")
    model.metadata["epoch"] = f.read_json(f"{run}/model.json")["facts"]["kept epoch"]
    shop.go_on(run, "model", model.save())


# Results

def result(run, change):
    path = f"{run}/{f.RESULT}"
    told = f.read_json(path)
    change(told)
    f.write(path, f.pretty(told))


@fraud("results", "accuracy told higher", "evaluation", f.RESULT)
def _(shop, run):
    result(run, lambda told: told["model"].update(correct=told["model"]["correct"] + 10))
    f.fit(run, "evaluation")


@fraud("results", "the probe's accuracy told lower", "evaluation", f.RESULT)
def _(shop, run):
    result(run, lambda told: told["probe"].update(correct=told["probe"]["correct"] - 3))
    f.fit(run, "evaluation")


@fraud("results", "fewer test rows told", "evaluation", f.RESULT)
def _(shop, run):
    result(run, lambda told: told["model"].update(total=told["model"]["total"] - 5))
    f.fit(run, "evaluation")


@fraud("results", "fewer rows told that the probe alone has right", "evaluation", f.RESULT)
def _(shop, run):
    result(run, lambda told: told["comparison"].update(onlyProbe=max(0, told["comparison"]["onlyProbe"] - 2) or 99))
    f.fit(run, "evaluation")


@fraud("results", "the comparison with the probe taken away", "evaluation", f.RESULT)
def _(shop, run):
    result(run, lambda told: told.pop("comparison"))
    f.fit(run, "evaluation")


def measured(name, change):
    def make(shop, run):
        result(run, change)
        f.fit(run, "evaluation")
    fraud("results", name, "evaluation", f.RESULT)(make)


def better_f1(told):
    one = told["measures"]["classes"][0]
    one["f1"] = {key: min(1, value + 0.05) for key, value in one["f1"].items()}


measured("a class's F1 told higher", better_f1)
measured("the interval of the balanced accuracy told narrower", lambda told: told["measures"].update(
    balancedAccuracy=dict.fromkeys(("value", "low", "high"), told["measures"]["balancedAccuracy"]["value"])))
measured("the log loss taken away", lambda told: told["measures"].pop("logLoss"))
measured("the measures of the probe taken away", lambda told: told.pop("probeMeasures"))


def predictions(name, named, change):
    """Predictions after a change, and the accuracy, fingerprints and record that they come to."""
    def make(shop, run):
        tensors = f.Tensors(f"{run}/{f.PREDICTIONS}")
        change(tensors)
        tensors.save()
        evaluate(run, tensors)
    fraud("results", name, "evaluation", named)(make)


def evaluate(run, tensors):
    """Makes the result what its predictions come to."""
    scores, labels = tensors.words("log_probabilities"), tensors.words("labels")
    own = f.Tensors(f"{run}/{f.PREDICTIONS}")
    own.put("labels", [int(scores[2 * row + 1] > scores[2 * row]) for row in range(len(labels))])
    digits = f.sha256(own.values["labels"], tensors.values["probe"])

    def change(told):
        answers = {"model": own.words("labels"), "probe": tensors.words("probe")}
        for key, said in answers.items():
            told[key]["correct"] = sum(one == other for one, other in zip(said, labels))
        right = [(one == label, other == label) for one, other, label in zip(*answers.values(), labels)]
        told["comparison"] = {"onlyModel": right.count((True, False)), "onlyProbe": right.count((False, True))}
        told["fingerprint"] = digits
        # Measures by class are those of an older program: it had none, and verification compares none.
        for key in ("measures", "probeMeasures"):
            told.pop(key)
    result(run, change)
    f.fit(run, "evaluation", fingerprint=digits, version=4)


def right(tensors):
    """Exchanges the scores of the first row that is wrong."""
    scores, labels = tensors.words("log_probabilities"), tensors.words("labels")
    row = next(row for row, label in enumerate(labels) if (scores[2 * row + 1] > scores[2 * row]) != label)
    tensors.swap("log_probabilities", 2 * row, 2 * row + 1)


def right_probe(tensors):
    probe, labels = tensors.words("probe"), tensors.words("labels")
    row = next(row for row, label in enumerate(labels) if probe[row] != label)
    tensors.put("probe", probe[:row] + [labels[row]] + probe[row + 1:])


predictions("a wrong prediction made right, the result made of it", f.PREDICTIONS, right)
predictions("a prediction of the probe, the result made of it", f.PREDICTIONS, right_probe)
predictions("a test label turned in the predictions, the result made of it", f.PREDICTIONS,
            lambda tensors: tensors.flip("labels", 7))


def repeated(name, named, change):
    def make(shop, run):
        path = f"{run}/repeat-1.accuracy.json"
        told = f.read_json(path)
        changes = change(shop, told) or {}
        f.write(path, f.compact(told))
        f.fit(run, "repeat-1", **changes)
    fraud("results", name, "repeat-1", named)(make)


def another_seeds(shop, told):
    """What seed 1704 gave, told of seed 1702."""
    other = shop.finished("more", "--repeats", "4")
    told.update({**f.read_json(f"{other}/repeat-3.accuracy.json"), "seed": told["seed"]})
    record = f.read_json(f"{other}/repeat-3.json")
    return {"fingerprint": record["fingerprint"], "facts": record["facts"]}


repeated("the accuracy of another seed told higher", "repeat-1.accuracy.json", lambda shop, told:
         told["accuracy"].update(correct=told["accuracy"]["correct"] + 5))
repeated("a luckier seed's in place of the next", "", another_seeds)


# Records

@fraud("records", "a file changed, its record left", "", f.EMBEDDINGS)
def _(shop, run):
    tensors = f.Tensors(f"{run}/{f.EMBEDDINGS}")
    tensors.flip("features", 1)
    tensors.save()


@fraud("records", "a record changed, its seal left", "", "model.json")
def _(shop, run):
    record = f.read_json(f"{run}/model.json")
    record["facts"]["kept epoch"] = "9"
    f.write(f"{run}/model.json", f.pretty(record))
    f.manifest(run)


@fraud("records", "another numerics version", "", "numerics version")
def _(shop, run):
    f.fit(run, "model", numerics=f.read_json(f"{run}/model.json")["numerics"] - 1)


@fraud("records", "a stage's fingerprint", "evaluation", "its fingerprint")
def _(shop, run):
    f.fit(run, "evaluation", fingerprint="0" * 64)


@fraud("records", "a learning rate told in configuration and records alone", "model", "history.json")
def _(shop, run):
    other = shop.folder("rates")
    f.copy(shop.honest, other)
    shop.run(other, "--classifier-lr", "0.001")
    f.put(other, run, "run.json")
    for stage in ("model", "repeat-1"):
        f.fit(run, stage, parameters=f.read_json(f"{other}/{stage}.json")["parameters"])


@fraud("records", "an older procedure told of the training", "model", "")
def _(shop, run):
    f.fit(run, "model", version=1)


@fraud("records", "what the data hold: repeated texts, told in data.json", "data", "data.json")
def _(shop, run):
    data = f.read_json(f"{run}/data.json")
    data["duplicates"]["rows"] += 3
    data["data"]["rows"] += 900
    f.write(f"{run}/data.json", f.pretty(data))
    f.manifest(run)
