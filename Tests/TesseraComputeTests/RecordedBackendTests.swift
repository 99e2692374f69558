// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraVerification
import Testing

@testable import TesseraCompute

/// A recorded backend: the base's bits, and one list of operations on every device.
@Suite struct RecordedBackendTests {
  /// A device whose pool holds other numbers than zeros.
  private static func soiled<Device: Backend>(_ device: Device) throws -> Device {
    for count in [1, 8, 64, 100, 128, 200, 1000] {
      let tensors = try (0..<4).map { _ in try device.allocate([count], .float32) }
      for tensor in tensors { try device.fill(tensor, with: .nan) }
    }
    return device
  }

  private static func devices() throws -> [any Backend] {
    var devices: [any Backend] = [try CPUBackend(threads: 1), try soiled(try CPUBackend(threads: 2))]
    if TestDevices.hasOpenCL {
      devices.append(try OpenCLBackend(try TestDevices.first()))
      devices.append(
        ProfiledBackend(try soiled(OpenCLBackend(try TestDevices.first())), profiler: Profiler()))
    }
    return devices
  }

  /// Some operations: in part, in place, on one tensor twice.
  static func work(_ device: any Backend) throws {
    let x = try device.tensor(drawn(1, 64), [8, 8]), y = try device.allocate([8, 8], .float32)
    try device.matmul(Matmul(m: 8, n: 8, k: 8), x, x, bias: nil, into: y)
    try device.unary(.tanh, y, alpha: 0, beta: 0, into: y)
    let wide = try device.allocate([100], .float32)
    try device.copy(
      y, to: wide,
      region: CopyRegion(rows: 8, columns: 4, sourceStride: 8, destinationOffset: 3, destinationStride: 9))
    var sums = Matmul(m: 2, n: 2, k: 2)
    (sums.accumulates, sums.c.offset, sums.c.rowStride) = (true, 40, 5)
    try device.matmul(sums, x, y, bias: nil, into: wide)
    let labels = try device.tensor((0..<8).map { Int32($0) }, [8]),
      losses = try device.allocate([8], .float32)
    try device.crossEntropy(y, labels: labels, rows: 8, classes: 8, into: losses)
    let moments = try (0..<2).map { _ in try device.allocate([64], .float32) }
    for moment in moments { try device.fill(moment, with: 0) }
    try device.adam(
      AdamStep(count: 64, learningRate: 0.1), gradient: y, parameter: x, firstMoment: moments[0],
      secondMoment: moments[1])
    try Array(repeating: Float(2), count: 9).withUnsafeBytes { try device.upload($0, to: wide, offset: 70) }
  }

  static func recording(_ device: any Backend, capturing number: Int? = nil) throws
    -> RecordedBackend.Recording
  {
    let recorded = RecordedBackend(device)
    try recorded.start(capturing: number)
    try work(recorded)
    return try recorded.stop()
  }

  @Test(.tags(.opencl, .slow)) func everyPrimitiveHasTheBitsOfTheBaseAndARecord() throws {
    let cases = Catalogue.cases.filter(\.isSmall), cpu = try CPUBackend()
    let recorded = RecordedBackend(try Self.soiled(CPUBackend()))
    try recorded.start()
    #expect(try Verification.run(cases, reference: cpu, device: recorded).mismatches.isEmpty)
    let list = try recorded.stop().operations
    #expect(list.map(\.number) == Array(list.indices))
    #expect(Set(list.map(\.operation.name)).count == 70, "\(Set(list.map(\.operation.name)).sorted())")
    let again = try JSONDecoder().decode([OperationRecord].self, from: JSONEncoder().encode(list))
    #expect(OperationRecord.firstDifference(again, list) == nil)
    for record in again { try record.check("list") }
    #expect(OperationRecord.firstContradiction(list) == nil)
    guard TestDevices.hasOpenCL else { return }
    let other = RecordedBackend(try OpenCLBackend(try TestDevices.first()))
    try other.start()
    #expect(try Verification.run(cases, reference: cpu, device: other).mismatches.isEmpty)
    #expect(OperationRecord.firstDifference(try other.stop().operations, list) == nil)
  }

  @Test(.tags(.opencl)) func everyDeviceHasOneList() throws {
    let lists = try Self.devices().map { try Self.recording($0).operations }
    for list in lists { #expect(OperationRecord.firstDifference(list, lists[0]) == nil) }
    let names = [
      "upload", "matmul", "unary", "copy", "matmul", "upload", "crossEntropy", "fill", "fill", "adam",
    ]
    #expect(lists[0].map(\.operation.name) == names + ["upload"])
    let (dense, inPlace, inPart) = (lists[0][1].operands, lists[0][2].operands, lists[0][3].operands)
    // Twice the same operand; an output that is written whole has nothing before.
    #expect(dense[1].memory == dense[0].memory && dense[1].before == nil && dense[2].before == nil)
    #expect(
      inPlace[1].memory == inPlace[0].memory && inPlace[0].before == dense[2].after && inPlace[1].after != nil
    )
    // What is written in part held zeros.
    let zeros = try CPUBackend().tensor([Float](repeating: 0, count: 100), [100])
    #expect(try inPart[1].before == CPUBackend().digest(of: zeros))
  }

  @Test func anAlteredOperationIsTheFirstDifference() throws {
    let list = try Self.recording(CPUBackend()).operations
    for number in list.indices {
      var operands = list[number].operands
      operands[operands.count - 1].after = String(repeating: "0", count: 64)
      var other = list
      other[number] = OperationRecord(number: number, operation: list[number].operation, operands: operands)
      #expect(OperationRecord.firstDifference(list, other) == number)
    }
    #expect(OperationRecord.firstDifference(list, list.dropLast()) == list.count - 1)
    #expect(OperationRecord.firstDifference(list, list) == nil)
  }

  @Test func whoDeniesWhatHeSaidBeforeIsFound() throws {
    let list = try Self.recording(CPUBackend()).operations
    #expect(OperationRecord.firstContradiction(list) == nil)
    // The first of the operands of `unary` is what `matmul` made, that of `upload` came from the host.
    for (number, isKnown) in [(2, true), (0, false), (9, true)] {
      var operands = list[number].operands
      operands[0].before = String(repeating: "0", count: 64)
      var other = list
      other[number] = OperationRecord(number: number, operation: list[number].operation, operands: operands)
      #expect(OperationRecord.firstContradiction(other) == (isKnown ? number : nil))
    }
  }

  @Test func recordingsBeginAndEnd() throws {
    let recorded = RecordedBackend(try CPUBackend())
    #expect(throws: TesseraError.self) { try recorded.stop() }
    try recorded.start()
    #expect(throws: TesseraError.self) { try recorded.start() }
    // What fails has no record.
    let x = try recorded.tensor([Float](arrayLiteral: 1, 2), [2])
    #expect(throws: TesseraError.self) { try recorded.binary(.add, x, try recorded.empty(3), into: x) }
    #expect(try recorded.stop().operations.map(\.operation.name) == ["upload"])
    try Self.work(recorded)
    try recorded.start(capturing: 99)
    let recording = try recorded.stop()
    #expect(recording.operations.isEmpty && recording.captured == nil)
  }

  @Test func looseNumbersKeepTheirBits() throws {
    for bits: UInt32 in [0, 0x8000_0000, 0x7f80_0000, 0xffc0_1234, 0x0000_0001, 0x3f80_0001] {
      let number = FloatBits(Float(bitPattern: bits))
      let again = try JSONDecoder().decode([FloatBits].self, from: JSONEncoder().encode([number]))
      #expect(again == [number])
    }
    var numbers = SplitMix64(seed: 5)
    for _ in 0..<2000 {
      var step = AdamStep(count: 1, learningRate: 0)
      step.learningRate = Float(bitPattern: UInt32(truncatingIfNeeded: numbers.next()) & 0x7f7f_ffff)
      let again = try JSONDecoder().decode(AdamStep.self, from: JSONEncoder().encode(step))
      #expect(again.learningRate.bitPattern == step.learningRate.bitPattern)
    }
  }
}
