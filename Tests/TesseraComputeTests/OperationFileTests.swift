// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Files of one operation: written, read, recomputed elsewhere, and refused where they are not what they say.
@Suite struct OperationFileTests {
  private func captured(_ number: Int) throws -> OperationFile {
    try #require(try RecordedBackendTests.recording(CPUBackend(), capturing: number).captured)
  }

  private func refusal(_ body: () throws -> Void) -> String {
    do { try body() } catch let error as TesseraError {
      return error.kind == .input ? "\(error)" : "not the input's: \(error)"
    } catch {
      return "another error: \(error)"
    }
    return "accepted"
  }

  @Test(.tags(.opencl)) func everyOperationIsRecomputedElsewhere() throws {
    var devices: [any Backend] = [try CPUBackend(threads: 1)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    let count = try RecordedBackendTests.recording(CPUBackend()).operations.count
    try withTemporaryFolder { folder in
      for number in 0..<count {
        let file = try captured(number), path = folder + "/\(number).safetensors"
        try file.write(to: path)
        let read = try OperationFile.read(path)
        #expect(read == file)
        for device in devices {
          let verdict = try read.recompute(on: device)
          #expect(
            verdict.isEqual && verdict.isOtherEqual == nil && verdict.number == number, "\(verdict.text)")
        }
      }
    }
  }

  @Test func aClaimThatIsWrongIsFoundAndWhoIsRightIsSaid() throws {
    let honest = try captured(1), cpu = try CPUBackend()
    let list = try RecordedBackendTests.recording(cpu).operations
    let liar = OperationFile(record: Self.claiming(honest.record, "0"), contents: honest.contents)
    let wrong = try liar.recompute(on: cpu, against: list)
    #expect(!wrong.isEqual && wrong.isOtherEqual == true)
    #expect(
      wrong.text.hasSuffix("first: wrong\nsecond: right\n") && wrong.text.contains("different, claimed 000"))
    let right = try honest.recompute(on: cpu, against: [liar.record])
    #expect(right.isEqual && right.isOtherEqual == false)
    #expect(right.text.hasSuffix("first: right\nsecond: wrong\n"))
    // Records of something else settle nothing.
    let others = [
      list[2], OperationRecord(number: 1, operation: list[2].operation, operands: list[1].operands),
      OperationRecord(number: 1, operation: list[1].operation, operands: list[3].operands),
    ]
    for other in others {
      #expect(
        refusal { _ = try honest.recompute(on: cpu, against: [other]) }.contains("the other party's records"))
    }
  }

  /// A record with other digests of what came out.
  static func claiming(_ record: OperationRecord, _ digit: String) -> OperationRecord {
    let operands = record.operands.map { operand in
      var operand = operand
      if operand.after != nil { operand.after = String(repeating: digit, count: 64) }
      return operand
    }
    return OperationRecord(number: record.number, operation: record.operation, operands: operands)
  }

  @Test func everyFlippedBitOfAFileIsFound() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/f", cpu = try CPUBackend()
      try captured(2).write(to: path)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      let header = 8 + Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
      for place in stride(from: header, to: bytes.count, by: 37) {
        var flipped = bytes
        flipped[place] ^= 1
        try flipped.write(to: URL(fileURLWithPath: path))
        #expect(refusal { _ = try OperationFile.read(path) }.contains("tensor.0: found elements of digest"))
      }
      for end in stride(from: 0, to: bytes.count, by: 41) {
        try bytes.prefix(end).write(to: URL(fileURLWithPath: path))
        #expect(!refusal { _ = try OperationFile.read(path) }.hasPrefix("a"))
      }
      // A header that is changed is refused, or is another claim; nothing worse.
      for place in 8..<header {
        var changed = bytes
        changed[place] = changed[place] == 0x39 ? 0x31 : changed[place] &+ 1
        try changed.write(to: URL(fileURLWithPath: path))
        guard let file = try? OperationFile.read(path) else { continue }
        _ = refusal { _ = try file.recompute(on: cpu) }
      }
    }
  }

  @Test func filesThatAreNotWhatTheySayAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/f"
      func read(_ metadata: [String: String], _ tensors: [(String, [Float])] = []) throws -> String {
        var writer = SafetensorsWriter(metadata: metadata)
        for (name, values) in tensors { writer.add(name, values, shape: [values.count]) }
        _ = try writer.write(to: path)
        return refusal { _ = try OperationFile.read(path).recompute(on: CPUBackend()) }
      }
      func file(_ operation: String, _ operands: String) throws -> String {
        try read([
          "kind": "tessera operation", "version": "1",
          "operation": "{\"number\":0,\"operation\":\(operation),\"operands\":\(operands)}",
        ])
      }
      let digest = String(repeating: "a", count: 64)
      func output(_ shape: String) -> String {
        "[{\"memory\":0,\"shape\":\(shape),\"type\":\"float32\",\"after\":\"\(digest)\"}]"
      }
      let before = output("[3]").replacing("after", with: "before")
      let shared = String(before.dropLast()) + "," + output("[4]").dropFirst()
      let fill = #"{"fill":{"value":"0x3f800000"}}"#
      for (operation, operands, part) in [
        (fill, output("[3]"), "accepted"), (#"{"launch":{}}"#, "[]", "an operation that is not known"),
        ("{}", "[]", "an operation that is not known"),
        (#"{"fill":{"value":1}}"#, output("[3]"), "operation.fill"),
        (#"{"fill":{"value":"0xzz800000"}}"#, output("[3]"), "no float32"),
        (#"{"adam":{"p":{"count":1e99}}}"#, output("[3]"), "JSON: "),
        (fill, "[]", "found 0 operands, wanted 1"), (fill, output("[-1]"), "extents [-1]"),
        (fill, output("[65536,65536]"), "extents [65536, 65536]"),
        (fill, output("[9223372036854775808]"), "JSON: "),
        (fill, #"[{"memory":0,"shape":[3],"type":"float32"}]"#, "after missing"),
        (fill, #"[{"memory":0,"shape":[3],"type":"float32","after":"../x"}]"#, "64 hexadecimal"),
        (fill, output("[3]").replacing("memory\":0", with: "memory\":-1"), "memory -1"),
        (#"{"transpose":{"rows":1,"columns":3}}"#, shared, "in the memory of 0"),
      ] {
        let found = try file(operation, operands)
        #expect(found.contains(part), "\(operation) \(operands): \(found)")
      }
      let metadata = [
        "kind": "tessera operation", "version": "1",
        "operation": "{\"number\":0,\"operation\":\(fill),\"operands\":\(output("[3]"))}",
      ]
      let old = metadata.merging(["numerics": "1"]) { $1 }, kind = ["kind": "tessera operation"]
      for (metadata, tensors, part) in [
        (metadata, [("tensor.0", [1])], "a tensor tensor.0"), (old, [], "numerics version 1"),
        ([:], [], "no operation"), (kind.merging(["operation": "{}"]) { $1 }, [], "version missing"),
      ] as [([String: String], [(String, [Float])], String)] {
        let found = try read(metadata, tensors)
        #expect(found.contains(part), "\(found)")
      }
    }
  }

  @Test func greatExtentsOfNoElementsOverflowNothing() throws {
    let cpu = try CPUBackend(), most = Int(Int32.max)
    let none = try cpu.allocate([0], .float32), integers = try cpu.allocate([0], .int32)
    var windows = Pooling(planes: 0, height: 0, width: 0, kernel: 1, stride: 1)
    (windows.kernel, windows.output) = (Size2D(most), Size2D(height: 0, width: most))
    #expect(throws: TesseraError.self) { try cpu.maxPool(windows, none, into: none, indices: integers) }
    windows.kernel = Size2D(1 << 20)
    #expect(throws: TesseraError.self) { try cpu.averagePoolGrad(windows, none, into: none) }
    #expect(throws: TesseraError.self) {
      try cpu.upsampleNearestGrad(planes: 0, height: 0, width: most, scale: most, none, into: none)
    }
    let response = LocalResponseNormalization(outer: 0, channels: most, inner: most, size: most)
    try cpu.localResponseNormGrad(response, none, none, scale: none, into: none)
    #expect(throws: TesseraError.self) {
      try cpu.squaredDistances(none, rows: Int.min..<Int.max, columns: 0..<0, points: 0, dims: 0, into: none)
    }
  }

  @Test func parametersThatDoNotFitTheOperandsAreRefusedNotRun() throws {
    let cpu = try CPUBackend()
    let extremes = [Int.min, -1, 0, 1, 3, 1 << 20, Int(Int32.max), 1 << 32, Int.max]
    var numbers = SplitMix64(seed: 3)
    func number() -> Int { extremes[Int(numbers.next() % UInt64(extremes.count))] }
    for index in 0..<8000 {
      let operation = RecordedOperation(kind: Self.drawnKind(index % 20, number))
      for operands in 1...5 {
        let extent = numbers.next() % 3 == 0 ? 0 : 6
        let tensors = try (0..<operands).map { _ in
          try cpu.allocate([extent], numbers.next() % 4 == 0 ? .int32 : .float32)
        }
        do { try operation.run(on: cpu, tensors) } catch is TesseraError {}
      }
    }
  }
}

extension OperationFileTests {
  /// An operation, one of 20, with drawn extents.
  private static func drawnKind(_ index: Int, _ n: () -> Int) -> RecordedOperation.Kind {
    func size() -> Size2D { Size2D(height: n(), width: n()) }
    func layout() -> ChannelLayout {
      var layout = ChannelLayout(outer: n(), channels: n(), inner: n())
      layout.batch = n()
      return layout
    }
    func range() -> Range<Int> {
      let (a, b) = (n(), n())
      return min(a, b)..<max(a, b)
    }
    func response() -> LocalResponseNormalization { .init(outer: n(), channels: n(), inner: n(), size: n()) }
    let one = FloatBits(1)
    switch index {
    case 0: return .memory(.copy(region: region(n)))
    case 1: return .contraction(.matmul(p: product(n)))
    case 2: return .contraction(.conv2d(p: convolution(n)))
    case 3: return .contraction(.conv2dGradData(p: convolution(n)))
    case 4: return .contraction(.conv2dGradWeight(p: convolution(n)))
    case 5:
      return .contraction(.squaredDistancesBlock(rows: range(), columns: range(), points: n(), dims: n()))
    case 6:
      let p = PackedAttention(tokens: n(), heads: n(), width: n(), span: n(), scale: 1)
      return .contraction(.attention(p: p, lengths: [n(), n()]))
    case 7: return .pooling(.maxPool(p: pooling(n)))
    case 8: return .pooling(.averagePoolGrad(p: pooling(n)))
    case 9: return .pooling(.adaptiveAveragePool(p: pooling(n)))
    case 10: return .pooling(.upsampleNearestGrad(planes: n(), height: n(), width: n(), scale: n()))
    case 11: return .normalization(.localResponseNormGrad(p: response()))
    case 12: return .normalization(.batchNormStatistics(p: layout()))
    case 13: return .softmax(.distanceSoftmax(p: .init(heads: n(), length: n(), span: n(), scale: 1)))
    case 14: return .layout(.tsneForces(p: TSNEStep(points: n()), rows: range()))
    case 15: return .layout(.nearestNeighbours(rows: range(), columns: range(), fresh: true))
    case 16: return .layout(.neighbourAffinities(points: n(), neighbours: n(), perplexity: one))
    case 17: return .memory(.swapAxes(outer: n(), a: n(), b: n(), inner: n()))
    case 18: return .training(.gatherRows(columns: n()))
    default: return .memory(.upload(offset: n()))
    }
  }

  private static func region(_ n: () -> Int) -> CopyRegion {
    CopyRegion(
      rows: n(), columns: n(), sourceOffset: n(), sourceStride: n(), destinationOffset: n(),
      destinationStride: n())
  }

  private static func product(_ n: () -> Int) -> Matmul {
    var p = Matmul(m: 1, n: 1, k: 1)
    (p.m, p.n, p.k, p.batch) = (n(), n(), n(), n())
    (p.a.offset, p.a.rowStride, p.a.columnStride, p.a.batchStride) = (n(), n(), n(), n())
    (p.c.offset, p.c.rowStride, p.c.batchStride, p.biasOffset) = (n(), n(), n(), n())
    return p
  }

  private static func convolution(_ n: () -> Int) -> Convolution {
    var p = Convolution(batch: n(), inChannels: n(), size: (n(), n()), outChannels: n(), kernel: (n(), n()))
    (p.stride, p.padding) = (Size2D(height: n(), width: n()), Size2D(height: n(), width: n()))
    (p.dilation, p.groups) = (Size2D(height: n(), width: n()), n())
    p.output = Size2D(height: n(), width: n())
    return p
  }

  private static func pooling(_ n: () -> Int) -> Pooling {
    var p = Pooling(planes: n(), height: n(), width: n(), outHeight: n(), outWidth: n())
    (p.kernel, p.stride) = (Size2D(height: n(), width: n()), Size2D(height: n(), width: n()))
    p.padding = Size2D(height: n(), width: n())
    return p
  }
}
