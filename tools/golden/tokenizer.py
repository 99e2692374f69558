#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden token ids for Tests/TesseraTextTests: Hugging Face's BertTokenizer on hostile texts.

    tools/golden/tokenizer.py ~/.cache/tessera/minilm-l6 Tests/TesseraTextTests/Golden

Needs: pip install transformers. tokenizer.json: texts and their ids (real reviews are compared by a digest, see
encoder.py). characters.json: for each 4,096 code points the SHA-256 of the words that "a", the character, "b" fall into,
a line a character ("code point, blank, words by |, their code points by .", hexadecimal).
"""

import hashlib
import json
import random
import sys
import unicodedata

from transformers import BertTokenizer

TEXTS = [
    "", " ", "\n\t\r ", "a", "A film to remember.", "It's GREAT -- isn't it?! (10/10)",
    "First line.<br /><br />Second line.<BR>third",
    "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m \u0130stanbul \u0131 \u00df \u1e9e \ufb01n \u01c5 \u03a3\u03a3 \u03c2",
    "cafe\u0301 e\u0301\u0302\u0303 \u0041\u030a q\u0307\u0323",
    "\u4f60\u597d\u4e16\u754c abc\u4e2ddef \u3042\u3044\u30a2 \ud55c\uad6d\uc5b4 \u3400\U00020000\U0002f800\uf900",
    "emoji \U0001f600\U0001f44d\U0001f3fd \u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea ok",
    "zero\u200bwidth soft\u00adhyphen bom\ufeff nbsp\u00a0x\u2003y\u2028z\u2029w\u3000v\u1680u\u0085t",
    "control \x00\x01\x1f\x7f\x80\x9f chars \ufffd end\x0bvt\x0cff\x1cfs\x1dgs",
    "\ue000private\uf8ff \U000f0000 unassigned \u0378\u0379 \u2fe0 noncharacter \ufffe \uffff",
    "x" * 100, "x" * 101, "a" * 250 + " b", "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "[CLS] inside [SEP] the [MASK] text [PAD] and [UNK] but [cls] [ SEP ] [MASK]s a[SEP]b [[SEP]]",
    "\u00bf\u00a1 \u00ab\u00bb \u2013\u2014\u2026 \u201cq\u201d \u20ac\u00a3\u00a5 \u00a7\u00b6 \u2022 \u00b0 \u00bd \u2122 $^`|~<>=+",
    "1,000.50 3.14e-10 $5 50% #1 @you a_b a-b a/b a\\b http://x.y/z?q=1&r=2",
    "\u0915\u094d\u0937\u093f \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22 \u0627\u0644\u0639\u064e\u0631\u064e\u0628\u0650\u064a\u0629 \u05e2\u05b4\u05d1\u05e8\u05d9\u05ea",
    "\u0391\u0399\u1fbc \u1f88 \u03ac \u0419 \u0439 \u0451 \u1112\u1161\u11ab \u2126 \u212b \u212a",
    "\ufb00 \u2460 \u00b2 \ufee0 \u1d2c \u210c \uff21\uff11\uff01 \u3002\u300c\u300d\uff0c",
    "word " * 600, "The " + "\u00e9" * 120, "tab\tnew\nline\rreturn", "##ing ##s # # un##able",
    "\U0001d400\U0001d7d8 \U00010400 \U0001e900 \u2c00 \u13a0 \uab70 \u10a0 \u1c90",
]


def drawn(count):
    """Texts of code points drawn over everything the Unicode version that this Python knows assigns."""
    draw = random.Random(1701)
    assigned = [c for c in range(0x30000) if unicodedata.category(chr(c)) not in ("Cs", "Cn")]
    return ["".join(chr(draw.choice(assigned)) if draw.random() < 0.3 else draw.choice("aeinorst ,.'") for _ in range(60))
            for _ in range(count)]


def words_of_characters(tokenizer):
    """One digest a block of 4,096 code points."""
    normalizer = tokenizer.backend_tokenizer.normalizer
    splitter = tokenizer.backend_tokenizer.pre_tokenizer
    digests = []
    for begin in range(0, 0x110000, 0x1000):
        block = hashlib.sha256()
        for c in range(begin, begin + 0x1000):
            if not 0xD800 <= c < 0xE000:
                words = splitter.pre_tokenize_str(normalizer.normalize_str("a" + chr(c) + "b"))
                line = "%X %s\n" % (c, "|".join(".".join("%X" % ord(k) for k in word) for word, _ in words))
                block.update(line.encode())
        digests.append(block.hexdigest())
    return digests


def main():
    tokenizer = BertTokenizer.from_pretrained(sys.argv[1])
    texts = TEXTS + drawn(60)
    ids = [tokenizer(text, truncation=True, max_length=512)["input_ids"] for text in texts]
    with open(sys.argv[2] + "/tokenizer.json", "w") as file:
        json.dump([{"text": t, "ids": i} for t, i in zip(texts, ids)], file, separators=(",", ":"))
    with open(sys.argv[2] + "/characters.json", "w") as file:
        json.dump(words_of_characters(tokenizer), file, indent=0)


if __name__ == "__main__":
    main()
