// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// Embedding on several devices at once: the bytes of one.
@Suite(.tags(.opencl)) struct SeveralDevicesTests {
  private static let texts = (0..<61).map { number in
    (0..<number * 5 % 13).map { TinyEncoder.words[($0 * 7 + number) % TinyEncoder.words.count] }
      .joined(separator: " ")
  }

  @Test(arguments: SentencePooling.allCases) func embeddingsHaveTheSameBits(_ pooling: SentencePooling) throws
  {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder)
      var others: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 3)]
      if TestDevices.hasOpenCL { others.append(try OpenCLBackend(try TestDevices.first())) }
      func embed(_ devices: DeviceGroup, batch: Int) throws -> ([UInt32], progress: [Int]) {
        let encoder = try TransformerEncoder(folder: folder, devices: devices)
        var progress: [Int] = []
        let rows = try Embedder(encoder, states: 0...2, pooling: pooling, batch: batch).embed(Self.texts) {
          progress.append($0)
        }
        return (rows.map(\.bitPattern), progress)
      }
      let wanted = try embed(DeviceGroup(try CPUBackend(threads: 1)), batch: 64)
      for batch in [1, 4, 64] {
        for main in others.indices {
          let devices = DeviceGroup(
            others[main], helpers: others.indices.filter { $0 != main }.map { others[$0] })
          let found = try embed(devices, batch: batch)
          #expect(found.0 == wanted.0, "batch \(batch), \(devices.name)")
          #expect(found.progress == found.progress.sorted() && found.progress.last == Self.texts.count)
        }
      }
    }
  }

  @Test func ranksGiveTheSameBits() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder)
      func embed(_ devices: DeviceGroup) throws -> [UInt32] {
        let encoder = try TransformerEncoder(folder: folder, devices: devices)
        return try Embedder(encoder, states: 1...2, pooling: .both, batch: 4).embed(Self.texts).map(
          \.bitPattern)
      }
      let own = DeviceGroup(try CPUBackend(threads: 1))
      let wanted = try embed(own)
      let others = [own, DeviceGroup(try CPUBackend(threads: 3), helpers: [try CPUBackend(threads: 1)])]
      let (result, codes) = try RankThreads.lead(others, [EncoderWork.self]) { team in
        try embed(own.with(ranks: team))
      }
      #expect(try result.get() == wanted)
      #expect(codes == [0, 0])
    }
  }
}
