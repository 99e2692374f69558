// SPDX-License-Identifier: Apache-2.0
/// Devices that work together: a main one that does what cannot be divided, and helpers among which, and
/// it, the rest is handed out. Which device did what changes no bit.
public struct DeviceGroup: Sendable {
  /// The device that does what cannot be divided.
  public let main: any Backend
  /// The other devices.
  public let helpers: [any Backend]
  /// Other processes with devices of their own, which help as well.
  package let ranks: RankTeam?

  /// A main device, alone if there are no helpers.
  public init(_ main: any Backend, helpers: [any Backend] = []) {
    self.init(main, helpers: helpers, ranks: nil)
  }

  /// The same with the help of other processes, if there are any.
  package init(_ main: any Backend, helpers: [any Backend], ranks: RankTeam?) {
    (self.main, self.helpers, self.ranks) = (main, helpers, ranks)
  }

  /// The same devices with the help of other processes.
  package func with(ranks: RankTeam?) -> DeviceGroup { DeviceGroup(main, helpers: helpers, ranks: ranks) }

  /// Whether the main device is all there is.
  package var isAlone: Bool { helpers.isEmpty && ranks == nil }

  /// The main device and the helpers.
  public var all: [any Backend] { [main] + helpers }

  /// The devices' names, and those of other processes.
  public var name: String { (all.map(\.name) + (ranks.map { [$0.name] } ?? [])).joined(separator: " + ") }

  /// Waits until all enqueued work is done; throws what went wrong in it.
  public func synchronize() throws {
    for device in all { try naming(device) { try device.synchronize() } }
  }

  /// Runs a body on a device of several, whose errors say so.
  public func naming<R>(_ device: any Backend, _ body: () throws -> R) rethrows -> R {
    do { return try body() } catch let error as TesseraError where !helpers.isEmpty {
      throw error.on(device.name)
    }
  }
}

/// A model on each device of a group, the same on all of them.
public struct Replicated<Model> {
  /// The devices.
  public let devices: DeviceGroup
  /// The main device's model.
  public let main: Model
  private let helpers: [Model]
  /// The model on the devices of other processes.
  package let shared: SharedModel?

  /// A model a device.
  ///
  /// - Parameters:
  ///   - devices: the main device and its helpers.
  ///   - make: makes the model of a device.
  public init(_ devices: DeviceGroup, _ make: (any Backend) throws -> Model) rethrows {
    try self.init(devices, shared: nil, make)
  }

  /// The same.
  ///
  /// - Parameter shared: the model on the devices of other processes; nil: they do not help with it.
  package init(
    _ devices: DeviceGroup, shared: SharedModel?, _ make: (any Backend) throws -> Model
  ) rethrows {
    try self.init(
      devices, main: try devices.naming(devices.main) { try make(devices.main) }, shared: shared, make)
  }

  /// A model a device, the main device's being there already.
  ///
  /// - Parameters:
  ///   - devices: the main device and its helpers.
  ///   - main: the main device's model.
  ///   - make: makes the model of a helper.
  public init(_ devices: DeviceGroup, main: Model, _ make: (any Backend) throws -> Model) rethrows {
    try self.init(devices, main: main, shared: nil, make)
  }

  /// The same.
  ///
  /// - Parameter shared: the model on the devices of other processes; nil: they do not help with it.
  package init(
    _ devices: DeviceGroup, main: Model, shared: SharedModel?, _ make: (any Backend) throws -> Model
  ) rethrows {
    (self.devices, self.main, self.shared) = (devices, main, shared)
    helpers = try devices.helpers.map { device in try devices.naming(device) { try make(device) } }
  }

  /// Hands parts of some work out to the devices as they become free, a host's thread each, those of other
  /// processes among them; returns when all is done.
  ///
  /// - Parameters:
  ///   - parts: how many; they do not hang on one another.
  ///   - work: does a part with a device's model, on that device's thread.
  ///   - take: gets a part's number and result, in any order, on the caller's thread.
  /// - Throws: the first error, which names its device if there are several; none is at work then any more.
  public func mapDynamic<Result: Sendable>(
    _ parts: Int, _ work: @escaping @Sendable (Model, any Backend, Int) throws -> Result,
    take: (Int, Result) throws -> Void
  ) throws {
    try mapDynamic(parts, coding: nil, work, take: take)
  }

  /// The same.
  ///
  /// - Parameter coding: how parts travel to other processes and back; nil: they stay here.
  package func mapDynamic<Result: Sendable>(
    _ parts: Int, coding: PartCoding<Result>?,
    _ work: @escaping @Sendable (Model, any Backend, Int) throws -> Result,
    take: (Int, Result) throws -> Void
  ) throws {
    guard parts >= 0 else {
      throw TesseraError.failure("share", found: "\(parts) parts", wanted: "0 or more")
    }
    let distant = distant(coding)
    guard !helpers.isEmpty || !distant.isEmpty, parts > 1 else {
      for part in 0..<parts { try take(part, try work(main, devices.main, part)) }
      return
    }
    let workers = zip(devices.all, [main] + helpers).prefix(parts).map { Worker(device: $0, model: $1) }
    let others = distant.prefix(parts - workers.count)
    let queue = WorkQueue<Result>(parts: parts, workers: workers.count + others.count)
    let devices = devices  // not all of `self`, which the threads may not share
    var threads: [HostThread] = []
    defer { for thread in threads { thread.join() } }
    for worker in workers {
      do { threads.append(try HostThread { worker.work(queue, devices, work) }) } catch {
        queue.cancel(error)
      }
    }
    for other in others {
      do { threads.append(try HostThread { other(queue) }) } catch { queue.cancel(error) }
    }
    try queue.collect(take)
  }

  /// The task of a thread for each device of other processes.
  private func distant<Result: Sendable>(
    _ coding: PartCoding<Result>?
  ) -> [@Sendable (WorkQueue<Result>) -> Void] {
    guard let shared, let coding else { return [] }
    return shared.team.members.flatMap { member in
      member.devices.indices.map { device in
        { @Sendable queue in queue.work(shared, member, device: device, coding) }
      }
    }
  }

  /// A device with its model, which no other thread touches while the device's has it: the caller's waits.
  private struct Worker: @unchecked Sendable {
    let device: any Backend, model: Model

    /// The task of the device's thread.
    func work<Result>(
      _ queue: WorkQueue<Result>, _ devices: DeviceGroup,
      _ body: (Model, any Backend, Int) throws -> Result
    ) {
      device.profiler?.nameThread("host for \(device.name)")
      queue.work { part in
        try devices.naming(device) {
          let result = try body(model, device, part)
          // A device that had work only enqueued would take parts that another is free for.
          try device.synchronize()
          return result
        }
      }
    }
  }
}

extension Replicated: Sendable where Model: Sendable {}
