# SPDX-License-Identifier: Apache-2.0
"""Files of weights by the standard library alone: PyTorch's zip and legacy formats, and safetensors.

    w = Tensor([0.5] * 6, (2, 3))                     float32; Tensor(b"...", (2,), "ByteStorage") for other types
    torch_file({"state_dict": {"a.weight": w}})       the bytes of torch.save; legacy=True: of PyTorch before 1.6
    foreign("numpy.core.multiarray", "scalar", 1, 2)  an object that unpickling would make by calling that with these
    safetensors({"a.weight": w})                      the bytes of a safetensors file
"""

import array
import io
import json
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

TYPES = {"FloatStorage": ("F32", 4), "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1), "CharStorage": ("I8", 1),
         "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2), "DoubleStorage": ("F64", 8), "LongStorage": ("I64", 8)}


def named(module, name):
    """Something that pickles by reference as `module.name`, whether there is such a module here or not."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        # Pickling imports a module and those that it lies in.
        whole = sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(".".join(parts[:end])))
    if not hasattr(whole, name):
        made = type(name, (), {"__module__": module, "__qualname__": name})
        setattr(whole, name, made)
    return getattr(whole, name)


class Foreign:
    def __init__(self, module, name, arguments):
        self.call = named(module, name), arguments

    def __reduce__(self):
        return self.call


def foreign(module, name, *arguments):
    return Foreign(module, name, arguments)


class Tensor:
    """A dense tensor; `data` is bytes or numbers for float32."""

    def __init__(self, data, shape, storage="FloatStorage"):
        self.data = data if isinstance(data, bytes) else array.array("f", data).tobytes()
        self.shape, self.storage = tuple(shape), storage
        size = TYPES[storage][1]
        self.count = len(self.data) // size
        extent = 1
        self.strides = []
        for side in reversed(self.shape):
            self.strides.insert(0, extent)
            extent *= side
        assert extent == self.count, (shape, self.count)

    def __reduce__(self):
        return named("torch._utils", "_rebuild_tensor_v2"), (
            Storage(self), 0, self.shape, tuple(self.strides), False, OrderedDict())


class Storage:
    def __init__(self, tensor):
        self.tensor = tensor


class Pickler(pickle.Pickler):
    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages = {}

    def persistent_id(self, thing):
        if not isinstance(thing, Storage):
            return None
        tensor = thing.tensor
        key = str(len(self.storages))
        self.storages[key] = tensor
        return "storage", named("torch", tensor.storage), key, "cpu", tensor.count


def torch_file(content, legacy=False):
    body = io.BytesIO()
    pickler = Pickler(body)
    pickler.dump(content)
    out = io.BytesIO()
    if legacy:
        for value in (0x1950a86a20f9469cfc6c, 1001, {"protocol_version": 1001, "little_endian": True}):
            out.write(pickle.dumps(value, protocol=2))
        out.write(body.getvalue())
        out.write(pickle.dumps(list(pickler.storages), protocol=2))
        for tensor in pickler.storages.values():
            out.write(struct.pack("<q", tensor.count) + tensor.data)
        return out.getvalue()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        file.writestr("archive/data.pkl", body.getvalue())
        file.writestr("archive/byteorder", "little")
        for key, tensor in pickler.storages.items():
            file.writestr(f"archive/data/{key}", tensor.data)
        file.writestr("archive/version", "3\n")
    return out.getvalue()


def safetensors(tensors, metadata=None):
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, tensor in tensors.items():
        header[name] = {"dtype": TYPES[tensor.storage][0], "shape": tensor.shape,
                        "data_offsets": [len(data), len(data) + len(tensor.data)]}
        data += tensor.data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def read_safetensors(path):
    """Tensors of float32 by name."""
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), file.read()
    return {name: Tensor(data[slice(*entry["data_offsets"])], entry["shape"])
            for name, entry in header.items() if name != "__metadata__"}


def pattern(count, seed=0, low=-0.05, high=0.05):
    """Numbers without an order to speak of, the same everywhere."""
    values, state = array.array("f"), seed * 2654435761 % (1 << 32) + 1
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % (1 << 32)
        values.append(low + (high - low) * state / (1 << 32))
    return values


def drawn(shape, seed=0, low=-0.05, high=0.05):
    count = 1
    for side in shape:
        count *= side
    return Tensor(pattern(count, seed, low, high), shape)


def alexnet():
    """The slice of AlexNet, under torchvision's names."""
    shapes = {"features.0.weight": (64, 3, 11, 11), "features.0.bias": (64,), "features.3.weight": (192, 64, 5, 5),
              "features.3.bias": (192,)}
    return {name: drawn(shape, seed) for seed, (name, shape) in enumerate(shapes.items(), 1)}


def images(side=20, rows=12):
    """The bytes of an images file that `tessera train` takes: grey pictures of two classes in turn."""
    def rows_of(numbers):
        return Tensor(struct.pack(f"<{len(numbers)}i", *numbers), (len(numbers),), "FloatStorage")
    tensors = {"images": drawn((rows, side, side), 99, 0, 1), "labels": rows_of([row % 2 for row in range(rows)]),
               "rows.training": rows_of(range(rows - 4)), "rows.validation": rows_of(range(rows - 4, rows - 2)),
               "rows.test": rows_of(range(rows - 2, rows))}
    whole = safetensors(tensors, {"classes": '["a","b"]'})
    size, = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8:8 + size])
    for name in ("labels", "rows.training", "rows.validation", "rows.test"):
        header[name]["dtype"] = "I32"
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + whole[8 + size:]


def train(case, weights, name="m", model="alexnet", more=("--quiet",), source="images.safetensors"):
    """One epoch on the pictures; the model's fingerprint is the weights' and nothing else's."""
    return case.run("train", "--images", case.path(source), "--model", model, "--weights", weights, "--epochs", "1",
                    "--device", "cpu", "--threads", "1", "--out", case.path(name), *more)
