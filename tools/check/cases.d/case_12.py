# SPDX-License-Identifier: Apache-2.0
"""Memory and threads that run out end in one line, whatever is at work."""

import re
import subprocess

from common import SMALL

TITLE = "where memory or threads run out, one line says how much was wanted for what"


def check(case):
    encoder, data = case.encoder("enc"), case.reviews("r.csv", 200)
    run = ["run", "--encoder", encoder, "--data", data, *SMALL, "--quiet", "--threads", "2"]

    def limited(limit, *words):
        line = f'{limit}; exec "$0" "$@"'
        done = subprocess.run(["bash", "-c", line, case.tessera, *map(str, words)], capture_output=True, text=True,
                              timeout=120, stdin=subprocess.DEVNULL)
        if case.lines:
            print(limit, words[0], done.returncode, done.stderr, flush=True)
        return done

    def one_line(what, done):
        lines = done.stderr.splitlines()
        good = done.returncode == 1 and len(lines) == 1 and lines[0].startswith("tessera: ") and "wanted" in lines[0]
        about = re.search(r"\d+ bytes|no thread to be had|no memory", lines[0] if lines else "")
        case.expect(good and about, f"{what}: code 1 and one line with a size", f"code {done.returncode}\n{done.stderr[-600:]}")

    # The least with which it starts at all, and with which it comes to its end; between them it must fail in one line.
    low, high = 40_000, 4_000_000
    while high - low > 20_000:
        middle = (low + high) // 2
        done = limited(f"ulimit -v {middle}", *run, "--model", "vgg16", "--out", case.path(f"out{middle}"))
        if done.returncode == 0:
            high = middle
        else:
            low = middle
            # The system's own loader does not find room for the libraries.
            if "error while loading shared libraries" not in done.stderr and done.returncode != 127:
                one_line(f"ulimit -v {middle}", done)
    starts = next((v for v in range(20_000, high, 4_000)
                   if limited(f"ulimit -v {v}", "--version").returncode == 0), high)
    step = max(1, (high - starts) // 24)
    for value in range(starts + step, high - step, step):
        done = limited(f"ulimit -v {value}", *run, "--model", "vgg16", "--out", case.path(f"step{value}"))
        if done.returncode != 0:
            one_line(f"ulimit -v {value}", done)

    # Data larger than the memory: Swift's own arrays.
    big = case.path("big.csv")
    with open(big, "w") as file:
        file.write("review,sentiment\n")
        for row in range(60_000):
            file.write(f"{'good film ' * 400}{row},{'positive' if row % 2 else 'negative'}\n")
    for value in (high + 20_000, high + 60_000):
        one_line(f"240 MB of reviews, ulimit -v {value}",
                 limited(f"ulimit -v {value}", "embed", "--encoder", encoder, "--data", big, "--device", "cpu", "--quiet",
                         "--out", case.path("e")))

    threads(case, limited, one_line)
    opencl(case, limited)


def threads(case, limited, one_line):
    """More threads than the process may have: stacks that do not fit into its address space."""
    done = limited("ulimit -s 400000; ulimit -v 1200000", "bench", "matmul", "--shape", "256x256x256", "--device", "cpu",
                   "--threads", "8", "--quiet")
    one_line("stacks of 400 MB for 8 threads", done)


def opencl(case, limited):
    """A runtime that has no memory left fails as one line, too."""
    devices = limited("true", "devices", "--quick")
    if "opencl:0" not in devices.stdout:
        return
    for value in (300_000, 450_000, 600_000):
        done = limited(f"ulimit -v {value}", "bench", "matmul", "--shape", "2048x2048x2048", "--device", "opencl", "--quiet")
        lines = [line for line in done.stderr.splitlines() if not line.startswith("tessera: warning: ")]
        case.expect(done.returncode in (0, 1, 2) and (done.returncode == 0 or len(lines) == 1),
                    f"opencl, ulimit -v {value}: an answer or one line", f"code {done.returncode}\n{done.stderr[-600:]}")
