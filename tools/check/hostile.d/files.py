# SPDX-License-Identifier: Apache-2.0
"""Inputs that are no files, in strange places or of strange sizes, for every input of every command."""

import os
import shutil
import subprocess


def strange(bench, path):
    """(what, path in the input's place, whether it is refused, a part of the line)."""
    folder = bench.fresh()
    is_folder = os.path.isdir(path)

    def there(name):
        return f"{folder}/{name}"

    yield "missing", there("missing"), True, "No such file|nothing|no "
    yield "empty name", "", True, None
    os.mkfifo(there("pipe"))
    os.symlink(there("loop"), there("loop"))
    yield "a loop of links", there("loop"), True, "Too many levels|symbolic|no "
    os.symlink(there("nowhere"), there("dangling"))
    yield "a link to nothing", there("dangling"), True, None
    open(there("empty"), "w").close()
    yield "empty", there("empty"), True, None
    yield "below a file", there("empty/x"), True, "Not a directory|no "
    yield "/dev/null", "/dev/null", True, None
    yield "/dev/zero", "/dev/zero", True, None
    yield "a name too long", there("x" * 256), True, "too long|no "
    yield "a path too long", folder + "/x" * 3000, True, "too long|no "
    if is_folder:
        yield "a pipe", there("pipe"), True, None
    else:
        os.mkdir(there("folder"))
        yield "an empty folder", there("folder"), True, None
    ending = os.path.splitext(path)[1]
    # What is meant must be taken, wherever it stands.
    for what, name in (("spaces", " a  b "), ("a line feed", "a\nb"), ("other letters", "Übung-日本-🎬"), ("quotes", "a'b\"c`$(d)"),
                       ("a leading dash", "-x"), ("the longest name", "y" * (255 - len(ending)))):
        if is_folder:
            shutil.copytree(path, there(name))
        else:
            shutil.copy(path, there(name) + ending)
        yield what, there(name) + ("" if is_folder else ending), False, None
    os.symlink(path, there("link") + ending)
    yield "a link", there("link") + ending, False, None
    os.symlink(there("link") + ending, there("link2") + ending)
    yield "a link to a link", there("link2") + ending, False, None


def check(bench):
    for command in bench.commands.values():
        for option, own in command.inputs.items():
            for what, path, refused, about in strange(bench, own):
                out = bench.fresh() + "/out"
                words = command.line(bench.tessera, {**command.inputs, option: path}, out)
                name = f"{command.name} {option}: {what}"
                watched = [os.path.dirname(out)]
                if bench.judge(name, words, refused, watched, about) and command.out:
                    bench.same(name, command.name)
                    if command.folder:
                        shutil.rmtree(out)
    pipes(bench)
    sizes(bench)


def pipes(bench):
    """Data sets may come through a pipe; nothing else may, and a pipe that nobody writes to must not hold a command up."""
    for name in ("embed", "predict", "evaluate"):
        command = bench.commands[name]
        words = command.line(bench.tessera, {**command.inputs, "--data": "/dev/stdin"}, bench.fresh() + "/out")
        bench.judge(f"{name} --data: /dev/stdin", words, False, shell=f'cat {bench.work}/reviews.csv | "$@"')
        bench.judge(f"{name} --data: an empty pipe", words, True, shell='true | "$@"')
    for command in bench.commands.values():
        for option, own in command.inputs.items():
            if option == "--data" or os.path.isdir(own):
                continue
            pipe = bench.fresh() + "/pipe"
            os.mkfifo(pipe)
            words = command.line(bench.tessera, {**command.inputs, option: pipe}, bench.fresh() + "/out")
            bench.judge(f"{command.name} {option}: a pipe without a writer", words, True, about="a pipe")
    for name in ("evaluate", "predict", "report"):
        command = bench.commands[name]
        for file in sorted(os.listdir(f"{bench.work}/run")):
            for kind in ("pipe", "folder", "loop", "empty"):
                folder = bench.fresh()
                shutil.copytree(f"{bench.work}/run", folder + "/run")
                victim = f"{folder}/run/{file}"
                shutil.rmtree(victim) if os.path.isdir(victim) else os.remove(victim)
                if kind == "pipe":
                    os.mkfifo(victim)
                elif kind == "folder":
                    os.mkdir(victim)
                elif kind == "loop":
                    os.symlink(file, victim)
                else:
                    open(victim, "w").close()
                words = command.line(bench.tessera, {**command.inputs, "--run": folder + "/run"}, folder + "/out")
                # Some files are not needed for an answer: then it is the same answer.
                bench.judge(f"{name} --run: {file} is a {kind}", words, None)
                shutil.rmtree(folder)


def sizes(bench):
    """Files beyond what they can rightly be, sparse: refused by their size, not read."""
    folder = bench.fresh()
    sparse = {"data.csv": (3 << 30, "embed", "--data"), "config.json": (1 << 30, "embed", "--encoder"),
              "vocab.txt": (1 << 30, "embed", "--encoder"), "b.json": (1 << 30, "bench compare", "<before>"),
              "tensors": (64 << 30, "layout", "--embeddings")}
    for file, (size, name, option) in sparse.items():
        command, place = bench.commands[name], folder
        if option == "--encoder":
            place = f"{folder}/{file}-encoder"
            shutil.copytree(f"{bench.work}/encoder", place)
        path = f"{place}/{file}"
        with open(path, "w") as empty:
            empty.truncate(size)
        given = place if option == "--encoder" else path
        words = command.line(bench.tessera, {**command.inputs, option: given}, bench.fresh() + "/out")
        bench.judge(f"{name} {option}: {file} of {size >> 30} GiB", words, True)
        if bench.memory > 1 << 30:
            bench.find(f"{name} {option}: {file} of {size >> 30} GiB", f"took {bench.memory >> 20} MiB to refuse")
        os.remove(path)
    bomb = folder + "/bomb.csv.gz"
    subprocess.run(f"(echo review,sentiment; head -c 2500000000 /dev/zero) | gzip -1 >{bomb}", shell=True, check=True)
    command = bench.commands["embed"]
    words = command.line(bench.tessera, {**command.inputs, "--data": bomb}, folder + "/out")
    bench.judge("embed --data: 2.5 GB in gzip", words, True, about="unpacked")
    os.remove(bomb)
