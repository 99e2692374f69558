// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Turns texts into feature vectors: pooled hidden states of a range of layers, side by side. Of several vectors
/// for a hidden state, those of one state are neighbours.
public struct Embedder {
  /// The hidden states that become features, 0 being the embedding layer's.
  public let states: ClosedRange<Int>
  /// How the tokens' states become vectors.
  public let pooling: SentencePooling
  private let encoder: TransformerEncoder
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
  ///   - pooling: how the tokens' states become vectors: the first token's state, the mean, or both.
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

  /// What the encoder's linear layers are sums of.
  public var products: Products { encoder.products }

  /// Features per text.
  public var features: Int { states.count * pooling.vectors.count * encoder.configuration.hidden }

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
    let features = features
    var all = [Float](repeating: 0, count: texts.count * features)
    var done = 0
    try embed(texts, rows: Array(texts.indices), cut: cut) { rows, values in
      for (index, row) in rows.enumerated() {
        all.replaceSubrange(
          row * features..<(row + 1) * features, with: values[index * features..<(index + 1) * features])
      }
      done += rows.count
      try progress(done)
    }
    return all
  }

  /// Embeds some of the texts and hands their features on batch by batch, in an order of its own: the longest
  /// texts come first.
  ///
  /// - Parameters:
  ///   - texts: all texts.
  ///   - rows: the numbers of those that are wanted.
  ///   - cut: as above, of all texts.
  ///   - take: called with the texts of each batch and their features (texts of the batch, features).
  /// - Throws: `TesseraError` for a row that there is not, and what the closures throw.
  public func embed(
    _ texts: [String], rows: [Int], cut: (Int) throws -> Void = { _ in },
    take: ([Int], [Float]) throws -> Void
  ) throws {
    if let wrong = rows.first(where: { !texts.indices.contains($0) }) {
      throw TesseraError.input("rows", found: "row \(wrong)", wanted: "rows within 0..<\(texts.count)")
    }
    var longer = 0
    let ids = texts.map { text in
      let ids = encoder.tokenizer.encode(text, limit: limit)
      if ids.count >= limit, encoder.tokenizer.encode(text, limit: limit + 1).count > limit { longer += 1 }
      return ids
    }
    try cut(longer)
    let batches = batches(of: ids, rows: rows)
    let (hidden, kept, pooling) = (encoder.configuration.hidden, states, pooling)
    let coding = PartCoding<[Pooled]>(
      input: { number in EncoderWork.part(batches[number].map { ids[$0] }, kept, pooling) },
      output: { number, answer in
        var begin = 0
        return try EncoderWork.vectors(answer).map { count, vectors in
          defer { begin += count }
          return Pooled(Array(batches[number][begin..<begin + count]), vectors)
        }
      })
    try encoder.copies.mapDynamic(batches.count, coding: coding) { encoder, _, number -> [Pooled] in
      try splittingOnOutOfMemory(batches[number]) { texts in
        [Pooled(Array(texts), try encoder.pooledStates(texts.map { ids[$0] }, kept, pooling))]
      }
    } take: { _, parts in
      for part in parts { try take(part.texts, part.sideBySide(hidden)) }
    }
  }

  /// The texts of each batch, by number.
  private func batches(of ids: [[Int32]], rows: [Int]) -> [[Int]] {
    // Longest first: texts of like length share a batch, memory does not grow on the way, and what comes
    // last, when a device may have to wait for another, is short.
    let order = rows.sorted { (ids[$0].count, $1) > (ids[$1].count, $0) }
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

/// What stands for the texts of a batch.
private struct Pooled: Sendable {
  /// The texts' numbers.
  let texts: [Int]
  /// By hidden state and vector, (texts, hidden) each.
  let vectors: [[Float]]

  init(_ texts: [Int], _ vectors: [[Float]]) { (self.texts, self.vectors) = (texts, vectors) }

  /// The vectors of each text side by side: (texts, vectors, hidden).
  func sideBySide(_ hidden: Int) -> [Float] {
    var rows: [Float] = []
    rows.reserveCapacity(texts.count * vectors.count * hidden)
    for text in texts.indices {
      for values in vectors { rows += values[text * hidden..<(text + 1) * hidden] }
    }
    return rows
  }
}

extension EncoderOnDevice {
  /// What stands for each text of a batch (texts, hidden), by hidden state and vector.
  func pooledStates(_ batch: [[Int32]], _ states: ClosedRange<Int>, _ pooling: SentencePooling)
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
      for vector in pooling.vectors {
        let out = try device.allocate([batch.count, hidden], .float32)
        if vector == .cls {
          try device.gatherRows(x, ids: ids, columns: hidden, into: out)
        } else {
          try means(x, batch, starts, into: out)
        }
        pooled.append(out)
      }
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
