# SPDX-License-Identifier: Apache-2.0
"""predict in the middle of a pipe: another program sends a line and waits for its answer."""

import json
import os
import select
import subprocess
import time

import common

TITLE = "one answer a line, at once, in order; broken lines are errors of their own"


class Talk:
    """A process that is spoken to line by line."""

    def __init__(self, case, words):
        self.process = subprocess.Popen([case.tessera, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0)
        self.left = b""

    def say(self, data):
        self.process.stdin.write(data)

    def hear(self, limit=60):
        """The next line of the answer, None if none comes."""
        end = time.monotonic() + limit
        while b"\n" not in self.left:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                return None
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                return None
            self.left += part
        line, self.left = self.left.split(b"\n", 1)
        return line.decode()

    def close(self):
        self.process.stdin.close()
        rest = self.left + self.process.stdout.read()
        errors = self.process.stderr.read().decode()
        return self.process.wait(60), rest.decode(), errors


def check(case):
    encoder, data = case.encoder("enc"), case.reviews("r.csv", 40)
    made = case.run("run", "--encoder", encoder, *common.SMALL, "--data", data, "--out", case.path("r"))
    if not case.accepts(made):
        return
    words = ["predict", "--run", case.path("r"), "--device", "cpu", "--quiet"]

    def answers(data, *more):
        result = case.run(*words, *more, input=data)
        return result, result.out.split("\n")[:-1]

    alone = {text: answers(text.encode() + b"\n")[1] for text in ("good film", "bad film", "the plot was awful")}
    case.expect(all(len(lines) == 1 and lines[0].endswith("\t" + text) for text, lines in alone.items()), f"an answer each: {alone}")

    # One line, then silence: the answer comes all the same.
    talk = Talk(case, words)
    for text in ("good film", "", "bad film", "the plot was awful"):
        talk.say(text.encode() + b"\n")
        answer = talk.hear()
        case.expect(answer == (alone[text][0] if text else "-\t-\t(a blank line)"), f"the answer to {text!r}, not {answer!r}")
    talk.say(b"good ")
    case.expect(talk.hear(1) is None, "no answer to half a line")
    talk.say(b"film\nbad film\ngood")
    case.expect([talk.hear(), talk.hear()] == [alone["good film"][0], alone["bad film"][0]], "answers to whole lines")
    code, rest, errors = talk.close()
    case.expect(code == 0 and rest.endswith("\tgood\n") and rest.count("\n") == 1, f"the last line without an end: {rest!r} {errors}")

    # Blank lines keep the pairing.
    result, lines = answers(b"good film\n\n \t\r\nbad film\r\n")
    case.expect(result.code == 0 and lines == [*alone["good film"], "-\t-\t(a blank line)", "-\t-\t(a blank line)", *alone["bad film"]],
                "four answers to four lines", result)
    result, lines = answers(b"\n\n")
    case.expect(result.code == 0 and len(lines) == 2, "two answers to two blank lines", result)
    case.refuses(answers(b"")[0], "no text")

    # Bytes that are no UTF-8 are an error of their line.
    result, lines = answers(b"good film\ncaf\xe9 film\nbad film\n\xff\n")
    case.expect(result.code == 2 and len(lines) == 4 and lines[0] == alone["good film"][0] and lines[2] == alone["bad film"][0],
                "the others are answered", result)
    case.expect(lines[1].startswith("-\t-\t(bytes that are not UTF-8: 0xe9 at byte 4)"), "the broken line says so", result)
    case.expect("line 2" in result.err and "2 of 4 lines" in result.err, "the end says so", result)
    result, lines = answers(b"caf\xe9 film\n", "--encoding", "latin1")
    case.expect(result.code == 0 and lines[0].endswith("caf\u00e9 film"), "named, the encoding is read", result)

    # JSON.
    result, lines = answers(b"good film\n\n\xff\nbad film", "--json")
    objects = [json.loads(line) for line in lines]
    case.expect(len(objects) == 4 and [o.get("text") for o in objects] == ["good film", "", None, "bad film"]
                and ["label" in o for o in objects] == [True, False, False, True] and "blank" in objects[1]["error"]
                and "UTF-8" in objects[2]["error"], "four objects", result)

    # Many lines at once are the same answers.
    many = [list(alone)[i % 3] for i in range(200)]
    result, lines = answers("\n".join(many).encode())
    case.expect(result.code == 0 and lines == [alone[text][0] for text in many], "two hundred answers in order", result)
    result, lines = answers(b"x" * 5_000_000 + b"\ngood film\n")
    case.expect(result.code == 0 and len(lines) == 2 and lines[1] == alone["good film"][0], "a line of 5 MB", result)

    # A reader that goes away ends it.
    talk = Talk(case, words)
    talk.process.stdout.close()
    try:
        for _ in range(300):
            talk.say(b"good film\n" * 10)
        talk.process.stdin.close()
    except BrokenPipeError:
        pass
    case.expect(talk.process.wait(60) != 0, "it ends when nobody reads")
    talk.process.stderr.close()

    # --data - is standard input, too.
    result, lines = answers(b"good film\n", "--data", "-")
    case.expect(result.code == 0 and lines == alone["good film"], "--data - takes lines", result)
    result, _ = answers(b"review,sentiment\ngood film,pos\n", "--data", "-")
    case.refuses(result, "a table", "--text-column")
    result, lines = answers(b"review,sentiment\ngood film,pos\nbad film,neg\n", "--data", "-", "--text-column", "review")
    case.expect(result.code == 0 and lines == alone["good film"] + alone["bad film"], "a table on standard input", result)
    case.refuses(case.run(*words, "--text", "a", "--data", "b"), "--text and --data", "one of them")
