# SPDX-License-Identifier: Apache-2.0
"""The bench of tools/check/hostile: tiny inputs of every command, one call, and what is asked of it."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import tiny  # noqa: E402

# A data set of the largest size is read whole, and looked at once more.
MOST_MEMORY = 5 << 30
LIMIT = 120


class Command:
    """A command: its inputs by option, its output's option (None: standard output alone), whether that is a folder."""

    def __init__(self, name, inputs, out="--out", more=(), folder=False):
        self.name, self.inputs, self.out, self.more, self.folder = name, inputs, out, list(more), folder

    def line(self, tessera, inputs, out):
        words = [tessera, *self.name.split()]
        for option, path in inputs.items():
            words += [path] if option.startswith("<") else [option, path]
        if self.out:
            words += [self.out, out]
        return words + self.more


class Bench:
    def __init__(self, tessera, work, lines):
        self.tessera, self.work, self.lines = tessera, work, lines
        self.checks, self.findings, self.left_out, self.number = 0, [], [], 0
        self.environment = {"TESSERA_CACHE": "", "XDG_CACHE_HOME": f"{work}/cache", "HOME": f"{work}/home", "LC_ALL": "C.UTF-8"}
        os.makedirs(f"{work}/home")
        tiny.write_encoder(f"{work}/encoder")
        tiny.write_reviews(f"{work}/reviews.csv", 32)
        quiet = ["--device", "cpu", "--threads", "1", "--quiet"]
        small = ["--model", "alexnet", "--epochs", "1", "--batch", "8"]
        shape = ["--pixels", "12", "--perplexity", "5", "--iterations", "10"]
        data, encoder = ("--data", f"{work}/reviews.csv"), ("--encoder", f"{work}/encoder")
        self.commands = {c.name: c for c in [
            Command("embed", dict([data, encoder]), more=quiet),
            Command("layout", {"--embeddings": f"{work}/e"}, more=shape + quiet),
            Command("render", {"--embeddings": f"{work}/e", "--layout": f"{work}/l"}, more=quiet),
            Command("train", {"--images": f"{work}/i"}, more=small + quiet, folder=True),
            Command("run", dict([data, encoder]), more=small + shape + quiet, folder=True),
            Command("evaluate", {"--run": f"{work}/run", "--data": f"{work}/reviews.csv"}, None, quiet),
            Command("predict", {"--run": f"{work}/run", "--data": f"{work}/reviews.csv"}, None, quiet),
            Command("report", {"--run": f"{work}/run"}, more=quiet),
            Command("bench compare", {"<before>": f"{work}/b.json", "<after>": f"{work}/b.json"}, None),
        ]}
        # Fingerprints that an undisturbed call prints, and its file's (a model's names its inputs).
        self.results, self.bytes = {}, {}
        for name, out in (("embed", "e"), ("layout", "l"), ("render", "i"), ("train", "m"), ("run", "run")):
            output = self.prepare(self.commands[name].line(tessera, self.commands[name].inputs, f"{work}/{out}"))
            self.results[name] = self.printed(output)
            assert self.results[name], name
            self.bytes[name] = tiny.sha256(f"{work}/{out}") if os.path.isfile(f"{work}/{out}") else None
        report = self.prepare([tessera, "bench", "relu", "--shape", "1000", "--device", "cpu", "--json", "--quiet"])
        with open(f"{work}/b.json", "w") as file:
            file.write(report)

    def prepare(self, words):
        process = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **self.environment})
        if process.returncode != 0:
            sys.exit(f"an undisturbed call fails: {' '.join(words)}: {process.stderr}")
        return process.stdout

    def fresh(self, name=""):
        """A new empty folder."""
        self.number += 1
        path = f"{self.work}/n{self.number}{name}"
        os.makedirs(path)
        return path

    def printed(self, output):
        return re.findall(r"\b[0-9a-f]{64}\b", output)

    def snapshot(self, path):
        """Names, kinds, sizes and times of all that is in a folder, but for the folder of a run that was refused: what it was
        asked and its lock stay, and whole stages."""
        found = {}
        for root, folders, names in os.walk(path):
            if ".lock" in names:
                folders[:], names = [], [name for name in names if ".tmp" in name]
                found.pop(os.path.relpath(root, path), None)
            for name in folders + names:
                status = os.lstat(os.path.join(root, name))
                found[os.path.relpath(os.path.join(root, name), path)] = (
                    stat.S_IFMT(status.st_mode), status.st_size if stat.S_ISREG(status.st_mode) else 0,
                    status.st_mtime_ns if stat.S_ISREG(status.st_mode) else 0)
        return found

    def call(self, words, shell=None, stdin=None, **more):
        """(code, output, errors): code None if it hung; shell: a line that runs "$@"."""
        command = ["bash", "-c", shell, "bash", *words] if shell else words
        output, errors = f"{self.work}/stdout", f"{self.work}/stderr"
        with open(output, "wb") as out, open(errors, "wb") as err:
            process = subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err,
                                       env={**os.environ, **self.environment}, start_new_session=True, **more)
            end, hung, memory = time.monotonic() + LIMIT, False, 0
            while True:
                done, status, usage = os.wait4(process.pid, os.WNOHANG)
                if done:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    memory = usage.ru_maxrss * 1024
                    break
                if time.monotonic() > end:
                    os.killpg(process.pid, 9)
                    os.wait4(process.pid, 0)
                    process.returncode, hung = -9, True
                    break
                time.sleep(0.005)
        with open(output, "rb") as out, open(errors, "rb") as err:
            texts = out.read().decode(errors="replace"), err.read().decode(errors="replace")
        self.memory, self.output = memory, texts[0]
        return (None if hung else process.returncode, *texts)

    def find(self, what, why):
        self.findings.append((what, why))
        print(f"WRONG {what}: {why}", flush=True)

    def judge(self, what, words, refused, watched=(), about=None, codes=(1, 2), **more):
        """One call. refused: True, False, or None where both will do. watched: folders a refusal must leave as they were.
        about: a part of the line. Returns whether it was accepted."""
        self.checks += 1
        before = {path: self.snapshot(path) for path in watched}
        code, output, errors = self.call(words, **more)
        if code is None:
            self.find(what, f"still at work after {LIMIT} s")
        elif code < 0 or code > 128:
            self.find(what, f"ended by signal {-code if code < 0 else code - 128}: {errors[-200:]}")
        elif self.memory > MOST_MEMORY:
            self.find(what, f"took {self.memory >> 20} MiB")
        elif code == 0 and refused:
            self.find(what, f"accepted: {output[:150]!r}")
        elif code != 0 and refused is False:
            self.find(what, f"refused: {errors[:300]!r}")
        elif code != 0:
            lines = [line for line in errors.splitlines() if not line.startswith("tessera: warning: ")]
            if code not in codes:
                self.find(what, f"code {code}: {errors[:200]!r}")
            elif len(lines) != 1 or not lines[0].startswith("tessera: "):
                self.find(what, f"not one line: {errors[:300]!r}")
            elif len(lines[0].encode()) > 2000 + sum(len(os.fsencode(w)) for w in words):
                self.find(what, f"a line of {len(lines[0])} characters")
            elif about and not re.search(about, lines[0]):
                self.find(what, f"says {lines[0]!r}, wanted {about!r}")
            else:
                changed = [f"{p}: {sorted(set(self.snapshot(p).items()) ^ set(before[p].items()))[:3]}"
                           for p in watched if self.snapshot(p) != before[p]]
                if changed:
                    self.find(what, "left behind or changed " + "; ".join(changed))
            if self.lines and lines:
                print(f"{what}: {lines[0][:200]}")
        return code == 0

    def same(self, what, name):
        """The accepted call before gave what an undisturbed one gives."""
        if name in self.results and self.printed(self.output) != self.results[name]:
            self.find(what, "another result than undisturbed")
