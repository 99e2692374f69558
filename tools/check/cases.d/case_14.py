# SPDX-License-Identifier: Apache-2.0
"""Encodings, separators, arrays, files without a header, and files of other kinds."""

import bz2
import gzip
import io
import lzma
import zipfile

TITLE = "encodings, separators and JSON arrays are read; files of other kinds are named with what helps"


def check(case):
    encoder = case.encoder("enc")
    rows = [("A caf\u00e9 film, really \u2013 fine", "pos"), ("Dull; slow", "neg"), ("good", "pos"), ("bad|worse", "neg")]
    header = ("review", "sentiment")

    def embedded(name, content, *more):
        out = case.path("o.safetensors")
        data = case.write(name, content)
        return case.run("embed", "--encoder", encoder, "--data", data, "--device", "cpu", "--quiet", "--out", out, *more), out

    def table(separator=",", rows=rows, header=header, end="\n"):
        lines = ([header] if header else []) + rows
        quoted = [[f'"{cell}"' if separator in cell else cell for cell in line] for line in lines]
        return "".join(separator.join(line) + end for line in quoted)

    reference, _ = embedded("plain.csv", table())
    right = case.fingerprint(reference)
    case.accepts(reference)

    def same(what, name, content, *more):
        result, _ = embedded(name, content, *more)
        case.expect(result.code == 0 and case.fingerprint(result) == right, f"{what}: the features of the plain file", result)

    objects = [f'{{"text":"{text}","label":"{label}"}}' for text, label in rows]
    same("UTF-8 with a mark", "a.csv", b"\xef\xbb\xbf" + table().encode())
    for order, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        same(order, "a.csv", mark + table("\t").encode(order))
        same(f"{order} JSON", "a.jsonl", mark + "\n".join(objects).encode(order))
        same(f"{order} without a mark", "a.csv", table().encode(order), "--encoding", order.replace("-", ""))
        result, _ = embedded("a.csv", table().encode(order))
        case.refuses(result, "UTF-16 without a byte order mark", "--encoding " + order.replace("-", ""))
    same("windows-1252", "a.csv", table().encode("cp1252"), "--encoding", "windows-1252")
    result, _ = embedded("a.csv", table().encode("cp1252"))
    case.refuses(result, "a.csv: line 2", "not UTF-8", "0xe9", "byte 24", "--encoding windows-1252")
    latin = [(text.replace("\u2013", "-"), label) for text, label in rows]
    one, _ = embedded("a.csv", table(rows=latin))
    two, _ = embedded("b.csv", table(rows=latin).encode("latin-1"), "--encoding", "latin1")
    case.expect(one.code == two.code == 0 and case.fingerprint(one) == case.fingerprint(two), "latin1", two)
    for separator, name in ((";", "a.csv"), ("\t", "a.csv"), ("|", "a.csv"), (";", "a.txt"), ("\t", "a.tsv"), ("|", "a")):
        same(f"the separator {separator!r} in {name}", name, table(separator))
    same("sep=;", "a.csv", "sep=;\r\n" + table(";", end="\r\n"))
    same("sep=,", "a.csv", "sep=,\n" + table())
    same("CRLF", "a.csv", table(end="\r\n"))
    same("CR alone", "a.csv", table(end="\r"))
    same("no line end in the end", "a.csv", table()[:-1])
    same("a named separator", "a.csv", table("^"), "--separator", "^")
    same("names in upper case", "a.csv", table(header=("REVIEW", "Sentiment")))
    same("no header", "a.csv", table(header=None), "--no-header", "--text-column", "1", "--label-column", "2")
    same("no header, tabs", "a.txt", table("\t", header=None), "--no-header", "--text-column", "1", "--label-column", "2")
    case.refuses(embedded("a.txt", table("\t", header=None))[0], "header", "--no-header", "--text-column")
    case.refuses(embedded("a.txt", table("\t", header=None), "--no-header")[0], "--text-column", "a number from 1 to 2")
    case.refuses(embedded("a.csv", table(header=("review", "mood")))[0], "review, mood", "--label-column")
    same("an array", "a.json", "[" + ",".join(objects) + "]")
    same("an array over lines", "a.json", "[\n  " + ",\n  ".join(objects) + "\n]\n")
    same("an array with a mark", "a.json", b"\xef\xbb\xbf[" + ",".join(objects).encode() + b"]")
    same("lines in a .txt", "a.txt", "\n".join(objects))
    same("lines with CRLF and blank ones", "a.jsonl", "\r\n\r\n".join(objects) + "\r\n\r\n")
    same("gzip of lines", "a.jsonl.gz", gzip.compress("\n".join(objects).encode()))
    same("gzip of an array", "a.json.gz", gzip.compress(("[" + ",".join(objects) + "]").encode()))
    same("gzip of UTF-16", "a.csv.gz", gzip.compress(b"\xff\xfe" + table(";").encode("utf-16-le")))
    case.refuses(embedded("a.json", "[" + ",".join(objects))[0], "the end of the file within the array")
    case.refuses(embedded("a.jsonl", objects[0] + '\n{"text":{"a":1},"label":"pos"}\n')[0], "line 2", "nested")

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.csv", table())
    for name, content, *words in (
            ("x.zip", archive.getvalue(), "zip", "unzip"), ("x.csv", archive.getvalue(), "zip", "unzip"),
            ("x.csv.bz2", bz2.compress(table().encode()), "bzip2", "bunzip2"),
            ("x.csv.xz", lzma.compress(table().encode()), "xz", "unxz"),
            ("x.parquet", b"PAR1" + b"\x15\0" * 20 + b"PAR1", "Parquet", "read_parquet"),
            ("x.csv", b"PAR1" + b"\x15\0" * 20 + b"PAR1", "Parquet", "read_parquet"),
            ("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "office", "CSV"),
            ("x.db", b"SQLite format 3\0" + b"\0" * 100, "SQLite"), ("x.pdf", b"%PDF-1.4\n%\xe2\xe3", "PDF"),
            ("x.csv", b"<!DOCTYPE html><html><title>Sign in</title>", "HTML"),
            ("x.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "LFS", "git lfs pull"),
            ("x.txt", "__label__2 good film\n__label__1 bad film\n", "fastText", "sed"),
            ("x.csv", b"", "empty file"), ("x.csv", b"review,sentiment\n", "no reviews")):
        case.refuses(embedded(name, content)[0], name, *words)
