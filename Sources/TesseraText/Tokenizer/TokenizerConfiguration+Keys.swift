// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension TokenizerConfiguration {
  /// Keys of `tokenizer_config.json` that decide what becomes of a text, all of them read where the kind of
  /// tokenizer has them.
  private static let meant: Set<String> = [
    "do_lower_case", "strip_accents", "tokenize_chinese_chars", "do_basic_tokenize", "never_split",
    "added_tokens_decoder", "additional_special_tokens", "extra_special_tokens", "model_max_length",
    "max_len",
    "tokenizer_class", "truncation_side", "split_special_tokens", "wordpieces_prefix", "init_inputs",
    "auto_map", "fast_tokenizer_files", "add_prefix_space",
  ]

  /// Keys that change no id of a text embedded alone: they are about decoding, padding, pairs, chats, or
  /// where files came from.
  private static let harmless: Set<String> = [
    "padding_side", "padding", "pad_to_multiple_of", "pad_token_type_id", "pad_token_id", "padding_strategy",
    "max_length", "stride", "truncation", "truncation_strategy", "clean_up_tokenization_spaces",
    "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output", "model_input_names",
    "name_or_path",
    "_name_or_path", "special_tokens_map_file", "tokenizer_file", "vocab_file", "full_tokenizer_file",
    "backend",
    "is_local", "local_files_only", "processor_class", "chat_template", "response_template",
    "response_schema",
    "chat_control_tokens", "files_loaded", "trim_offsets", "use_fast", "from_slow",
    "verbose",
    "errors", "legacy", "_commit_hash", "commit_hash", "revision", "add_bos_token", "add_eos_token",
    "add_special_tokens", "return_token_type_ids", "return_attention_mask", "transformers_version", "device",
    "trust_remote_code", "model_type", "is_fast", "cache_dir", "language", "author", "license", "description",
  ]

  /// Refuses what would change the ids and is not supported, and what is not known.
  static func check(_ fields: JSONFields) throws {
    for key in fields.keys where !meant.contains(key) && !harmless.contains(key) && !key.hasSuffix("_token") {
      throw fields.refusal(key, wanted: "no key that is not known (take it out if it changes no token)")
    }
    if let map = try fields.object("auto_map"), map.present("AutoTokenizer") != nil {
      throw TesseraError.input(
        "\(fields.place): auto_map", found: "code of its own", wanted: "a tokenizer of Hugging Face's")
    }
    if let inputs = fields["init_inputs"], !inputs.isEmpty {
      throw fields.refusal("init_inputs", wanted: "an empty list")
    }
    for value in try fields.list("fast_tokenizer_files") ?? [] {
      guard case .string(let name) = value, name.hasBytes(of: "tokenizer.json") else {
        throw fields.refusal("fast_tokenizer_files", wanted: "tokenizer.json alone")
      }
    }
    if let prefix = try fields.text("wordpieces_prefix"), prefix != "##" {
      throw fields.refusal("wordpieces_prefix", wanted: "##")
    }
    if let side = try fields.text("truncation_side"), !["left", "right"].contains(side) {
      throw fields.refusal("truncation_side", wanted: "right or left")
    }
  }

  /// Refuses what is no token in `special_tokens_map.json`.
  static func checkMap(_ fields: JSONFields) throws {
    let lists = ["additional_special_tokens", "extra_special_tokens"]
    for key in fields.keys where !key.hasSuffix("_token") && !lists.contains(key) {
      throw fields.refusal(key, wanted: "names of tokens alone")
    }
  }

  /// The most ids of a text.
  func longestText() throws -> Int {
    let key = fields.present("model_max_length") != nil ? "model_max_length" : "max_len"
    // Hugging Face writes 1e30 for "no limit"; that it is above 1e20 says so.
    switch fields.present(key) {
    case nil: return .max
    case .number(let value) where value > 1e9: return .max
    case .integer(let value) where value > 1_000_000_000: return .max
    default: return try fields.integer(key, 3...1_000_000_000) ?? .max
    }
  }
}
