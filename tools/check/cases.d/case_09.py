# SPDX-License-Identifier: Apache-2.0
"""The ids are Hugging Face's (tools/golden/folders.py): added tokens are found before words are, from the left, the longest."""

import os

import tokens

TITLE = "added tokens of every file are found in texts as Hugging Face finds them"


def token(content, **flags):
    return {"content": content, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True,
            **flags}


def check(case):
    plain = case.encoder("plain", tokens=["[", "]", "##s", "s"], config={"vocab_size": 32})
    # The table of embeddings has rows for three more than the vocabulary of 29.
    case.encoder("rows", tokens=["[", "]", "##s", "s", "x", "y", "z"])
    os.replace(case.path("rows/model.safetensors"), os.path.join(plain, "model.safetensors"))
    ids = {**tokens.vocabulary(plain), "[ACTOR]": 29, "Actor": 29, "good film": 29, "more": 30}

    def folder(name, **files):
        copy = tokens.copy(case, plain, name)
        tokens.write_json(case, copy, **files)
        return copy

    decoder = {"added_tokens_decoder": {"29": token("[ACTOR]")}}
    tokens.expect_tokens(case, plain, {"[ACTOR] film": "[ [UNK] ] film"}, ids, "no added tokens")
    whole = {"[ACTOR] film": "[ACTOR] film", "a[ACTOR]s": "a [ACTOR] s", "[actor]": "[ [UNK] ]"}
    tokens.expect_tokens(case, folder("decoder", tokenizer_config=decoder), whole, ids, "added_tokens_decoder")
    tokens.expect_tokens(case, folder("special", added_tokens={"[ACTOR]": 29},
                                      tokenizer_config={"additional_special_tokens": ["[ACTOR]"]}), whole, ids,
                         "added_tokens.json, special")
    tokens.expect_tokens(case, folder("map", special_tokens_map={"additional_special_tokens": ["[ACTOR]"]}), whole, ids,
                         "special_tokens_map.json")
    tokens.expect_tokens(case, folder("both", tokenizer_config=decoder, added_tokens={"more": 30},
                                      special_tokens_map={"cls_token": "a"}), {**whole, "more": "[UNK]"}, ids,
                         "added_tokens_decoder, by which the other files do not count")
    # Not special: looked for in the normalised text.
    tokens.expect_tokens(case, folder("added", added_tokens={"[ACTOR]": 29, "more": 30}),
                         {"[actor] [ACTOR]": "[ACTOR] [ACTOR]", "aMORE": "a more"}, ids, "added_tokens.json")
    single = {"added_tokens_decoder": {"29": token("Actor", single_word=True)}}
    tokens.expect_tokens(case, folder("single", tokenizer_config=single),
                         {"Actor": "Actor", "Actors": "[UNK]", "(Actor)": "[UNK] Actor [UNK]", "\u00e9Actor": "[UNK]"}, ids,
                         "single_word")
    longest = {"added_tokens_decoder": {"6": token("film"), "29": token("good film"), "30": token("more")}}
    tokens.expect_tokens(case, folder("longest", tokenizer_config=longest),
                         {"a good films good morefilm": "a Actor s good more film"}, ids, "the longest of several")
    split = {**decoder, "split_special_tokens": True}
    tokens.expect_tokens(case, folder("split", tokenizer_config=split), {"[ACTOR]": "[ [UNK] ]"}, ids, "split_special_tokens")
    named = {"cls_token": "film", "sep_token": {"__type": "AddedToken", **token("good")}}
    tokens.expect_tokens(case, folder("named", tokenizer_config=named), {"a": "a"},
                         {**ids, "[CLS]": ids["film"], "[SEP]": ids["good"]}, "other special tokens")
    for name, files, words in [
        ("negative", {"added_tokens": {"x": -1}}, ["added_tokens.json: x", "-1"]),
        ("double", {"added_tokens": {"x": 29, "y": 29}}, ["one id 29"]),
        ("beyond", {"added_tokens": {"t%d" % i: 29 + i for i in range(4)}}, ["id 32", "vocab_size"]),
        ("list", {"tokenizer_config": {"added_tokens_decoder": []}}, ["added_tokens_decoder"]),
        ("missing", {"tokenizer_config": {"cls_token": "[START]"}}, ["[START]"]),
    ]:
        tokens.refusal(case, folder(name, **files), *words)
    moved = folder("moved", added_tokens={"[ACTOR]": 31})
    result = case.run("embed", "--encoder", moved, "--data", case.write("one.csv", "text\na\n"), "--unlabelled", "--device",
                      "cpu", "--quiet", "--out", case.path("o.safetensors"))
    case.expect(result.code == 0 and "31" in result.err and "29" in result.err, "another id than stated is told", result)
