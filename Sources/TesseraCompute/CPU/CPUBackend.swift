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

  /// The CPU with a number of threads (all cores by default) and an instruction set (the best by default).
  ///
  /// `TESSERA_THREADS` and `TESSERA_ISA` set the defaults.
  ///
  /// - Throws: `TesseraError` for an instruction set that this machine lacks or a thread count below 1.
  public init(threads: Int? = nil, instructionSet: String? = nil) throws {
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
    table = tsr_cpu_table_at(Int32(index))
  }

  /// Runs `body(begin, end)` over parts of 0..<count on the backend's threads; a part has at least `grain`.
  /// There are more parts than threads: a thread that the machine holds up leaves its share to the others.
  package func parallel(_ count: Int, grain: Int = 1, _ body: @Sendable (Int, Int) -> Void) {
    let parts = max(1, min(threads * 4, count / max(1, grain)))
    guard count > 0 else { return }
    guard parts > 1, threads > 1 else { return body(0, count) }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: min(threads, parts)) { _ in
      while true {
        let part = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard part < parts else { return }
        body(count * part / parts, count * (part + 1) / parts)
      }
    }
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

  private func cpu<T>(_ place: String, as type: T.Type) throws -> UnsafeSendablePointer<T> {
    let storage = try cpuStorage(place)
    storage.kernels.noteAccess()
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
