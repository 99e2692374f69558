// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Element types that are stored, against their definitions, PyTorch's values (tools/golden/conversions.py), and files.
@Suite struct ConversionTests {
  private static func devices() throws -> [any Backend] {
    var devices: [any Backend] = [try CPUBackend()]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    return devices
  }

  /// About a million inputs from float32, all of smaller types; all 2^32: `tessera verify --exhaustive`.
  @Test(.tags(.opencl)) func everyConversionIsWhatTheTypesSay() throws {
    let devices = try Self.devices()
    let cpu = try CPUBackend()
    for conversion in ConversionCheck.conversions {
      let result = try ConversionCheck.run(
        conversion, stride: 4093, cpu: cpu, device: devices[devices.count - 1])
      #expect(result.mismatches == 0 && result.worstUlp == 0 && result.inputs >= 256, "\(result.line)")
    }
  }

  @Test func everyInstructionSetMakesTheseBits() throws {
    for set in ["baseline", "avx2", "avx512"] {
      guard let cpu = try? CPUBackend(instructionSet: set) else { continue }
      for conversion in ConversionCheck.conversions {
        let result = try ConversionCheck.run(conversion, stride: 65_537, cpu: cpu, device: cpu)
        #expect(result.worstUlp == 0, "\(set): \(result.line)")
      }
    }
  }

  @Test func theGoldenFilesBitsAreMade() throws {
    let device = try CPUBackend()
    let file = try Golden(Bundle.module).tensors("conversions.safetensors")
    for type in ElementType.allCases where type != .float32 {
      let x = try device.tensor(try file.floats(type.isInteger ? "\(type).x" : "x"))
      let wanted = try file.tensor("\(type)", on: device)
      #expect(wanted.elementType == type && wanted.count > 100)
      let found = try device.converted(x, to: type)
      #expect(try device.fingerprint(of: found) == device.fingerprint(of: wanted), "\(type)")
      let back = try device.converted(wanted, to: .float32)
      let values =
        type.isInteger ? try file.ints("\(type)").map { Float($0) } : try file.floats("\(type)")
      #expect(try device.floats(back) == values, "\(type)")
    }
  }

  @Test func whatIsBeyondATypeBecomesItsBound() throws {
    let device = try CPUBackend()
    let x = try device.tensor([.nan, .infinity, -.infinity, 300, -300, 127.9, -128.9, -0.9, 2.5, 3e9])
    func made(_ type: ElementType) throws -> [Int32] { try device.ints(try device.converted(x, to: type)) }
    #expect(try made(.int8) == [0, 127, -128, 127, -128, 127, -128, 0, 2, 127])
    #expect(try made(.uint8) == [0, 255, 0, 255, 0, 127, 0, 0, 2, 255])
    #expect(try made(.int32) == [0, .max, .min, 300, -300, 127, -128, 0, 2, .max])
    let half = try device.floats(try device.converted(x, to: .float16))
    #expect(half[0].bitPattern == 0x7fc0_0000 && half[9] == .infinity)
    let wide = try device.tensor([Int32.max, -129, 200, 1 << 24 + 1])
    #expect(try device.ints(try device.converted(wide, to: .int8)) == [127, -128, 127, 127])
    #expect(try device.floats(try device.converted(wide, to: .float32)) == [0x1p31, -129, 200, 0x1p24])
  }

  @Test(.tags(.opencl)) func storedTypesTravelThroughFiles() throws {
    for device in try Self.devices() {
      let x = try device.tensor((0..<63).map { Float($0) * 1.37 }, [7, 9])
      try withTemporaryFolder { folder in
        var writer = SafetensorsWriter()
        for type in ElementType.allCases {
          writer.add("\(type)", try device.converted(x, to: type), on: device)
        }
        _ = try writer.write(to: folder + "/types.safetensors")
        let file = try TensorFile.open(folder + "/types.safetensors")
        for type in ElementType.allCases {
          let found = try file.tensor("\(type)", on: device)
          let wanted = try device.converted(x, to: type)
          #expect(found.elementType == type && found.shape == [7, 9])
          #expect(try device.fingerprint(of: found) == device.fingerprint(of: wanted), "\(type)")
          let wide = try file.tensor("\(type)", as: .float32, on: device)
          #expect(try device.floats(wide) == device.floats(try device.converted(wanted, to: .float32)))
        }
      }
    }
  }

  /// Transfers and copies count elements of the type's size.
  @Test(.tags(.opencl)) func bytesMoveAsElements() throws {
    for device in try Self.devices() {
      let pixels = try device.tensor((0..<12).map { UInt8($0 * 20) }, [3, 4])
      #expect(pixels.elementType == .uint8)
      let part = try device.allocate([2, 2], .uint8)
      try device.copy(
        pixels, to: part,
        region: CopyRegion(rows: 2, columns: 2, sourceOffset: 5, sourceStride: 4, destinationStride: 2))
      #expect(try device.ints(part) == [100, 120, 180, 200])
      try [UInt8(7), 9].withUnsafeBytes { try device.upload($0, to: part, offset: 2) }
      #expect(try device.ints(part) == [100, 120, 7, 9])
      var last: UInt8 = 0
      try withUnsafeMutableBytes(of: &last) { try device.download(pixels, offset: 11, into: $0) }
      #expect(last == 220)
      #expect(try device.text(of: part) == "[[100, 120],\n [  7,   9]]")
      #expect(try device.ints(try device.tensor([-1, 2] as [Int8])) == [-1, 2])
      let copy = try device.allocate([3, 4], .uint8)
      try device.copy(pixels, to: copy)
      #expect(try device.fingerprint(of: copy) == device.fingerprint(of: pixels))
    }
  }

  @Test func theCheckSeesAWrongBit() throws {
    // What the check calls right at the borders, by hand: ties to even, the largest, denormals.
    let device = try CPUBackend()
    let cases: [(Float, UInt16)] = [
      (65519.996, 0x7bff), (65520, 0x7c00), (0x1p-24, 1), (0x1p-25, 0), (0x1.8p-24, 2), (-0x1p-14, 0x8400),
      (1 + 0x1p-11, 0x3c00), (1 + 0x1.8p-10, 0x3c02),
    ]
    let half = try device.converted(try device.tensor(cases.map(\.0)), to: .float16)
    var bits = [UInt16](repeating: 0, count: cases.count)
    try bits.withUnsafeMutableBytes { try device.download(half, offset: 0, into: $0) }
    #expect(bits == cases.map(\.1))
  }

  @Test func aRecordingHasConversionsAndBytes() throws {
    let device = RecordedBackend(try CPUBackend())
    try device.start()
    let x = try device.tensor([1.5, -2, 300])
    let y = try device.converted(x, to: .int8)
    _ = try device.converted(try device.tensor([1, 2, 3] as [UInt8]), to: .float32)
    let recording = try device.stop()
    #expect(recording.operations.map { $0.operation.name } == ["upload", "convert", "upload", "convert"])
    #expect(try device.ints(y) == [1, -2, 127])
  }
}
