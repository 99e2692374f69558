// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Profiles of ranks as messages, and in the leader's.
@Suite struct RankProfileTests {
  private func collected() -> Profiler {
    let profiler = Profiler()
    let track = profiler.addTrack("device")
    profiler.span(.exchange, "sums") {}
    profiler.within("matmul", KernelWork(operations: 24, integerOperations: 36, bytes: 0), track: track) {
      let record = ProfileRecord(
        .kernel, queued: 100, submit: 150, start: 200, end: 260,
        work: KernelWork(operations: 12.5, integerOperations: 5, bytes: 77)
      )
      profiler.add(record, "tsr_gemm", primitive: Profiler.primitive, track: track)
    }
    profiler.addUntimed()
    return profiler
  }

  @Test func aMessageHoldsAll() throws {
    let sent = collected().snapshot()
    let found = try Profiler.Snapshot(sent.message)
    #expect(found.names == sent.names && found.tracks == sent.tracks && found.devices == sent.devices)
    #expect(found.busy == sent.busy && found.untimed == 1 && found.dropped == 0)
    #expect((found.begin, found.end) == (sent.begin, sent.end))
    #expect(found.records.count == 2)
    let record = try #require(found.records.first { $0.category == .kernel })
    #expect([record.queued, record.submit, record.start, record.end] == [100, 150, 200, 260])
    #expect(record.work.operations == 12.5 && record.work.integerOperations == 5 && record.work.bytes == 77)
    #expect(found.names[Int(record.primitive)] == "matmul")
    #expect(found.records.contains { $0.category == .exchange && found.names[Int($0.name)] == "sums" })
    let total = try #require(found.primitives[record.track]?[record.primitive])
    #expect(
      total.calls == 1 && total.operations == 24 && total.integerOperations == 36 && total.nanoseconds == 60)
  }

  @Test func whatIsNoProfileIsRefused() throws {
    let whole = collected().snapshot().message
    for count in stride(from: 0, to: whole.bytes.count, by: 8) {
      let cut = Payload(
        copying: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(whole.bytes)[..<count]))
      #expect(throws: TesseraError.self) { try Profiler.Snapshot(cut) }
    }
    var negative = MessageWriter()
    negative.add(-1)
    #expect(throws: TesseraError.self) { try Profiler.Snapshot(negative.payload) }
    var strange = collected().snapshot()
    strange.records[0].name = 99
    #expect(throws: TesseraError.self) { try Profiler.Snapshot(strange.message) }
  }

  @Test func mergedTracksAreByTheLeadersClock() throws {
    let leader = collected()
    leader.merge(try Profiler.Snapshot(collected().snapshot().message), ahead: 40, owner: "rank 1 on here")
    let all = leader.snapshot()
    let track = try #require(all.tracks.firstIndex(of: "rank 1 on here: device"))
    #expect(all.devices == [0, Int32(track)])
    let record = try #require(all.records.first { $0.track == Int32(track) })
    #expect([record.queued, record.submit, record.start, record.end] == [60, 110, 160, 220])
    #expect(all.names[Int(record.name)] == "tsr_gemm" && all.names[Int(record.primitive)] == "matmul")
    #expect(all.busy[Int32(track)] == 60 && all.untimed == 2)
    #expect(all.totals[Int32(track)]?[record.name]?.bytes == 77)
  }

  @Test func theLeaderCollectsFromAllRanks() throws {
    let profiler = Profiler()
    func opened(_ profiler: Profiler) throws -> any Backend {
      try DeviceSelection.open("cpu", threads: 1, profiler: profiler)
    }
    let assistants = try (0..<2).map { _ in
      let own = Profiler()
      let device = try opened(own)
      try device.fill(try device.allocate([5], .float32), with: 1)
      return DeviceGroup(device)
    }
    let (result, codes) = try RankThreads.lead(assistants, []) { try $0.collect(into: profiler) }
    try result.get()
    #expect(codes == [0, 0])
    let found = profiler.snapshot()
    for rank in 1...2 {
      let track = try #require(found.devices.first { found.tracks[Int($0)].hasPrefix("rank \(rank) on ") })
      #expect(found.totals[track]?.values.reduce(0) { $0 + $1.calls } == 1)
    }
  }
}
