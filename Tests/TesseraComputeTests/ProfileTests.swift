// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraBenchmark
@testable import TesseraCompute

/// What a profiler collects, and that it changes nothing.
@Suite struct ProfileTests {
  private struct Trace: Decodable {
    struct Event: Decodable {
      let name: String, ph: String, cat: String?, tid: Int, ts: Double?, dur: Double?
      var end: Double { (ts ?? 0) + (dur ?? 0) }
    }
    let traceEvents: [Event]
  }

  /// A chain of work: contractions, rows, transfers.
  private func work(_ device: any Backend) throws -> [UInt32] {
    let x = try device.tensor((0..<2 * 3 * 81).map { Float($0 % 17) - 8 }, [2, 3, 9, 9])
    let p = Convolution(
      batch: 2, inChannels: 3, size: (9, 9), outChannels: 4, kernel: (3, 3), stride: 2, padding: 1)
    let w = try device.tensor((0..<p.weightCount).map { Float($0 % 5) / 7 }, [p.weightCount])
    let y = try device.allocate([p.outputCount], .float32)
    try device.conv2d(p, x, w, bias: nil, into: y)
    let dx = try device.allocate([p.inputCount], .float32)
    try device.conv2dGradData(p, y, w, into: dx)
    try device.softmax(dx, rows: 2 * 3, columns: 81, scale: 1, into: dx)
    return try device.floats(dx).map(\.bitPattern)
  }

  private static let names = TestDevices.hasOpenCL ? ["cpu", "opencl"] : ["cpu"]

  @Test(.tags(.opencl), arguments: names) func aProfilerChangesNoBit(_ name: String) throws {
    let profiler = Profiler()
    let device = try DeviceSelection.open(name, profiler: profiler)
    let found = try work(device)
    #expect(try found == work(DeviceSelection.open(name)))
    #expect(try found == work(CPUBackend()))
    #expect(device is ProfiledBackend && !(device.unprofiled is ProfiledBackend))
    let summary = profiler.summary()
    #expect(summary.untimed == 0 && summary.dropped == 0)
    let did = try #require(summary.devices.first)
    #expect(summary.devices.count == 1 && did.name == device.name)
    #expect(did.busySeconds > 0 && did.busySeconds <= summary.seconds)
    let conv = (did.primitives + did.kernels).first { $0.name == "conv2d" }
    #expect(conv?.calls == 1 && conv?.operations == 2 * Double(2 * 4 * 25 * 27))
    #expect(summary.text().contains("conv2d"))
  }

  @Test(.tags(.opencl), arguments: names) func aTraceHoldsSpansThatNest(_ name: String) throws {
    try withTemporaryFolder { folder in
      let profiler = Profiler()
      let device = try DeviceSelection.open(name, profiler: profiler)
      _ = try device.span("outer \"stage\"\n") { try device.span("inner") { try work(device) } }
      try device.synchronize()
      let path = folder + "/trace.json"
      let written = try profiler.writeTrace(to: path)
      let data = try #require(FileManager.default.contents(atPath: path))
      let events = try JSONDecoder().decode(Trace.self, from: data).traceEvents
      let spans = events.filter { $0.ph == "X" }
      #expect(spans.count == written.events && written.dropped == 0)
      #expect(spans.allSatisfy { ($0.ts ?? -1) >= 0 && ($0.dur ?? -1) >= 0 })
      let outer = try #require(spans.first { $0.name == "outer \"stage\"\n" })
      let inner = try #require(spans.first { $0.name == "inner" })
      #expect(outer.ts! <= inner.ts! && inner.end <= outer.end && outer.tid == inner.tid)
      let kernels = spans.filter { $0.cat == "kernel" }
      #expect(kernels.count >= 3 && kernels.allSatisfy { $0.tid != outer.tid })
      // One queue, in order: nothing begins before what was enqueued earlier is done.
      let starts = kernels.sorted { $0.ts! < $1.ts! }
      #expect(zip(starts, starts.dropFirst()).allSatisfy { $0.end <= $1.ts! + 1 })
      // By the host's clock the kernels lie in the span that enqueued them and read their result.
      #expect(kernels.filter { $0.ts! >= outer.ts! - 1000 && $0.end <= outer.end + 1000 }.count >= 3)
    }
  }

  /// Products of digits are operations on integers, by the mode's name, of contractions and of kernels.
  @Test(.tags(.opencl), arguments: names) func exactSumsAreIntegersOperations(_ name: String) throws {
    let profiler = Profiler()
    let device = try DeviceSelection.open(name, profiler: profiler)
    let (a, b) = (try device.tensor([Float](repeating: 1, count: 60), [4, 15]), try device.empty(15, 5))
    let c = try device.empty(4, 5)
    for products in [Products.s3, .s2, .fp32] {
      var p = Matmul(m: 4, n: 5, k: 15)
      p.products = products
      try device.matmul(p, a, b, bias: nil, into: c)
    }
    try device.synchronize()
    let did = try #require(profiler.summary().devices.first)
    let all = did.primitives + did.kernels
    for (name, pairs) in [("matmul s3", 6.0), ("matmul s2", 4)] {
      let found = try #require(all.first { $0.name == name })
      #expect(found.integerOperations == 2 * pairs * 300 && found.operations == 0 && found.calls == 1)
    }
    let plain = try #require(all.first { $0.name == "matmul" })
    #expect(plain.operations == 600 && plain.integerOperations == 0)
    if let kernel = did.kernels.first(where: { $0.name == "tsr_integer_matmul" }) {
      #expect(kernel.calls == 2 && kernel.integerOperations == 2 * 10 * 300 && kernel.operations == 0)
    } else {
      #expect(name == "cpu")
    }
    let line = profiler.summary().text().split(separator: "\n").first { $0.hasPrefix("matmul s3") }
    #expect(line?.contains(" int8") == true)
  }

  @Test func whatDoesNotFitIsCounted() throws {
    let profiler = Profiler(capacity: 2)
    let device = try DeviceSelection.open("cpu", profiler: profiler)
    _ = try work(device)
    let summary = profiler.summary()
    #expect(summary.dropped > 0 && summary.text().contains("did not fit"))
    // Totals count all the same.
    #expect(try #require(summary.devices.first).kernels.reduce(0) { $0 + $1.calls } >= 3)
  }

  @Test func aTraceThatCannotBeWrittenIsAnError() throws {
    try withTemporaryFolder { folder in
      try Data().write(to: URL(fileURLWithPath: folder + "/file"))
      #expect(throws: TesseraError.self) { try Profiler().writeTrace(to: folder + "/file/trace.json") }
    }
  }
}
