// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation

/// Collects what a backend and its callers took time for: kernels by the device's clock, stages and
/// transfers by the host's.
///
/// A backend gets one when it is opened; without one nothing is measured.
public final class Profiler: Sendable {
  /// What a record is about.
  public enum Category: String, Sendable, CaseIterable {
    /// A part of the work that the user knows: a command, a stage, an epoch.
    case stage
    /// The host: building a program, handing data to a device, waiting for data or for the device.
    case build, upload, download, wait
    /// The host: adding up with other devices and ranks what goes over a whole batch, and waiting for them.
    case exchange
    /// The device: a kernel, a transfer by its queue.
    case kernel, transfer
  }

  /// The records that were kept, in the order in which they ended.
  package struct Snapshot: Sendable {
    package var names: [String] = [], tracks: [String] = []
    /// The devices' tracks.
    package var devices: [Int32] = []
    package var records: [ProfileRecord] = []
    /// Records beyond the capacity, which the totals hold all the same; commands whose times the device did
    /// not tell.
    package var dropped = 0, untimed = 0
    /// By device's track and name, of kernels and transfers; by track and primitive, of those that ran in
    /// one.
    package var totals: [Int32: [Int32: ProfileTotal]] = [:], primitives: [Int32: [Int32: ProfileTotal]] = [:]
    /// Nanoseconds in which devices were at work, by track.
    package var busy: [Int32: Int64] = [:]
    /// The host's clock at the beginning and at the time of the snapshot.
    package var begin: Int64 = 0, end: Int64 = 0
  }

  private struct State: Sendable {
    var kept = Snapshot()
    var ids: [String: Int32] = [:]
    var threads: [UInt: Int32] = [:]
    var stages = 0
    /// By track, until when its device was at work.
    var busyUntil: [Int32: Int64] = [:]

    mutating func id(_ name: String) -> Int32 {
      if let id = ids[name] { return id }
      let id = Int32(kept.names.count)
      kept.names.append(name)
      ids[name] = id
      return id
    }

    mutating func newTrack(_ name: String) -> Int32 {
      kept.tracks.append(name)
      return Int32(kept.tracks.count - 1)
    }
  }

  private let state = Locked(State())
  private let capacity: Int

  /// The primitive in whose course kernels are enqueued.
  @TaskLocal static var primitive: Int32 = -1

  /// A profiler that keeps up to so many records for the trace (72 bytes each) besides stages; totals count
  /// all.
  public init(capacity: Int = 1 << 20) {
    self.capacity = max(0, capacity)
    state.withLock { $0.kept.begin = Self.now }
  }

  /// The host's clock in nanoseconds.
  static var now: Int64 { Int64(clamping: DispatchTime.now().uptimeNanoseconds) }

  /// Runs a body as a span on the calling thread's track; spans in it lie inside.
  public func span<R>(_ category: Category, _ name: String, bytes: Int = 0, _ body: () throws -> R) rethrows
    -> R
  {
    let start = Self.now
    defer {
      add(ProfileRecord(category, start: start, end: Self.now, work: KernelWork(bytes: bytes)), name)
    }
    return try body()
  }

  /// Runs a body whose kernels, on a device's track, belong to a primitive of so many operations.
  func within<R>(_ primitive: String, _ work: KernelWork, track: Int32, _ body: () throws -> R) rethrows -> R
  {
    let id = state.withLock { state in
      let id = state.id(primitive)
      var total = state.kept.primitives[track]?[id] ?? ProfileTotal()
      total.calls += 1
      total.operations += work.operations
      total.integerOperations += work.integerOperations
      state.kept.primitives[track, default: [:]][id] = total
      return id
    }
    return try Self.$primitive.withValue(id, operation: body)
  }

  /// A new track, of a device.
  func addTrack(_ name: String) -> Int32 {
    state.withLock { state in
      let track = state.newTrack(name)
      state.kept.devices.append(track)
      return track
    }
  }

  /// Gives the calling thread the track of a name, which an earlier thread may have had. (The system gives
  /// the identity of threads that have ended to new ones.)
  func nameThread(_ name: String) {
    let thread = UInt(pthread_self())
    state.withLock { state in
      let track = state.kept.tracks.firstIndex(of: name).map { Int32($0) }
      state.threads[thread] = track ?? state.newTrack(name)
    }
  }

  /// Adds a record to a track, or to the calling thread's.
  func add(_ record: ProfileRecord, _ name: String, primitive: Int32 = -1, track: Int32? = nil) {
    let thread = track == nil ? UInt(pthread_self()) : 0
    state.withLock { state in
      var record = record
      (record.name, record.primitive) = (state.id(name), primitive)
      if let track {
        record.track = track
        Self.count(record, &state)
      } else {
        let there = state.threads[thread]
        record.track = there ?? state.newTrack(state.threads.isEmpty ? "host" : "host, another thread")
        state.threads[thread] = record.track
      }
      // Stages are few, and the summary needs them all.
      if record.category == .stage || state.kept.records.count - state.stages < capacity {
        state.kept.records.append(record)
        state.stages += record.category == .stage ? 1 : 0
      } else {
        state.kept.dropped += 1
      }
    }
  }

  /// Counts a command whose times the device does not tell.
  func addUntimed() { state.withLock { $0.kept.untimed += 1 } }

  private static func count(_ record: ProfileRecord, _ state: inout State) {
    let length = record.end - record.start
    var total = state.kept.totals[record.track]?[record.name] ?? ProfileTotal()
    total.calls += 1
    total.nanoseconds += length
    total.operations += record.work.operations
    total.integerOperations += record.work.integerOperations
    total.bytes += Double(record.work.bytes)
    state.kept.totals[record.track, default: [:]][record.name] = total
    if record.primitive >= 0 {
      state.kept.primitives[record.track, default: [:]][record.primitive, default: ProfileTotal()]
        .nanoseconds += length
    }
    let until = state.busyUntil[record.track] ?? 0
    state.kept.busy[record.track, default: 0] += max(0, record.end - max(record.start, until))
    state.busyUntil[record.track] = max(until, record.end)
  }

  /// Takes in what another process collected, on tracks of their own.
  ///
  /// - Parameters:
  ///   - other: its records and totals.
  ///   - ahead: nanoseconds by which its clock is ahead of this one's.
  ///   - owner: what its tracks' names begin with.
  package func merge(_ other: Snapshot, ahead: Int64, owner: String) {
    state.withLock { state in
      let names = other.names.map { state.id($0) }
      let tracks = other.tracks.map { state.newTrack("\(owner): \($0)") }
      func named<T>(_ totals: [Int32: T]) -> [(Int32, T)] { totals.map { (names[Int($0)], $1) } }
      state.kept.devices += other.devices.map { tracks[Int($0)] }
      for (track, totals) in other.totals {
        state.kept.totals[tracks[Int(track)]] = Dictionary(uniqueKeysWithValues: named(totals))
      }
      for (track, totals) in other.primitives {
        state.kept.primitives[tracks[Int(track)]] = Dictionary(uniqueKeysWithValues: named(totals))
      }
      for (track, nanoseconds) in other.busy { state.kept.busy[tracks[Int(track)]] = nanoseconds }
      let room = max(0, capacity - (state.kept.records.count - state.stages))
      state.kept.dropped += other.dropped + max(0, other.records.count - room)
      state.kept.untimed += other.untimed
      state.kept.records += other.records.prefix(room).map { record in
        var record = record.earlier(by: ahead)
        (record.name, record.track) = (names[Int(record.name)], tracks[Int(record.track)])
        if record.primitive >= 0 { record.primitive = names[Int(record.primitive)] }
        return record
      }
    }
  }

  /// What was collected so far. What a device has not done yet is missing: synchronise first.
  package func snapshot() -> Snapshot {
    state.withLock { state in
      var kept = state.kept
      kept.end = Self.now
      return kept
    }
  }
}

extension MemoryBackend {
  /// Runs a body as a span of the profile, where there is one.
  public func span<R>(
    _ name: @autoclosure () -> String, category: Profiler.Category = .stage, _ body: () throws -> R
  ) rethrows -> R {
    guard let profiler else { return try body() }
    return try profiler.span(category, name(), body)
  }
}
