// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// An encoder's weights on a device, read by Hugging Face's names.
struct EncoderWeights: Sendable {
  /// The word table (vocabulary, embedding) and the position table (firstPosition + positions, embedding).
  let words: Tensor, positions: Tensor
  let norm: Norm
  /// From an embedding to a hidden state (hidden, embedding), where the two differ in width.
  let projection: Linear?
  /// A bias on the attention scores by distance (heads, 2 positions - 1), shared by all layers.
  let distanceBias: Tensor?
  let layers: [Layer]

  struct Norm: Sendable {
    let gamma: Tensor, beta: Tensor
  }

  struct Linear: Sendable {
    let weight: Tensor, bias: Tensor
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
    words = try reader.tensor(EncoderDescription.words, [c.vocabulary, c.embedding])
    positions = try device.tensor(
      try reader.positionTable(), [encoder.firstPosition + c.positions, c.embedding])
    norm = try reader.norm(EncoderDescription.norm, c.embedding)
    projection = try c.projection.map { name in
      Linear(
        weight: try reader.tensor(name + ".weight", [c.hidden, c.embedding]),
        bias: try reader.tensor(name + ".bias", [c.hidden]))
    }
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

  func norm(_ name: String, _ width: Int) throws -> EncoderWeights.Norm {
    EncoderWeights.Norm(
      gamma: try tensor(name + ".weight", [width]), beta: try tensor(name + ".bias", [width]))
  }

  /// The position table, with rows before the first token's.
  func positionTable() throws -> [Float] {
    let c = configuration
    let encoder = c.family.encoder
    var table = try floats(
      EncoderDescription.positionTable, [encoder.firstPosition + c.positions, c.embedding])
    guard let name = encoder.tokenTypes else { return table }
    // Every token is of type 0: its row is added to the position table once.
    let type = try floats(name, try tensors.file.shape(tensors.name(name)))
    guard type.count >= c.embedding else {
      throw TesseraError.input(
        "\(tensors.file.path): token_type_embeddings", found: "no types", wanted: "one or more")
    }
    for i in table.indices { table[i] += type[i % c.embedding] }
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
      attentionNorm: try norm(name + names.attentionNorm, c.hidden),
      up: try tensor(name + names.up + ".weight", [c.intermediate, c.hidden]),
      upBias: try tensor(name + names.up + ".bias", [c.intermediate]),
      down: try tensor(name + names.down + ".weight", [c.hidden, c.intermediate]),
      downBias: try tensor(name + names.down + ".bias", [c.hidden]),
      norm: try norm(name + names.norm, c.hidden))
  }
}
