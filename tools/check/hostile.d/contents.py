# SPDX-License-Identifier: Apache-2.0
"""Files whose contents are broken, contradictory or out of bounds."""

import io
import json
import os
import pickle
import shutil
import struct
import zipfile

HEAD = b"review,sentiment\n"
TWO = b"good,positive\nbad,negative\n"


def check(bench):
    data_sets(bench)
    encoders(bench)
    tensors(bench)
    weights(bench)
    runs(bench)
    reports(bench)
    tables(bench)
    settings(bench)
    assets(bench)


def call(bench, name, option, path, what, refused, about=None):
    command, folder = bench.commands[name], bench.fresh()
    words = command.line(bench.tessera, {**command.inputs, option: path}, folder + "/out")
    bench.judge(f"{name} {option}: {what}", words, refused, [folder], about)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def data_sets(bench):
    folder = bench.fresh()
    line = b'{"review": "good", "sentiment": "positive"}\n{"review": "bad", "sentiment": "negative"}\n'
    deep = b"[" * 100_000 + b"]" * 100_000
    for what, name, data, refused in (
            ("a byte order mark", "a.csv", b"\xef\xbb\xbf" + HEAD + TWO, False),
            ("UTF-16", "a.csv", (HEAD + TWO).decode().encode("utf-16"), False),
            ("CRLF", "a.csv", (HEAD + TWO).replace(b"\n", b"\r\n"), False),
            ("CR alone", "a.csv", (HEAD + TWO).replace(b"\n", b"\r"), None),
            ("no line feed at the end", "a.csv", (HEAD + TWO)[:-1], False),
            ("a header alone", "a.csv", HEAD, True), ("no header", "a.csv", TWO, True),
            ("one class", "a.csv", HEAD + b"good,positive\n" * 3, True),
            ("an open quote", "a.csv", HEAD + TWO + b'"good,positive\n', False),
            ("an open quote and a comma", "a.csv", HEAD + TWO + b'"good, or so,positive\n', True),
            ("UTF-16 without a mark", "a.csv", (HEAD + TWO).decode().encode("utf-16-le"), True),
            ("a quote in a field", "a.csv", HEAD + TWO + b'go"od,positive\n', None),
            ("text after a quote", "a.csv", HEAD + TWO + b'"good" x,positive\n', None),
            ("too few fields", "a.csv", HEAD + TWO + b"good\n", True),
            ("too many fields", "a.csv", HEAD + TWO + b"good,positive,x\n", True),
            ("no label", "a.csv", HEAD + TWO + b"good,\n", True), ("no text", "a.csv", HEAD + TWO + b",positive\n", None),
            ("two columns of one name", "a.csv", b"review,review,sentiment\na,b,c\nd,e,f\n", None),
            ("a column missing", "a.csv", b"a,b\n1,2\n", True), ("NUL", "a.csv", HEAD + TWO + b"go\0od,positive\n", None),
            ("no UTF-8", "a.csv", HEAD + TWO + b"\xff\xfe,positive\n", True),
            ("a surrogate", "a.csv", HEAD + TWO + b"\xed\xa0\x80,positive\n", True),
            ("an overlong zero", "a.csv", HEAD + TWO + b"\xc0\x80,positive\n", True),
            ("a field of 20 MB", "a.csv", HEAD + TWO + b"good " * 4_000_000 + b",positive\n", False),
            ("a word of 5 MB", "a.csv", HEAD + TWO + b"g" * 5_000_000 + b",positive\n", False),
            ("100,000 columns", "a.csv", b"x," * 100_000 + b"y\n" + b"1," * 100_000 + b"2\n", True),
            ("50,000 combining marks", "a.csv", HEAD + TWO + b"a" + "\u0301".encode() * 50_000 + b",positive\n", False),
            ("directions and controls", "a.csv", HEAD + TWO + "\u202ebad\u0007\x1b[31m,positive\n".encode(), False),
            ("white space alone", "a.csv", b" \n\n \t\n", True),
            ("tabs", "a.tsv", (HEAD + TWO).replace(b",", b"\t"), False), ("lines", "a.jsonl", line, False),
            ("empty lines", "a.jsonl", b"\n" + line + b"\n\n", False), ("a list", "a.jsonl", b"[1, 2]\n", True),
            ("a number for a text", "a.jsonl", line + b'{"review": 3, "sentiment": "positive"}\n', True),
            ("null for a text", "a.jsonl", line + b'{"review": null, "sentiment": "positive"}\n', True),
            ("an object for a label", "a.jsonl", line + b'{"review": "x", "sentiment": {}}\n', True),
            ("a key twice", "a.jsonl", line + b'{"review": "x", "review": "y", "sentiment": "positive"}\n', None),
            ("a lone surrogate", "a.jsonl", line + b'{"review": "\\ud800", "sentiment": "positive"}\n', None),
            ("100,000 brackets", "a.jsonl", deep, True),
            ("brackets in an object", "a.jsonl", line + b'{"x": ' + deep + b', "review": "x", "sentiment": "positive"}\n', None),
            ("half an object", "a.jsonl", line + b'{"review": "x"', True), ("NaN", "a.jsonl", b"NaN\n", True),
            ("gzip cut off", "a.csv.gz", gzipped(HEAD + TWO * 1000)[:-20], True),
            ("gzip with a broken sum", "a.csv.gz", gzipped(HEAD + TWO)[:-6] + b"\0\0\0\0\0\0", True),
            ("gzip's head alone", "a.csv.gz", b"\x1f\x8b", True),
            ("two gzip members", "a.csv.gz", gzipped(HEAD) + gzipped(TWO), False),
            ("gzip and garbage", "a.csv.gz", gzipped(HEAD + TWO) + b"garbage", None)):
        call(bench, "embed", "--data", write(f"{folder}/{name}", data), what, refused)
    for what, files, refused in (
            ("classes", {"pos/1.txt": b"good", "neg/1.txt": b"bad"}, False), ("one class", {"pos/1.txt": b"good"}, True),
            ("no UTF-8", {"pos/1.txt": b"\xff", "neg/1.txt": b"bad"}, True),
            ("empty classes", {"pos/x": b"", "neg/y": b""}, True), ("empty texts", {"pos/1.txt": b"", "neg/1.txt": b""}, None),
            ("names of other letters", {"gut/ü.txt": b"good", "schlecht/\n.txt": b"bad"}, False)):
        place = bench.fresh()
        for name, data in files.items():
            os.makedirs(os.path.dirname(f"{place}/{name}"), exist_ok=True)
            write(f"{place}/{name}", data)
        call(bench, "embed", "--data", place, f"a folder: {what}", refused)
    place = bench.fresh()
    for name in ("pos", "neg"):
        os.makedirs(f"{place}/{name}")
        os.mkfifo(f"{place}/{name}/1.txt")
    call(bench, "embed", "--data", place, "a folder of pipes", True)


def gzipped(data):
    import gzip
    return gzip.compress(data)


def encoders(bench):
    with open(f"{bench.work}/encoder/config.json") as file:
        config = json.load(file)
    texts = {"empty": b"", "no JSON": b"{", "a list": b"[]", "100,000 brackets": b"[" * 100_000, "no UTF-8": b'{"a": "\xff"}',
             "NaN": json.dumps({**config, "layer_norm_eps": float("nan")}).encode()}
    for field in ("num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "vocab_size",
                  "max_position_embeddings"):
        for value in (0, -1, 1.5, 10**30, "12", None, True, [], 1 << 31, 999_999):
            texts[f"{field} {value!r}"] = json.dumps({**config, field: value}).encode()
    for field, value in (("layer_norm_eps", -1), ("layer_norm_eps", "x"), ("hidden_act", "none"), ("model_type", "gpt2"),
                         ("hidden_act", 3), ("model_type", [])):
        texts[f"{field} {value!r}"] = json.dumps({**config, field: value}).encode()
    for what, text in texts.items():
        # JSON has no whole numbers of its own, and true is 1 to many.
        encoder(bench, "config.json", text, what, None if "True" in what or "999999" in what else True)
    with open(f"{bench.work}/encoder/vocab.txt", "rb") as file:
        vocabulary = file.read()
    for what, text in (("empty", b""), ("a token twice", vocabulary + b"film\n"), ("no [UNK]", vocabulary.replace(b"[UNK]", b"x")),
                       ("no UTF-8", vocabulary + b"\xff\n"), ("too few", b"\n".join(vocabulary.split(b"\n")[:8]) + b"\n"),
                       ("too many", vocabulary + b"one\ntwo\nthree\n"), ("line feeds alone", b"\n" * 1000),
                       ("a token of 10 MB", vocabulary + b"x" * 10_000_000)):
        encoder(bench, "vocab.txt", text, what, None if what in ("a token twice", "too few", "a token of 10 MB") else True)
    with open(f"{bench.work}/encoder/vocab.txt", "rb") as file:
        encoder(bench, "vocab.txt", file.read().replace(b"\n", b"\r\n"), "CRLF", False)
    for name, text in (("tokenizer_config.json", b'{"do_lower_case": 1}'), ("tokenizer_config.json", b'{"lower": true}'),
                       ("tokenizer_config.json", b'{"added_tokens_decoder": {"-1": {"content": "x"}}}'),
                       ("tokenizer_config.json", b'{"tokenizer_class": "T5Tokenizer"}'), ("added_tokens.json", b'{"x": 999999}'),
                       ("special_tokens_map.json", b'{"cls_token": []}'), ("tokenizer.json", b'{"model": {"type": "BPE"}}'),
                       ("tokenizer.json", b'{"model": {"vocab": {"a": -1}}}'), ("tokenizer.json", b"{")):
        # An id that is only stated is told, and the next one is taken, as Hugging Face does.
        encoder(bench, name, text, text.decode(), None if name == "added_tokens.json" else True)
    for what, data in broken_tensors(f"{bench.work}/encoder/model.safetensors").items():
        encoder(bench, "model.safetensors", data, what, None if what.startswith("fine") else True)


def encoder(bench, name, data, what, refused):
    folder = bench.fresh()
    shutil.copytree(f"{bench.work}/encoder", folder + "/encoder")
    write(f"{folder}/encoder/{name}", data)
    call(bench, "embed", "--encoder", folder + "/encoder", f"{name}: {what}", refused)
    shutil.rmtree(folder)


def broken_tensors(path):
    """Damaged copies of a safetensors file, by what is wrong."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    first = max((name for name in header if name != "__metadata__"), key=lambda n: header[n]["data_offsets"][1])

    def made(text, body=body):
        text = text if isinstance(text, bytes) else json.dumps(text).encode()
        return struct.pack("<Q", len(text)) + text + body

    def altered(**fields):
        return made({**header, first: {**header[first], **fields}})

    begin, end = header[first]["data_offsets"]
    shape = header[first]["shape"]
    found = {f"cut after {n} bytes": data[:n] for n in (1, 7, 8, 9, 8 + length // 2, 8 + length, len(data) - 1)}
    for what, n in (("0", 0), ("beyond the file", len(data)), ("2^63", 1 << 63), ("2^64 - 1", (1 << 64) - 1), ("1", 1)):
        found[f"a header of {what} bytes"] = struct.pack("<Q", n) + data[8:]
    found |= {
        "bytes too many": data + b"x", "garbage": b"\x89PNG" + os.urandom(1000), "a header that is a list": made([]),
        "100,000 brackets": made(b'{"a":' + b"[" * 100_000), "no header": made(b""), "a NUL in the header": made(b"{\0}"),
        "no UTF-8": made(b'{"\xff": 1}'), "an entry that is a number": made({**header, first: 3}),
        "no shape": made({**header, first: {"dtype": "F32", "data_offsets": [begin, end]}}),
        "no type": made({**header, first: {"shape": shape, "data_offsets": [begin, end]}}),
        "an unknown type": altered(dtype="F8"), "a negative extent": altered(shape=[-s for s in shape]),
        "two negative extents": altered(shape=[-1, -1] + shape), "a fraction": altered(shape=[1.5]),
        "an extent of 2^62": altered(shape=[1 << 62, 4]), "extents whose product overflows": altered(shape=[1 << 32, 1 << 32, 0]),
        "extents of 2^80": altered(shape=[1 << 80]), "text for an extent": altered(shape=["4"]), "a million extents": altered(shape=[1] * 1_000_000 + shape),
        "another extent": altered(shape=[s + 1 for s in shape]), "offsets beyond the file": altered(data_offsets=[begin, end + 4]),
        "negative offsets": altered(data_offsets=[-4, end]), "offsets the other way": altered(data_offsets=[end, begin]),
        "one offset": altered(data_offsets=[begin]), "offsets of 2^64": altered(data_offsets=[1 << 64, (1 << 64) + 4]),
        "offsets that overlap": altered(data_offsets=[0, end - begin]), "a gap": altered(data_offsets=[begin + 4, end + 4]),
        "a tensor missing": made({k: v for k, v in header.items() if k != first}),
        "metadata of numbers": made({**header, "__metadata__": {"a": 1}}), "metadata that is a list": made({**header, "__metadata__": []}),
    }
    text = json.dumps(header)
    found["a name twice"] = made((text[:-1] + f', {json.dumps(first)}: {json.dumps(header[first])}}}').encode())
    return found


def tensors(bench):
    for name, option, path in (("layout", "--embeddings", "e"), ("render", "--layout", "l"), ("train", "--images", "i")):
        folder = bench.fresh()
        for what, data in broken_tensors(f"{bench.work}/{path}").items():
            call(bench, name, option, write(f"{folder}/x", data), what, True if "metadata" not in what else None)
        # The right kind of file, of another command.
        for other in "elim":
            if other != path:
                call(bench, name, option, f"{bench.work}/{other}", f"what another command made ({other})", True)
        for what, bits in (("NaN", 0x7fc00000), ("infinity", 0x7f800000)):
            with open(f"{bench.work}/{path}", "rb") as file:
                data = bytearray(file.read())
            length = struct.unpack("<Q", data[:8])[0]
            header = json.loads(data[8:8 + length])
            for key, entry in header.items():
                if key != "__metadata__" and entry["dtype"] == "F32":
                    begin, end = (8 + length + n for n in entry["data_offsets"])
                    data[begin:end] = struct.pack("<I", bits) * ((end - begin) // 4)
            call(bench, name, option, write(f"{folder}/x", bytes(data)), f"{what} everywhere", True)


class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/tessera-hostile-evil",))


def weights(bench):
    folder = bench.fresh()

    def archive(name, data, more=()):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr(name, data)
            for other, content in more:
                file.writestr(other, content)
        return buffer.getvalue()

    good = archive("archive/data.pkl", pickle.dumps({}, 2))
    for what, data in {
            "a call": pickle.dumps(Evil(), 2), "a call in an archive": archive("archive/data.pkl", pickle.dumps(Evil(), 2)),
            "an empty archive": archive("x", b""), "an empty pickle": archive("archive/data.pkl", b""), "no tensors": good,
            "a pickle cut off": archive("archive/data.pkl", pickle.dumps({"a": [1] * 100}, 2)[:-5]),
            "100,000 marks": archive("archive/data.pkl", b"\x80\x02" + b"(" * 100_000 + b"."),
            "100,000 lists": archive("archive/data.pkl", b"\x80\x02" + b"]" + b"]a" * 100_000 + b"."),
            "a memo of 2^31": archive("archive/data.pkl", b"\x80\x02}r\xff\xff\xff\x7f."),
            "a text of 2^31": archive("archive/data.pkl", b"\x80\x02X\xff\xff\xff\x7fx."),
            "an archive cut off": good[:-10], "an archive's first bytes": b"PK\x03\x04", "entries beyond the file": good[:60] + good[-22:],
            "a name that climbs": archive("../../data.pkl", pickle.dumps({}, 2)),
            "text": b"not weights\n"}.items():
        out = bench.fresh()
        words = bench.commands["train"].line(bench.tessera, bench.commands["train"].inputs, out + "/out")
        bench.judge(f"train --weights: {what}", words + ["--weights", write(f"{folder}/w.pth", data)], True, [out])
    bench.checks += 1
    if os.path.exists("/tmp/tessera-hostile-evil"):
        os.remove("/tmp/tessera-hostile-evil")
        bench.find("train --weights", "a pickle's call was done")


def runs(bench):
    with open(f"{bench.work}/run/run.json") as file:
        config = json.load(file)
    damaged = {"empty": b"", "a list": b"[]", "100,000 brackets": b"[" * 100_000, "cut off": json.dumps(config)[:50].encode()}
    for field, value in (("version", 99), ("version", -1), ("version", "x"), ("version", 1e300), ("pixels", -1),
                         ("pixels", 1 << 40), ("model", "nothing"), ("model", 3), ("encoder", None), ("layers", "x"),
                         ("repeats", 1 << 60), ("batch", 0), ("channels", "x"), ("seed", -1)):
        damaged[f"{field} {value!r}"] = json.dumps({**config, field: value}).encode()
    for name in ("evaluate", "predict", "report"):
        for what, data in damaged.items():
            folder = bench.fresh()
            shutil.copytree(f"{bench.work}/run", folder + "/run")
            write(f"{folder}/run/run.json", data)
            # What the answer does not hang on may say anything.
            named = what.split()[0] in ("empty", "a", "cut", "version") or what.startswith("100,000")
            call(bench, name, "--run", folder + "/run", f"run.json: {what}", True if named else None)
            shutil.rmtree(folder)
    for file in ("model.safetensors", "layout.safetensors"):
        for what, data in broken_tensors(f"{bench.work}/run/{file}").items():
            folder = bench.fresh()
            shutil.copytree(f"{bench.work}/run", folder + "/run")
            write(f"{folder}/run/{file}", data)
            call(bench, "predict", "--run", folder + "/run", f"{file}: {what}", True)
            shutil.rmtree(folder)


def reports(bench):
    folder = bench.fresh()
    for what, data in (("a list", b"[]"), ("an object", b"{}"), ("100,000 brackets", b"[" * 100_000), ("text", b"x"),
                       ("no UTF-8", b'{"\xff": 1}')):
        path = write(f"{folder}/x.json", data)
        call(bench, "bench compare", "<before>", path, what, True)
        for option, words in (("--tiles", ["verify", "--device", "cpu", "--only", "rowSum", "--quiet"]),
                              ("--operation", ["verify", "--quiet"])):
            bench.judge(f"verify {option}: {what}", [bench.tessera, *words, option, path], True)
    for what, place in (("no folder", folder + "/none"), ("a file", folder + "/x.json"), ("an empty folder", bench.fresh())):
        bench.judge(f"verify --kernels: {what}",
                    [bench.tessera, "verify", "--device", "cpu", "--only", "rowSum", "--quiet", "--kernels", place], True)


def tables(bench):
    """Tables of numbers that are none, or that could do harm."""
    folder = bench.fresh()
    rows = "".join(f"{row % 7},{row * 0.5},k{row % 2}\n" for row in range(40))
    header = b"\x93NUMPY\x01\x00"

    def array(text):
        return header + struct.pack("<H", len(text)) + text.encode()

    shape = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }\n"
    for ending, what, data in (
            ("csv", "empty", b""), ("csv", "a header alone", b"a,b,label\n"), ("csv", "NUL", b"a,b,label\n\0,\0,\0\n"),
            ("csv", "no numbers", b"a,b,label\nx,y,k0\nz,w,k1\n"), ("csv", "one class", b"a,label\n1,k\n2,k\n3,k\n"),
            ("csv", "rows of other lengths", b"a,b,label\n1,2,k0\n1,k1\n"), ("csv", "names twice", b"a,a,label\n1,2,k0\n2,1,k1\n"),
            ("csv", "beyond binary64", b"a,label\n1e999,k0\n2,k1\n1,k0\n2,k1\n"), ("csv", "no UTF-8", b"a\xff,label\n1,k0\n"),
            ("npy", "a header cut off", header), ("npy", "a header of 64 KiB", header + b"\xff\xff{"),
            ("npy", "2^62 rows", array(shape % "(4611686018427387904, 2)")), ("npy", "negative", array(shape % "(-1, 2)")),
            ("npy", "objects", array("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n") + pickle.dumps([Evil()])),
            ("npz", "no archive", b"PK\x03\x04"), ("npz", "text", b"hello"), ("safetensors", "text", b"hello"),
            ("safetensors", "a header of 2^63", struct.pack("<Q", 1 << 63)), ("parquet", "parquet", b"PAR1" + b"\0" * 20)):
        out = bench.fresh()
        path = write(f"{folder}/x.{ending}", data)
        bench.judge(f"run --features: {what}", [bench.tessera, "run", "--features", path, "--label-column", "label", "--out",
                                                out + "/out", "--device", "cpu", "--threads", "1", "--quiet"], True, [out])
    good = write(f"{folder}/good.csv", ("a,b,label\n" + rows).encode())
    for more in (["--label-column", "none"], ["--ignore", "none"], ["--ignore", "a", "--ignore", "b"], ["--array", "x"],
                 ["--missing", "x"], ["--scaling", ""], ["--encoder", f"{bench.work}/encoder"], ["--text-column", "a"]):
        out = bench.fresh()
        words = [bench.tessera, "run", "--features", good, "--label-column", "label", "--out", out + "/out", "--device", "cpu",
                 "--threads", "1", "--quiet", *more]
        bench.judge(f"run --features: {' '.join(more)}", words, True, [out])
    bench.checks += 1
    if os.path.exists("/tmp/tessera-hostile-evil"):
        os.remove("/tmp/tessera-hostile-evil")
        bench.find("run --features", "a pickle's call was done")


def settings(bench):
    """Files of options, folders that are to be resumed, and runs that are to be exported."""
    folder = bench.fresh()
    with open(f"{bench.work}/run/run.json") as file:
        config = json.load(file)
    damaged = {"empty": b"", "a list": b"[]", "100,000 brackets": b"[" * 100_000, "text": b"x", "no UTF-8": b'{"\xff": 1}',
               "cut off": json.dumps(config)[:50].encode(), "a long key": json.dumps({"x" * 100_000: 1}).encode()}
    for field, value in (("version", 99), ("version", "x"), ("pixels", -1), ("pixels", "x"), ("pixels", 1 << 70), ("pixels", 1.5),
                         ("model", "nothing"), ("model", 3), ("channels", "x"), ("seed", -1), ("epochs", 1 << 60),
                         ("bypass", "yes"), ("pixel", 3), ("", 1), ("a\nb", 1), ("firstState", 1), ("separator", "xyz")):
        damaged[f"{field} {value!r}"] = json.dumps({**config, field: value}).encode()
    for what, data in damaged.items():
        out = bench.fresh()
        path = write(f"{folder}/x.json", data)
        bench.judge(f"run --config: {what[:40]}", [bench.tessera, "run", "--config", path, "--out", out + "/out", "--device",
                                                   "cpu", "--quiet"], True, [out])
    for words in (["--config", folder + "/none"], ["--config", folder], ["--config", "/dev/zero"], ["--config", ""],
                  ["--resume", folder], ["--resume", folder + "/none"], ["--resume", ""],
                  ["--resume", f"{bench.work}/run", "--pixels", "13"], ["--resume", f"{bench.work}/run", "--out", folder]):
        bench.judge(f"run {' '.join(words)[:60]}", [bench.tessera, "run", *words, "--quiet"], True, [f"{bench.work}/run"])
    for run, what in ((folder, "no run"), (folder + "/none", "no folder"), ("/dev/null", "a device")):
        out = bench.fresh()
        bench.judge(f"export: {what}", [bench.tessera, "export", "--run", run, "--onnx", out + "/x.onnx"], True, [out])
    for place in ("/proc/none/x.onnx", folder, "", "/dev/full"):
        bench.judge(f"export --onnx {place}", [bench.tessera, "export", "--run", f"{bench.work}/run", "--onnx", place], True)


def assets(bench):
    """Names that no asset has, and parts that the cache has not."""
    for name in ("", "nothing", "../minilm-l6", "x" * 100_000, "a\nb\x1b[31m", "-"):
        bench.judge(f"fetch {name[:20]!r}", [bench.tessera, "fetch", name], True)
        bench.judge(f"cache clear {name[:20]!r}", [bench.tessera, "cache", "clear", name], True)
