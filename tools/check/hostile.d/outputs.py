# SPDX-License-Identifier: Apache-2.0
"""Places for output that cannot be written to, or are not what they seem."""

import os
import shutil
import subprocess


def check(bench):
    for command in bench.commands.values():
        if command.out:
            places(bench, command)
            limits(bench, command)
    traces(bench)
    disks(bench)


def line(bench, command, out):
    return command.line(bench.tessera, command.inputs, out)


def places(bench, command):
    folder = bench.fresh()
    with open(f"{folder}/file", "w") as file:
        file.write("old")
    os.mkdir(f"{folder}/folder")
    os.mkfifo(f"{folder}/pipe")
    os.symlink("nowhere", f"{folder}/dangling")
    os.symlink("loop", f"{folder}/loop")
    refused = {"below a file": "file/out", "a loop of links": "loop", "a name too long": "x" * 256,
               "a path too long": "x/" * 3000 + "y", "a pipe": "pipe"}
    if command.folder:
        refused["a file"] = "file"
    else:
        refused |= {"a folder": "folder", "a link to nothing": "dangling", "a folder with a slash": "folder/"}
    for what, name in refused.items():
        bench.judge(f"{command.name} {command.out}: {what}", line(bench, command, f"{folder}/{name}"), True, [folder])
    for device in ("/dev/full", "/dev/null", "/dev/stdout", ""):
        bench.judge(f"{command.name} {command.out}: {device or 'empty'}", line(bench, command, device), True, [folder],
                    shell='"$@" | cat; exit ${PIPESTATUS[0]}')
    for device in ("/dev/full", "/dev/null"):
        if os.path.isfile(device):
            bench.find(f"{command.name} {command.out}: {device}", "the device is gone")
    os.mkdir(f"{folder}/real")
    os.symlink("real", f"{folder}/way")
    accepted = {"a new folder on the way": "new/er/out", "spaces": " a  b ", "a line feed": "a\nb", "other letters": "日本🎬",
                "the longest name": "z" * 255, "a folder that is a link": "way/out", "two slashes": "real//out2"}
    if not command.folder:
        os.symlink("real/target", f"{folder}/link")
        open(f"{folder}/real/target", "w").close()
        accepted |= {"a file that is there": "file", "a link to a file": "link"}
    for what, name in accepted.items():
        out, told = f"{folder}/{name}", f"{command.name} {command.out}: {what}"
        if bench.judge(told, line(bench, command, out), False):
            bench.same(told, command.name)
            if what == "a link to a file" and not os.path.islink(out):
                bench.find(told, "the link was replaced")
    leftovers = [name for root, _, names in os.walk(folder) for name in names if ".tmp" in name]
    bench.checks += 1
    if leftovers:
        bench.find(f"{command.name} {command.out}", f"left {leftovers}")


def limits(bench, command):
    """A limit on the size of files: told, nothing half written."""
    for blocks in (0, 1, 4):
        folder = bench.fresh()
        words = line(bench, command, f"{folder}/out")
        watched = [] if command.folder else [folder]
        # Small outputs may fit.
        told = f"{command.name} {command.out}: files of at most {blocks} KiB"
        bench.judge(told, words, True if blocks < 4 else None, watched, 
                    shell=f'(ulimit -f {blocks}; "$@") 2>&1 >/dev/null | cat >&2; exit ${{PIPESTATUS[0]}}')
        if command.folder:
            left = [n for n in os.listdir(folder + "/out") if n.endswith(".tmp")] if os.path.isdir(folder + "/out") else []
            if left:
                bench.find(told, f"left {left}")


def traces(bench):
    folder = bench.fresh()
    os.mkfifo(f"{folder}/pipe")
    command = bench.commands["embed"]
    for what, trace in (("a folder", folder), ("a pipe", f"{folder}/pipe"), ("/dev/full", "/dev/full"), ("empty", "")):
        words = line(bench, command, f"{folder}/out") + ["--trace", trace]
        bench.judge(f"embed --trace: {what}", words, True, [folder])


def disks(bench):
    """A full disk and one that is read only."""
    small, fixed = bench.fresh(), bench.fresh()

    def mount(*words):
        return subprocess.run(["mount", *words], capture_output=True).returncode == 0

    if not mount("-t", "tmpfs", "-o", "size=64k", "none", small):
        bench.left_out.append("full and read-only disks: no right to mount")
        return
    try:
        for command in bench.commands.values():
            if not command.out:
                continue
            with open(f"{small}/ballast", "wb", buffering=0) as ballast:
                try:
                    while ballast.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            watched = [] if command.folder else [small]
            bench.judge(f"{command.name} {command.out}: a full disk", line(bench, command, f"{small}/out"), True, watched,
                        about="No space left")
            for name in os.listdir(small):
                path = f"{small}/{name}"
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    finally:
        subprocess.run(["umount", small])
    if not mount("-t", "tmpfs", "-o", "ro", "none", fixed):
        bench.left_out.append("read-only disks: no right to mount")
        return
    try:
        for command in bench.commands.values():
            if command.out:
                bench.judge(f"{command.name} {command.out}: a read-only disk", line(bench, command, f"{fixed}/out"), True,
                            [fixed], about="Read-only")
    finally:
        subprocess.run(["umount", fixed])
