# SPDX-License-Identifier: Apache-2.0
"""Folders one too high, without .txt, with .TXT, divided into parts."""

import os

TITLE = "folders are read, or it is said where was looked and what is wanted"


def check(case):
    encoder = case.encoder("enc")

    def embedded(data, *more):
        out = case.path("o.safetensors")
        data = case.path(data)
        return case.run("embed", "--encoder", encoder, "--data", data, "--device", "cpu", "--out", out, *more), out

    def texts(folder, ending=".txt", classes=("neg", "pos"), count=3):
        for label in classes:
            for number in range(count):
                case.write(f"{folder}/{label}/{number}_1{ending}", f"{'good' if label == classes[-1] else 'bad'} film {number}")

    texts("plain")
    plain, _ = embedded("plain")
    right = case.fingerprint(plain)
    case.accepts(plain)

    texts("aclImdb_v1/aclImdb/train")
    texts("aclImdb_v1/aclImdb/test", count=2)
    case.write("aclImdb_v1/aclImdb/train/unsup/0_0.txt", "so so")
    case.write("aclImdb_v1/aclImdb/imdb.vocab", "the")
    case.refuses(embedded("aclImdb_v1", "--quiet")[0], "one folder, aclImdb", "holds test, train", case.path("aclImdb_v1/aclImdb"))
    result, _ = embedded("aclImdb_v1/aclImdb")
    case.expect(result.code == 0 and case.fingerprint(result) == right, "the training part", result)
    case.expect("train; test not read" in result.err and "1 texts of unsup" in result.err, "what was read is told", result)
    texts("train_val/train")
    texts("train_val/val", count=1)
    result, _ = embedded("train_val")
    case.expect(result.code == 0 and case.fingerprint(result) == right and "train; val not read" in result.err,
                "the training part, and that val was not read", result)

    texts("upper", ".TXT", ("Neg", "Pos"))
    result, out = embedded("upper")
    case.expect(result.code == 0 and case.embeddings(out) == (6, [0, 0, 0, 1, 1, 1], ["Neg", "Pos"]), ".TXT is read", result)
    texts("20news", "", ("rec.autos", "sci.space"))
    result, out = embedded("20news")
    case.expect(result.code == 0 and case.embeddings(out)[0] == 6, "files without an ending", result)
    texts("odd", ".md")
    case.refuses(embedded("odd", "--quiet")[0], "odd/neg", "3 files", ".txt")
    texts("domains/books")
    texts("domains/dvd")
    case.refuses(embedded("domains", "--quiet")[0], "domains/books", "the folders neg, pos", "such as")
    texts("half")
    os.makedirs(case.path("half/mixed"))
    case.refuses(embedded("half", "--quiet")[0], "half/mixed", "an empty folder")
    os.rmdir(case.path("half/mixed"))
    os.symlink(case.path("half"), case.path("half/neg/again"))
    result, _ = embedded("half")
    case.expect(result.code == 0 and case.fingerprint(result) == right, "a link that leads back is no loop", result)
    case.refuses(embedded("plain/neg", "--quiet")[0], "3 files and no folders", "a folder per class")
    os.makedirs(case.path("nothing"))
    case.refuses(embedded("nothing", "--quiet")[0], "no folders", "a folder per class")
