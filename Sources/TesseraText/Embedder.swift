import TesseraCompute

/// Turns texts into feature vectors: pooled hidden states of a range of layers, side by side.
public struct Embedder {
  private let encoder: TransformerEncoder
  private let states: ClosedRange<Int>
  private let pooling: Pooling
  private let batch: Int

  /// The most tokens of one batch; a longer text is a batch of its own.
  private static let tokensPerBatch = 4096

  /// An embedder.
  ///
  /// - Parameters:
  ///   - states: hidden states, 0 being the embedding layer's.
  ///   - batch: the most texts at once; changes no bit.
  /// - Throws: `TesseraError` for states that the encoder does not have.
  public init(
    _ encoder: TransformerEncoder, states: ClosedRange<Int>, pooling: Pooling = .cls, batch: Int = 64
  ) throws {
    guard states.lowerBound >= 0, states.upperBound <= encoder.configuration.layers else {
      throw TesseraError.input(
        "layers", found: "\(states.lowerBound)...\(states.upperBound)",
        wanted: "hidden states within 0...\(encoder.configuration.layers)")
    }
    guard batch >= 1 else { throw TesseraError.input("batch", found: "\(batch)", wanted: "1 or more") }
    (self.encoder, self.states, self.pooling, self.batch) = (encoder, states, pooling, batch)
  }

  /// Features per text.
  public var features: Int { states.count * encoder.configuration.hidden }

  /// The features of texts, row-major (texts, features).
  ///
  /// - Parameter progress: called with the number of texts done.
  public func embed(_ texts: [String], progress: (Int) throws -> Void = { _ in }) throws -> [Float] {
    let limit = min(512, encoder.configuration.positions)
    let ids = texts.map { encoder.tokenizer.encode($0, limit: limit) }
    // Longest first: texts of like length share a batch, and memory does not grow on the way.
    let order = ids.indices.sorted { (ids[$0].count, $1) > (ids[$1].count, $0) }
    var rows = [Float](repeating: 0, count: texts.count * features)
    var at = 0
    while at < order.count {
      var end = at
      var tokens = 0
      while end < order.count, end - at < batch,
        end == at || tokens + ids[order[end]].count <= Self.tokensPerBatch
      {
        tokens += ids[order[end]].count
        end += 1
      }
      try embed(order[at..<end].map { ids[$0] }, rowNumbers: Array(order[at..<end]), into: &rows)
      at = end
      try progress(at)
    }
    return rows
  }

  private func embed(_ batch: [[Int32]], rowNumbers: [Int], into rows: inout [Float]) throws {
    let device = encoder.device
    let hidden = encoder.configuration.hidden
    var starts: [Int32] = []
    var begin: Int32 = 0
    for text in batch {
      starts.append(begin)
      begin += Int32(text.count)
    }
    let ids = try device.tensor(starts, [batch.count])
    var pooled: [Tensor] = []
    try encoder.hiddenStates(batch, upTo: states.upperBound) { number, x in
      guard states.contains(number) else { return }
      let out = try device.allocate([batch.count, hidden], .float32)
      switch pooling {
      case .cls: try device.gatherRows(x, ids: ids, columns: hidden, into: out)
      case .mean: try means(x, batch, starts, into: out)
      }
      pooled.append(out)
    }
    for (place, tensor) in pooled.enumerated() {
      let values = try device.floats(tensor)
      for (index, row) in rowNumbers.enumerated() {
        let target = row * features + place * hidden
        rows.replaceSubrange(target..<target + hidden, with: values[index * hidden..<(index + 1) * hidden])
      }
    }
  }

  /// The mean over each text's tokens: a product with a row of 1 / length.
  private func means(_ x: Tensor, _ batch: [[Int32]], _ starts: [Int32], into out: Tensor) throws {
    let hidden = encoder.configuration.hidden
    for (index, text) in batch.enumerated() {
      let weights = try encoder.device.allocate([text.count], .float32)
      try encoder.device.fill(weights, with: 1 / Float(text.count))
      var p = MatmulParameters(m: 1, n: hidden, k: text.count)
      (p.b_offset, p.c_offset) = (starts[index] * Int32(hidden), Int32(index * hidden))
      try encoder.device.matmul(p, weights, x, bias: nil, into: out)
    }
  }
}
