// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// An encoder's weights on a device, read by Hugging Face's names.
struct EncoderWeights: Sendable {
  /// The word table (vocabulary, hidden) and the position table (firstPosition + positions, hidden).
  let words: Tensor, positions: Tensor
  let norm: Norm
  /// A bias on the attention scores by distance (heads, 2 positions - 1), shared by all layers.
  let distanceBias: Tensor?
  let layers: [Layer]

  struct Norm: Sendable {
    let gamma: Tensor, beta: Tensor
  }

  /// Query, key and value stand one below the other in `qkv`.
  struct Layer: Sendable {
    let qkv: Tensor, qkvBias: Tensor, output: Tensor, outputBias: Tensor, attentionNorm: Norm
    let up: Tensor, upBias: Tensor, down: Tensor, downBias: Tensor, norm: Norm
  }

  /// Reads the weights that a configuration asks for.
  ///
  /// - Throws: `TesseraError` naming the file and the tensor that is missing or has another shape.
  init(_ tensors: TensorSelection, _ c: EncoderConfiguration, device: any Backend) throws {
    let reader = Reader(tensors: tensors, configuration: c, device: device)
    let encoder = c.family.encoder
    words = try reader.tensor(EncoderDescription.words, [c.vocabulary, c.hidden])
    positions = try device.tensor(
      try reader.positionTable(), [encoder.firstPosition + c.positions, c.hidden])
    norm = try reader.norm(EncoderDescription.norm)
    layers = try (0..<c.layers).map { try reader.layer("\(encoder.layers).\($0).", encoder.layer) }
    distanceBias = try reader.distanceBias()
  }
}

private struct Reader {
  let tensors: TensorSelection
  let configuration: EncoderConfiguration
  let device: any Backend

  private func floats(_ name: String, _ shape: [Int]) throws -> [Float] {
    try tensors.file.weights(tensors.name(name), shape: shape)
  }

  func tensor(_ name: String, _ shape: [Int]) throws -> Tensor { try tensor([name], of: shape) }

  /// Tensors of one shape, one below the other.
  func tensor(_ names: [String], of shape: [Int]) throws -> Tensor {
    let tensor = try device.allocate([names.count * shape[0]] + shape.dropFirst(), .float32)
    let count = shape.reduce(1, *)
    for (place, name) in names.enumerated() {
      try tensors.file.copy(
        tensors.name(name), shape: shape, to: tensor, offset: place * count, on: device)
    }
    return tensor
  }

  func norm(_ name: String) throws -> EncoderWeights.Norm {
    let hidden = configuration.hidden
    return EncoderWeights.Norm(
      gamma: try tensor(name + ".weight", [hidden]), beta: try tensor(name + ".bias", [hidden]))
  }

  /// The position table, with rows before the first token's.
  func positionTable() throws -> [Float] {
    let c = configuration
    let encoder = c.family.encoder
    var table = try floats(
      EncoderDescription.positionTable, [encoder.firstPosition + c.positions, c.hidden])
    guard let name = encoder.tokenTypes else { return table }
    // Every token is of type 0: its row is added to the position table once.
    let type = try floats(name, try tensors.file.shape(tensors.name(name)))
    guard type.count >= c.hidden else {
      throw TesseraError.input(
        "\(tensors.file.path): token_type_embeddings", found: "no types", wanted: "one or more")
    }
    for i in table.indices { table[i] += type[i % c.hidden] }
    return table
  }

  func distanceBias() throws -> Tensor? {
    let c = configuration
    guard let name = c.family.encoder.distanceBias else { return nil }
    let weights = try floats(name, [DistanceBuckets.count, c.heads])
    return try device.tensor(
      DistanceBuckets.table(weights, heads: c.heads, span: c.positions), [c.heads, 2 * c.positions - 1])
  }

  func layer(_ name: String, _ names: LayerNames) throws -> EncoderWeights.Layer {
    let c = configuration
    let parts = [names.query, names.key, names.value]
    return EncoderWeights.Layer(
      qkv: try tensor(parts.map { name + $0 + ".weight" }, of: [c.hidden, c.hidden]),
      qkvBias: try tensor(parts.map { name + $0 + ".bias" }, of: [c.hidden]),
      output: try tensor(name + names.output + ".weight", [c.hidden, c.hidden]),
      outputBias: try tensor(name + names.output + ".bias", [c.hidden]),
      attentionNorm: try norm(name + names.attentionNorm),
      up: try tensor(name + names.up + ".weight", [c.intermediate, c.hidden]),
      upBias: try tensor(name + names.up + ".bias", [c.intermediate]),
      down: try tensor(name + names.down + ".weight", [c.hidden, c.intermediate]),
      downBias: try tensor(name + names.down + ".bias", [c.hidden]),
      norm: try norm(name + names.norm))
  }
}
