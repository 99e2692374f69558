# SPDX-License-Identifier: Apache-2.0
"""Texts that begin with a quotation mark in tables that do not quote (pytorch/text #612, pytext #376)."""

TITLE = "a quotation mark at the beginning of a text swallows no row"


def embedded(case, encoder, data, *more):
    out = case.path("o.safetensors")
    return case.run("embed", "--encoder", encoder, "--data", data, "--device", "cpu", "--quiet", "--out", out, *more), out


def check(case):
    encoder = case.encoder("enc")
    rows = [('"a triumph of style', 1), ("so bad it hurts", 0), ('and that was it"', 0), ("plain dull", 0), ("good fun", 1)]

    def table(rows, separator, order=(0, 1), header=("sentence", "label")):
        lines = [header] + rows
        return "\n".join(separator.join(str(line[i]) for i in order) for line in lines) + "\n"

    for what, data in (
            ("tabs", case.write("a.tsv", table(rows, "\t"))), ("commas", case.write("a.csv", table(rows, ","))),
            ("the label first", case.write("b.tsv", table(rows, "\t", (1, 0)))),
            ("CRLF", case.write("c.tsv", table(rows, "\t").replace("\n", "\r\n"))),
            ("a quote that never closes", case.write("d.tsv", table(rows[:2] + rows[3:], "\t"))),
            ("two of them", case.write("e.tsv", table(rows + rows, "\t")))):
        result, out = embedded(case, encoder, data)
        if case.accepts(result):
            wanted = [label for text, label in rows if what != "a quote that never closes" or not text.startswith("and")]
            wanted *= 2 if what == "two of them" else 1
            count, labels, classes = case.embeddings(out)
            case.expect((count, labels, classes) == (len(wanted), wanted, ["0", "1"]), f"{what}: {wanted}, not {labels}", result)

    # The same rows as the same texts without the quotes in doubt give the same embeddings.
    plain, _ = embedded(case, encoder, case.path("a.tsv"))
    forced, _ = embedded(case, encoder, case.path("a.tsv"), "--quotes", "none")
    case.expect(case.fingerprint(plain) == case.fingerprint(forced) is not None, "what --quotes none gives", plain)
    # Named, the standard's meaning holds: three rows.
    doubled, out = embedded(case, encoder, case.path("a.tsv"), "--quotes", "double")
    case.expect(doubled.code == 0 and case.embeddings(out)[0] == 3, "three rows by --quotes double", doubled)

    # Where quotes mean something elsewhere in the file, it is asked.
    mixed = [('"well quoted"', 1), ('"open', 0), ("bad", 1), ('closed"', 0), ("fine", 1)]
    result, _ = embedded(case, encoder, case.write("f.tsv", table(mixed, "\t")))
    case.refuses(result, "line 3", "quote that opens here", "--quotes")
    # A text of several lines in quotes is one row, and a comma in it no column.
    genuine = 'review,label\n"two, really\nlines, and\nmore",1\n"one ""film""",0\nplain,1\nbad,0\n'
    result, out = embedded(case, encoder, case.write("g.csv", genuine))
    case.expect(result.code == 0 and case.embeddings(out)[:2] == (4, [1, 0, 1, 0]), "four rows", result)
    # A file that was cut off within quotes.
    cut = 'review,label\n"good, film",1\n"bad, film",0\n"cut, off'
    result, _ = embedded(case, encoder, case.write("h.csv", cut))
    case.refuses(result, "h.csv: line 4", "never closes", "--quotes none")
