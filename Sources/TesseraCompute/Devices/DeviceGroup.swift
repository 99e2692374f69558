// SPDX-License-Identifier: Apache-2.0
/// Devices that work together: a main one that does what cannot be divided, and helpers among which, and
/// it, the rest is handed out. Which device did what changes no bit.
public struct DeviceGroup: Sendable {
  /// The device that does what cannot be divided.
  public let main: any Backend
  /// The other devices.
  public let helpers: [any Backend]

  /// A main device, alone if there are no helpers.
  public init(_ main: any Backend, helpers: [any Backend] = []) {
    (self.main, self.helpers) = (main, helpers)
  }

  /// The main device and the helpers.
  public var all: [any Backend] { [main] + helpers }

  /// The devices' names.
  public var name: String { all.map(\.name).joined(separator: " + ") }

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

  /// A model a device.
  ///
  /// - Parameters:
  ///   - devices: the main device and its helpers.
  ///   - make: makes the model of a device.
  public init(_ devices: DeviceGroup, _ make: (any Backend) throws -> Model) rethrows {
    try self.init(devices, main: try devices.naming(devices.main) { try make(devices.main) }, make)
  }

  /// A model a device, the main device's being there already.
  ///
  /// - Parameters:
  ///   - devices: the main device and its helpers.
  ///   - main: the main device's model.
  ///   - make: makes the model of a helper.
  public init(_ devices: DeviceGroup, main: Model, _ make: (any Backend) throws -> Model) rethrows {
    (self.devices, self.main) = (devices, main)
    helpers = try devices.helpers.map { device in try devices.naming(device) { try make(device) } }
  }

  /// Hands parts of some work out to the devices as they become free, a host's thread each; returns when
  /// all is done.
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
    guard parts >= 0 else {
      throw TesseraError.failure("share", found: "\(parts) parts", wanted: "0 or more")
    }
    guard !helpers.isEmpty, parts > 1 else {
      for part in 0..<parts { try take(part, try work(main, devices.main, part)) }
      return
    }
    let workers = zip(devices.all, [main] + helpers).prefix(parts).map { Worker(device: $0, model: $1) }
    let queue = WorkQueue<Result>(parts: parts, workers: workers.count)
    let devices = devices  // not all of `self`, which the threads may not share
    var threads: [HostThread] = []
    defer { for thread in threads { thread.join() } }
    for worker in workers {
      do { threads.append(try HostThread { worker.work(queue, devices, work) }) } catch {
        queue.cancel(error)
      }
    }
    try queue.collect(take)
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
