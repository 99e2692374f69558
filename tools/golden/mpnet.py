#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of MPNet for Tests/TesseraTextTests, by Hugging Face's MPNetModel (float64) and MPNetTokenizer:

    tools/golden/mpnet.py ~/.cache/tessera/mpnet-base Tests/TesseraTextTests/Golden

mpnet.safetensors: the first token's vector and the mean over tokens of every hidden state of the tiny MPNet that
Tests/TestSupport/TinyEncoder.swift draws, (texts, states, hidden) each. mpnet.json: the bucket of every distance
-600...600; token ids of texts with special tokens by the published vocabulary; SHA-256 of the ids (little-endian int32)
of all texts of tokenizer.json.

Needs: pip install torch transformers safetensors numpy.
"""

import hashlib
import json
import sys

import numpy
import torch
from networks import drawn, single
from safetensors.numpy import save_file
from transformers import MPNetConfig, MPNetModel, MPNetTokenizer
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

WORDS = ("a film the was it good great fine superb bad awful dull poor and very plot cast . , !").split()
TOKENS = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"] + WORDS
HIDDEN, WIDE, LAYERS, HEADS, POSITIONS = 32, 64, 2, 4, 514

# Lengths in words: nothing, near distances alone, all buckets, and more than the longest text.
LENGTHS = [0, 5, 21, 150, 600]

# Padding within a text, past which positions are counted.
PADDED = "a <pad> film <pad> <pad> the plot <mask> ."

SPECIAL = [
    "", "A film to remember.", "<s> inside </s> the <mask> text <pad> and [UNK] but <S> < s> <mask>s a</s>b <<s>>",
    "[CLS] [SEP] [PAD] [MASK] <unk>", "First line.<br /><br />Second line.", "<m\u00e4sk> <\u0301s> \ua000",
]


def text(words):
    """What MPNetTests.text(words) is."""
    return " ".join(WORDS[(i * 7 + i // 5) % len(WORDS)] for i in range(words))


def tiny():
    """The model, its weights drawn in the order of TinyEncoder.swift."""
    config = MPNetConfig(
        vocab_size=len(TOKENS), hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=WIDE, max_position_embeddings=POSITIONS, layer_norm_eps=1e-5, hidden_act="gelu")
    model = MPNetModel(config, add_pooling_layer=False).eval()
    state = model.state_dict()
    seed = 900

    def add(name, low=-0.4, high=0.4):
        nonlocal seed
        seed += 1
        state[name].copy_(drawn(seed, state[name].shape, low, high))

    def norm(name):
        add(name + ".weight", 0.5, 1.5)
        add(name + ".bias")

    def linear(name):
        add(name + ".weight")
        add(name + ".bias")

    add("embeddings.word_embeddings.weight", -1, 1)
    add("embeddings.position_embeddings.weight", -0.1, 0.1)
    norm("embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        for part in "qkvo":
            linear(name + "attention.attn." + part)
        norm(name + "attention.LayerNorm")
        linear(name + "intermediate.dense")
        linear(name + "output.dense")
        norm(name + "output.LayerNorm")
    add("encoder.relative_attention_bias.weight", -2, 2)
    if seed - 900 != len(state):
        raise SystemExit(f"drew {seed - 900} tensors of {len(state)}")
    return model.double()


def states():
    tokenizer = MPNetTokenizer(vocab={token: i for i, token in enumerate(TOKENS)})
    model = tiny()
    cls, mean = [], []
    with torch.no_grad():
        for item in [text(length) for length in LENGTHS] + [PADDED]:
            ids = tokenizer(item, truncation=True, max_length=512, return_tensors="pt")
            hidden = model(**ids, output_hidden_states=True).hidden_states
            cls.append(torch.stack([s[0, 0] for s in hidden]))
            mean.append(torch.stack([s[0].mean(0) for s in hidden]))
    return single({"cls": torch.stack(cls), "mean": torch.stack(mean)})


def tokens(folder, out):
    tokenizer = MPNetTokenizer.from_pretrained(folder)

    def ids(item):
        return tokenizer(item, truncation=True, max_length=512)["input_ids"]

    digest = hashlib.sha256()
    with open(out + "/tokenizer.json") as file:
        for item in json.load(file):
            digest.update(numpy.array(ids(item["text"]), dtype="<i4").tobytes())
    buckets = MPNetEncoder.relative_position_bucket(torch.arange(-600, 601)).tolist()
    return {"buckets": buckets, "texts": [{"text": t, "ids": ids(t)} for t in SPECIAL], "sha256": digest.hexdigest()}


def main():
    folder, out = sys.argv[1:3]
    save_file(states(), out + "/mpnet.safetensors")
    with open(out + "/mpnet.json", "w") as file:
        json.dump(tokens(folder, out), file, separators=(",", ":"))
        file.write("\n")


main()
