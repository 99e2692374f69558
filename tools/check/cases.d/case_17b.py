# SPDX-License-Identifier: Apache-2.0
"""Encoders in several files with an index, and tensors of other types beside those that are wanted."""

import json
import os
import shutil

from common import SMALL
from torchfile import Tensor, read_safetensors, safetensors, torch_file

TITLE = "encoders in shards with an index; BOOL, U8 and other tensors beside good ones"


def shards(case, name, weights, count, binary=False, below=""):
    """An encoder in so many files; the map of tensors to files."""
    folder = case.encoder(name)
    os.remove(os.path.join(folder, "model.safetensors"))
    stem, ending = ("pytorch_model", "bin") if binary else ("model", "safetensors")
    files = [f"{below}{stem}-{part + 1:05}-of-{count:05}.{ending}" for part in range(count)]
    place = {tensor: files[at % count] for at, tensor in enumerate(weights)}
    for file in files:
        part = {tensor: weights[tensor] for tensor in weights if place[tensor] == file}
        case.write(f"{name}/{file}", torch_file(part) if binary else safetensors(part))
    index(case, name, place, binary)
    return folder, place


def index(case, name, place, binary=False):
    file = "pytorch_model.bin.index.json" if binary else "model.safetensors.index.json"
    case.write(f"{name}/{file}", json.dumps({"metadata": {"total_size": 1, "x": None}, "weight_map": place}))


def check(case):
    plain = case.encoder("plain")
    weights = read_safetensors(os.path.join(plain, "model.safetensors"))
    texts = case.reviews("texts.csv", 6)

    def embed(folder):
        return case.run("embed", "--encoder", folder, "--data", texts, "--device", "cpu", "--quiet", "--out",
                        case.path("o"))

    right = case.fingerprint(embed(plain))
    case.expect(right is not None, "the plain encoder's features")
    for name, count, binary, below in (("three", 3, False, ""), ("one", 1, False, ""), ("bin", 2, True, ""),
                                       ("below", 2, False, "parts/")):
        folder, _ = shards(case, name, weights, count, binary, below)
        result = embed(folder)
        case.expect(case.fingerprint(result) == right, f"{name}: the whole file's features", result)
    folder, _ = shards(case, "prefixed", {"bert." + name: tensor for name, tensor in weights.items()}, 3)
    case.expect(case.fingerprint(embed(folder)) == right, "shards under a prefix")
    for name, kind, data in (("bool", "BoolStorage", b"\1\0"), ("u8", "ByteStorage", b"\1\2"), ("i8", "CharStorage", b"\1\2"),
                             ("i64", "LongStorage", bytes(16)), ("bf16", "BFloat16Storage", bytes(4))):
        folder = case.encoder(name)
        more = {**weights, "beside.flag": Tensor(data, (2,), kind), "embeddings.position_ids": Tensor(bytes(8), (1,), "LongStorage")}
        case.write(f"{name}/model.safetensors", safetensors(more))
        case.expect(case.fingerprint(embed(folder)) == right, f"{name}: a tensor beside is no obstacle")
    folder = case.encoder("whole")
    names = list(weights)
    case.write("whole/model.safetensors", safetensors({**weights, names[3]: Tensor(bytes(weights[names[3]].count),
                                                                                  weights[names[3]].shape, "CharStorage")}))
    case.refuses(embed(folder), names[3], "I8", "floating-point")
    mistakes(case, weights, embed)
    run(case, weights)


def mistakes(case, weights, embed):
    folder, place = shards(case, "missing", weights, 3)
    os.remove(os.path.join(folder, "model-00002-of-00003.safetensors"))
    case.refuses(embed(folder), "index.json", "no model-00002-of-00003.safetensors", "all 3 files")
    first = next(iter(place))
    for name in ("../plain/model.safetensors", case.path("plain/model.safetensors"), "a/../../x", ""):
        index(case, "missing", {**place, first: name})
        case.refuses(embed(folder), "index.json", "in the index's own folder")
    folder, place = shards(case, "mixed", weights, 2)
    index(case, "mixed", {**place, "encoder.layer.9.x": place[first]})
    case.refuses(embed(folder), "encoder.layer.9.x", place[first])
    index(case, "mixed", {name: file for name, file in place.items() if name != first})
    case.refuses(embed(folder), f"no tensor {first}", "nearest")
    for content in ("{}", "[]", '{"weight_map": {}}', '{"weight_map": [1]}', "{"):
        case.write("mixed/model.safetensors.index.json", content)
        case.refuses(embed(folder), "model.safetensors.index.json")


def run(case, weights):
    """A run's folder holds every shard: it predicts after the encoder is gone."""
    folder, place = shards(case, "source", weights, 3)
    reviews = case.reviews("reviews.csv", 24)
    out = case.path("out")
    case.accepts(case.run("run", "--data", reviews, "--encoder", folder, "--out", out, "--quiet", *SMALL))
    kept = set(os.listdir(os.path.join(out, "encoder")))
    wanted = set(place.values()) | {"config.json", "vocab.txt", "model.safetensors.index.json"}
    case.expect(wanted <= kept, f"all of {sorted(wanted)} in the run's folder, found {sorted(kept)}")
    ask = ["predict", "--run", out, "--text", "a good film", "--device", "cpu", "--quiet"]
    before = case.run(*ask)
    case.accepts(before)
    shutil.rmtree(folder)
    after = case.run(*ask)
    case.expect(after.code == 0 and after.out == before.out, "the same prediction without the encoder", after)
    plain = case.run("run", "--data", reviews, "--encoder", case.path("plain"), "--out", case.path("whole-run"), "--quiet",
                     *SMALL)
    case.expect(case.fingerprint(plain) is not None, "a run of the whole file", plain)
