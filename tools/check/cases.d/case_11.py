# SPDX-License-Identifier: Apache-2.0
"""Something else in place of a file: pointers, pages, archives, other programs' formats, downloads that broke off."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile

from torchfile import alexnet, images, safetensors, torch_file, train

TITLE = "what lies in place of weights, a vocabulary, a configuration or images is named, with what to do"

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 90868376\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Access denied</title></head></html>"


def archive(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return out.getvalue()


def tape(name, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        file.addfile(info, io.BytesIO(content))
    return out.getvalue()


def foreigners(weights):
    """What people bring in place of weights: (bytes, words that the message must have)."""
    return {
        "lfs": (POINTER, ["Git LFS pointer", "git lfs pull"]),
        "html": (PAGE, ["HTML page", "Access denied"]),
        "xhtml": (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC ''>\n<html>", ["HTML page"]),
        "xml": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", ["XML document", "AccessDenied"]),
        "json": (b'{"error": "Repository not found"}', ["JSON document", "Repository not found"]),
        "empty": (b"", ["an empty file"]),
        "gzip": (gzip.compress(weights), ["gzip", "gunzip"]),
        "bz2": (bz2.compress(weights), ["bzip2", "bunzip2"]),
        "xz": (lzma.compress(weights), ["xz", "unxz"]),
        "zstd": (b"\x28\xb5\x2f\xfd\x24\x00" + weights[:100], ["zstd"]),
        "tar": (tape("model.safetensors", weights), ["tar archive", "tar -xf"]),
        "zip": (archive(weights__model_dot_safetensors=weights), ["zip", "weights/model.safetensors", "unpack"]),
        "zip of texts": (archive(a_dot_txt="a"), ["zip archive of 1 files", "a.txt"]),
        "npz": (archive(w_dot_npy=b"\x93NUMPY"), [".npz", "numpy.load"]),
        "torchscript": (archive(net__data_dot_pkl=b"\x80\x02}.", net__constants_dot_pkl=b"\x80\x02).", net__code__a_dot_py=""),
                        ["TorchScript", "torch.jit.load"]),
        "npy": (b"\x93NUMPY\x01\x00", ["NumPy array"]),
        "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(100), ["HDF5", "from_tf"]),
        "gguf": (b"GGUF\x03\x00\x00\x00" + bytes(100), ["GGUF"]),
        "onnx": (b"\x08\x08\x12\x07pytorch\x1a\x061.12.0:\x10", ["ONNX"]),
        "tensorflow": (b'model_checkpoint_path: "bert_model.ckpt"\n', ["TensorFlow"]),
        "flax": (b"\x82\xaaembeddings\x81", ["Flax"]),
        "pickle": (b"\x80\x04}\x94.", ["Python pickle", "torch.save"]),
        "text": (b"these are no weights at all", ["neither safetensors nor PyTorch", "these are no weights"]),
        "answer": (b"Entry not found", ["neither safetensors nor PyTorch", "Entry not found"]),
        "cut": (weights[:-100], ["broke off"]),
        "cut in its header": (weights[:100], ["broke off"]),
    }


def check(case):
    tensors = alexnet()
    case.write("images.safetensors", images())
    whole = safetensors(tensors)
    texts = case.reviews("texts.csv", 4)
    for place, (name, (content, words)) in enumerate(foreigners(whole).items()):
        weights = case.write(f"w{place}.pth", content)
        case.refuses(train(case, weights, "no"), f"w{place}.pth", *words)
        for file in ("model.safetensors", "pytorch_model.bin"):
            if "cut" in name and file != "model.safetensors":
                continue
            folder = case.encoder(f"e{place}")
            os.remove(os.path.join(folder, "model.safetensors"))
            case.write(f"e{place}/{file}", content)
            case.refuses(embed(case, folder, texts), file, *words)
    for name, content in (("zip", torch_file(tensors)), ("legacy", torch_file(tensors, legacy=True))):
        for size in (len(content) - 100, len(content) // 2):
            weights = case.write(f"{name}.pth", content[:size])
            case.refuses(train(case, weights, "no"), f"{name}.pth", "broke off")
    others(case, texts)


def embed(case, folder, texts):
    return case.run("embed", "--encoder", folder, "--data", texts, "--device", "cpu", "--quiet", "--out", case.path("o"))


def others(case, texts):
    """Every other file of ours that someone may have fetched."""
    for name in ("config.json", "vocab.txt"):
        for content, words in ((POINTER, ["Git LFS pointer", "git lfs pull"]), (PAGE, ["HTML page"]), (b"", ["empty"]),
                               (gzip.compress(b"[PAD]\n"), ["gzip"])):
            folder = case.encoder("other")
            case.write(f"other/{name}", content)
            case.refuses(embed(case, folder, texts), name, *words)
    weights = case.write("w.safetensors", safetensors(alexnet()))
    for content, words in ((POINTER, ["Git LFS pointer"]), (PAGE, ["HTML page"]), (b"", ["empty"])):
        case.write("pointer.safetensors", content)
        case.refuses(train(case, weights, "no", source="pointer.safetensors"), "pointer.safetensors", *words)
