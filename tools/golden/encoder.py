#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden hidden states for Tests/TesseraTextTests: a Hugging Face BertModel in evaluation mode on real reviews.

    tools/golden/encoder.py ~/.cache/tessera/minilm-l6 ASSETS/imdb/sample_train2000.csv SNIPPETS.csv \
        Tests/TesseraTextTests/Golden

Needs: pip install torch transformers safetensors. Writes encoder.safetensors: for the first 20 reviews the [CLS] vector
and the mean over tokens of every hidden state, (20, states, hidden) each; and digests.json: SHA-256 of the token ids
(little-endian int32, a review after the other) of whole files, so that no review is committed.
"""

import csv
import hashlib
import json
import sys

import numpy
import torch
from safetensors.numpy import save_file
from transformers import BertModel, BertTokenizer

REVIEWS = 20


def texts(path, column):
    with open(path, newline="", encoding="utf-8") as file:
        return [row[column] for row in csv.DictReader(file)]


def main():
    folder, reviews_path, snippets_path, out = sys.argv[1:5]
    tokenizer = BertTokenizer.from_pretrained(folder)
    model = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager").double().eval()
    reviews = texts(reviews_path, "review")
    digests = {}
    for name, items in (("reviews", reviews), ("snippets", texts(snippets_path, "text"))):
        ids = [tokenizer(text, truncation=True, max_length=512)["input_ids"] for text in items]
        digests[name] = {
            "texts": len(items), "tokens": sum(map(len, ids)),
            "sha256": hashlib.sha256(b"".join(numpy.array(i, dtype="<i4").tobytes() for i in ids)).hexdigest(),
        }
    with open(out + "/digests.json", "w") as file:
        json.dump(digests, file, indent=1)
        file.write("\n")
    cls, mean = [], []
    with torch.no_grad():
        for text in reviews[:REVIEWS]:
            states = model(**tokenizer(text, truncation=True, max_length=512, return_tensors="pt"),
                           output_hidden_states=True).hidden_states
            cls.append(torch.stack([s[0, 0] for s in states]))
            mean.append(torch.stack([s[0].mean(0) for s in states]))
    save_file({"cls": torch.stack(cls).float().numpy(), "mean": torch.stack(mean).float().numpy()},
              out + "/encoder.safetensors")


main()
