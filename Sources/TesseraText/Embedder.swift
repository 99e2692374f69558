// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Turns texts into feature vectors: pooled hidden states of a range of layers, side by side.
public struct Embedder {
  private let encoder: TransformerEncoder
  private let states: ClosedRange<Int>
  private let pooling: SentencePooling
  private let batch: Int

  /// The most tokens of one batch; a longer text is a batch of its own. A GPU takes thousands of rows at once.
  /// A processor has enough to do with some hundreds a core, and memory that is touched first costs time.
  private var tokensPerBatch: Int {
    if encoder.copies.devices.all.contains(where: \.isGPU) { return 32_768 }
    return min(8192, max(2048, 512 * ProcessInfo.processInfo.activeProcessorCount))
  }

  /// An embedder.
  ///
  /// - Parameters:
  ///   - encoder: the encoder that reads the texts.
  ///   - states: hidden states, 0 being the embedding layer's.
  ///   - pooling: how the tokens' states become one vector: the first token's state, or the mean.
  ///   - batch: the most texts at once; changes no bit.
  /// - Throws: `TesseraError` for states that the encoder does not have.
  public init(
    _ encoder: TransformerEncoder, states: ClosedRange<Int>, pooling: SentencePooling = .cls, batch: Int = 64
  ) throws {
    guard states.lowerBound >= 0, states.upperBound <= encoder.configuration.layers else {
      throw TesseraError.input(
        "layers", found: "\(states.lowerBound)...\(states.upperBound)",
        wanted: "hidden states within 0...\(encoder.configuration.layers)")
    }
    guard batch >= 1 else { throw TesseraError.input("batch", found: "\(batch)", wanted: "1 or more") }
    (self.encoder, self.states, self.pooling, self.batch) = (encoder, states, pooling, batch)
  }

  /// The most tokens of a text, the special ones among them.
  public var limit: Int { encoder.longestText }

  /// Features per text.
  public var features: Int { states.count * encoder.configuration.hidden }

  /// The features of texts, row-major (texts, features).
  ///
  /// - Parameters:
  ///   - texts: the texts, of any length.
  ///   - progress: called with the number of texts done.
  ///   - cut: called before work starts with the number of texts that have more tokens than the encoder
  ///     takes, of which the first are used.
  public func embed(
    _ texts: [String], progress: (Int) throws -> Void = { _ in }, cut: (Int) throws -> Void = { _ in }
  ) throws -> [Float] {
    var longer = 0
    let ids = texts.map { text in
      let ids = encoder.tokenizer.encode(text, limit: limit)
      if ids.count >= limit, encoder.tokenizer.encode(text, limit: limit + 1).count > limit { longer += 1 }
      return ids
    }
    try cut(longer)
    let batches = batches(of: ids)
    let (features, hidden, kept, pooling) = (features, encoder.configuration.hidden, states, pooling)
    var rows = [Float](repeating: 0, count: texts.count * features)
    var done = 0
    try encoder.copies.mapDynamic(batches.count) { encoder, _, number in
      try splittingOnOutOfMemory(batches[number]) { texts in
        [(texts, try encoder.pooledStates(texts.map { ids[$0] }, kept, pooling))]
      }
    } take: { number, parts in
      for (texts, pooled) in parts {
        for (place, values) in pooled.enumerated() {
          for (index, row) in texts.enumerated() {
            let target = row * features + place * hidden
            rows.replaceSubrange(
              target..<target + hidden, with: values[index * hidden..<(index + 1) * hidden])
          }
        }
      }
      done += batches[number].count
      try progress(done)
    }
    return rows
  }

  /// The texts of each batch, by number.
  private func batches(of ids: [[Int32]]) -> [[Int]] {
    // Longest first: texts of like length share a batch, memory does not grow on the way, and what comes
    // last, when a device may have to wait for another, is short.
    let order = ids.indices.sorted { (ids[$0].count, $1) > (ids[$1].count, $0) }
    var batches: [[Int]] = []
    var tokens = 0
    let most = tokensPerBatch
    for text in order {
      tokens += ids[text].count
      if let last = batches.last, last.count < batch, tokens <= most {
        batches[batches.count - 1].append(text)
      } else {
        batches.append([text])
        tokens = ids[text].count
      }
    }
    return batches
  }
}

extension EncoderOnDevice {
  /// What stands for each text of a batch (texts, hidden), by hidden state.
  fileprivate func pooledStates(_ batch: [[Int32]], _ states: ClosedRange<Int>, _ pooling: SentencePooling)
    throws
    -> [[Float]]
  {
    let hidden = configuration.hidden
    var starts: [Int32] = []
    var begin: Int32 = 0
    for text in batch {
      starts.append(begin)
      begin += Int32(text.count)
    }
    let ids = try device.tensor(starts, [batch.count])
    var pooled: [Tensor] = []
    try hiddenStates(batch, upTo: states.upperBound) { number, x in
      guard states.contains(number) else { return }
      let out = try device.allocate([batch.count, hidden], .float32)
      switch pooling {
      case .cls: try device.gatherRows(x, ids: ids, columns: hidden, into: out)
      case .mean: try means(x, batch, starts, into: out)
      }
      pooled.append(out)
    }
    return try pooled.map { try device.floats($0) }
  }

  /// The mean over each text's tokens: a product with a row of 1 / length.
  private func means(_ x: Tensor, _ batch: [[Int32]], _ starts: [Int32], into out: Tensor) throws {
    let hidden = configuration.hidden
    for (index, text) in batch.enumerated() {
      let weights = try device.allocate([text.count], .float32)
      try device.fill(weights, with: 1 / Float(text.count))
      var p = Matmul(m: 1, n: hidden, k: text.count)
      (p.b.offset, p.c.offset) = (Int(starts[index]) * hidden, index * hidden)
      try device.matmul(p, weights, x, bias: nil, into: out)
    }
  }
}
