// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What a profile comes to: by device, kernel and primitive, and how busy devices were.
public struct ProfileSummary: Sendable {
  /// What all runs of a kernel, or of the kernels of a primitive, came to.
  public struct Item: Sendable {
    /// The kernel or primitive.
    public let name: String
    /// How often it ran.
    public let calls: Int
    /// For how long it ran in all.
    public let seconds: Double
    /// Floating-point operations in all; 0 where they are not known.
    public let operations: Double
    /// Operations on integers of eight bits in all: those of products as exact integers.
    public let integerOperations: Double
    /// Bytes of the kernels' buffers in all.
    public let bytes: Double
  }

  /// What a device did.
  public struct Device: Sendable {
    /// Its name.
    public let name: String
    /// The seconds in which it was at work: kernels and transfers by its queue.
    public let busySeconds: Double
    /// Kernels and transfers, the longest in all first.
    public let kernels: [Item]
    /// Primitives that are more than a kernel of their name, the longest in all first.
    public let primitives: [Item]
  }

  /// A stage or epoch.
  public struct Span: Sendable {
    /// Its name.
    public let name: String
    /// How long it took.
    public let seconds: Double
    /// For what share of that some device was at work; nil: records are missing.
    public let busyShare: Double?
  }

  /// Seconds since the profiler was made.
  public let seconds: Double
  /// The devices in the order in which they were opened.
  public let devices: [Device]
  /// Stages and epochs in the order of their beginning.
  public let spans: [Span]
  /// Records beyond the profiler's capacity.
  public let dropped: Int
  /// Commands without times.
  public let untimed: Int

  init(_ kept: Profiler.Snapshot) {
    func items(_ totals: [Int32: ProfileTotal]) -> [Item] {
      totals.map { id, total in
        Item(
          name: kept.names[Int(id)], calls: total.calls, seconds: Double(total.nanoseconds) / 1e9,
          operations: total.operations, integerOperations: total.integerOperations, bytes: total.bytes)
      }.ordered { ($1.seconds, $0.name) < ($0.seconds, $1.name) }
    }
    seconds = Double(kept.end - kept.begin) / 1e9
    devices = kept.devices.map { track in
      let totals = kept.totals[track] ?? [:]
      return Device(
        name: kept.tracks[Int(track)], busySeconds: Double(kept.busy[track] ?? 0) / 1e9,
        kernels: items(totals),
        primitives: items((kept.primitives[track] ?? [:]).filter { totals[$0.key] == nil }))
    }
    (dropped, untimed) = (kept.dropped, kept.untimed)
    let work = BusyTime(kept.records)
    // Beyond the last record that was kept nothing is known.
    let known = kept.dropped == 0 ? Int64.max : work.end
    spans = kept.records.filter { $0.category == .stage }.sorted { $0.start < $1.start }.map { span in
      let length = span.end - span.start
      return Span(
        name: kept.names[Int(span.name)], seconds: Double(length) / 1e9,
        busyShare: span.end > known || length == 0
          ? nil : Double(work.nanoseconds(from: span.start, to: span.end)) / Double(length))
    }
  }
}

extension Profiler {
  /// What was collected so far, summed up.
  public func summary() -> ProfileSummary { ProfileSummary(snapshot()) }
}

/// When some device was at work, as intervals that do not overlap.
struct BusyTime {
  private var intervals: [(start: Int64, end: Int64, before: Int64)] = []

  init(_ records: [ProfileRecord]) {
    let work = records.filter { $0.category == .kernel || $0.category == .transfer }
    for record in work.sorted(by: { $0.start < $1.start }) {
      let last = intervals.last
      if let last, record.start <= last.end {
        intervals[intervals.count - 1].end = max(last.end, record.end)
      } else {
        let before = last.map { $0.before + $0.end - $0.start } ?? 0
        intervals.append((record.start, record.end, before))
      }
    }
  }

  /// The end of the last interval.
  var end: Int64 { intervals.last?.end ?? 0 }

  /// Time at work between two moments.
  func nanoseconds(from start: Int64, to end: Int64) -> Int64 { until(end) - until(start) }

  private func until(_ moment: Int64) -> Int64 {
    var (low, high) = (0, intervals.count)
    while low < high {
      let middle = (low + high) / 2
      if intervals[middle].start < moment { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return 0 }
    let last = intervals[low - 1]
    return last.before + min(moment, last.end) - last.start
  }
}
