// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Kept rows that are divided among ranks: each keeps the chunks that its devices have computed, so none has to
/// hold all. The leader knows who has what, and has rows sent from there to where they are needed.
///
///     leader: chunk -> rank               rank 1 keeps chunks 1, 2, 5      rank 2 keeps chunks 3, 6
///       |  "send rows 70, 130 to rank 2"  -->  |  -- the rows ------------>  |
///       |  "a step, with rows of rank 1"  --------------------------------->  |
final class RankedFeatureCache: FeatureCache, @unchecked Sendable {
  /// The network on the other ranks, which keeps their rows.
  private let model: SharedModel
  private let size: Int, chunk: Int
  private let kept: KeptChunks
  private let owners: Locked<[Int]>
  /// One request at a time: answers come in the order of the requests.
  private let requests = NSLock()
  /// What was asked for ahead.
  private let ahead = Locked<[[Int]: [Float]]>([:])

  /// Room for rows of `size` floats in chunks.
  ///
  /// - Parameter model: the network on the other ranks.
  init(count: Int, rowSize: Int, chunk: Int, on model: SharedModel) {
    (self.model, size, self.chunk) = (model, rowSize, chunk)
    kept = KeptChunks(rowSize: rowSize, chunk: chunk)
    owners = Locked(Array(repeating: 0, count: (count + chunk - 1) / chunk))
  }

  /// Keeps a chunk here.
  func keep(_ tensor: Tensor, from row: Int, of device: any Backend) throws {
    kept.keep(try device.floats(tensor), from: row)
  }

  /// Notes that a rank keeps a chunk.
  func note(chunk: Int, of rank: Int) { owners.withLock { $0[chunk] = rank } }

  /// The rank that keeps each of some rows.
  func sources(of rows: [Int]) -> [Int] { owners.withLock { owners in rows.map { owners[$0 / chunk] } } }

  /// Has every rank that keeps some of the rows send them to a rank.
  func send(_ rows: [Int], to rank: Int) throws {
    let sources = sources(of: rows)
    // What the leader needs of its own is there; another rank sends its own rows to itself.
    for source in Set(sources).sorted() where source != 0 || rank != 0 {
      let own = zip(rows, sources).filter { $1 == source }.map(\.0)
      if source == 0 {
        try model.team.communicator.send(try kept.message(own), to: rank, .rows)
      } else {
        try model.tell(NetworkWork.giving(own, to: rank), to: source)
      }
    }
  }

  /// Gets rows that this process will need in a step, before other ranks are told of the step: in it they wait for
  /// sums, and send nothing.
  func fetch(_ rows: [Int]) throws {
    let values = try values(of: rows)
    ahead.withLock { $0[rows] = values }
  }

  /// The values of rows, one after the other.
  private func values(of rows: [Int]) throws -> [Float] {
    if let values = ahead.withLock({ $0.removeValue(forKey: rows) }) { return values }
    return try requests.withLock {
      try send(rows, to: 0)
      let sources = sources(of: rows)
      return try KeptChunks.collect(sources, rowSize: size) { source, count in
        guard source == 0 else {
          return try KeptChunks.receive(count * size, from: source, model.team.communicator)
        }
        return try kept.values(zip(rows, sources).filter { $1 == 0 }.map(\.0))
      }
    }
  }

  func copy(_ rows: [Int], into tensor: Tensor, on device: any Backend) throws {
    try device.upload([try values(of: rows)], to: [tensor])
  }
}

/// Chunks of rows that a rank keeps in its memory.
final class KeptChunks: @unchecked Sendable {
  private let size: Int, chunk: Int
  private let chunks = Locked<[Int: [Float]]>([:])

  init(rowSize: Int, chunk: Int) { (size, self.chunk) = (rowSize, chunk) }

  /// Keeps rows from a number on, which lie in one chunk: all of it, or a part of it that fitted the device.
  func keep(_ values: [Float], from row: Int) {
    let (number, begin) = (row / chunk, row % chunk * size)
    chunks.withLock { chunks in
      var kept = chunks[number] ?? []
      if kept.count < begin + values.count {
        kept += [Float](repeating: 0, count: begin + values.count - kept.count)
      }
      kept.replaceSubrange(begin..<begin + values.count, with: values)
      chunks[number] = kept
    }
  }

  /// Kept rows, one after the other.
  func values(_ rows: [Int]) throws -> [Float] {
    let chunks = chunks.withLock { $0 }
    var out: [Float] = []
    out.reserveCapacity(rows.count * size)
    for row in rows {
      let begin = row % chunk * size
      guard let kept = chunks[row / chunk], kept.count >= begin + size else {
        throw TesseraError.failure("features of the slice", found: "no row \(row)", wanted: "a kept row")
      }
      out += kept[begin..<begin + size]
    }
    return out
  }

  /// The same as a message.
  func message(_ rows: [Int]) throws -> Payload {
    try values(rows).withUnsafeBytes { Payload(copying: $0) }
  }

  /// Rows that several ranks keep, in their order.
  ///
  /// - Parameters:
  ///   - sources: the rank that keeps each.
  ///   - size: values of a row.
  ///   - rows: gives the rows of a rank, of which there are so many, one after the other.
  static func collect(
    _ sources: [Int], rowSize size: Int, _ rows: (_ source: Int, _ count: Int) throws -> [Float]
  ) throws -> [Float] {
    var out = [Float](repeating: 0, count: sources.count * size)
    for source in Set(sources).sorted() {
      let places = sources.indices.filter { sources[$0] == source }
      let values = try rows(source, places.count)
      for (number, place) in places.enumerated() {
        out.replaceSubrange(
          place * size..<(place + 1) * size, with: values[number * size..<(number + 1) * size])
      }
    }
    return out
  }

  /// So many values that a rank sends.
  static func receive(_ count: Int, from source: Int, _ communicator: any Communicator) throws -> [Float] {
    try communicator.receive(from: source, .rows).withBytes { bytes in
      guard bytes.count == count * 4 else {
        throw TesseraError.failure(
          "rows from rank \(source)", found: "\(bytes.count) bytes", wanted: "\(count * 4)")
      }
      return [Float](unsafeUninitializedCapacity: count) { out, filled in
        UnsafeMutableRawBufferPointer(out).copyMemory(from: bytes)
        filled = count
      }
    }
  }
}
