# SPDX-License-Identifier: Apache-2.0
"""The right ids follow from what Hugging Face's BertTokenizer does with each setting; tools/golden/folders.py has them from it."""

import os

import tokens

TITLE = "tokenizer_config.json's do_lower_case, strip_accents, tokenize_chinese_chars decide the ids, and so the features"
WORDS = ["Good", "caf", "##\u00e9", "##e", "cafe", "\u597d", "\u597d\u597d", "Caf\u00e9", "##d"]


def check(case):
    plain = case.encoder("plain", tokens=WORDS, config={"vocab_size": 34})
    ids = tokens.vocabulary(plain)

    def folder(name, **setting):
        copy = tokens.copy(case, plain, name)
        tokens.write_json(case, copy, tokenizer_config=setting)
        return copy

    cased = folder("cased", do_lower_case=False)
    accents = folder("accents", strip_accents=False)
    strip = folder("strip", do_lower_case=False, strip_accents=True)
    following = folder("following", do_lower_case=True, strip_accents=None)
    ideographs = folder("ideographs", tokenize_chinese_chars=False)
    lower, kept = "good film", "Good [UNK]"
    for which, wanted in [
        (plain, {"Good FILM": lower, "Caf\u00e9": "cafe", "\u597d\u597d": "\u597d \u597d"}),
        (cased, {"Good FILM": kept, "Caf\u00e9": "Caf\u00e9", "caf\u00e9": "caf ##\u00e9", "\u597d\u597d": "\u597d \u597d"}),
        (accents, {"Good FILM": lower, "Caf\u00e9": "caf ##\u00e9", "CAFE\u0301": "[UNK]"}),
        (strip, {"Good FILM": kept, "caf\u00e9": "cafe"}),
        (following, {"Good": "good", "Caf\u00e9": "cafe"}),
        (ideographs, {"Good": "good", "\u597d\u597d": "\u597d\u597d"}),
    ]:
        tokens.expect_tokens(case, which, wanted, ids, os.path.basename(which))
    # The features are those of the tokens, not of the spelling.
    case.expect(tokens.features(case, cased, "Good film") != tokens.features(case, plain, "Good film"),
                "other features from the cased folder")
    case.expect(tokens.features(case, cased, "good film") == tokens.features(case, plain, "GOOD film"),
                "the same features for the same tokens")
    # A length that the file states, and the side that is kept.
    short = folder("short", model_max_length=5)
    left = folder("left", model_max_length=5, truncation_side="left")
    text = "a film the was it good"
    tokens.expect_tokens(case, short, {text: "a film the"}, ids, "model_max_length 5")
    tokens.expect_tokens(case, left, {text: "was it good"}, ids, "truncation_side left")
    tokens.refusal(case, folder("typed", do_lower_case="yes"), "tokenizer_config.json: do_lower_case", "true or false")
    tokens.refusal(case, folder("unknown", lower_case=False), "tokenizer_config.json: lower_case", "not known")
    tokens.refusal(case, folder("class", tokenizer_class="RobertaTokenizer"), "vocab.json: found no such file", "merges.txt")
    broken = tokens.copy(case, plain, "broken")
    case.write("broken/tokenizer_config.json", '{"do_lower_case": fa')
    tokens.refusal(case, broken, "tokenizer_config.json: line 1", "JSON")
