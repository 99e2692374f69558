// SPDX-License-Identifier: Apache-2.0

/// A rank's profile as a message: numbers of 64 bits in rows, after the names that they count from.
extension Profiler.Snapshot {
  private static let width = 11

  /// The message.
  var message: Payload {
    var writer = MessageWriter()
    for texts in [names, tracks] {
      writer.add(texts.count)
      texts.forEach { writer.add($0) }
    }
    writer.add(devices)
    writer.add(records.flatMap(Self.row))
    for totals in [totals, primitives] {
      writer.add(
        totals.flatMap { track, named in
          named.flatMap { name, total in
            [
              Int64(track), Int64(name), Int64(total.calls), total.nanoseconds,
              Int64(bitPattern: total.operations.bitPattern),
              Int64(bitPattern: total.integerOperations.bitPattern),
              Int64(bitPattern: total.bytes.bitPattern),
            ]
          }
        })
    }
    writer.add(busy.flatMap { [Int64($0), $1] })
    writer.add([Int64(dropped), Int64(untimed), begin, end])
    return writer.payload
  }

  /// Reads a message.
  ///
  /// - Throws: `TesseraError` for one that is cut short or counts from names that it does not have.
  init(_ message: Payload) throws {
    self.init()
    var reader = MessageReader(message)
    names = try reader.texts()
    tracks = try reader.texts()
    devices = try reader.ints()
    try devices.forEach { _ = try Self.index(Int64($0), tracks) }
    records = try Self.rows(try reader.longs(), Self.width).map { try record($0) }
    totals = try totals(Self.rows(try reader.longs(), 7))
    primitives = try totals(Self.rows(try reader.longs(), 7))
    for row in try Self.rows(try reader.longs(), 2) { busy[try Self.index(row[0], tracks)] = row[1] }
    let rest = try reader.longs()
    guard rest.count == 4 else { throw Self.error("\(rest.count) numbers at its end", "4") }
    (dropped, untimed, begin, end) = (Int(rest[0]), Int(rest[1]), rest[2], rest[3])
  }

  private static func row(_ record: ProfileRecord) -> [Int64] {
    [
      Int64(record.name), Int64(record.primitive), Int64(record.track),
      Int64(Profiler.Category.allCases.firstIndex(of: record.category) ?? 0),
      record.queued, record.submit, record.start, record.end,
      Int64(bitPattern: record.work.operations.bitPattern),
      Int64(bitPattern: record.work.integerOperations.bitPattern), Int64(record.work.bytes),
    ]
  }

  private func record(_ row: [Int64]) throws -> ProfileRecord {
    let categories = Profiler.Category.allCases
    guard let category = Int(exactly: row[3]), categories.indices.contains(category) else {
      throw Self.error("a category \(row[3])", "0..<\(categories.count)")
    }
    let work = KernelWork(
      operations: Double(bitPattern: UInt64(bitPattern: row[8])),
      integerOperations: Double(bitPattern: UInt64(bitPattern: row[9])), bytes: Int(clamping: row[10]))
    var record = ProfileRecord(
      categories[category], queued: row[4], submit: row[5], start: row[6], end: row[7], work: work)
    record.name = try Self.index(row[0], names)
    record.primitive = row[1] < 0 ? -1 : try Self.index(row[1], names)
    record.track = try Self.index(row[2], tracks)
    return record
  }

  private func totals(_ rows: [[Int64]]) throws -> [Int32: [Int32: ProfileTotal]] {
    try rows.reduce(into: [:]) { totals, row in
      let (track, name) = (try Self.index(row[0], tracks), try Self.index(row[1], names))
      totals[track, default: [:]][name] = ProfileTotal(
        calls: Int(row[2]), nanoseconds: row[3], operations: Double(bitPattern: UInt64(bitPattern: row[4])),
        integerOperations: Double(bitPattern: UInt64(bitPattern: row[5])),
        bytes: Double(bitPattern: UInt64(bitPattern: row[6])))
    }
  }

  private static func rows(_ numbers: [Int64], _ width: Int) throws -> [[Int64]] {
    guard numbers.count % width == 0 else {
      throw error("\(numbers.count) numbers", "a multiple of \(width)")
    }
    return stride(from: 0, to: numbers.count, by: width).map { Array(numbers[$0..<$0 + width]) }
  }

  private static func index(_ number: Int64, _ among: [String]) throws -> Int32 {
    guard let index = Int32(exactly: number), among.indices.contains(Int(index)) else {
      throw error("number \(number)", "0..<\(among.count)")
    }
    return index
  }

  private static func error(_ found: String, _ wanted: String) -> TesseraError {
    TesseraError.failure("a rank's profile", found: found, wanted: wanted)
  }
}

extension RankTeam {
  /// Adds to the leader's profile what the other ranks have collected, by the leader's clock: the shortest of
  /// some questions and answers tells how far another's is ahead, but for half of its time.
  ///
  /// - Throws: `TesseraError` for a rank that fails.
  package func collect(into profiler: Profiler) throws {
    for member in members {
      var (ahead, shortest) = (Int64(0), Int64.max)
      for _ in 0..<8 {
        let asked = Profiler.now
        try command(.clock, to: member.rank)
        var reader = MessageReader(try communicator.receive(from: member.rank, .answer(0)))
        let (there, told) = (Int64(try reader.int()), Profiler.now)
        guard told - asked < shortest else { continue }
        (ahead, shortest) = (there - (asked + (told - asked) / 2), told - asked)
      }
      try command(.profile, to: member.rank)
      let found = try Profiler.Snapshot(try communicator.receive(from: member.rank, .answer(0)))
      profiler.merge(found, ahead: ahead, owner: "rank \(member.rank) on \(member.host)")
    }
  }
}
