# SPDX-License-Identifier: Apache-2.0
"""What the cases about tokenizers share: the ids that a folder gives, by way of `tessera bench text`."""

import hashlib
import json
import os
import shutil
import struct


def write_json(case, folder, **files):
    """Writes files of a folder, `name` without its .json."""
    for name, content in files.items():
        case.write(os.path.join(folder, name + ".json"), json.dumps(content))


def copy(case, folder, name):
    """A copy of an encoder's folder."""
    return shutil.copytree(folder, case.path(name))


def vocabulary(folder):
    with open(os.path.join(folder, "vocab.txt"), encoding="utf-8") as file:
        return {token.rstrip("\n"): number for number, token in enumerate(file)}


def expect_tokens(case, folder, texts, ids, what):
    """`texts`: a text and its tokens between [CLS] and [SEP], a blank between two; `ids`: a token's id."""
    lines = "".join('"' + text.replace('"', '""') + '"\n' for text in texts)
    data = case.write("texts.csv", "text\n" + lines)
    whole = hashlib.sha256()
    for tokens in texts.values():
        for token in ["[CLS]"] + tokens.split() + ["[SEP]"]:
            whole.update(struct.pack("<i", ids[token]))
    result = case.run("bench", "text", "--data", data, "--encoder", folder, "--repeats", "1", "--json")
    if case.expect(result.code == 0, f"code 0 of {what}", result):
        case.expect(json.loads(result.out)["ids"] == whole.hexdigest(), f"the ids of {texts} for {what}", result)


def features(case, folder, text, *options):
    """The fingerprint of the features of one text."""
    data = case.write("one.csv", f'text\n"{text}"\n')
    result = case.run("embed", "--encoder", folder, "--data", data, "--unlabelled", "--device", "cpu", "--quiet",
                      "--pooling", "mean", "--out", case.path("one.safetensors"), *options)
    case.accepts(result)
    return case.fingerprint(result)


def refusal(case, folder, *words):
    """The folder is refused in one line with these words."""
    data = case.write("one.csv", 'text\n"a good film"\n')
    case.refuses(case.run("embed", "--encoder", folder, "--data", data, "--unlabelled", "--device", "cpu",
                          "--out", case.path("one.safetensors")), *words)
