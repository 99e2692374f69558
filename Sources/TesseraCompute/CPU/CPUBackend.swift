// SPDX-License-Identifier: Apache-2.0
internal import Kernels
import Foundation
import Synchronization

/// The CPU as a device: work is split over threads by output, never by reduction, so the thread count
/// cannot change a bit.
public final class CPUBackend: Backend, @unchecked Sendable {
  /// The device's name with its instruction set and thread count.
  public var name: String { "cpu (\(instructionSet), \(threads) threads)" }
  /// What is free of the machine's memory.
  public var memory: Int { HostMemory.available }
  public var highWaterMark: Int { pool.highWaterMark }
  /// How many threads share the work.
  public let threads: Int
  /// The instruction set in use: avx512, avx2 or baseline.
  public let instructionSet: String
  /// The instruction set's functions.
  let table: UnsafePointer<tsr_cpu_table>
  var kernels: tsr_cpu_table { table.pointee }
  let pool = CPUMemoryPool()
  /// The last unit that exact products may use, `TSR_INTEGER_WORDS` and on: tests ask for the slower ones.
  let integerUnitLimit: Int32
  private let threadPool: ThreadPool

  /// The CPU with a number of threads (all cores by default) and an instruction set (the best by default).
  ///
  /// `TESSERA_THREADS` and `TESSERA_ISA` set the defaults.
  ///
  /// - Throws: `TesseraError` for an instruction set that this machine lacks or a thread count below 1.
  public convenience init(threads: Int? = nil, instructionSet: String? = nil) throws {
    try self.init(threads: threads, instructionSet: instructionSet, integerUnitLimit: .max)
  }

  /// The same with no faster a unit for exact products than one; no bit depends on it.
  init(threads: Int? = nil, instructionSet: String? = nil, integerUnitLimit: Int32) throws {
    self.integerUnitLimit = integerUnitLimit
    let environment = ProcessInfo.processInfo.environment
    let wantedThreads = threads ?? environment["TESSERA_THREADS"].map { Int($0) ?? 0 }
    self.threads = wantedThreads ?? ProcessInfo.processInfo.activeProcessorCount
    guard self.threads >= 1, self.threads <= 4096 else {
      throw TesseraError.input("threads", found: "\(self.threads)", wanted: "1 to 4096")
    }
    let available = (0..<tsr_cpu_table_count()).map { String(cString: tsr_cpu_table_at($0).pointee.name) }
    let wanted = instructionSet ?? environment["TESSERA_ISA"] ?? available[0]
    guard let index = available.firstIndex(of: wanted) else {
      throw TesseraError.input(
        "instruction set", found: wanted, wanted: available.joined(separator: ", "))
    }
    self.instructionSet = wanted
    threadPool = ThreadPool(helpers: self.threads - 1)
    table = tsr_cpu_table_at(Int32(index))
  }

  /// Runs `body(begin, end)` over parts of 0..<count on the backend's threads; a part has at least `grain`.
  /// There are more parts than threads: a thread that the machine holds up leaves its share to the others.
  package func parallel(_ count: Int, grain: Int = 1, _ body: @Sendable (Int, Int) -> Void) {
    let parts = max(1, min(threads * 4, count / max(1, grain)))
    guard count > 0 else { return }
    guard parts > 1, threads > 1 else { return body(0, count) }
    let workers = min(threads, parts)
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: workers * Int(TSR_SHARE_STEP)) { next in
      next.initialize(repeating: 0)
      let shares = UnsafeSendablePointer(pointer: next.baseAddress!)
      runWorkers(workers) { index in
        var worker = tsr_worker(next: shares.pointer, index: Int64(index), count: Int64(workers))
        while case let part = Int(tsr_next_task(&worker, Int64(parts))), part >= 0 {
          body(count * part / parts, count * (part + 1) / parts)
        }
      }
    }
  }

  /// Calls `body` for workers 0..<count, each on a thread of its own, or fewer of them if threads are busy
  /// elsewhere: a worker's share of tasks is taken by the others then.
  private func runWorkers(_ count: Int, _ body: @Sendable (Int) -> Void) {
    guard count > 1 else { return body(0) }
    // Whoever comes while the pool is at work for another finds threads elsewhere.
    guard !threadPool.run(helpers: count - 1, body) else { return }
    DispatchQueue.concurrentPerform(iterations: count, execute: body)
  }

  /// Workers, each with so many floats of its own, that take tasks from a plan until none is left.
  func runWorkers(
    _ workers: Int, scratch count: Int, _ work: @Sendable (tsr_worker, UnsafeMutablePointer<Float>) -> Void
  ) throws {
    let stride = (count + 15) / 16 * 16
    let shares = workers * Int(TSR_SHARE_STEP) * MemoryLayout<Int64>.size
    let storage = try pool.storage(shares + stride * workers * 4, for: "the work of \(workers) threads")
    let next = UnsafeSendablePointer(pointer: storage.pointer.assumingMemoryBound(to: Int64.self))
    next.pointer.update(repeating: 0, count: workers * Int(TSR_SHARE_STEP))
    let memory = UnsafeSendablePointer(
      pointer: (storage.pointer + shares).assumingMemoryBound(to: Float.self))
    runWorkers(workers) { index in
      let worker = tsr_worker(next: next.pointer, index: Int64(index), count: Int64(workers))
      work(worker, memory.pointer + index * stride)
    }
    withExtendedLifetime(storage) {}
  }
}

/// A pointer that threads may share because each writes only its own outputs.
struct UnsafeSendablePointer<Pointee>: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Pointee>
}

extension Tensor {
  /// The elements as floats in host memory.
  func cpu(_ place: String = "cpu") throws -> UnsafeSendablePointer<Float> { try cpu(place, as: Float.self) }

  /// The elements as 32-bit integers in host memory.
  func cpuInts(_ place: String = "cpu") throws -> UnsafeSendablePointer<Int32> {
    try cpu(place, as: Int32.self)
  }

  /// The elements' bytes in host memory.
  func cpuBytes(_ place: String = "cpu") throws -> UnsafeSendablePointer<UInt8> {
    try cpu(place, as: UInt8.self)
  }

  private func cpu<T>(_ place: String, as type: T.Type) throws -> UnsafeSendablePointer<T> {
    let storage = try cpuStorage(place)
    storage.prepared.noteAccess()
    return UnsafeSendablePointer(pointer: storage.pointer.assumingMemoryBound(to: type))
  }

  /// The host memory itself, which whoever reads or writes it takes by `cpu` or `cpuInts`.
  func cpuStorage(_ place: String) throws -> CPUStorage {
    guard let storage = storage as? CPUStorage else {
      throw TesseraError.failure(place, found: "a tensor of another device", wanted: "one of the CPU")
    }
    return storage
  }
}
