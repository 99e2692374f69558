// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraPipeline
import TesseraText
import TesseraVision

/// What is fuzzed: a reader either succeeds or throws a `TesseraError` of one line. Anything else is a finding: a trap, a
/// hang, memory without end, another error.
enum Target: String, CaseIterable {
  case safetensors, pth, index, csv, dialects, labels, jsonl, gzip, config, vocabulary, tokenizer, run, model, table
  case tokenizerFiles = "tokenizer-files"

  func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> Bool {
    switch self {
    case .safetensors: tensors("w.safetensors", bytes)
    case .pth:
      // By these first bytes a file is taken for PyTorch's, the zip format or the legacy one.
      guard let first = bytes.first else { return false }
      begun(bytes, with: first & 0x80 == 0 ? [0x50, 0x4b] : [0x80, 2]) { tensors("w.pth", $0) }
    case .index:
      expectOneLine {
        let folder = try Self.encoder()
        _ = Scratch.file("encoder/model.safetensors.index.json", bytes)
        let files = try EncoderFolder(folder).files
        precondition(files.allSatisfy { !$0.hasPrefix("/") && !$0.split(separator: "/").contains("..") })
        _ = try TransformerEncoder(folder: folder, device: try CPUBackend(threads: 1))
      }
    case .csv:
      // The first byte chooses the separator and whether labels are needed.
      guard let first = bytes.first else { return false }
      dataSet(first & 1 == 0 ? "d.csv" : "d.tsv", rest(bytes), labelled: first & 2 == 0)
    case .dialects: dialects(bytes)
    case .labels: labels(bytes)
    case .jsonl: dataSet("d.jsonl", bytes, labelled: true)
    case .gzip: begun(bytes, with: [0x1f, 0x8b, 8]) { dataSet("d.csv.gz", $0, labelled: true) }
    case .config: expectOneLine { _ = try EncoderConfiguration(file: Scratch.file("config.json", bytes)) }
    case .vocabulary:
      expectOneLine {
        let tokenizer = try SubwordTokenizer(vocabularyFile: Scratch.file("vocab.txt", bytes))
        check(tokenizer.encode("a film [SEP] to remember, \u{e9}t\u{e9}"), tokenizer.count, limit: 512)
      }
    case .tokenizer:
      let text = String(decoding: bytes, as: UTF8.self)
      for limit in [0, 1, 2, 7, 512] {
        check(Self.words.encode(text, limit: limit), Self.words.count, limit: limit)
      }
    case .tokenizerFiles: tokenizerFiles(bytes)
    case .run: folder(bytes)
    case .model: states(bytes)
    case .table: table(bytes)
    }
    return true
  }

  private func rest(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    .init(rebasing: bytes.dropFirst())
  }

  /// The bytes with others in the place of the first.
  private func begun(
    _ bytes: UnsafeRawBufferPointer, with start: [UInt8], _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    (start + bytes.dropFirst(start.count)).withUnsafeBytes(body)
  }

  /// A table of numbers: the first byte chooses what is asked of it, the first bytes after it what it is.
  private func table(_ bytes: UnsafeRawBufferPointer) {
    guard let first = bytes.first else { return }
    expectOneLine {
      var request = TableRequest()
      request.labelled = first & 1 == 0
      if first & 2 != 0 { request.columns.ignored = ["id"] }
      if first & 4 != 0 { (request.format.header, request.format.label) = (false, "1") }
      if first & 8 != 0 { (request.wanted, request.known) = (["b", "a"], ["id"]) }
      let found = try NumberTable.read(Scratch.file("d.table", rest(bytes)), request)
      precondition(found.count > 0 && !found.names.isEmpty && found.labels.allSatisfy { $0 < Int32(found.classes.count) })
    }
  }

  func expectOneLine(_ body: () throws -> Void) {
    do {
      try body()
    } catch let error as TesseraError {
      precondition(!error.description.contains { $0.isNewline }, "an error of several lines: \(error)")
    } catch {
      preconditionFailure("an error that is not Tessera's: \(error)")
    }
  }

  private func tensors(_ name: String, _ bytes: UnsafeRawBufferPointer) {
    expectOneLine {
      let file = try TensorFile.open(Scratch.file(name, bytes))
      expectOneLine { _ = try Self.network.loadSlice(file) }
      for name in file.names {
        // Of a type that is not read there is no shape either.
        guard let shape = try? file.shape(name) else { continue }
        expectOneLine {
          let floats = try file.floats(name)
          precondition(floats.count == shape.reduce(1, *))
        }
        expectOneLine {
          let ints = try file.ints(name)
          precondition(ints.count == shape.reduce(1, *))
        }
      }
    }
  }

  private func dataSet(_ name: String, _ bytes: UnsafeRawBufferPointer, labelled: Bool) {
    expectOneLine {
      let data = try DataSet.read(Scratch.file(name, bytes), labelled: labelled)
      precondition(data.texts.count == data.labels.count && !data.texts.isEmpty)
      precondition(data.labels.allSatisfy { $0 >= (labelled ? 0 : -1) && $0 < Int32(data.classes.count) })
    }
  }

  private func check(_ ids: [Int32], _ count: Int, limit: Int) {
    precondition(ids.count >= 2 && ids.count <= max(2, limit), "\(ids.count) ids of at most \(limit)")
    precondition(ids.allSatisfy { $0 >= 0 && $0 < Int32(count) }, "an id outside the vocabulary")
  }

  /// An encoder's folder of which the first byte chooses the file, and whether tokenizer.json is taken at its word.
  private func tokenizerFiles(_ bytes: UnsafeRawBufferPointer) {
    guard let first = bytes.first else { return }
    let names = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"]
    func write(_ name: String, _ text: StaticString) {
      _ = Scratch.file(name, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
    for name in names { unlink("\(Scratch.folder)/\(name)") }
    write(
      "config.json",
      """
      {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 299,
      "max_position_embeddings": 512}
      """)
    write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nfilm\n##s\n")
    if first & 4 != 0 { write("tokenizer_config.json", #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#) }
    _ = Scratch.file(names[Int(first & 3)], rest(bytes))
    expectOneLine {
      let folder = try EncoderFolder(Scratch.folder)
      let tokenizer = try SubwordTokenizer(folder: folder, configuration: try folder.configuration())
      precondition(tokenizer.count <= 299 && tokenizer.notes.allSatisfy { !$0.isEmpty })
      for limit in [0, 7, 512] {
        let ids = tokenizer.encode("a Films [MASK] x[ACTOR]s \u{e9}t\u{301} \u{4f60}\u{a0}<s>", limit: limit)
        precondition(ids.count <= max(20, limit), "\(ids.count) ids of at most \(limit)")
        precondition(
          ids.allSatisfy { $0 >= 0 && $0 < Int32(tokenizer.count) }, "an id outside the vocabulary")
      }
    }
  }

  /// A run's folder of which the first byte chooses the file; the others are those of the last inputs.
  private func folder(_ bytes: UnsafeRawBufferPointer) {
    guard let first = bytes.first else { return }
    let names = [
      "run.json", "embeddings.json", "model.json", "layout.safetensors", "result.json", "history.json",
    ]
    let name = names[Int(first) % names.count]
    let path = Scratch.file(name, rest(bytes))
    // Without a configuration nothing else is read.
    if name != "run.json" {
      let configuration = #"{"data":"d.csv","encoder":"e"}"#
      configuration.utf8.withContiguousStorageIfAvailable {
        _ = Scratch.file("run.json", UnsafeRawBufferPointer($0))
      }
    }
    expectOneLine { _ = try RunReport(folder: Scratch.folder).text }
    expectOneLine {
      let configuration = try RunConfiguration.read("\(Scratch.folder)/run.json")
      _ = try configuration.embedding.states(layers: 12)
      _ = try configuration.layoutPlan()
      try configuration.model.check()
    }
    guard name.hasSuffix("s.json") || name == "model.json" else { return }
    expectOneLine {
      let run = try RunDirectory(Scratch.folder)
      let stage = String(name.dropLast(5))
      let output = "\(stage).out"
      let (fingerprint, ran) = try run.stage(stage, inputs: [:], parameters: [:], outputs: [output]) {
        _ = Scratch.file(output, UnsafeRawBufferPointer(start: nil, count: 0))
        return "made"
      }
      precondition(ran == (fingerprint == "made") || !ran)
    }
    unlink(path)
  }

  /// What stages read back: features, images, layouts, models.
  private func states(_ bytes: UnsafeRawBufferPointer) {
    let path = Scratch.file("s.safetensors", bytes)
    expectOneLine { _ = try Embeddings.read(path) }
    expectOneLine { _ = try ImageSet.read(path) }
    expectOneLine { _ = try FeatureLayout.read(path) }
    expectOneLine { _ = try TrainedModel.read(path, on: DeviceGroup(try CPUBackend(threads: 1))) }
  }

  /// libFuzzer has one thread.
  nonisolated(unsafe) private static let network: ImageClassifier = {
    let device = try? CPUBackend(threads: 1)
    guard let device,
      let network = try? ImageClassifier(
        .alexnet, classes: 2, pixels: 32, options: linear, seed: 1, device: device)
    else { preconditionFailure("the fuzzer's network") }
    return network
  }()

  private static var linear: NetworkOptions {
    var options = NetworkOptions()
    options.head = .linear
    return options
  }

  /// An encoder of one layer whose weights lie in a.safetensors and below/b.safetensors; its folder.
  private static func encoder() throws -> String {
    let folder = Scratch.folder + "/encoder"
    guard !FileManager.default.fileExists(atPath: folder) else { return folder }
    try FileManager.default.createDirectory(
      atPath: folder + "/below", withIntermediateDirectories: true)
    let config =
      #"{"model_type":"bert","num_hidden_layers":1,"hidden_size":2,"num_attention_heads":1,"#
      + #""intermediate_size":2,"vocab_size":5,"max_position_embeddings":4}"#
    try Data(config.utf8).write(to: URL(fileURLWithPath: folder + "/config.json"))
    try Data("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n".utf8).write(
      to: URL(fileURLWithPath: folder + "/vocab.txt"))
    var writers = [SafetensorsWriter(), SafetensorsWriter()]
    func add(_ part: Int, _ name: String, _ shape: [Int]) {
      writers[part].add(name, [Float](repeating: 0.5, count: shape.reduce(1, *)), shape: shape)
    }
    for (name, rows) in [("word", 5), ("position", 4), ("token_type", 2)] {
      add(0, "embeddings.\(name)_embeddings.weight", [rows, 2])
    }
    let layer = "encoder.layer.0."
    for name in ["embeddings.LayerNorm", layer + "attention.output.LayerNorm", layer + "output.LayerNorm"] {
      for part in ["weight", "bias"] { add(0, "\(name).\(part)", [2]) }
    }
    let linear = ["self.query", "self.key", "self.value", "output.dense"].map { "attention." + $0 }
    for name in linear + ["intermediate.dense", "output.dense"] {
      add(1, "\(layer)\(name).weight", [2, 2])
      add(1, "\(layer)\(name).bias", [2])
    }
    _ = try writers[0].write(to: folder + "/a.safetensors")
    _ = try writers[1].write(to: folder + "/below/b.safetensors")
    return folder
  }

  private static let words: SubwordTokenizer = {
    let letters = (97...122).map { String(UnicodeScalar(UInt8($0))) }
    let tokens =
      ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "##ing", ",", ".", "\u{4e00}"] + letters
      + letters.map { "##" + $0 }
    guard let words = try? SubwordTokenizer(tokens: tokens) else {
      preconditionFailure("the fuzzer's vocabulary")
    }
    return words
  }()
}
