#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of ELECTRA and RoBERTa for Tests/TesseraTextTests, by Hugging Face's models in float64:

    tools/golden/electra_roberta.py Tests/TesseraTextTests/Golden

electra.safetensors, roberta.safetensors: the first token's vector and the mean over tokens of every hidden state of the
tiny encoders that Tests/TestSupport/TinyEncoder.swift draws, (texts, states, hidden) each. The ELECTRA has embeddings
narrower than its layers; the RoBERTa counts positions from its padding, and its tokens are bytes and what merges make.

Needs: pip install torch transformers safetensors numpy.
"""

import json
import os
import sys
import tempfile

import torch
from networks import drawn, single
from safetensors.numpy import save_file
from tokenizers import pre_tokenizers
from transformers import AutoTokenizer, ElectraConfig, ElectraModel, RobertaConfig, RobertaModel

WORDS = ("a film the was it good great fine superb bad awful dull poor and very plot cast . , !").split()
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS
HIDDEN, NARROW, WIDE, LAYERS, HEADS = 32, 16, 64, 2, 4

# Lengths in words: nothing, one, some, and more than the longest text.
LENGTHS = [0, 1, 5, 21, 80]


def text(words):
    """What DistilBERTTests.text(words) is."""
    return " ".join(WORDS[(i * 7 + i // 5) % len(WORDS)] for i in range(words))


def common(**more):
    return {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": WIDE,
            "hidden_act": "gelu", **more}


def byte_level(words):
    """ByteLevelVocabulary(words:): merges that make each word, a blank before it, a token."""
    merges = []
    for word in words:
        token = "\u0120"
        for letter in word:
            if [token, letter] not in merges:
                merges.append([token, letter])
            token += letter
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    return ["<s>", "<pad>", "</s>", "<unk>"] + letters + ["".join(pair) for pair in merges] + ["<mask>"], merges


def draw(model):
    """The weights in the order of TinyEncoder.swift."""
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
    add("embeddings.token_type_embeddings.weight")
    norm("embeddings.LayerNorm")
    if "embeddings_project.weight" in state:
        linear("embeddings_project")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linear(f"{name}attention.{part}")
        norm(name + "attention.output.LayerNorm")
        linear(name + "intermediate.dense")
        linear(name + "output.dense")
        norm(name + "output.LayerNorm")
    if seed - 900 != len(state):
        raise SystemExit(f"drew {seed - 900} tensors of {len(state)}")
    return model.double().eval()


def states(model, files, limit, texts):
    with tempfile.TemporaryDirectory() as folder:
        model.config.save_pretrained(folder)
        for name, content in files.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(content)
        tokenizer = AutoTokenizer.from_pretrained(folder)
    cls, mean = [], []
    with torch.no_grad():
        for item in texts:
            ids = tokenizer(item, truncation=True, max_length=limit, return_tensors="pt")
            hidden = model(**ids, output_hidden_states=True).hidden_states
            cls.append(torch.stack([s[0, 0] for s in hidden]))
            mean.append(torch.stack([s[0].mean(0) for s in hidden]))
    return {"cls": torch.stack(cls), "mean": torch.stack(mean)}


def main():
    out = sys.argv[1]
    texts = [text(length) for length in LENGTHS]
    electra = draw(ElectraModel(ElectraConfig(**common(
        vocab_size=len(TOKENS), embedding_size=NARROW, max_position_embeddings=64))))
    found = states(electra, {"vocab.txt": "\n".join(TOKENS) + "\n"}, 64, texts + ["a [PAD] film [PAD] [PAD] the plot [MASK] ."])
    save_file(single(found), out + "/electra.safetensors")
    tokens, merges = byte_level(WORDS)
    roberta = draw(RobertaModel(RobertaConfig(**common(
        vocab_size=len(tokens), max_position_embeddings=66, type_vocab_size=1, layer_norm_eps=1e-5)), add_pooling_layer=False))
    files = {"vocab.json": json.dumps({token: i for i, token in enumerate(tokens)}),
             "merges.txt": "#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in merges)}
    found = states(roberta, files, 64, texts + ["a <pad> film <pad><pad> the plot<mask> \u00e9 ."])
    save_file(single(found), out + "/roberta.safetensors")


main()
