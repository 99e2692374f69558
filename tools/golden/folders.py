#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden token ids of encoder folders in every setting, for Tests/TesseraTextTests: Hugging Face's AutoTokenizer.

    tools/golden/folders.py ~/.cache/tessera/minilm-l6 REVIEWS.csv.gz Tests/TesseraTextTests/Golden

folders.json: folders (their files), texts, and the ids of each text in each folder. cased.txt: a cased WordPiece vocabulary
trained on the reviews. settings.json: per setting of the two vocabularies the SHA-256 of the ids of the first 10,000 reviews
and the nasty texts (little-endian int32, a text after the other), and a digest per 4,096 code points of what becomes of each
(as tokenizer.py's characters.json).

Needs: pip install transformers tokenizers numpy.
"""

import csv
import gzip
import hashlib
import json
import os
import random
import sys
import tempfile

import numpy
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

from tokenizer import TEXTS, drawn, words_of_characters

transformers.logging.set_verbosity_error()

WORDS = """a the film good bad Good Bad The it It is was ##ly ##s ##ing ##ED US us Apple apple , . ! [ ] movie caf ##\u00e9 ##e \u00e9
great \u597d \u597d\u597d ##\u597d [MOVIE] \u03c3 \u03c2 ##\u03c3 ##\u03c2 \u03a3 ##\u03a3 \u00df ##\u00df i\u0307 ##\u0307 \u0130 \u0131 actor <x> @@ly @@s""".split()
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS += [c for c in LETTERS + LETTERS.upper() if c not in WORDS]
WORDS += ["##" + c for c in LETTERS + LETTERS.upper() if "##" + c not in WORDS]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = SPECIAL + WORDS
ROWS = len(VOCABULARY) + 8

SHORT = [
    "", "The film is Good , It was great", "the US movie is bad", "caf\u00e9 \u597d\u597d [MOVIE] Apple", "FILMING a caF\u00e9 !", "cafe\u0301 \u597d\u00e9\u597d",
    "[ACTOR] is good", "a[ACTOR]b [actor] [Actor] x[ACTOR] [ACTOR]s", "[ACTOR]  [ACTOR]\u00a0[ACTOR]\n[ACTOR]", "the Actor actor ACTOR actors factor actor_ actor- (actor) \u00e9actor",
    "[MASK] [mask] a[MASK]b [CLS] [SEP] [PAD] [UNK] [unk]", "<s> </s> <mask> <MASK> <pad> a<s>b", "\u03a3\u039f\u03a3 \u03a3 \u00c4\u03a3 \u03c3\u03a3", "\u0130stanbul \u0131\u0130",
    "\u00df \u1e9e stra\u00dfe", "tab\tnew\nline\x0bvt\x0cff\x1cfs\x85nel\u2028ls\u3000end", "\x00\x01control\x7f\x80\ufffd \u200bzero\u200dwidth\ufeff", "a" * 7 + " " + "b" * 101 + " c",
    "good movie good  movie goodmovie good\u00a0movie Good Movie", "hel lo x hello", "<x> <X> a<x>b", "  leading and trailing  ", "good" * 30, "the the the the the the the the the the the the",
    "\u597d[ACTOR]\u597d a\u597db", "\U0001f600[ACTOR]\U0001f600 \u0627\u0644 \u05e9\u05dc [ACTOR]", "e\u0301[ACTOR]\u0301", "[ACTOR", "ACTOR]", "[[ACTOR]]", "extra1 extra1extra2 Extra2 eXtra1",
]


def added(content, **flags):
    return {"content": content, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True, **flags}


def whole(vocabulary=None, **sections):
    """A tokenizer.json."""
    vocabulary = vocabulary or VOCABULARY
    ids = {t: i for i, t in enumerate(vocabulary)}
    file = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": ids[t], **added(t)} for t in SPECIAL],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids},
    }
    model = sections.pop("model", {})
    file.update(sections)
    file["model"].update(model)
    return file


BERT = {"model_type": "bert", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16,
        "vocab_size": ROWS, "max_position_embeddings": 512, "layer_norm_eps": 1e-12, "hidden_act": "gelu"}
VOCAB = "\n".join(VOCABULARY) + "\n"
END = len(VOCABULARY)
FAST = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
ACTOR = {str(END): added("[ACTOR]")}
LISTED = {str(i): added(t) for i, t in enumerate(SPECIAL)}
MPNET = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"] + WORDS
TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"SpecialToken": {"id": "[MASK]", "type_id": 0}},
               {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for i, t in enumerate(SPECIAL)},
}


def folders():
    """Names and files of folders; vocab.txt where nothing else is said."""
    yield "plain", {}
    for name, setting in {
        "cased": {"do_lower_case": False}, "accents": {"strip_accents": False}, "strip": {"do_lower_case": False, "strip_accents": True},
        "null": {"strip_accents": None, "do_lower_case": False}, "ideographs": {"tokenize_chinese_chars": False},
        "nothing": {"do_lower_case": False, "strip_accents": False, "tokenize_chinese_chars": False},
        "basic": {"do_basic_tokenize": False, "never_split": ["actor"]}, "limit": {"model_max_length": 9}, "left": {"model_max_length": 9, "truncation_side": "left"},
        "distil": {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": False}, "electra": {"tokenizer_class": "ElectraTokenizerFast"},
        "split": {"split_special_tokens": True}, "names": {"cls_token": "[MOVIE]", "sep_token": "good", "unk_token": "bad", "mask_token": None},
        "typed": {"mask_token": {"__type": "AddedToken", **added("[MASK]", lstrip=True)}},
        "more": {"additional_special_tokens": ["[ACTOR]", "extra1"]}, "extra": {"extra_special_tokens": ["extra1", "[ACTOR]"]},
        "named": {"extra_special_tokens": {"image_token": "extra1"}, "audio_token": "extra2"},
        "decoder": {"added_tokens_decoder": ACTOR}, "listed": {"added_tokens_decoder": {**LISTED, **ACTOR}},
        "normalized": {"added_tokens_decoder": {str(END): added("[ACTOR]", normalized=True, special=False)}},
        "normalized cased": {"do_lower_case": False, "added_tokens_decoder": {str(END): added("Actor", normalized=True, special=False)}},
        "single": {"added_tokens_decoder": {str(END): added("actor", single_word=True, normalized=True, special=False)}},
        "single raw": {"added_tokens_decoder": {str(END): added("actor", single_word=True)}},
        "stripping": {"added_tokens_decoder": {str(END): added("[ACTOR]", lstrip=True, rstrip=True), str(END + 1): added(" movie", normalized=True, special=False)}},
        "longest": {"added_tokens_decoder": {str(END): added("good movie"), str(END + 1): added("good"), str(END + 2): added("goodmovie"), str(END + 3): added("hel lo")}},
        "overlap": {"added_tokens_decoder": {str(END): added("movie good", single_word=True), str(END + 1): added("good"), str(END + 2): added("od m")}},
        "known": {"added_tokens_decoder": {str(VOCABULARY.index("movie")): added("movie"), str(VOCABULARY.index("##s")): added("##s", normalized=True, special=False)}},
        "accent token": {"added_tokens_decoder": {str(END): added("caf\u00e9", normalized=True, special=False), str(END + 1): added("\u597d", normalized=True, special=False)}},
        "unordered": {"added_tokens_decoder": {str(END + 1): added("extra1"), str(END): added("extra2")}},
    }.items():
        yield name, {"tokenizer_config.json": setting}
    yield "added file", {"added_tokens.json": {"[ACTOR]": END, "extra1": END + 1}}
    yield "added special", {"added_tokens.json": {"[ACTOR]": END}, "tokenizer_config.json": {"additional_special_tokens": ["[ACTOR]"]}}
    yield "map", {"special_tokens_map.json": {"mask_token": added("[MASK]", lstrip=True), "additional_special_tokens": ["[ACTOR]"]}}
    yield "map over config", {"special_tokens_map.json": {"sep_token": "good"}, "tokenizer_config.json": {"sep_token": "bad", "cls_token": "[MOVIE]"}}
    yield "config over map", {"special_tokens_map.json": {"sep_token": "good"}, "added_tokens.json": {"extra1": END}, "tokenizer_config.json": {"added_tokens_decoder": ACTOR}}
    yield "more in both", {"special_tokens_map.json": {"additional_special_tokens": ["extra2"]}, "tokenizer_config.json": {"additional_special_tokens": ["extra1"]}}
    yield "trailing blanks", {"vocab.txt": VOCAB.replace("\n", " \t\u00a0\r\n")}
    yield "tokenizer.json alone", {"tokenizer.json": whole(), "vocab.txt": None}
    yield "tokenizer.json added", {"tokenizer.json": whole(added_tokens=[{"id": i, **added(t)} for i, t in enumerate(SPECIAL)] + [{"id": END, **added("[ACTOR]", lstrip=True)}, {"id": END + 1, **added("Extra1", special=False, normalized=True)}]), "vocab.txt": None}
    yield "tokenizer.json cased", {"tokenizer.json": whole(normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": False}), "tokenizer_config.json": {"do_lower_case": False}}
    yield "tokenizer.json contradicted", {"tokenizer.json": whole(normalizer={"type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": False, "strip_accents": None, "lowercase": False}, model={"max_input_chars_per_word": 5}, post_processor=TEMPLATE)}
    yield "tokenizer.json over vocab.txt", {"tokenizer.json": whole(VOCABULARY[:5] + VOCABULARY[:4:-1])}
    yield "tokenizer.json truncating", {"tokenizer.json": whole(truncation={"direction": "Left", "max_length": 5, "strategy": "LongestFirst", "stride": 0}), "tokenizer_config.json": {"model_max_length": 8}}
    yield "decoder over tokenizer.json", {"tokenizer.json": whole(added_tokens=[{"id": END, **added("extra1")}]), "tokenizer_config.json": {"added_tokens_decoder": ACTOR}}
    fast = {
        "fast": {}, "fast template": {"post_processor": TEMPLATE},
        "fast unclean": {"normalizer": {"type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": True, "strip_accents": False, "lowercase": True}},
        "fast sequence": {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]}},
        "fast nfkc": {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": True}]}},
        "fast nfc": {"normalizer": {"type": "NFC"}}, "fast none": {"normalizer": None}, "fast lowercase": {"normalizer": {"type": "Lowercase"}},
        "fast prefix": {"model": {"continuing_subword_prefix": "@@"}}, "fast short words": {"model": {"max_input_chars_per_word": 5}},
        "fast unknown": {"model": {"unk_token": "bad"}},
        "fast added": {"added_tokens": [{"id": i, **added(t)} for i, t in enumerate(SPECIAL)] + [{"id": END, **added("[ACTOR]", normalized=True)}, {"id": END + 1, **added("actor", single_word=True)}]},
        "fast roberta": {"post_processor": {"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[MASK]", 4], "trim_offsets": True, "add_prefix_space": False}},
    }
    for name, sections in fast.items():
        yield name, {"tokenizer.json": whole(**sections), "tokenizer_config.json": FAST}
    yield "fast and config", {"tokenizer.json": whole(), "tokenizer_config.json": {**FAST, "do_lower_case": False, "additional_special_tokens": ["extra1"], "added_tokens_decoder": ACTOR}}
    mpnet = {"config.json": {**BERT, "model_type": "mpnet", "max_position_embeddings": 514}, "vocab.txt": "\n".join(MPNET) + "\n"}
    yield "mpnet", mpnet
    yield "mpnet cased", {**mpnet, "tokenizer_config.json": {"do_lower_case": False, "tokenizer_class": "MPNetTokenizer"}}
    yield "mpnet listed", {**mpnet, "tokenizer_config.json": {"added_tokens_decoder": {"0": added("<s>", normalized=True), "4": added("<mask>", lstrip=True), str(len(MPNET)): added("[ACTOR]")}}}
    yield "mpnet as bert", {**mpnet, "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>"}}
    yield "bert as mpnet", {"tokenizer_config.json": {"tokenizer_class": "MPNetTokenizer", "cls_token": "[CLS]", "sep_token": "[SEP]", "bos_token": "[CLS]", "eos_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}}


def text_of(content):
    return content if content is None or isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def write(folder, files):
    for name, content in {"config.json": BERT, "vocab.txt": VOCAB, **files}.items():
        if content is not None:
            with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
                file.write(text_of(content))


def ids(tokenizer, texts):
    limit = min(512, tokenizer.model_max_length)
    return [tokenizer(text, truncation=True, max_length=limit)["input_ids"] for text in texts]


def folder_cases():
    result = []
    for name, files in folders():
        with tempfile.TemporaryDirectory() as folder:
            write(folder, files)
            found = ids(AutoTokenizer.from_pretrained(folder), SHORT)
        result.append({"name": name, "ids": found, "files": {k: text_of(v) for k, v in files.items()}})
    common = {"config.json": text_of(BERT), "vocab.txt": VOCAB}
    return {"texts": SHORT, "files": common, "folders": result}


SETTINGS = {
    "default": {}, "cased": {"do_lower_case": False}, "accents": {"strip_accents": False},
    "strip": {"do_lower_case": False, "strip_accents": True}, "ideographs": {"tokenize_chinese_chars": False},
    "nothing": {"do_lower_case": False, "strip_accents": False, "tokenize_chinese_chars": False},
    "added": {"added_tokens_decoder": {
        "1": added("movie", normalized=True, special=False), "2": added("br", single_word=True),
        "3": added("/>", lstrip=True, rstrip=True), "4": added("the actor", normalized=True, special=False)}},
}
REVIEWS = 10000

# Beside tokenizer.py's texts.
NASTY = SHORT + [
    "".join(chr(c) for c in range(0x2000, 0x2070)), "".join(chr(c) for c in range(0x3000, 0x3040)),
    " ".join(chr(c) for c in (0x3400, 0x4DB5, 0x9FFF, 0x20000, 0x2A6D6, 0x2A700, 0x2B740, 0x2B820, 0x2CEB0, 0x30000, 0xF900, 0x2F800)),
    "A\u030a\u0301\u0323 q\u0307\u0323 \u1e69 \u0344 \u0958", "x" * 100 + " " + "X" * 101 + " " + "\u00e9" * 100 + " " + "e\u0301" * 51,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f\u20e3 \U0001f1e9\U0001f1ea", "\u202eRTL\u202c \u05d0\u05b8 \u0627\u064e\u0644 \u2066x\u2069",
    "\U00010100\U0001056f\U00011047\U00016a6e\U0001da87\U0001e95e a\u2e3db\ufe10c\uff0cd\u3001e\u0964f\u060cg\u055ah",
]


def cased(reviews, out):
    """A cased vocabulary, trained on reviews that have accents and others."""
    trained = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    trained.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    trained.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trained.train_from_iterator(reviews, trainers.WordPieceTrainer(
        vocab_size=6000, special_tokens=SPECIAL, limit_alphabet=400, show_progress=False))
    vocabulary = [t for t, _ in sorted(trained.get_vocab().items(), key=lambda item: item[1])]
    with open(out + "/cased.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(vocabulary) + "\n")


def digest(ids):
    return {"texts": len(ids), "tokens": sum(map(len, ids)),
            "sha256": hashlib.sha256(b"".join(numpy.array(i, dtype="<i4").tobytes() for i in ids)).hexdigest()}


def settings(uncased, out, reviews):
    nasty = NASTY + TEXTS + drawn(300)
    result = {"nasty": nasty, "characters": {}, "digests": []}
    for name, setting in SETTINGS.items():
        for vocabulary in ("uncased", "cased"):
            with open(uncased + "/vocab.txt" if vocabulary == "uncased" else out + "/cased.txt", encoding="utf-8") as file:
                vocab = file.read()
            with tempfile.TemporaryDirectory() as folder:
                write(folder, {"vocab.txt": vocab, "tokenizer_config.json": setting})
                tokenizer = AutoTokenizer.from_pretrained(folder)
            if vocabulary == "cased" and name != "added":
                result["characters"][name] = hashlib.sha256("".join(words_of_characters(tokenizer)).encode()).hexdigest()
            result["digests"].append({
                "vocabulary": vocabulary, "setting": name, "config": text_of(setting),
                "reviews": digest(ids(tokenizer, reviews)), "nasty": digest(ids(tokenizer, nasty))})
    return result


def main():
    uncased, path, out = sys.argv[1:4]
    with open(out + "/folders.json", "w") as file:
        json.dump(folder_cases(), file, separators=(",", ":"), ensure_ascii=False)
        file.write("\n")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reviews = [row["review"] for row in csv.DictReader(file)]
    cased(reviews[:REVIEWS], out)
    with open(out + "/settings.json", "w") as file:
        json.dump(settings(uncased, out, reviews[:REVIEWS]), file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
