import CPUKernels
import Kernels

extension CPUBackend: KernelLauncher {
  func launch<P>(
    _ kernel: KernelName, items: Int, cost: Int, _ parameters: P, _ tensors: [Tensor]
  ) throws {
    guard items > 0 else { return }
    guard let function = Self.kernels[Int(isa)][kernel.name] else {
      throw TesseraError.failure(kernel.name, found: "no such CPU kernel", wanted: "one of registry.c")
    }
    try withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: tensors.count) { buffers in
      for (index, tensor) in tensors.enumerated() {
        buffers[index] = UnsafeMutableRawPointer(try tensor.cpuInts(kernel.name).pointer)
      }
      withUnsafePointer(to: parameters) { pointer in
        let call = Call(
          function: function, parameters: UnsafeRawPointer(pointer),
          buffers: UnsafePointer(buffers.baseAddress!))
        parallel(items, grain: max(1, 32_768 / max(1, cost))) { begin, end in call.run(begin, end) }
      }
    }
  }

  /// What the threads of one launch share; alive until the last of them is done.
  private struct Call: @unchecked Sendable {
    let function: tsr_cpu_kernel
    let parameters: UnsafeRawPointer
    let buffers: UnsafePointer<UnsafeMutableRawPointer?>

    func run(_ begin: Int, _ end: Int) { function(parameters, buffers, Int64(begin), Int64(end)) }
  }

  /// Functions by name, one table per instruction set of this machine.
  private static let kernels: [[String: tsr_cpu_kernel]] = (0..<tsr_isa_count()).map { isa in
    var table: [String: tsr_cpu_kernel] = [:]
    for index in 0..<tsr_cpu_kernel_count() {
      table[String(cString: tsr_cpu_kernel_name(index))] = tsr_cpu_kernel_function(index, isa)
    }
    return table
  }
}
