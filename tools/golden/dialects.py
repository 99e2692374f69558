#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/TesseraDataTests/Golden/dialects.json: tables as Python's csv module writes and reads them, by each dialect.

    tools/golden/dialects.py

Needs Python's standard library alone. Each entry: the dialect, the separator, the text, and its rows as csv.reader reads them."""

import csv
import io
import json
import os
import random

PIECES = ["good", "film", " ", "  ", '"', '""', "'", ",", ";", "\t", "|", "\n", "\r\n", "\r", "\\", '\\"', "\\\\", "\\n", "é", "好",
          "\U0001f600", "\0", "1", "0", "a b", "=", "#", "\u2028", "\x85"]


def cell(draw, forbidden):
    pieces = [piece for piece in PIECES if not any(mark in piece for mark in forbidden)]
    return "".join(draw.choice(pieces) for _ in range(draw.randrange(0, 9)))


def written(rows, **dialect):
    file = io.StringIO(newline="")
    csv.writer(file, **dialect).writerows(rows)
    return file.getvalue()


def main():
    draw = random.Random(24)
    tables = []
    for number in range(240):
        quotes = ("double", "backslash", "none")[number % 3]
        separator = draw.choice(",;\t|")
        end = draw.choice(["\n", "\r\n"])
        dialect = {"delimiter": separator, "lineterminator": end}
        forbidden = []
        if quotes == "double":
            dialect["quoting"] = draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        elif quotes == "backslash":
            dialect.update(doublequote=False, escapechar="\\", quoting=draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        else:
            dialect.update(quoting=csv.QUOTE_NONE, quotechar=None)
            forbidden = [separator, "\n", "\r"]
        columns = draw.randrange(2, 5)
        rows = [[f"c{i}" for i in range(columns)]]
        rows += [[cell(draw, forbidden) for _ in range(columns)] for _ in range(draw.randrange(1, 7))]
        # A line that holds nothing is no row.
        rows = [row if any(row) else ["x"] * columns for row in rows]
        text = written(rows, **dialect)
        read = list(csv.reader(io.StringIO(text, newline=""), **{**dialect, "strict": True}))
        if quotes != "none" and read != rows:
            # csv.writer leaves some escapes out that its reader needs: what it cannot read back is no reference.
            continue
        tables.append({"quotes": quotes, "separator": separator, "text": text, "rows": read})
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "..", "..", "Tests", "TesseraDataTests", "Golden", "dialects.json")
    with open(path, "w") as file:
        json.dump(tables, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")
    kinds = {kind: sum(table["quotes"] == kind for table in tables) for kind in ("double", "backslash", "none")}
    print(f"{len(tables)} tables {kinds}, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
