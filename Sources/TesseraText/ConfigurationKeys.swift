// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The keys that a `config.json` may have: an encoder with any other could be another one than is computed.
enum ConfigurationKeys {
  /// Keys that decide the result beside the extents (`ConfigurationNames`).
  private static let meant: Set<String> = ["model_type", "tokenizer_class", "type_vocab_size"]

  /// Keys that change no hidden state of a text in evaluation mode: training, heads, generation, outputs,
  /// where the file came from (transformers' `BertConfig`, `MPNetConfig`, `PreTrainedConfig`, and what
  /// published checkpoints have beside).
  private static let harmless: Set<String> = [
    // Training.
    "attention_probs_dropout_prob", "hidden_dropout_prob", "classifier_dropout", "initializer_range",
    "gradient_checkpointing", "pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id",
    "mask_token_id", "unk_token_id", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id",
    // Heads.
    "architectures", "id2label", "label2id", "num_labels", "_num_labels", "problem_type", "finetuning_task",
    "task_specific_params", "directionality", "pooler_fc_size", "pooler_num_attention_heads",
    "pooler_num_fc_layers",
    "pooler_size_per_head", "pooler_type", "summary_activation", "summary_first_dropout",
    "summary_last_dropout",
    "summary_proj_to_labels", "summary_type", "summary_use_proj", "tie_word_embeddings",
    "tie_encoder_decoder",
    "sentence_transformers", "sbert_ce_default_activation_function", "sbert_ce_default_activation_fn",
    // Outputs, and how they are computed.
    "output_attentions", "output_hidden_states", "output_past", "output_scores", "return_dict",
    "return_dict_in_generate", "torchscript", "use_cache", "use_bfloat16", "torch_dtype", "dtype",
    "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "chunk_size_feed_forward",
    "tf_legacy_loss", "xla_device", "fp16",
    // TinyBERT's, of its training.
    "cell", "emb_size", "pre_trained", "structure", "training",
    // Generation.
    "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
    "diversity_penalty",
    "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty",
    "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "suppress_tokens",
    "begin_suppress_tokens", "remove_invalid_values", "exponential_decay_length_penalty", "prefix",
    // Where it came from.
    "transformers_version", "_name_or_path", "name_or_path", "_commit_hash", "language", "license",
    "model_name",
    "adapters_version", "custom_pipelines", "total_flos", "train_batch_size", "seed",
  ]

  /// Keys that would change the result, with the values that do not.
  private static let only = [
    FixedKey("is_decoder", .bool(false), wanted: "false: an encoder, whose tokens see all others"),
    FixedKey("is_encoder_decoder", .bool(false), wanted: "false"),
    FixedKey("add_cross_attention", .bool(false), wanted: "false"),
    FixedKey("position_embedding_type", .string("absolute"), wanted: "absolute"),
  ]

  /// Keys that would change the result with any value but null or an empty one.
  private static let unsupported: [(key: String, wanted: String)] = [
    ("auto_map", "no code of the checkpoint's own"),
    ("quantization_config", "weights that are not quantized"),
    ("pruned_heads", "all heads"),
    ("adapters", "no adapters"),
    ("cross_attention_hidden_size", "no cross attention"),
    ("per_layer_config", "layers that are all alike"),
  ]

  /// Refuses, by name, what would change the result and is not supported, and what is not known.
  static func check(_ fields: JSONFields, _ family: EncoderFamily) throws {
    let encoder = family.encoder
    try check(fields, only)
    for (key, wanted) in unsupported where !(fields[key]?.isEmpty ?? true) {
      throw fields.refusal(key, wanted: wanted)
    }
    try check(fields, encoder.only)
    let checked = Set((only + encoder.only).map(\.key)).union(unsupported.map(\.key))
    try fields.requireKnown(
      encoder.keys.all, meant, harmless, encoder.harmless, checked,
      wanted: "no key that is not known (take it out if it changes no hidden state)")
  }

  private static func check(_ fields: JSONFields, _ fixed: [FixedKey]) throws {
    for one in fixed {
      guard let found = fields.present(one.key) else { continue }
      guard one.allows(found) else { throw fields.refusal(one.key, wanted: one.wanted) }
    }
  }
}
