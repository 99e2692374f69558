# SPDX-License-Identifier: Apache-2.0
"""Hidden files and folders among the reviews (vision #2831, pybids #1069)."""

TITLE = "what systems and editors leave behind is no review and no class"


def check(case):
    encoder = case.encoder("enc")
    texts = {"neg": ["bad film", "dull plot"], "pos": ["good film", "great cast"]}

    def folder(name, junk):
        for label, reviews in texts.items():
            for number, text in enumerate(reviews):
                case.write(f"{name}/{label}/{number}_1.txt", text)
        for path, content in junk.items():
            case.write(f"{name}/{path}", content)
        return case.path(name)

    def embedded(data):
        out = case.path("o.safetensors")
        return case.run("embed", "--encoder", encoder, "--data", data, "--device", "cpu", "--out", out), out

    right, _ = embedded(folder("clean", {}))
    case.accepts(right)
    case.expect("left out" not in right.err, "nothing left out of a clean folder", right)
    for name, junk in {
            "jupyter": {".ipynb_checkpoints/0_9-checkpoint.txt": "good film", "pos/.ipynb_checkpoints/a.txt": "x"},
            "mac": {".DS_Store": b"\0\1Bud1", "pos/._0_9.txt": b"\0\5\x16\7\xff", "__MACOSX/pos/._0_1.txt": b"\xff"},
            "mac4096": {"pos/._0_9.txt": b"\0\5\x16\7" + b"\xb0" * 4092},
            "windows": {"neg/Thumbs.db": b"\xd0\xcf", "pos/desktop.ini": b"\xff\xfe[", "neg/0_1.txt~": "bad film"},
            "git": {".git/HEAD": "ref", ".gitignore": "x", "neg/.0_1.txt.swp": b"b0VIM\0\xff"}}.items():
        result, out = embedded(folder(name, junk))
        if case.accepts(result):
            case.expect(case.embeddings(out) == (4, [0, 0, 1, 1], ["neg", "pos"]), f"{name}: four reviews of two classes", result)
            case.expect(case.fingerprint(result) == case.fingerprint(right), f"{name}: the features of the clean folder", result)
            count = len({path.split("/")[0] if path[0] in "._" else path for path in junk})
            case.expect(f"left out {count} hidden" in result.err, f"{name}: {count} hidden files and folders told", result)
    # Files of other kinds are told too.
    result, out = embedded(folder("others", {"labels.csv": "a,b", "pos/notes.md": "x", "README": "x"}))
    case.expect(result.code == 0 and case.embeddings(out)[0] == 4 and "left out 3 other files" in result.err,
                "three other files told", result)
