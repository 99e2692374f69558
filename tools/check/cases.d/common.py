# SPDX-License-Identifier: Apache-2.0
"""What the cases share. A case is a file `case_NN.py` with

    TITLE = "what is tried"                  one line
    def check(case): ...                     writes inputs into case.folder, runs the binary, states what is right

and needs Python's standard library alone. Within `check`:

    case.path("a.csv")                       a path in the case's own folder (made anew, removed afterwards)
    case.write("a.csv", text_or_bytes)       writes a file (folders are made), gives its path
    case.encoder("enc", config={...}, tokens=[...])   a drawn encoder of 2 layers by 32: config.json, vocab.txt, weights
    case.reviews("r.csv", rows=24)           reviews with labels, positive and negative in turn
    result = case.run("embed", "--encoder", enc, ..., input=b"...", environment={...}, limit=60)
    case.expect(result.code == 0, "what is wanted", result)         counts a check; a false one is a finding
    case.accepts(result) / case.refuses(result, "word", ...)        code 0 / code 2 (code=1) in one line with these words
    case.embeddings(path)                    -> (rows, labels, classes) of an embeddings file
    case.fingerprint(result)                 the last SHA-256 that a call printed
    raise Skip("why")                        where a surrounding cannot be made here (say which)

Small runs take SMALL's options: seconds on one core."""

import json
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import tiny  # noqa: E402

# A whole `run` on tiny data.
SMALL = ["--device", "cpu", "--perplexity", "5", "--iterations", "10", "--model", "alexnet", "--epochs", "1",
         "--batch", "8", "--pixels", "12"]


class Skip(Exception):
    """The surrounding of a case cannot be made on this machine."""


class Result:
    def __init__(self, words, code, out, err):
        self.words, self.code, self.out, self.err = words, code, out, err

    @property
    def errors(self):
        """Lines on standard error that are not progress."""
        return [line for line in re.split(r"[\r\n]", self.err) if line.strip()]

    def __str__(self):
        return f"$ tessera {' '.join(self.words)}\ncode {self.code}\n{self.out[-1500:]}{self.err[-1500:]}"


class Case:
    def __init__(self, tessera, folder, lines):
        self.tessera, self.folder, self.lines = tessera, folder, lines
        self.checks, self.findings = 0, []

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def encoder(self, name, config=None, tokens=None):
        """A drawn encoder; `config` changes or adds keys (None removes one), `tokens` are more words of the vocabulary."""
        folder = self.path(name)
        tiny.write_encoder(folder, more_tokens=tokens or [])
        if config:
            file = os.path.join(folder, "config.json")
            with open(file) as text:
                whole = json.load(text)
            whole.update(config)
            with open(file, "w") as text:
                json.dump({key: value for key, value in whole.items() if value is not None}, text)
        return folder

    def reviews(self, name, rows=24):
        path = self.path(name)
        tiny.write_reviews(path, rows)
        return path

    def run(self, *words, input=None, environment=None, limit=120):
        words = [str(word) for word in words]
        # A cache of the case's own: nothing of the user's changes an outcome.
        own = {"TESSERA_CACHE": "", "XDG_CACHE_HOME": self.path("cache"), "LC_ALL": "C.UTF-8", **(environment or {})}
        try:
            # In a folder of its own: what is made by a relative path stays there.
            done = subprocess.run([self.tessera, *words], input=input, capture_output=True, timeout=limit,
                                  cwd=self.folder, env={**os.environ, **own})
            code, out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            code, out, err = None, late.stdout or b"", late.stderr or b""
        result = Result(words, code, out.decode(errors="replace"), err.decode(errors="replace"))
        if self.lines:
            print(result, flush=True)
        return result

    def expect(self, holds, wanted, result=None):
        self.checks += 1
        if not holds:
            self.findings.append(f"wanted {wanted}" + (f"\n{result}" if result else ""))
        return bool(holds)

    def accepts(self, result):
        return self.expect(result.code == 0, "code 0", result)

    def refuses(self, result, *wanted, code=2):
        """One line of refusal, the last on standard error, that has all of these words, and the code of a mistake (1: of a failure).
        What the data hold may have been reported before."""
        lines = [line for line in result.errors if not line.startswith("data: ")]
        line = lines[-1] if lines else ""
        missing = [word for word in wanted if word.lower() not in line.lower()]
        holds = result.code == code and len(lines) == 1 and not missing
        return self.expect(holds, f"code {code} and one line on standard error with {list(wanted)}", result)

    def embeddings(self, path):
        with open(path, "rb") as file:
            size, = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(size))
            begin, end = header["labels"]["data_offsets"]
            file.seek(8 + size + begin)
            labels = list(struct.unpack(f"<{(end - begin) // 4}i", file.read(end - begin)))
        return header["features"]["shape"][0], labels, json.loads(header["__metadata__"]["classes"])

    def fingerprint(self, result):
        found = re.findall(r"\b[0-9a-f]{64}\b", result.out + result.err)
        return found[-1] if found else None
