// SPDX-License-Identifier: Apache-2.0
import CMPI

/// The calls of an MPI, with errors as errors.
struct MPICalls: @unchecked Sendable {
  private let table: UnsafePointer<tsr_mpi>

  init(_ table: UnsafePointer<tsr_mpi>) { self.table = table }

  /// Begins; this process's number and how many there are, and the same on its host.
  func start() throws -> (rank: Int, size: Int, place: Int, neighbours: Int) {
    var (rank, size, place, neighbours): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    try check(table.pointee.start(&rank, &size, &place, &neighbours))
    return (Int(rank), Int(size), Int(place), Int(neighbours))
  }

  /// The host's name.
  func host() throws -> String {
    var name = [CChar](repeating: 0, count: 256)
    try check(table.pointee.host(&name, name.count))
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Begins to send bytes.
  func send(_ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Int) throws -> OpaquePointer {
    var transfer: OpaquePointer?
    try check(
      table.pointee.send(
        bytes.baseAddress, bytes.count, Int32(clamping: rank), Int32(clamping: tag), &transfer))
    return try there(transfer)
  }

  /// A message that has come in.
  struct Arrival {
    let transfer: OpaquePointer
    let source: Int, tag: Int, count: Int
  }

  /// Takes the next message that has come in, if there is one.
  func probe() throws -> Arrival? {
    var (found, source, tag): (Int32, Int32, Int32) = (0, 0, 0)
    var (count, transfer): (Int, OpaquePointer?) = (0, nil)
    try check(table.pointee.probe(&found, &source, &tag, &count, &transfer))
    guard found != 0 else { return nil }
    return Arrival(transfer: try there(transfer), source: Int(source), tag: Int(tag), count: count)
  }

  /// Begins to receive a message.
  func receive(_ arrival: Arrival, into message: Payload) throws {
    try check(table.pointee.receive(message.bytes.baseAddress, arrival.count, arrival.transfer))
  }

  /// Whether a transfer is done.
  func isDone(_ transfer: OpaquePointer) throws -> Bool {
    var done: Int32 = 0
    try check(table.pointee.test(transfer, &done))
    return done != 0
  }

  /// The orderly end.
  func finish() { table.pointee.finish() }

  /// The end of all ranks at once.
  func abort(_ code: Int32) { table.pointee.abort(code) }

  private func there(_ transfer: OpaquePointer?) throws -> OpaquePointer {
    guard let transfer else { throw TesseraError.failure("MPI", found: "no transfer", wanted: "one") }
    return transfer
  }

  private func check(_ code: Int32) throws {
    guard code != 0 else { return }
    var text = [CChar](repeating: 0, count: 512)
    table.pointee.explain(code, &text, text.count)
    let found = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    throw TesseraError.failure("MPI", found: found, wanted: "all ranks in reach")
  }
}
