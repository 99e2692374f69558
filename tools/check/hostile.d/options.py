# SPDX-License-Identifier: Apache-2.0
"""Options with values that they cannot have, given twice, empty, endless or no UTF-8."""

import os

NUMBERS = {
    "embed": ["--embedding-batch", "--threads"],
    "layout": ["--pixels", "--perplexity", "--iterations", "--tsne-exact-limit", "--tsne-learning-rate",
               "--validation-share", "--test-share", "--training-rows", "--threads"],
    "train": ["--epochs", "--batch", "--conv-lr", "--classifier-lr", "--weight-decay", "--label-smoothing", "--patience",
              "--feature-memory", "--feature-host-memory", "--feature-disk", "--split-batches", "--upsampling", "--noise",
              "--slice-lr"],
    "run": ["--repeats", "--seed"],
}
BAD = ["-1", "-0.5", "nan", "inf", "-inf", "1e999", "99999999999999999999", "", " ", "x", "1x", "0x", "١", "1,5"]
WORDS = {
    "embed": ["--pooling", "--layers", "--device", "--text-column", "--label-column"],
    "layout": ["--metric", "--init", "--channels", "--layout", "--discretization", "--representations", "--device"],
    "train": ["--model", "--slice", "--normalization", "--schedule", "--head", "--bypass", "--device"],
    "run": ["--recipe"],
}


def check(bench):
    for name, options in NUMBERS.items():
        for option in options:
            for value in BAD:
                # Some are numbers that an option can have (no limit on learning rates' zero, seeds of any size).
                one(bench, name, [f"{option}={value}"], None if value in ("inf", "x", "١") else True, f"{option} {value!r}")
    for name, options in WORDS.items():
        for option in options:
            for value in ("", "nothing", "x" * 100_000, "a\nb\x1b[31m"):
                # A column may have any name, and be missing.
                one(bench, name, [f"{option}={value}"], True, f"{option} {value[:10]!r}")
    for name in bench.commands:
        if name == "bench compare":
            continue
        command = bench.commands[name]
        first = next(iter(command.inputs))
        one(bench, name, ["--nothing"], True, "an option that does not exist")
        one(bench, name, ["more"], True, "an argument too many")
        one(bench, name, [first], True, "an option without its value")
        for value in (b"\xff", b"a\xc3", b"\xed\xa0\x80"):
            one(bench, name, [first, os.path.join(b"/", value)], True, f"{first} {value!r}", "UTF-8")
        one(bench, name, ["--device=opencl:99999999999999999999"], True, "a device beyond numbers")
    for words in ([], ["nothing"], ["verify", "--only", ""], ["verify", "--random", "-1"], ["verify", "--stride", "0"],
                  ["bench", "nothing", "--device", "cpu"], ["bench", "matmul", "--shape", "0x0", "--device", "cpu"],
                  ["bench", "matmul", "--shape", "99999999x99999999x99999999", "--device", "cpu"],
                  ["bench", "matmul", "--shape", "-1x2x3", "--device", "cpu"], ["tune", "--device", "cpu"]):
        # Without a command there is help.
        bench.judge(f"tessera {' '.join(words)}", [bench.tessera, *words], None if not words else True)


def one(bench, name, more, refused, what, about=None):
    command, folder = bench.commands[name], bench.fresh()
    words = command.line(bench.tessera, command.inputs, folder + "/out") + more
    bench.judge(f"{name}: {what}", words, refused, [folder], about)
