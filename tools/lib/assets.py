# SPDX-License-Identifier: Apache-2.0
"""The assets that can be fetched, and the cache that holds them, for the scripts in tools/."""

import json
import os

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def cache():
    """As CacheFolder.swift has it: empty variables, and a relative path of XDG's, say nothing."""
    own, base = os.environ.get("TESSERA_CACHE"), os.environ.get("XDG_CACHE_HOME", "")
    if own:
        return os.path.abspath(own)
    return os.path.join(base if base.startswith("/") else os.path.expanduser("~/.cache"), "tessera")


CACHE = cache()

with open(os.path.join(ROOT, "Sources", "CAssets", "assets.json"), encoding="utf-8") as _file:
    ASSETS = {asset["name"]: asset for asset in json.load(_file)["assets"]}
