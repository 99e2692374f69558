// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Files of tiles: written whole, merged by device, refused by name if they are something else.
@Suite struct TuningFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tiles-\(UUID())").path

  private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/tiles.json"))
    try body("\(folder)/tiles.json")
  }

  @Test(.tags(.opencl)) func roundTripAndMerge() throws {
    guard let device = OpenCLDevice.all().first else { return }
    var slow = GemmTiles()
    slow.rows = 2
    let backend = try OpenCLBackend(device, variant: .cpu)
    var (first, second) = (TuningFile(), TuningFile())
    try first.set(GemmTuning(), for: backend)
    try second.set(GemmTuning(slow), for: backend)
    try withFile("") { path in
      try second.write(to: path)
      first.merge(try TuningFile(path))
      #expect(first.tuning(device, gpu: false) == GemmTuning(slow))
      #expect(first.tuning(device, gpu: true) == nil)
    }
  }

  @Test(arguments: [
    ("{", "something else"), ("{}", "something else"),
    (#"{"format": "tessera product tiles, version 9", "devices": {}}"#, "version 9"),
  ])
  func othersAreRefused(_ text: String, _ found: String) throws {
    try withFile(text) { path in
      let error = #expect(throws: TesseraError.self) { try TuningFile(path) }
      #expect("\(error!)".contains(found) && "\(error!)".contains(path))
    }
  }

  @Test func impossibleTilesAreRefused() throws {
    var tiles = GemmTiles()
    tiles.depth = 1 << 20
    let tuning = String(decoding: try JSONEncoder().encode(GemmTuning(tiles)), as: UTF8.self)
    let text = #"{"format": "tessera product tiles, version 1", "devices": {"a GPU": \#(tuning)}}"#
    try withFile(text) { path in
      let error = #expect(throws: TesseraError.self) { try TuningFile(path) }
      #expect("\(error!)".contains("a GPU"))
    }
  }
}
