# SPDX-License-Identifier: Apache-2.0
"""What tools/check/{faults,frauds,kills,cases,hostile} share: an encoder of 2 layers by 32 with drawn weights and
reviews to go with it, so that a whole run takes a second; running the binary; and what is asked of a run's
folder."""

import array
import hashlib
import json
import os
import random
import re
import shutil
import struct
import subprocess
import time

WORDS = "a film the was it good great fine superb bad awful dull poor and very plot cast . , !".split()
HIDDEN, WIDE, HEADS, LAYERS, POSITIONS = 32, 64, 4, 2, 64


def write_encoder(folder, more_tokens=()):
    """The encoder's files; `more_tokens` are words of the vocabulary beyond WORDS."""
    os.makedirs(folder, exist_ok=True)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + list(more_tokens)
    config = {"model_type": "bert", "num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "num_attention_heads": HEADS,
              "intermediate_size": WIDE, "vocab_size": len(tokens), "max_position_embeddings": POSITIONS,
              "layer_norm_eps": 1e-12, "hidden_act": "gelu"}
    norm, square = ("norm", HIDDEN), ("linear", HIDDEN, HIDDEN)
    parts = {"embeddings.word_embeddings": ("table", len(tokens)), "embeddings.position_embeddings": ("table", POSITIONS),
             "embeddings.token_type_embeddings": ("table", 2), "embeddings.LayerNorm": norm}
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            parts[name + "attention." + part] = square
        parts[name + "intermediate.dense"] = ("linear", WIDE, HIDDEN)
        parts[name + "output.dense"] = ("linear", HIDDEN, WIDE)
        parts[name + "attention.output.LayerNorm"] = parts[name + "output.LayerNorm"] = norm
    draw, header, data = random.Random(900), {}, b""
    for name, (kind, *extents) in parts.items():
        shape = extents + [HIDDEN] if kind == "table" else extents
        for suffix, own in [("weight", shape)] + ([("bias", shape[:1])] if kind != "table" else []):
            low, high = (0.5, 1.5) if kind == "norm" and suffix == "weight" else (-0.4, 0.4)
            count = own[0] * (own[1] if len(own) > 1 else 1)
            values = array.array("f", (draw.uniform(low, high) for _ in range(count)))
            header[f"{name}.{suffix}"] = {"dtype": "F32", "shape": own,
                                          "data_offsets": [len(data), len(data) + 4 * count]}
            data += values.tobytes()
    text = json.dumps(header).encode()
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file)
    with open(os.path.join(folder, "vocab.txt"), "w") as file:
        file.write("\n".join(tokens) + "\n")


def write_reviews(path, count):
    draw = random.Random(1)
    with open(path, "w") as file:
        file.write("review,sentiment\n")
        for row in range(count):
            opinions = WORDS[5:9] if row % 2 else WORDS[9:13]
            words = [draw.choice(opinions if at % 3 == 1 else WORDS[:5] + WORDS[13:17]) for at in range(8)]
            file.write(f"\"{' '.join(words)}.\",{'positive' if row % 2 else 'negative'}\n")


def build(source, folder, *arguments):
    """Compiles a library from one C file, into a folder; its path."""
    library = os.path.join(folder, "lib" + os.path.basename(source).replace(".c", ".so"))
    compiler = shutil.which("clang") or "cc"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, *arguments], check=True)
    return library


class Result:
    """What a call left: exit code (negative for a signal; None if it hung), output and errors."""

    def __init__(self, command, environment, limit):
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, errors="replace")
        # Seconds are counted one by one: a machine that was suspended, or a process that was stopped, does not hang.
        for _ in range(limit):
            try:
                self.output, self.errors = process.communicate(timeout=1)
                self.code = process.returncode
                return
            except subprocess.TimeoutExpired:
                while is_stopped(process.pid):
                    time.sleep(1)
        process.kill()
        process.communicate()
        self.code, self.output, self.errors = None, "", ""

    @property
    def fingerprints(self):
        return re.findall(r"\b[0-9a-f]{64}\b", self.output)


def is_stopped(number):
    with open(f"/proc/{number}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def command(tessera, folder, out, device, *more):
    """A whole run on the tiny data."""
    return [tessera, "run", "--data", f"{folder}/reviews.csv", "--encoder", f"{folder}/encoder", "--out", out,
            "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--epochs", "2",
            "--batch", "8", "--device", device, "--threads", "1", "--quiet", *more]


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def files(folder):
    """Paths inside a folder, sorted."""
    return sorted(os.path.relpath(os.path.join(root, name), folder)
                  for root, _, names in os.walk(folder) for name in names)


def temporaries(folder):
    return [name for name in files(folder) if ".tmp" in name]


def records(folder):
    """The stages' records by name; what is no JSON raises ValueError with the name."""
    found = {}
    for name in files(folder):
        if name.endswith(".json") and os.sep not in name:
            with open(os.path.join(folder, name)) as file:
                text = file.read()
            try:
                record = json.loads(text)
            except ValueError:
                raise ValueError(name + " is half written") from None
            if isinstance(record, dict) and "outputs" in record:
                found[name] = (text, record)
    return found


def blemishes(folder):
    """What should not be in a run's folder, whenever its run was stopped: files that are neither whole nor temporary, and
    records that vouch for something else than what is there."""
    if not os.path.isdir(folder):
        return []
    found = []
    try:
        for name, (_, record) in records(folder).items():
            for output, digits in record["outputs"].items():
                path = os.path.join(folder, output)
                if not os.path.exists(path) or sha256(path) != digits:
                    found.append(f"{name} vouches for another {output}")
    except ValueError as error:
        found.append(str(error))
    for name in files(folder):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        if ".tmp" in name:
            continue
        if name.endswith(".safetensors"):
            length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else len(data)
            try:
                header = json.loads(data[8:8 + length])
            except ValueError:
                found.append(name + " is half written")
                continue
            ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
            if len(data) != 8 + length + max(ends, default=0):
                found.append(name + " is half written")
        elif name.endswith(".png") and not data.endswith(b"IEND\xaeB`\x82"):
            found.append(name + " is half written")
    return found


def redone(before, folder):
    """Stages whose record was there and was made again."""
    after = records(folder)
    return [name for name, (text, _) in before.items() if name not in after or after[name][0] != text]


def is_one_line(errors):
    return re.fullmatch(r"tessera: [^\n]+\n", errors) is not None
