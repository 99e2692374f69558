#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden token ids of byte-level BPE for Tests/TesseraTextTests: Hugging Face's AutoTokenizer and its ByteLevel.

    tools/golden/byte_pairs.py ~/.cache/tessera/gpt2-vocabulary REVIEWS.csv.gz Tests/TesseraTextTests/Golden

merges.txt: a byte-level vocabulary trained on the reviews. byte_pairs.json: hostile texts; the bytes of the pieces that
GPT-2's regular expression makes of them; a digest for each 4,096 code points of what they are to it; folders (their files,
@VOCAB and @MERGES standing for the vocabulary) with the ids of each text; and the SHA-256 of the ids of the hostile texts
and of the first 10,000 reviews, with this vocabulary and with GPT-2's (little-endian int32, a text after the other).

Needs: pip install transformers tokenizers numpy.
"""

import csv
import gzip
import hashlib
import json
import random
import sys
import tempfile

import transformers
from tokenizers import ByteLevelBPETokenizer, pre_tokenizers
from transformers import AutoTokenizer

from folders import added, digest, ids, text_of, write
from tokenizer import TEXTS, drawn

transformers.logging.set_verbosity_error()

FRONT, BACK = ["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"]
REVIEWS, MERGES = 10000, 1200
CONFIG = {"model_type": "roberta", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16,
          "vocab_size": 60000, "max_position_embeddings": 514, "layer_norm_eps": 1e-5, "hidden_act": "gelu", "pad_token_id": 1}


def long_word():
    draw = random.Random(1701)
    return "".join(draw.choice("aeinorstlhd") for _ in range(1500))


HOSTILE = [
    "", " ", "  ", "   ", "\n", " \n", "\n ", "\n\n", "\r\n\r\n", "\t\t a", " \t b", "a ", "a  ", "a \n", "a\n b", "a  b", "a   b\n\n\nc  ",
    "It's the film's we've seen, they'll say I'm right; you'd say 're 've 'll 'm 'd 's 't",
    "IT'S 'S 'T 'RE 'VE 'LL 'M 'D 'l 'r 'v 'le 'rv ' 's '' 's''s '''s ' s '\u017f don\u2019t", "'", "a'", "'s", "'r", "'re", "'ll'll", "''re",
    "123 1,234.5 10/10 a1b2 \u0663\u0664\u0665 \u0967\u0968 \u00b2\u00bd \u2167\u2460 \U0001d7d8 \u4e00\u5341 1\u0301 \U00010107",
    "x\u0301y \u0301 \u0301\u0301a 1\u0301 !\u0301 \u0915\u094d\u0937\u093f \u0e20\u0e32\u0e29\u0e32",
    "\u4f60\u597d\u4e16\u754c \u3042\u3044\u30a2 \ud55c\uad6d\uc5b4 \U00020000\U0002f800 \uff21\uff11\uff01",
    "\U0001f600\U0001f44d\U0001f3fd \u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea!\U0001f600a1\U0001f600",
    "\u00a0a \u00a0 b\u2003c\u2028d\u2029e\u3000f\u1680g\u0085h\u200bi\u180ej\u202fk\u205fl \u00a0", "a\u00a0\u00a0b \u3000 c\u3000",
    "\x00 \x01\x1f\x7f \x80\x9f\x0b\x0c\x1c\x1d a\x00b", "\ufeff\ufffd\ufffe\uffff\U0010ffff \ue000",
    "!!!??? ... --- $%^ <br /><br />\"quoted\" a_b_c __init__ http://x.y/z?q=1&r=2 #1 @you",
    "<s> </s> <mask> <pad> <unk> a<s>b <mask>c d  <mask> e\n<mask>\t<s>", "<mask>", " <mask>", "  <mask>  ", "<MASK> <S> < s > <s", "[ACTOR] a [ACTOR] actor Actor factor",
    "the " * 300, "word" * 400, long_word(), " " * 700, "\n" * 40 + "a", "!" * 700, "7" * 700, "\u4e2d" * 300, "\U0001f600" * 200,
    "\u1c89\u1c8a \U00016d40\U00016d70 \U000105c0 \u088f \u0c5c \ua7ce \U00011de0 \U000323b0",
]
TEXTS_HERE = HOSTILE + TEXTS + drawn(60)


def vocabulary(merges):
    """RoBERTa's order: four special tokens, the bytes, what the merges make, the mask."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    return {token: i for i, token in enumerate(FRONT + letters + ["".join(pair) for pair in merges] + BACK)}


def trained(reviews):
    """Merges, less those that make a token a second time."""
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(reviews, vocab_size=256 + MERGES, show_progress=False)
    model = json.loads(tokenizer.to_str())["model"]
    return [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]]


def whole(**sections):
    """A tokenizer.json."""
    special = [{"id": i, **added(t)} for i, t in enumerate(FRONT)]
    model = sections.pop("model", {})
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True, "add_prefix_space": False},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": "@VOCAB", "merges": "@MERGES", **model},
        **sections,
    }


def folders(size):
    """Names and files of folders; vocab.json and merges.txt where nothing else is said."""
    mask = {str(size - 1): added("<mask>", lstrip=True)}
    actor = {str(size): added("[ACTOR]", lstrip=True), str(size + 1): added("actor", special=False, normalized=True, single_word=True)}
    alone = {"vocab.json": None, "merges.txt": None}
    fast = {"tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    for name, setting in {
        "plain": {}, "prefix": {"add_prefix_space": True}, "class": {"tokenizer_class": "RobertaTokenizerFast", "do_lower_case": True},
        "bart": {"tokenizer_class": "BartTokenizer"}, "mask": {"added_tokens_decoder": mask}, "prefix mask": {"add_prefix_space": True, "added_tokens_decoder": mask},
        "actor": {"added_tokens_decoder": {**mask, **actor}, "add_prefix_space": True}, "limit": {"model_max_length": 9},
        "left": {"model_max_length": 9, "truncation_side": "left"}, "split": {"split_special_tokens": True},
        "names": {"cls_token": "<pad>", "sep_token": "a", "unk_token": None, "mask_token": None}, "more": {"additional_special_tokens": ["[ACTOR]"]},
        "published": {t + "_token": {"__type": "AddedToken", **added(c, normalized=True), "lstrip": t == "mask"} for t, c in
                      [("bos", "<s>"), ("eos", "</s>"), ("sep", "</s>"), ("cls", "<s>"), ("unk", "<unk>"), ("pad", "<pad>"), ("mask", "<mask>")]},
    }.items():
        yield name, {"tokenizer_config.json": setting}
    yield "json", {"tokenizer.json": whole(), **alone}
    yield "json over files", {"tokenizer.json": whole(), "vocab.json": "{}"}
    yield "json prefix passed over", {"tokenizer.json": whole(pre_tokenizer=byte_level), **alone}
    yield "json prefix", {"tokenizer.json": whole(), "tokenizer_config.json": {"add_prefix_space": True}, **alone}
    yield "json normalizer passed over", {"tokenizer.json": whole(normalizer={"type": "Lowercase"}), **alone}
    yield "fast", {"tokenizer.json": whole(), "tokenizer_config.json": fast, **alone}
    yield "fast prefix", {"tokenizer.json": whole(pre_tokenizer=byte_level), "tokenizer_config.json": fast, **alone}
    yield "fast prefix in config", {"tokenizer.json": whole(), "tokenizer_config.json": {**fast, "add_prefix_space": True}, **alone}
    yield "fast strip", {"tokenizer.json": whole(pre_tokenizer=byte_level, normalizer={"type": "Strip", "strip_left": True, "strip_right": True}), "tokenizer_config.json": fast, **alone}
    yield "fast bert", {"tokenizer.json": whole(normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}), "tokenizer_config.json": fast, **alone}
    yield "fast nfc", {"tokenizer.json": whole(normalizer={"type": "NFC"}), "tokenizer_config.json": fast, **alone}
    yield "fast processors", {"tokenizer.json": whole(post_processor={"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for i, t in enumerate(FRONT)}}]}), "tokenizer_config.json": fast, **alone}


def class_of(splitter, c):
    """L, N, S (white space) or O: what a character is joined with."""
    for letter, neighbour in (("L", "a"), ("N", "1"), ("O", "!")):
        if len(splitter.pre_tokenize_str(neighbour + chr(c) + neighbour)) == 1:
            return letter
    return "S"


def classes(splitter):
    return [hashlib.sha256("".join("-" if 0xD800 <= c < 0xE000 else class_of(splitter, c)
                                   for c in range(begin, begin + 0x1000)).encode()).hexdigest()[:16]
            for begin in range(0, 0x110000, 0x1000)]


def tokenizer_of(vocab, merges, files):
    """A folder's tokenizer; merges as lists of two in a tokenizer.json, as lines in merges.txt."""
    def filled(content):
        content = text_of(content)
        return content if content is None else content.replace('"@VOCAB"', json.dumps(vocab)).replace('"@MERGES"', json.dumps(merges))
    lines = "#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in merges)
    files = {"vocab.json": json.dumps(vocab), "merges.txt": lines, **files}
    with tempfile.TemporaryDirectory() as folder:
        write(folder, {"config.json": CONFIG, "vocab.txt": None, **{name: filled(content) for name, content in files.items()}})
        return AutoTokenizer.from_pretrained(folder)


def main():
    gpt2, path, out = sys.argv[1:4]
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reviews = [row["review"] for row, _ in zip(csv.DictReader(file), range(REVIEWS))]
    merges = trained(reviews)
    with open(out + "/merges.txt", "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in merges))
    vocab = vocabulary(merges)
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False)
    result = {
        "texts": TEXTS_HERE, "classes": classes(splitter), "folders": [], "digests": [],
        "pieces": [[len(piece) for piece, _ in splitter.pre_tokenize_str(text)] for text in TEXTS_HERE],
    }
    for name, files in folders(len(vocab)):
        found = ids(tokenizer_of(vocab, merges, files), TEXTS_HERE)
        # The texts' ids in the plain folder, a digest in the others.
        result["folders"].append({"name": name, "files": {k: text_of(v) for k, v in files.items()}, "digest": digest(found)})
        if name == "plain":
            result["ids"] = found
    with open(gpt2 + "/vocab.bpe", encoding="utf-8") as file:
        published = [line.rstrip("\n").split(" ") for line in file if not line.startswith("#version")]
    with open(gpt2 + "/encoder.json", encoding="utf-8") as file:
        tokens = [token for token, _ in sorted(json.load(file).items(), key=lambda item: item[1])]
    for name, (v, m) in {"trained": (vocab, merges), "gpt2": ({t: i for i, t in enumerate(FRONT + tokens + BACK)}, published)}.items():
        for prefix in (False, True):
            tokenizer = tokenizer_of(v, m, {"tokenizer_config.json": {"add_prefix_space": prefix}})
            result["digests"].append({"vocabulary": name, "prefix": prefix, "texts": digest(ids(tokenizer, TEXTS_HERE)),
                                      "reviews": digest(ids(tokenizer, reviews))})
    with open(out + "/byte_pairs.json", "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
