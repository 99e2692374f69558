# SPDX-License-Identifier: Apache-2.0
"""An honest tiny run, and ways to make another in its name: by other options, data, images or kernels."""

import os
import random
import shutil
import threading

import forge as f
import tiny

KERNELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "Kernels")
STAGES = ["encoder", "embeddings", "test-embeddings", "layout", "images", "model", "evaluation", "repeat-1"]
ROWS, TEST_ROWS, TRAINED, EPOCHS = 100, 40, 80, 10
TRAINING = ["--model", "alexnet", "--head", "linear", "--bypass", "none", "--batch", "1",
            "--epochs", str(EPOCHS), "--classifier-lr", "3e-4", "--normalization", "pixel",
            "--slice", "frozen"]


def write_reviews(path, count, seed):
    """Reviews of which a third of the words lean to one side, more or less: a training goes up and down."""
    draw, words = random.Random(seed), tiny.WORDS
    lines = ["review,sentiment"]
    for row in range(count):
        good, said = row % 2, []
        for at in range(8):
            side = good if draw.random() < 0.72 else 1 - good
            opinions = words[5:9] if side else words[9:13]
            said.append(draw.choice(opinions if at % 3 == 1 else words[:5] + words[13:17]))
        lines.append(f"{' '.join(said)}.,{'positive' if good else 'negative'}")
    f.write(path, "\n".join(lines) + "\n")


class Refused(Exception):
    """The product did not do what the forger asked for."""


class Workshop:
    def __init__(self, options, work):
        self.options, self.work, self.honest = options, work, f"{work}/honest"
        self.environment = {"TESSERA_CACHE": "", "XDG_CACHE_HOME": f"{work}/cache",
                            "POCL_CACHE_DIR": os.environ.get("POCL_CACHE_DIR", f"{work}/pocl")}
        self.lock, self.numbers, self.others = threading.Lock(), {}, {}
        tiny.write_encoder(f"{work}/encoder")
        write_reviews(f"{work}/reviews.csv", ROWS, 1)
        write_reviews(f"{work}/test.csv", TEST_ROWS, 2)
        self.run(self.honest)

    def tessera(self, *arguments, code=0):
        result = tiny.Result([self.options.tessera, *arguments], self.environment, self.options.limit)
        if result.code != code:
            raise Refused(f"code {result.code}: {result.errors.strip()}")
        return result

    def run(self, out, *more, device=None):
        """A whole run, or what is missing of one; `more` stands for other options than the honest ones."""
        command = tiny.command(self.options.tessera, self.work, out, device or self.options.device,
                               *TRAINING, "--test", f"{self.work}/test.csv", "--repeats", "2",
                               "--iterations", "120", "--keep-states", "all", *more)
        return self.tessera(*command[1:])

    def folder(self, name):
        """A path for a forger's own work."""
        with self.lock:
            self.numbers[name] = self.numbers.get(name, 0) + 1
            return f"{self.work}/{name}-{self.numbers[name]}"

    def other(self, run, *options, device=None, again=None):
        """The run made with other options from the first stage that they change (or `again`), in the honest
        one's name."""
        if again:
            os.remove(f"{run}/{again}.json")
        self.run(run, *options, device=device)
        f.claim(run, self.honest, STAGES)

    def elsewhere(self, run, *options):
        """The same, of data or an encoder that the run's folder would refuse."""
        shutil.rmtree(run)
        self.run(run, *options)
        shutil.rmtree(f"{run}/encoder")
        shutil.copytree(f"{self.honest}/encoder", f"{run}/encoder")
        f.put(self.honest, run, "encoder.json")
        f.claim(run, self.honest, STAGES)

    def finished(self, name, *options):
        """A finished run by other options, made once."""
        with self.lock:
            if name not in self.others:
                self.run(f"{self.work}/{name}", *options)
                self.others[name] = f"{self.work}/{name}"
        return self.others[name]

    def go_on(self, run, stage, fingerprint, **changes):
        """Makes a stage's record fit, and lets Tessera make all that follows from it."""
        f.fit(run, stage, fingerprint=fingerprint, **changes)
        for later in STAGES[STAGES.index(stage) + 1:-1]:
            # Tessera would keep images whose layout is the same, though their embeddings are not.
            os.remove(f"{run}/{later}.json")
        self.run(run)

    def edit(self, run, stage, name, change):
        """Changes a file's tensors, and lets Tessera make all that follows from them."""
        tensors = f.Tensors(f"{run}/{name}")
        change(tensors)
        print_of_file = tensors.save()
        if stage == "images":
            others = [f.Tensors(f"{run}/{file}").fingerprint for file in (f.IMAGES, f.TEST_IMAGES)]
            print_of_file = f.sha256(*map(f.text, others))
        self.go_on(run, stage, print_of_file)

    def train(self, run, change=None, *options):
        """Puts another training in place: of the run's images after a change, by other options."""
        images, out = f.Tensors(f"{run}/{f.IMAGES}"), self.folder("training")
        if change:
            change(images)
        os.makedirs(out)
        images.save(f"{out}.safetensors")
        self.tessera("train", "--images", f"{out}.safetensors", "--out", out, "--device",
                     self.options.device, "--threads", "1", "--quiet", *TRAINING, *options)
        f.put(out, run, f.MODEL)
        f.write(f"{run}/{f.HISTORY}", f.history_of(f"{out}/checkpoint.safetensors"))
        shutil.rmtree(f"{run}/states", ignore_errors=True)
        model = f.Tensors(f"{run}/{f.MODEL}")
        self.go_on(run, "model", model.fingerprint, facts={"kept epoch": model.metadata["epoch"]})

    def kernels(self, name, old, new):
        """A folder with one file of the kernels in which something was replaced."""
        with open(f"{KERNELS}/{name}") as file:
            text = file.read()
        if old not in text:
            raise Refused(f"no {old!r} in Kernels/{name}")
        folder = self.folder("kernels")
        os.makedirs(folder)
        f.write(f"{folder}/{os.path.basename(name)}", text.replace(old, new))
        return folder

    def verify(self, run, *more):
        """The certificate as JSON, or the refusal."""
        command = [self.options.tessera, "verify", "--run", run, "--device", self.options.device,
                   "--threads", "1", "--quiet", "--json", *more]
        return tiny.Result(command, self.environment, self.options.limit)
