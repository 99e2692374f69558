# SPDX-License-Identifier: Apache-2.0
"""What is right was seen with transformers 5.24: BertTokenizer takes the vocabulary from tokenizer.json and its rules from
tokenizer_config.json; PreTrainedTokenizerFast takes tokenizer.json at its word. tools/golden/folders.py has the ids."""

import os

import tokens

TITLE = "a WordPiece tokenizer.json is read, with or without vocab.txt; other kinds are named"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def whole(ids, **sections):
    model = sections.pop("model", {})
    return {
        "version": "1.0", "truncation": {"direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
                    "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [{"id": ids[t], "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for t in SPECIAL],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [], "special_tokens": {t: {"id": t, "ids": [ids[t]], "tokens": [t]} for t in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": ids, **model}, **sections}


def check(case):
    plain = case.encoder("plain", tokens=["Good", "##ly", "caf\u00e9", "cafe\u0301", "cafe", "@@ly"], config={"vocab_size": 31})
    ids = tokens.vocabulary(plain)
    fast = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}

    def folder(name, content, setting=None, vocab=False):
        copy = tokens.copy(case, plain, name)
        if not vocab:
            os.remove(os.path.join(copy, "vocab.txt"))
        tokens.write_json(case, copy, tokenizer=content, **({"tokenizer_config": setting} if setting else {}))
        return copy

    texts = {"Goodly FILM!": "good ##ly film !", "Caf\u00e9 [MASK]x": "cafe [MASK] [UNK]", "a " * 60: "a " * 60}
    alone = folder("alone", whole(ids))
    tokens.expect_tokens(case, alone, texts, ids, "tokenizer.json alone")
    case.expect(tokens.features(case, alone, "Goodly film") == tokens.features(case, plain, "goodly film"),
                "the features of the folder with vocab.txt")
    tokens.expect_tokens(case, folder("taken", whole(ids), fast), texts, ids, "PreTrainedTokenizerFast")
    bare = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": False, "lowercase": False}
    tokens.expect_tokens(case, folder("bare", whole(ids, normalizer=bare), fast),
                         {"Good Caf\u00e9 caf\u00e9 cafe\u0301": "Good [UNK] caf\u00e9 cafe\u0301"}, ids, "its own normalizer")
    steps = {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]}
    tokens.expect_tokens(case, folder("steps", whole(ids, normalizer=steps), fast),
                         {"GOOD caf\u00e9 Cafe\u0301": "good cafe cafe"}, ids, "a sequence of normalizers")
    tokens.expect_tokens(case, folder("prefix", whole(ids, model={"continuing_subword_prefix": "@@"}), fast),
                         {"Goodly": "good @@ly"}, ids, "another continuing_subword_prefix")
    tokens.expect_tokens(case, folder("letters", whole(ids, model={"max_input_chars_per_word": 4}), fast),
                         {"good superb film": "good [UNK] film"}, ids, "max_input_chars_per_word")
    # Ids of its own, not those of vocab.txt beside it.
    turned = dict(zip(ids, list(ids.values())[:5] + list(ids.values())[:4:-1]))
    tokens.expect_tokens(case, folder("turned", whole(turned), vocab=True), {"a good film": "a good film"}, turned,
                         "tokenizer.json over vocab.txt")
    for name, changes, words in [
        ("bpe", {"model": {"type": "BPE", "vocab": {}, "merges": []}}, ["vocab: found an empty object"]),
        ("unigram", {"model": {"type": "Unigram", "vocab": [["a", 0]]}}, ["Unigram", "WordPiece"]),
        ("negative", {"model": {"vocab": {**ids, "x": -1}}}, ["x: found the id -1"]),
        ("double", {"model": {"vocab": {**ids, "x": 5}}}, ["one id 5"]),
        ("beyond", {"model": {"vocab": {**ids, "x": 31}}}, ["31", "vocab_size"]),
        ("replace", {"normalizer": {"type": "Replace"}}, ["normalizer", "Replace"]),
        ("bytes", {"pre_tokenizer": {"type": "ByteLevel"}}, ["pre_tokenizer", "ByteLevel"]),
        ("section", {"rules": {}}, ["rules", "not known"]),
    ]:
        content = whole(ids, **changes) if name not in ("bpe", "unigram") else {**whole(ids), **changes}
        tokens.refusal(case, folder(name, content, fast), "tokenizer.json", *words)
    missing = tokens.copy(case, plain, "missing")
    os.remove(os.path.join(missing, "vocab.txt"))
    tokens.refusal(case, missing, "tokenizer.json or vocab.txt")
    # A run keeps the file with it, and predicts the same from another place.
    reviews = case.reviews("r.csv")
    from common import SMALL
    run = case.run("run", "--encoder", alone, "--data", reviews, "--out", case.path("run"), "--quiet", *SMALL)
    if case.accepts(run):
        case.expect(os.path.exists(case.path("run/encoder/tokenizer.json")), "tokenizer.json kept with the run")
        case.accepts(case.run("predict", "--run", case.path("run"), "--device", "cpu", "--quiet", input=b"a good film\n"))
