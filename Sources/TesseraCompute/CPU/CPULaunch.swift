// SPDX-License-Identifier: Apache-2.0
package import Kernels

extension CPUBackend: KernelDispatching {
  package func launch<P: KernelParameters>(
    _ kernel: Kernel, items: Int, cost: Int, _ parameters: P, _ tensors: [Tensor]
  ) throws {
    guard items > 0 else { return }
    guard let function = tsr_cpu_kernel_function(table, kernel) else {
      throw TesseraError.failure(kernel.name, found: "a kernel of OpenCL alone", wanted: "one for C too")
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
}
