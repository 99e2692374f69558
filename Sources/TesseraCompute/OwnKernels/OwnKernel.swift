// SPDX-License-Identifier: Apache-2.0

/// A kernel of your own: OpenCL C, and a twin in Swift that gives the CPU the same bits.
///
/// The kernel takes the number of items, then the numbers, the inputs and the outputs, each of them a buffer
/// of floats, and computes item `get_global_id(0)` where that is below the number of items:
///
/// ```c
/// #include "common/math.h"
/// __kernel void leaky_relu(const int items, const float slope, __global const float *x, __global float *y) {
///   const int i = (int)get_global_id(0);
///   if (i < items) y[i] = tsr_canonical(x[i] < 0.0f ? slope * x[i] : x[i]);
/// }
/// ```
///
/// Headers of the package are included by their path in `Kernels`. For equal bits the contract's rules hold
/// (`Kernels/NUMERICS.md`): `+ - *`, `tsr_fma`, `tsr_div` and `tsr_sqrt` are `+ - *`, `addingProduct`, `/`
/// and `squareRoot` of the twin; there is no function of libm or of OpenCL, no order of a sum that depends on
/// the device, and one NaN. `check(on:numbers:inputs:outputs:items:)` compares the two.
public struct OwnKernel: Sendable {
  /// What a call of the twin works on.
  public struct Arguments: @unchecked Sendable {
    /// The numbers, in order.
    public let numbers: [Float]
    /// The elements of the inputs.
    public let inputs: [UnsafeBufferPointer<Float>]
    /// The elements of the outputs. An item writes its own alone: others run at the same time.
    public let outputs: [UnsafeMutableBufferPointer<Float>]
  }

  /// Computes some of the items.
  public typealias Twin = @Sendable (_ items: Range<Int>, _ arguments: Arguments) -> Void

  /// The kernel's name in its source.
  public let name: String
  /// The text of its program.
  public let source: String
  let twin: Twin

  /// A kernel.
  ///
  /// - Parameters:
  ///   - name: its name in the source.
  ///   - source: the program, OpenCL C 1.2.
  ///   - twin: computes the same on the CPU.
  /// - Throws: `TesseraError` for a name that is none of C's, or that the source does not have.
  public init(name: String, source: String, twin: @escaping Twin) throws {
    let letters = name.utf8.allSatisfy { byte in
      byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
        || (0x61...0x7a).contains(byte)
    }
    guard letters, let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.count <= 200,
      source.contains(name), !source.utf8.contains(0)
    else {
      throw TesseraError.input(
        "own kernel", found: "the name \(name)", wanted: "a name of C that the source has")
    }
    (self.name, self.source, self.twin) = (name, source, twin)
  }

  /// Runs the kernel; the call may come back before the work is done.
  ///
  /// - Parameters:
  ///   - device: where the tensors are. A profiler around it sees the kernel under its name.
  ///   - numbers: passed by value.
  ///   - inputs: tensors of floats that are read.
  ///   - outputs: tensors of floats that are written, in memory of their own.
  ///   - items: how many there are; those of the first output, unless given.
  /// - Throws: `TesseraError` for tensors of integers or of another device, an output that is read too, a
  ///   source that does not build, and a kernel that takes other arguments.
  public func run(
    on device: any Backend, numbers: [Float] = [], inputs: [Tensor], outputs: [Tensor], items: Int? = nil
  ) throws {
    let items = items ?? outputs.first?.count ?? 0
    guard items >= 0, items <= Int(Int32.max), numbers.count + inputs.count + outputs.count <= 64 else {
      throw TesseraError.failure(
        name, found: "\(items) items, \(numbers.count + inputs.count + outputs.count) arguments",
        wanted: "0 to 2^31 - 1, 64 at most")
    }
    try require(name, inputs.map { ($0, $0.count) }, into: outputs.map { ($0, $0.count) })
    guard let profiled = device as? ProfiledBackend, items > 0 else {
      return try launch(on: device, numbers, inputs, outputs, items)
    }
    let bytes = (inputs + outputs).reduce(0) { $0 + 4 * $1.count }
    try profiled.timed(name, KernelWork(bytes: bytes)) {
      try launch(on: profiled.unprofiled, numbers, inputs, outputs, items)
    }
  }

  private func launch(
    on device: any Backend, _ numbers: [Float], _ inputs: [Tensor], _ outputs: [Tensor], _ items: Int
  ) throws {
    switch device.unprofiled {
    case let cpu as CPUBackend: try cpu.run(self, numbers, inputs, outputs, items)
    case let opencl as OpenCLBackend: try opencl.run(self, numbers, inputs, outputs, items)
    default: throw TesseraError.failure(name, found: device.name, wanted: "the CPU or an OpenCL device")
    }
  }

  /// Runs the kernel on a device and its twin on the CPU, and compares every bit.
  ///
  /// - Parameters:
  ///   - device: the device to compare with the CPU.
  ///   - numbers: passed by value.
  ///   - inputs: the elements of each input.
  ///   - outputs: how many elements each output has.
  ///   - items: how many there are; those of the first output, unless given.
  /// - Returns: elements compared.
  /// - Throws: `TesseraError` naming the first element that differs, with both bit patterns, and as `run`.
  @discardableResult
  public func check(
    on device: any Backend, numbers: [Float] = [], inputs: [[Float]], outputs: [Int], items: Int? = nil
  ) throws -> Int {
    func results(_ device: any Backend) throws -> [[Float]] {
      let read = try inputs.map { try device.tensor($0) }
      let written = try outputs.map { try device.allocate([$0], .float32) }
      for output in written { try device.fill(output, with: 0) }
      try run(on: device, numbers: numbers, inputs: read, outputs: written, items: items)
      return try written.map { try device.floats($0) }
    }
    let (found, wanted) = (try results(device), try results(try CPUBackend()))
    for (number, (a, b)) in zip(found, wanted).enumerated() {
      if let at = a.indices.first(where: { a[$0].bitPattern != b[$0].bitPattern }) {
        throw TesseraError.failure(
          "\(name) on \(device.name), output \(number), element \(at)",
          found: "0x\(String(a[at].bitPattern, radix: 16)) (\(a[at]))",
          wanted: "0x\(String(b[at].bitPattern, radix: 16)) (\(b[at])), as the twin")
      }
    }
    return outputs.reduce(0, +)
  }
}

extension CPUBackend {
  fileprivate func run(
    _ kernel: OwnKernel, _ numbers: [Float], _ inputs: [Tensor], _ outputs: [Tensor], _ items: Int
  ) throws {
    let arguments = OwnKernel.Arguments(
      numbers: numbers,
      inputs: try inputs.map { UnsafeBufferPointer(start: try $0.cpu(kernel.name).pointer, count: $0.count) },
      outputs: try outputs.map {
        UnsafeMutableBufferPointer(start: try $0.cpu(kernel.name).pointer, count: $0.count)
      })
    parallel(items, grain: 1024) { begin, end in kernel.twin(begin..<end, arguments) }
    withExtendedLifetime((inputs, outputs)) {}
  }
}
