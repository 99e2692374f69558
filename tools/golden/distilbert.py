#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of DistilBERT for Tests/TesseraTextTests, by Hugging Face's DistilBertModel in float64:

    tools/golden/distilbert.py Tests/TesseraTextTests/Golden

distilbert.safetensors: the first token's vector and the mean over tokens of every hidden state of the tiny
DistilBERT that Tests/TestSupport/TinyEncoder.swift draws, (texts, states, hidden) each. Before that, the
same weights are saved as a checkpoint that says sinusoidal_pos_embds, and loaded: the table of positions must
be the file's. distilbert_gelu_new.safetensors: the same encoder with the activation gelu_new, GELU by tanh.

Needs: pip install torch transformers safetensors numpy.
"""

import sys
import tempfile

import torch
from networks import drawn, single
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch
from transformers import DistilBertConfig, DistilBertModel, DistilBertTokenizer

WORDS = ("a film the was it good great fine superb bad awful dull poor and very plot cast . , !").split()
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS
HIDDEN, WIDE, LAYERS, HEADS, POSITIONS = 32, 64, 2, 4, 64

# Lengths in words: nothing, one, some, and more than the longest text.
LENGTHS = [0, 1, 5, 21, 80]

# Special tokens within a text, padding among them: it is a token as any other.
SPECIAL = "a [PAD] film [PAD] [PAD] the plot [MASK] ."


def text(words):
    """What DistilBERTTests.text(words) is."""
    return " ".join(WORDS[(i * 7 + i // 5) % len(WORDS)] for i in range(words))


def configuration(activation="gelu", **more):
    return DistilBertConfig(
        vocab_size=len(TOKENS), dim=HIDDEN, n_layers=LAYERS, n_heads=HEADS, hidden_dim=WIDE,
        max_position_embeddings=POSITIONS, activation=activation, **more)


def tiny(activation="gelu"):
    """The model, its weights drawn in the order of TinyEncoder.swift."""
    model = DistilBertModel(configuration(activation)).eval()
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
        name = f"transformer.layer.{layer}."
        for part in ("q", "k", "v", "out"):
            linear(f"{name}attention.{part}_lin")
        norm(name + "sa_layer_norm")
        linear(name + "ffn.lin1")
        linear(name + "ffn.lin2")
        norm(name + "output_layer_norm")
    if seed - 900 != len(state):
        raise SystemExit(f"drew {seed - 900} tensors of {len(state)}")
    return model.double()


def states(model):
    tokenizer = DistilBertTokenizer(vocab={token: i for i, token in enumerate(TOKENS)})
    cls, mean = [], []
    with torch.no_grad():
        for item in [text(length) for length in LENGTHS] + [SPECIAL]:
            ids = tokenizer(item, truncation=True, max_length=POSITIONS, return_tensors="pt")
            hidden = model(
                input_ids=ids["input_ids"], attention_mask=ids["attention_mask"],
                output_hidden_states=True).hidden_states
            cls.append(torch.stack([s[0, 0] for s in hidden]))
            mean.append(torch.stack([s[0].mean(0) for s in hidden]))
    return {"cls": torch.stack(cls), "mean": torch.stack(mean)}


def sinusoidal(model):
    """The model as a checkpoint whose configuration says that its positions began as sines."""
    with tempfile.TemporaryDirectory() as folder:
        configuration(sinusoidal_pos_embds=True).save_pretrained(folder)
        tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        save_torch(tensors, folder + "/model.safetensors", metadata={"format": "pt"})
        return DistilBertModel.from_pretrained(folder, dtype=torch.float64).eval()


def main():
    out = sys.argv[1]
    model = tiny()
    loaded = sinusoidal(model).state_dict()
    if any(not torch.equal(tensor, loaded[name]) for name, tensor in model.state_dict().items()):
        raise SystemExit("sinusoidal_pos_embds changes weights that a file holds")
    save_file(single(states(model)), out + "/distilbert.safetensors")
    save_file(single(states(tiny("gelu_new"))), out + "/distilbert_gelu_new.safetensors")


main()
