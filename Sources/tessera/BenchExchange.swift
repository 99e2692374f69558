// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraBenchmark
import TesseraCompute
import TesseraNN

/// Times the sums that ranks make of their gradients.
struct BenchExchange: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exchange",
    abstract: "Times the ordered sum over all ranks of a launch, which carries the gradients of every step.",
    discussion: """
      EXAMPLES:
        mpirun -n 4 tessera bench exchange
        mpirun -n 4 tessera bench exchange --bytes 1048576 --rounds 100 --json
      """)

  @Option(
    help: "Bytes that each rank adds; again for each size (default: 65536, 1048576, 16777216, 67108864).")
  var bytes: [Int] = []
  @Option(help: "Sums of each size that are timed.")
  var rounds = 20
  @Flag(help: "JSON instead of lines.")
  var json = false
  @OptionGroup var device: DeviceOptions

  /// The times of one size.
  private struct Row: Encodable {
    let bytes: Int, p50: Double, p95: Double, least: Double, gigabytes: Double
  }

  /// The times of all sizes.
  private struct Table: Encodable {
    let ranks: Int, rounds: Int, hosts: [String], rows: [Row]
  }

  func validate() throws {
    for size in bytes where size % 4 != 0 || !(4...1 << 30).contains(size) {
      throw TesseraError.input("bytes", found: "\(size)", wanted: "a multiple of 4 up to \(1 << 30)")
    }
    guard (1...100_000).contains(rounds) else {
      throw TesseraError.input("rounds", found: "\(rounds)", wanted: "1 to 100000")
    }
  }

  /// Runs the benchmark.
  func run() throws {
    try device.useAll(for: "bench exchange") { devices in
      guard let team = devices.ranks, !team.members.isEmpty else {
        throw TesseraError.input(
          "bench exchange", found: "one process", wanted: "several ranks: mpirun -n 2 tessera bench exchange")
      }
      let sizes = bytes.isEmpty ? [1 << 16, 1 << 20, 1 << 24, 1 << 26] : bytes
      let rows = try sizes.map { size -> Row in
        let row = try Self.row(size, ExchangeWork.seconds(team, count: size / 4, rounds: rounds))
        if !json { print(Self.line(row)) }
        return row
      }
      guard json else { return }
      let hosts = [team.communicator.host] + team.members.map(\.host)
      try printJSON(Table(ranks: hosts.count, rounds: rounds, hosts: hosts, rows: rows))
    }
  }

  private static func row(_ size: Int, _ seconds: [Double]) throws -> Row {
    let sorted = seconds.sorted()
    let p50 = sorted[sorted.count / 2]
    return Row(
      bytes: size, p50: p50, p95: sorted[(sorted.count * 95 - 1) / 100], least: sorted[0],
      gigabytes: Double(size) / p50 / 1e9)
  }

  private static func line(_ row: Row) -> String {
    Bench.pad("\(row.bytes) bytes", 20)
      + "p50 \(Benchmark.text(seconds: row.p50))  p95 \(Benchmark.text(seconds: row.p95))  "
      + "\(Bench.fixed(row.gigabytes)) GB/s"
  }
}

extension BenchExchange: RankedCommand {}
