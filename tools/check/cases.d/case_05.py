# SPDX-License-Identifier: Apache-2.0
"""Weights in nested dictionaries and under prefixes, as training scripts save them."""

import os

from torchfile import Tensor, alexnet, drawn, images, read_safetensors, safetensors, torch_file, train

TITLE = "checkpoints and encoders as people save them: nested dictionaries, prefixes"


def prefixed(tensors, prefix):
    return {prefix + name: tensor for name, tensor in tensors.items()}


def networks(case):
    w = alexnet()
    case.write("images.safetensors", images())
    plain = train(case, case.write("plain.pth", torch_file(w)), "plain")
    case.accepts(plain)
    case.expect("taken off" not in plain.err, "nothing told of names that are the network's own", plain)
    right = case.fingerprint(plain)
    changed = case.write("changed.pth", torch_file({**w, "features.0.bias": drawn((64,), 77)}))
    case.expect(case.fingerprint(train(case, changed, "changed")) not in (right, None), "another model of other weights")
    parallel = prefixed(w, "module.")
    wrapped = {name.replace("features.", "features.module."): tensor for name, tensor in w.items()}
    whole = {**w, "features.6.weight": drawn((4, 4)), "classifier.6.bias": drawn((5,))}
    contents = {
        "state_dict.pth": ({"epoch": 90, "arch": "alexnet", "state_dict": w, "best_acc1": 56.5}, "state_dict."),
        "model.pth": ({"model": w}, "model."),
        "model_state_dict.pth": ({"model_state_dict": whole, "optimizer_state_dict": {"state": {}}}, "model_state_dict."),
        "net.pth": ({"net": {"inner": {"deeper": w}}}, "net.inner.deeper."),
        "dataparallel.pth": (parallel, "module."),
        "compiled.pth": (prefixed(w, "_orig_mod."), "_orig_mod."),
        "both.pth": (prefixed(w, "module._orig_mod."), "module._orig_mod."),
        "backbone.pth": ({"state_dict": prefixed(w, "backbone.")}, "state_dict.backbone."),
        "own.pth": (prefixed(w, "my_net.trunk."), "my_net.trunk."),
        "model_best.pth.tar": ({"epoch": 90, "state_dict": parallel}, "state_dict.module."),
        "example.pth": ({"state_dict": wrapped}, "state_dict."),
        "list.pth": ([{"epoch": 1}, w], "1."),
        "average.pth": ({"model": w, "model_ema": {name: drawn(t.shape, 50) for name, t in w.items()}}, "model."),
        "twice.pth": ({"student": w, "teacher": w}, "student."),
    }
    for name, (content, prefix) in contents.items():
        for legacy in (False, True) if name in ("model.pth", "model_best.pth.tar") else (False,):
            path = case.write(name, torch_file(content, legacy))
            result = train(case, path, name + ".run", more=())
            case.expect(case.fingerprint(result) == right, f"{name}: the plain file's model", result)
            told = [line for line in result.errors if f'the prefix "{prefix}" is taken off' in line]
            case.expect(len(told) == 1, f"{name}: the prefix {prefix} told once", result)
    result = train(case, case.path("model.pth"), "quiet")
    case.expect(case.fingerprint(result) == right and not result.errors, "nothing told with --quiet", result)
    result = train(case, case.path("average.pth"), "average", more=())
    case.expect('under "model_ema.", are left' in result.err, "the weights that are left told", result)
    path = case.write("parallel.safetensors", safetensors(parallel))
    case.expect(case.fingerprint(train(case, path, "s")) == right, "the same from safetensors")


def misfits(case):
    w = alexnet()
    other = {name: drawn(tensor.shape, 60) for name, tensor in w.items()}
    def refused(name, content, *words):
        case.refuses(train(case, case.write(name, torch_file(content)), "no"), name, *words)
    refused("two.pth", {"student": w, "teacher": other}, '"student."', '"teacher."', "torch.save")
    renamed = {name.replace("features.3", "features.4"): tensor for name, tensor in w.items()}
    refused("renamed.pth", {"model": renamed}, "no tensor features.3.weight [192, 64, 5, 5]", '"model."',
            "nearest", "model.features.4.weight [192, 64, 5, 5]", "alexnet")
    refused("nothing.pth", {"epoch": 3, "lr": 0.1}, "no tensor features.0.weight", "no tensors")
    refused("shape.pth", {"model": {**w, "features.0.weight": drawn((64, 3, 9, 9))}},
            "model.features.0.weight", "[64, 3, 9, 9]", "[64, 3, 11, 11]")
    refused("nan.pth", {**w, "features.3.bias": Tensor([0.0] * 191 + [float("nan")], (192,))},
            "features.3.bias", "1 of 192", "NaN")
    sides, vgg, ins = ((0, 64), (2, 64), (5, 128), (7, 128), (10, 256)), {}, 3
    for place, width in sides:
        vgg[f"features.{place}.weight"], vgg[f"features.{place}.bias"] = drawn((width, ins, 3, 3)), drawn((width,))
        ins = width
    refused("vgg16.pth", vgg, "features.0.weight", "--model vgg16")


def encoders(case):
    tokens = case.encoder("enc")
    weights = read_safetensors(os.path.join(tokens, "model.safetensors"))
    texts = case.reviews("texts.csv", 6)

    def embed(folder, *more):
        return case.run("embed", "--encoder", folder, "--data", texts, "--device", "cpu", "--out", case.path("o"), *more)

    right = case.fingerprint(embed(tokens, "--quiet"))
    case.expect(right is not None, "the plain encoder's features")
    for place, prefix in enumerate(("module.", "model.", "bert.", "0.auto_model.", "encoder.", "module._orig_mod.bert.")):
        folder = case.encoder(f"enc{place}")
        case.write(f"enc{place}/model.safetensors", safetensors(prefixed(weights, prefix)))
        result = embed(folder)
        case.expect(case.fingerprint(result) == right, f"the plain encoder's features under {prefix}", result)
        told = [line for line in result.errors if f'the prefix "{prefix}" is taken off' in line]
        case.expect(len(told) == 1, f"the prefix {prefix} told once", result)
        os.remove(os.path.join(folder, "model.safetensors"))
        case.write(f"enc{place}/pytorch_model.bin", torch_file({"model_state_dict": prefixed(weights, prefix)}))
        case.expect(case.fingerprint(embed(folder, "--quiet")) == right, f"the same from a .bin under {prefix}")
    folder = case.encoder("adapted")
    case.write("adapted/model.safetensors", safetensors(
        {**weights, "encoder.layer.0.attention.self.query.lora_A.weight": drawn((1, 32))}))
    case.refuses(embed(folder, "--quiet"), "lora_A", "does not have")
    broken = {**weights, "encoder.layer.1.output.dense.bias": Tensor([float("inf")] + [0.0] * 31, (32,))}
    case.write("adapted/model.safetensors", safetensors(broken))
    case.refuses(embed(folder, "--quiet"), "encoder.layer.1.output.dense.bias", "1 of 32", "infinite")
    del broken["encoder.layer.1.output.dense.bias"]
    case.write("adapted/model.safetensors", safetensors(prefixed(broken, "bert.")))
    case.refuses(embed(folder, "--quiet"), "encoder.layer.1.output.dense.bias [32]", '"bert."', "nearest")


def check(case):
    networks(case)
    misfits(case)
    encoders(case)
