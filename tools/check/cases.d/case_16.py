# SPDX-License-Identifier: Apache-2.0
"""Texts cut at the position limit, test rows that are training rows, features that say nothing."""

import common

TITLE = "cut texts, repeated rows and constant features are counted and told once"


def check(case):
    encoder = case.encoder("enc")  # 64 positions
    words = "good bad film plot cast fine dull great".split()
    rows = [(f"{words[i % 8]} {words[i * 3 % 7]} {words[i // 8]} film {'.' * (i % 5)} {i}", ("pos", "neg")[i % 2]) for i in range(40)]
    table = lambda rows: "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows)
    out = case.path("o.safetensors")

    def embed(rows):
        return case.run("embed", "--encoder", encoder, "--data", case.write("e.csv", table(rows)), "--device", "cpu", "--out", out)

    # 62 words fit between the two special tokens.
    fits, cut = "good " * 62, "good " * 63
    result = embed(rows[:4] + [(fits, "pos")])
    case.expect(result.code == 0 and "cut" not in result.err, "62 words fit", result)
    result = embed(rows[:4] + [(fits, "pos"), (cut, "pos"), (cut + cut, "neg")])
    case.expect(result.code == 0 and "2 of 7 texts are cut at 64 tokens" in result.err and result.err.count(" cut ") == 1,
                "two texts cut, told once", result)

    def run(name, *more):
        return case.run("run", "--encoder", encoder, *common.SMALL, "--out", case.path(name), *more)

    data = case.write("d.csv", table(rows))
    result = run("clean", "--data", data)
    case.expect(result.code == 0 and "among the training rows" not in result.err and "repeat" not in result.err,
                "nothing told of rows that differ", result)
    result = run("same", "--data", data, "--test", data)
    # All the test's rows but those that became validation rows: 32 of 40 are trained on.
    case.expect(result.code == 0 and "32 of 48 validation and test rows have a text that is among the training rows" in result.err,
                "the training rows among the test rows", result)
    twice = case.write("twice.csv", table(rows + rows[:3] + [(rows[5][0], "pos")]))
    result = run("twice", "--data", twice)
    case.expect(result.code == 0 and "4 rows repeat the text of an earlier row, 1 of them with another label" in result.err,
                "repeated rows", result)
    case.expect(result.err.count("repeat the text") == 1, "told once", result)
    report = case.run("report", "--run", case.path("twice"), "--text")
    case.expect(report.code == 0 and "4 rows repeat the text" in report.out, "the report has it", report)
    again = run("twice", "--data", twice)
    case.expect(again.code == 0 and again.err.count("repeat the text") == 1, "told again by a run whose stages are unchanged", again)
    result = run("constant", "--data", case.write("c.csv", table([("good film", label) for _, label in rows])))
    case.expect("64 of 64 features are the same in every training row: there is nothing to learn" in result.err,
                "constant features told", result)
    empty = case.write("empty.csv", table(rows + [("", "pos"), ("  ", "neg")]))
    result = run("empty", "--data", empty)
    case.expect(result.code == 0 and "2 texts are empty" in result.err, "empty texts told", result)
