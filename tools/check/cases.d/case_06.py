# SPDX-License-Identifier: Apache-2.0
"""Mistakes that were told hours later are told before the first stage, and nothing is left behind."""

import json
import os
import shutil
import struct
import subprocess

from common import SMALL

TITLE = "weights, perplexity, pixels, shares, folders and the disk are looked at before the first stage"


def weights(case, name, shape):
    """A safetensors file of AlexNet's first weight, with a shape."""
    count = 1
    for extent in shape:
        count *= extent
    header = json.dumps({"features.0.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * count]}}).encode()
    return case.write(name, struct.pack("<Q", len(header)) + header + bytes(4 * count))


def check(case):
    encoder, data = case.encoder("enc"), case.reviews("r.csv", 32)
    base = ["run", "--encoder", encoder, "--data", data, *SMALL, "--quiet"]

    def told(what, *more, words=(), code=2):
        out = case.path("out/" + what)
        result = case.run(*base, "--out", out, *more)
        case.refuses(result, *words, code=code)
        case.expect(not os.path.exists(out), f"nothing left of a run that is refused for its {what}", result)
        case.expect("embedding " not in result.err and not result.out, f"{what}: told before the first stage", result)

    missing = case.path("efficientnet-lite0-typo.pth")
    told("weights-missing", "--weights", missing, words=[missing, "No such file"])
    told("weights-folder", "--weights", encoder, words=[encoder, "folder"])
    told("weights-text", "--weights", case.write("w.pth", "not weights\n"), words=["w.pth"])
    told("weights-lack", "--weights", weights(case, "one.safetensors", [64, 3, 11, 11]), words=["one.safetensors"])
    told("weights-shape", "--weights", weights(case, "odd.safetensors", [64, 3, 7, 7]),
         words=["odd.safetensors", "features.0.weight"])
    told("weights-encoder", "--weights", encoder + "/model.safetensors", words=["model.safetensors"])
    told("perplexity", "--perplexity", 64, words=["perplexity", "64"])
    told("perplexity-of-a-layer", "--channels", "layer", "--perplexity", 40, words=["perplexity", "32 points"])
    told("pixels-for-the-head", "--pixels", 8, "--head", "paper", words=["pixels", "8", "16 or more"])
    told("pixels-auto", "--pixels", "auto", "--head", "paper", "--model", "vgg16", words=["pixels", "vgg16"])
    told("pixels-lsa", "--pixels", 7, words=["lsa", "64 features on 7 x 7"])
    told("layers", "--layers", "1...5", words=["layers", "0...2"])
    told("one-layer", "--layers", "1...1", "--channels", "layer", "--perplexity", 5, words=["channels", "layer"])
    told("shares", "--validation-share", 0.6, "--test-share", 0.5, words=["split"])
    told("training-rows", "--training-rows", 31, words=["training-rows", "31"])
    told("embedding-batch", "--embedding-batch", 0, words=["embedding-batch"])
    told("patience", "--patience", 2, "--validation-share", 0, words=["patience", "validation"])
    told("representations", "--channels", "several", "--representations", "umap", words=["representations", "umap"])
    told("test-missing", "--test", case.path("none.csv"), words=["none.csv"])
    told("test-classes", "--test", case.write("t.csv", "review,sentiment\ngood,positive\nso so,mixed\n"), words=["mixed"])
    told("trace", "--trace", encoder + "/config.json/x", words=["config.json"])
    told("device", "--device", "opencl:99", words=["opencl:99"])
    told("tiles", "--tiles", case.path("none.json"), words=["none.json"])

    broken = case.path("broken")
    shutil.copytree(encoder, broken)
    with open(broken + "/model.safetensors", "r+b") as file:
        file.truncate(5000)
    told("encoder", "--encoder", broken, words=["model.safetensors"])

    # What stands in the way of a stage's output is told before that stage's work.
    for name in ("model.safetensors", "result.json", "embeddings.json", "history.json"):
        out = case.path("blocked-" + name)
        os.makedirs(f"{out}/{name}")
        case.refuses(case.run(*base, "--out", out, "--overwrite"), name, "a folder")
        case.expect(os.listdir(out + "/" + name) == [] and not os.path.exists(out + "/run.json"), "nothing begun")

    disk(case, base)
    single_stages(case, encoder, data)


def disk(case, base):
    """A disk that is too small for the run, told with both numbers."""
    small = case.path("small")
    os.makedirs(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", small], capture_output=True).returncode != 0:
        return
    try:
        result = case.run(*base, "--out", small + "/out")
        case.refuses(result, "free on its disk", "KiB", "for its files", code=1)
        case.expect(not os.path.exists(small + "/out"), "nothing left on the small disk", result)
    finally:
        subprocess.run(["umount", small])
    fixed = case.path("fixed")
    os.makedirs(fixed)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", fixed], capture_output=True).returncode == 0:
        try:
            case.refuses(case.run(*base, "--out", fixed + "/out"), fixed, "Read-only")
        finally:
            subprocess.run(["umount", fixed])


def single_stages(case, encoder, data):
    """Commands of one stage look first, too: the place of their output, and what does not go together."""
    e, l, i = case.path("e"), case.path("l"), case.path("i")
    case.accepts(case.run("embed", "--encoder", encoder, "--data", data, "--out", e, "--device", "cpu", "--quiet"))
    shape = ["--pixels", 12, "--perplexity", 5, "--iterations", 10, "--device", "cpu", "--quiet"]
    case.accepts(case.run("layout", "--embeddings", e, "--out", l, *shape))
    case.accepts(case.run("render", "--embeddings", e, "--layout", l, "--out", i, "--device", "cpu", "--quiet"))
    blocked = case.path("a-folder")
    os.makedirs(blocked)
    below = data + "/x"
    for out in (blocked, below):
        for words in (["embed", "--encoder", encoder, "--data", data, "--device", "cpu", "--quiet"],
                      ["layout", "--embeddings", e, *shape],
                      ["render", "--embeddings", e, "--layout", l, "--device", "cpu", "--quiet"]):
            result = case.run(*words, "--out", out)
            case.refuses(result, out.removesuffix("/x"))
    train = ["train", "--images", i, "--model", "alexnet", "--epochs", 1, "--device", "cpu", "--quiet"]
    for path, word in ((case.path("typo.pth"), "No such file"), (encoder + "/model.safetensors", "model.safetensors")):
        out = case.path("trained")
        case.refuses(case.run(*train, "--weights", path, "--out", out), word)
        case.expect(not os.path.exists(out), "nothing left of a training that is refused")
    result = case.run(*train, "--head", "paper", "--model", "vgg16", "--out", case.path("trained"))
    case.refuses(result, "pixels", "vgg16")
