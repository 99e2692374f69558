// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Batches of a data set: in an order that follows from seed and epoch alone, made ahead by a thread of the host.
///
/// ```swift
/// let loader = try DataLoader(rows: images.count, batch: 64, seed: 1) { rows in
///   (pixels: rows.flatMap { images[$0] }, labels: rows.map { labels[$0] })
/// }
/// for epoch in 0..<10 {
///   try loader.forEach(epoch: epoch) { number, batch in ... }
/// }
/// ```
public struct DataLoader<Batch: Sendable>: Sendable {
  /// Rows of the data set.
  public let rows: Int
  /// Rows of a batch; the last of an epoch may have fewer.
  public let batch: Int
  /// Whether a last batch of fewer rows is left out.
  public let dropsLast: Bool
  private let seed: UInt64?, ahead: Int
  private let make: @Sendable (_ rows: [Int]) throws -> Batch

  /// A loader.
  ///
  /// - Parameters:
  ///   - rows: how many the data set has.
  ///   - batch: rows of a batch, 1 or more.
  ///   - seed: what the order of each epoch is drawn by; nil: the rows' own order.
  ///   - dropsLast: whether a last batch of fewer rows is left out.
  ///   - ahead: batches that may be made before they are asked for; 0: none, and no thread.
  ///   - make: makes a batch of rows by their numbers, on another thread where there is one.
  /// - Throws: `TesseraError` for numbers below these.
  public init(
    rows: Int, batch: Int, seed: UInt64? = nil, dropsLast: Bool = false, ahead: Int = 2,
    _ make: @escaping @Sendable (_ rows: [Int]) throws -> Batch
  ) throws {
    guard rows >= 0, rows <= Int(Int32.max), batch >= 1, (0...1024).contains(ahead) else {
      throw TesseraError.failure(
        "a data loader", found: "\(rows) rows in batches of \(batch), \(ahead) ahead",
        wanted: "0 to 2^31 - 1 rows, batches of 1 or more, 0 to 1024 ahead")
    }
    (self.rows, self.batch, self.dropsLast) = (rows, batch, dropsLast)
    (self.seed, self.ahead, self.make) = (seed, ahead, make)
  }

  /// Batches of an epoch.
  public var batches: Int { dropsLast ? rows / batch : rows / batch + (rows % batch > 0 ? 1 : 0) }

  /// The rows' numbers in the order of an epoch, which is the same on every machine.
  ///
  /// - Parameter epoch: from 0 on, below 2^56.
  /// - Throws: `TesseraError` for another epoch.
  public func order(ofEpoch epoch: Int) throws -> [Int] {
    guard (0..<1 << 56).contains(epoch) else {
      throw TesseraError.failure("a data loader", found: "epoch \(epoch)", wanted: "0 to 2^56 - 1")
    }
    guard let seed else { return Array(0..<rows) }
    // NUMERICS.md rule 7: the order of rows has the streams from 2^60 on.
    return try RandomStream(seed: seed, stream: 1 << 60 + UInt64(epoch)).shuffled(Array(0..<rows))
  }

  /// Calls a function with the batches of an epoch, one after the other.
  ///
  /// - Parameters:
  ///   - epoch: from 0 on.
  ///   - first: the batch to begin with, where a training goes on in the middle of an epoch.
  ///   - body: gets the batch's number in the epoch, and the batch.
  /// - Throws: `TesseraError` for an epoch or a batch that there is none of, and what making or using a batch throws.
  public func forEach(
    epoch: Int, from first: Int = 0, _ body: (_ number: Int, _ batch: Batch) throws -> Void
  ) throws {
    guard (0...batches).contains(first) else {
      throw TesseraError.failure(
        "a data loader", found: "batch \(first)", wanted: "0 to \(batches), as an epoch has")
    }
    let order = try order(ofEpoch: epoch)
    let (size, make) = (batch, make)
    let batch = { @Sendable (number: Int) in
      try make(Array(order[number * size..<min(order.count, (number + 1) * size)]))
    }
    guard ahead > 0, batches - first > 1 else {
      for number in first..<batches { try body(number, try batch(number)) }
      return
    }
    let shelf = Shelf<Batch>(room: ahead)
    let numbers = first..<batches
    let maker = try HostThread { shelf.fill(numbers, batch) }
    defer {
      shelf.close()
      maker.join()
    }
    for number in numbers { try body(number, try shelf.take()) }
  }
}
