// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraVision

/// Kept rows: those asked for, from wherever they are kept.
@Suite struct FeatureCacheTests {
  @Test(.tags(.opencl), arguments: ["device", "device in parts", "host", "file"]) func rowsComeBack(
    _ kind: String
  ) throws {
    try withTemporaryFolder { folder in
      var devices: [any Backend] = [try CPUBackend()]
      if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
      for device in devices {
        let values = drawn(7, 7 * 5)
        let cache: any FeatureCache =
          switch kind {
          case "device": DeviceFeatureCache(count: 7, rowSize: 5, chunk: 3, on: device)
          case "device in parts": DeviceFeatureCache(count: 7, rowSize: 5, chunk: 3, most: 20, on: device)
          case "host": try MappedFeatureCache(count: 7, rowSize: 5, folder: nil)
          default: try MappedFeatureCache(count: 7, rowSize: 5, folder: folder)
          }
        for begin in [6, 0, 3] {
          let rows = min(3, 7 - begin)
          let tensor = try device.tensor(Array(values[begin * 5..<(begin + rows) * 5]), [rows, 5])
          try cache.keep(tensor, from: begin, of: device)
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

  @Test func withoutLimitsHalfOfTheMachineIsTaken() throws {
    try withTemporaryFolder { folder in
      let device = try CPUBackend()
      var limits = FeatureLimits()
      #expect(limits.bytes(on: device).file == 0)
      limits.folder = folder
      let room = limits.bytes(on: device)
      let physical = Int(ProcessInfo.processInfo.physicalMemory)
      #expect(room.device > 0 && room.device <= physical / 2 && room.host > 0 && room.host <= physical / 2)
      #expect(room.file > 0)
      (limits.device, limits.host, limits.file) = (1, 2, 3)
      let told = limits.bytes(on: device)
      #expect(told.device == 1 && told.host == 2 && told.file == 3)
      limits.folder = nil
      #expect(limits.bytes(on: device).file == 0)
      #expect(FeatureLimits.none.bytes(on: device) == (0, 0, 0))
    }
  }

  @Test func tooManyRowsAndUnwritableFoldersAreRefused() throws {
    let device = try CPUBackend()
    let cache = try MappedFeatureCache(count: 1, rowSize: 2, folder: nil)
    #expect(throws: TesseraError.self) {
      try cache.keep(try device.tensor(drawn(1, 4), [2, 2]), from: 0, of: device)
    }
    #expect(throws: TesseraError.self) {
      try MappedFeatureCache(count: 1, rowSize: 2, folder: "/nowhere/at/all")
    }
  }
}
