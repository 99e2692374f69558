# SPDX-License-Identifier: Apache-2.0
"""What a forger of runs can do: change tensors, seal records, chain digests, so that all fits again."""

import hashlib
import json
import os
import re
import shutil
import struct

MODEL, HISTORY = "model.safetensors", "history.json"
LAYOUT, LAYOUT_HISTORY = "layout.safetensors", "layout.history.json"
EMBEDDINGS, TEST_EMBEDDINGS = "embeddings.safetensors", "test.embeddings.safetensors"
IMAGES, TEST_IMAGES = "images.safetensors", "test.images.safetensors"
PREDICTIONS, RESULT = "predictions.safetensors", "result.json"


def text(value):
    """What Swift's Fingerprint.add(_: String) adds."""
    data = value.encode()
    return f"{len(data)}:".encode() + data


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def of_file(path):
    with open(path, "rb") as file:
        return sha256(file.read())


def write(path, data):
    """A file of its own: the copy of a run has links to it."""
    with open(path + ".new", "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
    os.replace(path + ".new", path)


def read_json(path):
    with open(path) as file:
        return json.load(file)


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def pretty(value):
    plain = json.dumps(value, sort_keys=True, indent=2, separators=(",", " : "), ensure_ascii=False) + "\n"
    return re.sub(r'^( *)(.*)\{\}', r"\1\2{\n\n\1}", plain, flags=re.M)  # as Swift writes an empty object


class Tensors:
    """A safetensors file as a forger reads and writes it: `values` are bytes by name."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            data = file.read()
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + length])
        self.metadata = header.pop("__metadata__")
        self.kinds = {name: (entry["dtype"], entry["shape"]) for name, entry in header.items()}
        self.values = {name: bytearray(data[8 + length:][slice(*entry["data_offsets"])])
                       for name, entry in header.items()}

    def words(self, name):
        kind = {"F32": "f", "I32": "i"}[self.kinds[name][0]]
        return list(struct.unpack(f"<{len(self.values[name]) // 4}{kind}", self.values[name]))

    def put(self, name, words, shape=None):
        kind, old = self.kinds[name]
        self.kinds[name] = (kind, shape or ([len(words)] if len(old) == 1 else old))
        self.values[name] = bytearray(struct.pack(f"<{len(words)}{'f' if kind == 'F32' else 'i'}", *words))

    def flip(self, name, element, bit=0):
        self.values[name][4 * element + bit // 8] ^= 1 << bit % 8

    def swap(self, name, first, second, size=1):
        data, size = self.values[name], 4 * size
        one, other = (slice(size * row, size * (row + 1)) for row in (first, second))
        data[one], data[other] = data[other], data[one]

    @property
    def fingerprint(self):
        parts = []
        for name in sorted(self.values):
            kind, shape = self.kinds[name]
            parts += [text(f"{name} {kind} {shape}"), self.values[name]]
        return sha256(*parts)

    def save(self, path=None):
        """Writes it; its fingerprint."""
        self.metadata["fingerprint"] = self.fingerprint
        header, offset = {"__metadata__": self.metadata}, 0
        for name in sorted(self.values):
            end = offset + len(self.values[name])
            header[name] = {"dtype": self.kinds[name][0], "shape": self.kinds[name][1],
                            "data_offsets": [offset, end]}
            offset = end
        head = compact(header).encode()
        head += b" " * (-len(head) % 8)
        data = b"".join(bytes(self.values[name]) for name in sorted(self.values))
        write(path or self.path, struct.pack("<Q", len(head)) + head + data)
        return self.metadata["fingerprint"]


def seal(record):
    """A stage's record as text, with the seal that it has to have (StageRecord.ownSeal)."""
    record = {key: value for key, value in record.items() if key != "seal"}
    record["seal"] = sha256(compact(record).encode())
    return pretty(record)


def fit(run, stage, **changes):
    """Makes a stage's record say what its files are now, and what `changes` says."""
    path = f"{run}/{stage}.json"
    record = read_json(path)
    record["outputs"] = {name: of_file(f"{run}/{name}") for name in record["outputs"]}
    record.update(changes)
    write(path, seal(record))
    manifest(run)


def manifest(run):
    """Makes the manifest say what the records are now."""
    path = f"{run}/manifest.json"
    if not os.path.exists(path):
        return
    files = {name: of_file(f"{run}/{name}") for name in read_json(path)["files"]}
    parts = [text("1")] + [text(word) for pair in sorted(files.items()) for word in pair]
    write(path, pretty({"version": 1, "files": files, "seal": sha256(*parts)}))


def copy(run, to, states=True):
    """A copy of a run; its files are links, as `write` and Tessera itself replace files whole."""
    names = [".lock", "checkpoint.safetensors", "best.safetensors"] + ([] if states else ["states"])
    skip = shutil.ignore_patterns(*names)
    shutil.copytree(run, to, copy_function=os.link, ignore=skip)


def changed(honest, run):
    """Whether anything that the run says, or a kept state, is another than the honest one's."""
    outputs = []
    for name in read_json(f"{honest}/manifest.json")["files"]:
        one, other = ({key: value for key, value in read_json(f"{folder}/{name}").items()
                       if key not in ("seconds", "seal", "outputs")} for folder in (honest, run))
        if one != other:
            return True
        outputs += read_json(f"{honest}/{name}").get("outputs", [])
    if os.path.exists(f"{run}/states"):
        outputs += [f"states/{name}" for name in os.listdir(f"{honest}/states")]
    return any(not os.path.exists(f"{run}/{name}") or of_file(f"{run}/{name}") != of_file(f"{honest}/{name}")
               for name in outputs)


def put(source, to, *names):
    """Puts files of another folder in place."""
    for name in names:
        with open(f"{source}/{name}", "rb") as file:
            write(f"{to}/{name}", file.read())


def claim(run, honest, stages):
    """Makes a run say that it was made as the honest one: its configuration, its data, and in the records
    options, device, program and sources. What stages made of each other stays."""
    put(honest, run, "run.json", "data.json")
    encoder = read_json(f"{run}/encoder.json")["fingerprint"]
    for stage in stages:
        record, own = read_json(f"{run}/{stage}.json"), read_json(f"{honest}/{stage}.json")
        for key in ("parameters", "device", "maker", "version", "numerics"):
            record[key] = own[key] if key in own else record.get(key)
        record = {key: value for key, value in record.items() if value is not None}
        for key in ("data", "weights", "encoder"):
            if key in own["inputs"]:
                own_encoder = key == "encoder" and stage != "encoder"
                record["inputs"][key] = encoder if own_encoder else own["inputs"][key]
        write(f"{run}/{stage}.json", seal(record))
    manifest(run)


def history_of(checkpoint):
    """The history that a checkpoint holds, as the run's file has it."""
    return compact(json.loads(Tensors(checkpoint).metadata["history"]))


def bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def state_seal(entry):
    """EpochRecord.seal."""
    return sha256(text(entry["stretches"][-1]),
                  text(f"{entry['epoch']} {bits(entry['loss'])} {entry['correct']}"))


def order(name):
    """A key that sorts a state's tensors as the check's network has them: AlexNet with a linear head."""
    owner, _, rest = name.partition(".")
    part, number, *own = rest.split(".")
    parts, kinds = ["features", "head", "classifier"], ["weight", "bias", "running_mean", "running_var"]
    return owner == "adam", parts.index(part), int(number), kinds.index(own[0]), own[1:]


def digest(state, epoch, step, done, last):
    """TrainingState.digest of a kept state."""
    parts = [text(last), text(f"{epoch} {step} {done}"), state.values["losses"]]
    for name in sorted((name for name in state.values if name != "losses"), key=order):
        kind, shape = state.kinds[name]
        parts += [text(name), text(f"{kind} {shape}"), state.values[name]]
    return sha256(*parts)


def chain(run, steps, stretch=64):
    """Writes the history's digests anew from the kept states, each with the one before it in it; figures stay."""
    history, last = read_json(f"{run}/{HISTORY}"), ""
    for entry in history:
        ends = [min(steps, begin + stretch) for begin in range(0, steps, stretch)]
        for number, step in enumerate(ends):
            state = Tensors(f"{run}/states/epoch-{entry['epoch']}-step-{step}.safetensors")
            last = digest(state, entry["epoch"], step, (entry["epoch"] - 1) * steps + step, last)
            entry["stretches"][number] = last
        entry["state"] = last = state_seal(entry)
    write(f"{run}/{HISTORY}", compact(history))
