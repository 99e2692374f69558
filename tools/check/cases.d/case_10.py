# SPDX-License-Identifier: Apache-2.0
"""No test rows."""

import json
import re

import common

TITLE = "without test rows there are no test figures, and it is said"


def check(case):
    encoder, data = case.encoder("enc"), case.reviews("r.csv", 40)

    def run(name, *more):
        return case.run("run", "--encoder", encoder, *common.SMALL, "--data", data, "--out", case.path(name), *more)

    def none(result):
        return not re.search(r"0\.000 .*0 of 0|0 of 0|nan", result.out + result.err)

    for more in (("--test-share", "0"), ("--test-share", "0", "--repeats", "2"), ("--test-share", "0.001")):
        result = run("r" + "".join(more), *more)
        case.accepts(result)
        case.expect(none(result), "no accuracy of no rows", result)
        case.expect("no rows to test on" in result.out and "test accuracy  0" not in result.out, "said so", result)
        case.expect("validation 0." in result.err or "validation 1." in result.err, "validation told", result)
        folder = case.path("r" + "".join(more))
        with open(f"{folder}/result.json") as file:
            record = json.load(file)
        case.expect(record.get("model") is None and record.get("probe") is None, f"no figures in the record, not {record}")
        for words in (("report", "--text"), ("report", "--device", "cpu")):
            report = case.run(*words, "--run", folder)
            case.expect(report.code == 0 and none(report), "a report without them", report)
        with open(f"{folder}/report.html") as file:
            page = file.read()
        case.expect("0 of 0" not in page and "no rows to test on" in page.lower(), "the page says so")
    result = run("v", "--validation-share", "0")
    case.expect(result.code == 0 and none(result), "no validation figures of no rows", result)
    # With rows the figures are there.
    result = run("t")
    case.expect(result.code == 0 and re.search(r"test accuracy +[01]\.\d{3} .* of 8\)", result.out), "figures of 8 rows", result)
