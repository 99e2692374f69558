# SPDX-License-Identifier: Apache-2.0
"""Labels that are spellings of one class, ratings in place of classes, classes of one row (skll #436)."""

import common

TITLE = "classes are told before work starts; what looks like a mistake is refused with the option that decides"


def check(case):
    encoder = case.encoder("enc")

    def table(name, labels):
        return case.write(name, "text,label\n" + "".join(f'good film {i},"{label}"\n' for i, label in enumerate(labels)))

    def embedded(data, *more):
        out = case.path("o.safetensors")
        return case.run("embed", "--encoder", encoder, "--data", data, "--device", "cpu", "--out", out, *more), out

    for name, labels, classes in (
            ("int_and_float.csv", ["1.0", "0", "1", "0.0"], ["0", "1"]),
            ("case.csv", ["Positive", "positive", " negative", "negative ", "NEGATIVE"], ["negative", "positive"]),
            ("truth.csv", ["true", "True", "FALSE", "false"], ["false", "true"]),
            ("blanks.csv", ["very good", "very  good", "bad", "bad"], ["bad", "very good"]),
            ("unicode.csv", ["caf\u00e9", "cafe\u0301", "x", "x"], ["caf\u00e9", "x"]),
            ("zeros.csv", ["01", "1", "2", "2"], ["1", "2"])):
        data = table(name, labels)
        result, out = embedded(data)
        case.refuses(result, "look like one", "--labels merge", "as-is")
        result, out = embedded(data, "--labels", "merge")
        case.expect(result.code == 0 and case.embeddings(out)[2] == classes, f"{name}: {classes} by merge", result)
        result, out = embedded(data, "--labels", "as-is")
        case.expect(result.code == 0 and len(case.embeddings(out)[2]) >= 2, f"{name}: as they are by as-is", result)
    lines = [("good one", "1"), ("bad one", "0.0"), ("bad", "1.0"), ("b", '"1"')]
    data = case.write("numbers.jsonl", "".join(f'{{"text":"{t}","label":{l}}}\n' for t, l in lines))
    case.refuses(embedded(data)[0], '"1" and "1.0"', "--labels merge")
    data = case.write("bool.jsonl", "".join(f'{{"text":"{t}","label":{l}}}\n' for t, l in (("a", "true"), ("b", "false")) * 2))
    result, out = embedded(data)
    case.expect(result.code == 0 and case.embeddings(out)[2] == ["false", "true"], "the classes false and true", result)
    case.expect("4 rows; 2 classes: false 2, true 2" in result.err, "rows and classes told", result)

    # Ratings.
    ratings = [f"{1 + i % 25 * 0.25}" for i in range(50)]
    data = table("ratings.csv", ratings)
    case.refuses(embedded(data)[0], "25 numbers as labels in 50 rows", "--labels", ">=7", "as-is")
    result, out = embedded(data, "--labels", ">=4")
    labels = [int(float(rating) >= 4) for rating in ratings]
    count, found, classes = case.embeddings(out) if result.code == 0 else (0, [], [])
    case.expect(sorted(classes) == ["<4", ">=4"] and [classes[i] == ">=4" for i in found] == [bool(l) for l in labels],
                "two classes at 4", result)
    result, out = embedded(data, "--labels", "<=2=bad,>=6=good,*=")
    kept = [float(r) for r in ratings if float(r) <= 2 or float(r) >= 6]
    case.expect(result.code == 0 and case.embeddings(out) == (len(kept), [int(r >= 6) for r in kept], ["bad", "good"])
                and f"left out {50 - len(kept)} rows by --labels" in result.err, "the middle left out and told", result)
    case.refuses(embedded(data, "--labels", "<=2=bad,>=6=good")[0], "no rule of --labels names")
    result, _ = embedded(table("many.csv", [f"c{i % 25}" for i in range(50)]))
    case.expect(result.code == 0 and "25 classes" in result.err, "25 classes that are no numbers", result)

    # A mapping holds for the run's later calls too.
    data = table("map.csv", ["p", "n"] * 12)
    run = ["run", "--encoder", encoder, *common.SMALL, "--data", data, "--out", case.path("r")]
    result = case.run(*run, "--labels", "p=positive,n=negative")
    if case.expect(result.code == 0 and "negative 12, positive 12" in result.err, "the mapped classes", result):
        result = case.run("evaluate", "--run", case.path("r"), "--data", data, "--device", "cpu")
        case.expect(result.code == 0 and "of 24)" in result.out, "evaluate maps as the run did", result)
        result = case.run("predict", "--run", case.path("r"), "--text", "good", "--device", "cpu")
        case.expect(result.out.split("\t")[0] in ("positive", "negative"), "a mapped class", result)
        other = case.write("other.csv", "text,label\na,good\nb,bad\n")
        result = case.run("evaluate", "--run", case.path("r"), "--data", other, "--device", "cpu", "--quiet")
        case.refuses(result, "found the label good", "negative or positive", "--labels")
        result = case.run("evaluate", "--run", case.path("r"), "--data", other, "--device", "cpu", "--labels",
                          "good=positive,bad=negative")
        case.expect(result.code == 0, "another mapping for other labels", result)
    case.refuses(embedded(data, "--labels", "q=positive")[0], "a rule for q, which no row")

    # A class of one row cannot be learnt and judged.
    one = table("one.csv", ["a", "b"] * 10 + ["c"])
    result = case.run("run", "--encoder", encoder, *common.SMALL, "--data", one, "--out", case.path("s"), "--quiet")
    case.refuses(result, "1 row of the class c", "--labels 'c=OTHER'")
    result = case.run("run", "--encoder", encoder, *common.SMALL, "--data", one, "--out", case.path("t"), "--labels", "c=")
    case.expect(result.code == 0 and "left out 1 rows by --labels" in result.err, "two classes without it", result)
