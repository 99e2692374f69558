# SPDX-License-Identifier: Apache-2.0
"""Standard streams that are closed, full or broken."""

import os

import judge


def check(bench):
    calls = {name: command for name, command in bench.commands.items()}
    lines = {name: lambda command=command: command.line(bench.tessera, command.inputs, bench.fresh() + "/out")
             for name, command in calls.items()}
    for words in (["devices", "--quick"], ["devices", "--quick", "--json"], ["--help"], ["run", "--help"], ["--version"],
                  ["verify", "--device", "cpu", "--only", "rowSum", "--quiet"],
                  ["predict", "--run", f"{bench.work}/run", "--text", "good", "--json", "--device", "cpu"]):
        lines[" ".join(words[:2])] = lambda words=words: [bench.tessera, *words]
    for name, words in lines.items():
        # What has its results on standard output fails where they are lost; nothing is told where nobody listens.
        prints = name not in ("embed", "layout", "render", "train", "run", "report")
        for what, shell in (("full", '"$@" >/dev/full'), ("closed", '"$@" >&-')):
            bench.judge(f"{name}: output {what}", words(), True if prints else None, shell=shell, about="standard output",
                        codes=(1,))
        bench.judge(f"{name}: input closed", words(), False, shell='"$@" <&-')
        bench.judge(f"{name}: errors closed", words(), False, shell='"$@" 2>&-')
        bench.judge(f"{name}: errors full", words(), False, shell='"$@" 2>/dev/full')
        bench.judge(f"{name}: input and errors closed", words(), False, shell='"$@" <&- 2>&-')
        # A reader that goes away ends a command quietly.
        bench.judge(f"{name}: output to head", words(), False, shell='"$@" | head -c 1 >/dev/null; exit 0')
    bad = bench.fresh() + "/missing"
    for what, shell in (("closed", '"$@" 2>&-'), ("full", '"$@" 2>/dev/full'), ("all closed", '"$@" <&- >&- 2>&-')):
        bench.checks += 1
        code, _, _ = bench.call([bench.tessera, "embed", "--data", bad, "--encoder", bad, "--out", bad], shell=shell)
        if code != 2:
            bench.find(f"a refusal with errors {what}", f"code {code}, wanted 2")
    # With all streams closed files get no descriptor of theirs: what is written is what it should be.
    for name in ("embed", "layout", "render"):
        command, out = bench.commands[name], bench.fresh() + "/out"
        bench.checks += 1
        bench.call(command.line(bench.tessera, command.inputs, out), shell='"$@" <&- >&- 2>&-')
        if not os.path.isfile(out) or judge.tiny.sha256(out) != bench.bytes[name]:
            bench.find(f"{name}: all streams closed", "another file than undisturbed")
    predict = [bench.tessera, "predict", "--run", f"{bench.work}/run", "--device", "cpu", "--quiet"]
    for what, shell, refused in (
            ("nothing", 'true | "$@"', True), ("closed", '"$@" <&-', True), ("a folder", '"$@" </', True),
            ("blank lines", 'printf "\\n\\n \\n" | "$@"', False), ("no line feed at the end", 'printf good | "$@"', False),
            ("NUL", 'printf "good\\0bad\\n" | "$@"', False), ("no UTF-8", 'printf "good \\xff\\n" | "$@"', None),
            ("a line of 20 MB", 'head -c 20000000 /dev/zero | tr "\\0" a | "$@"', None),
            ("returns", 'printf "good\\r\\nbad\\r\\n" | "$@"', False)):
        bench.judge(f"predict from standard input: {what}", predict, refused, shell=shell)
    if os.path.exists(bad):
        bench.find("streams", "a refused call left its output")
