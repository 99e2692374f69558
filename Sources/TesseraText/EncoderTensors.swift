// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The names and shapes of an encoder's tensors, as Hugging Face's files have them.
struct EncoderTensors {
  private let configuration: EncoderConfiguration
  private(set) var wanted: [WantedTensor] = []

  /// What a configuration asks for.
  init(_ c: EncoderConfiguration) {
    configuration = c
    let encoder = c.family.encoder
    add(EncoderDescription.words, [c.vocabulary, c.embedding])
    add(EncoderDescription.positionTable, [encoder.firstPosition + c.positions, c.embedding])
    // However many types there are, every token is of the first.
    if let types = encoder.tokenTypes { add(types, [nil, c.embedding]) }
    addNorm(EncoderDescription.norm, c.embedding)
    if let projection = c.projection { addLinear(projection, c.embedding, c.hidden) }
    for index in 0..<c.layers { addLayer("\(encoder.layers).\(index).", encoder.layer) }
    if let bias = encoder.distanceBias { add(bias, [DistanceBuckets.count, c.heads]) }
  }

  private mutating func add(_ name: String, _ shape: [Int?]) { wanted.append(.init(name, shape: shape)) }

  /// Files converted from TensorFlow say gamma and beta.
  private mutating func addNorm(_ name: String, _ width: Int) {
    let shape = [width]
    wanted.append(.init(name + ".weight", or: [name + ".gamma"], shape: shape))
    wanted.append(.init(name + ".bias", or: [name + ".beta"], shape: shape))
  }

  private mutating func addLinear(_ name: String, _ ins: Int, _ outs: Int) {
    add(name + ".weight", [outs, ins])
    add(name + ".bias", [outs])
  }

  private mutating func addLayer(_ name: String, _ names: LayerNames) {
    let c = configuration
    for part in [names.query, names.key, names.value, names.output] {
      addLinear(name + part, c.hidden, c.hidden)
    }
    addNorm(name + names.attentionNorm, c.hidden)
    addLinear(name + names.up, c.hidden, c.intermediate)
    addLinear(name + names.down, c.intermediate, c.hidden)
    addNorm(name + names.norm, c.hidden)
  }

  /// Finds the tensors in a file.
  ///
  /// - Throws: `TesseraError` naming what is missing or does not fit, and tensors inside the encoder that
  ///   this family does not have: without them the numbers would be others than the file's author meant.
  func select(from file: TensorFile) throws -> (selection: TensorSelection, notes: [String]) {
    let c = configuration
    let layers = c.family.encoder.layers
    let name = "the weights of config.json's \(c.family.rawValue) of \(c.layers) layers by \(c.hidden)"
    let selection = try file.select(wanted, for: name)
    // A layer norm may be there by both of its names.
    let same: Set<String> = Set(wanted.flatMap(\.allNames))
    let modules =
      ["embeddings"] + [c.family.encoder.projection].compactMap { $0 }
      + (0..<c.layers).map { "\(layers).\($0)" }
    let strangers = selection.strangers(in: modules).filter { !same.contains($0) }
    if let stranger = strangers.first {
      let more = strangers.count > 1 ? " and \(strangers.count - 1) more" : ""
      throw TesseraError.input(
        file.path, found: "\(stranger)\(more), which a \(c.family.rawValue) does not have",
        wanted: "\(name) alone (adapters merged into them)")
    }
    var notes = selection.notes
    if selection.holds("\(layers).\(c.layers)") {
      notes.append(
        "\(file.path): holds more layers than the \(c.layers) of config.json; those after them are left")
    }
    return (selection, notes)
  }
}
