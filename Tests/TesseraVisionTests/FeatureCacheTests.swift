import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraVision

/// Kept rows: those asked for, from wherever they are kept.
@Suite struct FeatureCacheTests {
  @Test(arguments: ["device", "host", "file"]) func rowsComeBack(_ kind: String) throws {
    try withTemporaryFolder { folder in
      var devices: [any Backend] = [try CPUBackend()]
      if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
      for device in devices {
        let values = drawn(7, 7 * 5)
        let cache: any FeatureCache =
          switch kind {
          case "device": DeviceFeatureCache(rowSize: 5, chunk: 3)
          case "host": try MappedFeatureCache(count: 7, rowSize: 5, folder: nil)
          default: try MappedFeatureCache(count: 7, rowSize: 5, folder: folder)
          }
        for begin in [0, 3, 6] {
          let rows = min(3, 7 - begin)
          try cache.append(
            try device.tensor(Array(values[begin * 5..<(begin + rows) * 5]), [rows, 5]), on: device)
        }
        let rows = [6, 0, 3, 3, 2]
        let out = try device.allocate([rows.count, 5], .float32)
        try cache.copy(rows, into: out, on: device)
        #expect(try device.floats(out) == rows.flatMap { values[$0 * 5..<($0 + 1) * 5] })
      }
      // The file has no name: nothing stays behind.
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func tooManyRowsAndUnwritableFoldersAreRefused() throws {
    let device = try CPUBackend()
    let cache = try MappedFeatureCache(count: 1, rowSize: 2, folder: nil)
    #expect(throws: TesseraError.self) {
      try cache.append(try device.tensor(drawn(1, 4), [2, 2]), on: device)
    }
    #expect(throws: TesseraError.self) {
      try MappedFeatureCache(count: 1, rowSize: 2, folder: "/nowhere/at/all")
    }
  }
}
