# SPDX-License-Identifier: Apache-2.0
"""The settings' half; the weights' is case 17b."""

import os
import shutil

import tokens

TITLE = "what config.json says and is not supported is refused by name; old sentence-transformers folders are read"


def check(case):
    plain = case.encoder("plain")
    wanted = tokens.features(case, plain, "a good film")
    for name, value in [("hidden_act", "gelu_python"), ("is_decoder", False), ("add_cross_attention", False),
                        ("position_embedding_type", "absolute"), ("pruned_heads", {}), ("quantization_config", None),
                        ("torch_dtype", "float16"), ("id2label", {"0": "x"}), ("attention_probs_dropout_prob", 0.1),
                        ("architectures", ["BertForMaskedLM"]), ("use_cache", True), ("pooler_type", "first_token_transform"),
                        ("gradient_checkpointing", False), ("sbert_ce_default_activation_function", "x")]:
        case.expect(tokens.features(case, case.encoder("e", config={name: value}), "a good film") == wanted,
                    f"the same features with {name} {value}")
    by_tanh = [tokens.features(case, case.encoder("e", config={"hidden_act": name}), "a good film")
               for name in ("gelu_new", "gelu_pytorch_tanh")]
    case.expect(by_tanh[0] == by_tanh[1] != wanted, "GELU by tanh, under both names")
    for name, value in [("hidden_act", "gelu_fast"), ("hidden_act", "silu"),
                        ("is_decoder", True), ("add_cross_attention", True),
                        ("position_embedding_type", "relative_key"), ("position_embedding_type", "relative_key_query"),
                        ("quantization_config", {"bits": 4}), ("pruned_heads", {"0": [1]}), ("is_encoder_decoder", True),
                        ("auto_map", {"AutoModel": "m.Model"}), ("rope_theta", 10000), ("embedding_size", 16),
                        ("model_type", "xlm-roberta"), ("model_type", "albert"), ("model_type", "deberta-v2"),
                        ("num_attention_heads", 5), ("hidden_size", True), ("is_decoder", "false")]:
        shown = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
        tokens.refusal(case, case.encoder("e", config={name: value}), name if name != "num_attention_heads" else "heads", shown)

    def sentence(name, inner, **files):
        folder = case.path(name)
        os.makedirs(folder)
        shutil.copytree(plain, os.path.join(folder, inner) if inner else folder, dirs_exist_ok=True)
        tokens.write_json(case, folder, **files)
        return folder

    def modules(path, kind="sentence_transformers.models.Transformer"):
        return [{"idx": 0, "name": "0", "path": path, "type": kind},
                {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]

    version = {"__version__": "0.3.8"}
    for folder in [sentence("old", "0_Transformer", modules=modules("0_Transformer"), config=version),
                   sentence("older", "0_BERT", modules=modules("0_BERT"), config=version),
                   sentence("oldest", "0_BERT"), sentence("new", "", modules=modules(""))]:
        case.expect(tokens.features(case, folder, "a good film") == wanted,
                    f"the transformer of {os.path.basename(folder)} found")
    tokens.refusal(case, sentence("above", "checkpoint-500"), "config.json", "checkpoint-500")
    tokens.refusal(case, sentence("bow", "0_BoW", modules=modules("0_BoW", "sentence_transformers.models.BoW")), "BoW")
    tokens.refusal(case, sentence("outside", "in", modules=modules("../plain")), "modules.json", "inside")
    short = sentence("short", "0_Transformer", modules=modules("0_Transformer"))
    tokens.write_json(case, os.path.join(short, "0_Transformer"), sentence_bert_config={"max_seq_length": 5, "do_lower_case": False})
    tokens.expect_tokens(case, short, {"a film the was it": "a film the"}, tokens.vocabulary(plain), "max_seq_length")
    prompted = sentence("prompted", "", modules=modules(""),
                        config_sentence_transformers={"prompts": {"q": "query: "}, "default_prompt_name": "q"})
    tokens.refusal(case, prompted, "default_prompt_name")
    # The run's own copy is flat, and gives the same.
    from common import SMALL
    run = case.run("run", "--encoder", case.path("old"), "--data", case.reviews("r.csv"), "--out", case.path("run"), "--quiet", *SMALL)
    if case.accepts(run):
        shutil.rmtree(case.path("old"))
        case.accepts(case.run("predict", "--run", case.path("run"), "--device", "cpu", "--quiet", input=b"a good film\n"))
