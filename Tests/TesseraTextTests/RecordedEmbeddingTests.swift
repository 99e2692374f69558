// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// Embedding on a recorded backend: the bits of any other, and one list of operations on every device.
@Suite struct RecordedEmbeddingTests {
  @Test(.tags(.opencl)) func embeddingsHaveTheSameBitsAndOneList() throws {
    let texts = (0..<9).map { TinyEncoder.words.prefix($0 + 1).joined(separator: " ") }
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder)
      func embed(_ device: any Backend) throws -> [UInt32] {
        let encoder = try TransformerEncoder(folder: folder, devices: DeviceGroup(device))
        return try Embedder(encoder, states: 0...2, pooling: .mean, batch: 4).embed(texts).map(\.bitPattern)
      }
      let cpu = try CPUBackend(threads: 1), wanted = try embed(cpu)
      var devices: [any Backend] = [cpu, try CPUBackend(threads: 2)]
      if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
      let lists = try devices.map { device in
        let recorded = RecordedBackend(device)
        #expect(try embed(recorded) == wanted)
        try recorded.start()
        #expect(try embed(recorded) == wanted)
        return try recorded.stop().operations
      }
      #expect(lists[0].contains { $0.operation.name == "attention" })
      for list in lists { #expect(OperationRecord.firstDifference(list, lists[0]) == nil) }
    }
  }
}
