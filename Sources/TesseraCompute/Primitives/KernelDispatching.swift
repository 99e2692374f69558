// SPDX-License-Identifier: Apache-2.0
package import Kernels

/// A backend that runs the item and row kernels of `Kernels`. The families of primitives are written once,
/// on top of this, for every backend.
///
/// Their functions are compiled once too: without `optimize.sil.specialize.generic.never` the compiler makes
/// a copy for each backend, which made the target's build half as long again and no launch faster.
package protocol KernelDispatching: Backend {
  /// The profiler's track of a device that was opened with a profiler and times its own kernels; nil where
  /// the host has to.
  var track: Int32? { get }
  /// The kernels that measure the most fused products a second; the fastest of them counts.
  var peakKernels: [Kernel] { get }
  /// Itself, if its tiles can be tuned.
  var tunable: (any TunableBackend)? { get }
  /// Enqueues `items` items of a kernel.
  ///
  /// - Parameters:
  ///   - kernel: one of the kernels of `Kernels/include/kernels.def`.
  ///   - items: elements or rows; nothing happens for 0.
  ///   - cost: rough number of elements that one item touches, to choose how finely to split.
  ///   - parameters: the kernel's parameter struct, passed by value.
  ///   - tensors: its buffers in order.
  func launch<P: KernelParameters>(
    _ kernel: Kernel, items: Int, cost: Int, _ parameters: P, _ tensors: [Tensor]) throws
}

extension KernelDispatching {
  /// None: the host times its kernels.
  package var track: Int32? { nil }
  /// One for every kind of device.
  package var peakKernels: [Kernel] { [.fmaPeak] }
  /// None: it has no tiles.
  package var tunable: (any TunableBackend)? { nil }
}

/// Throws unless every tensor has the wanted number of elements and the type that the kernel reads.
///
/// - Parameters:
///   - floats: float32 tensors that are read.
///   - ints: int32 tensors that are read.
///   - outputs: float32 tensors that are written; none may be read too, or be another output.
///   - inPlace: whether outputs may be inputs.
@inline(never)
func require(
  _ place: String, _ floats: [(Tensor, Int)], ints: [(Tensor, Int)] = [], into outputs: [(Tensor, Int)] = [],
  intsInto integerOutputs: [(Tensor, Int)] = [], inPlace: Bool = false
) throws {
  func check(_ tensors: [(Tensor, Int)], _ type: ElementType) throws {
    for (tensor, count) in tensors where tensor.count != count || tensor.elementType != type {
      throw TesseraError.failure(
        place, found: "\(tensor.elementType) \(tensor.shape), \(tensor.count) elements",
        wanted: "\(type), \(count) elements")
    }
  }
  try check(floats, .float32)
  try check(ints, .int32)
  try check(outputs, .float32)
  try check(integerOutputs, .int32)
  func isAmong(_ tensors: ArraySlice<(Tensor, Int)>, _ output: Tensor) -> Bool {
    tensors.contains { $0.0.storage === output.storage }
  }
  // What `requireApart` says, without lists for it: every launch comes through here.
  func check(_ written: [(Tensor, Int)], after earlier: [(Tensor, Int)]) throws {
    for (index, (output, _)) in written.enumerated() where output.count > 0 {
      let isRead = !inPlace && (isAmong(floats[...], output) || isAmong(ints[...], output))
      if isRead || isAmong(earlier[...], output) || isAmong(written[..<index], output) {
        throw inOperand(place, output)
      }
    }
  }
  try check(outputs, after: [])
  try check(integerOutputs, after: outputs)
}

private func inOperand(_ place: String, _ output: Tensor) -> TesseraError {
  .failure(
    place, found: "an output \(output.shape) in an operand's memory", wanted: "memory of its own")
}

/// Throws if memory that is written is read too, or written twice.
func requireApart(_ place: String, _ inputs: [Tensor], into outputs: [Tensor]) throws {
  for (index, output) in outputs.enumerated() where output.count > 0 {
    guard !inputs.contains(where: { $0.storage === output.storage }),
      !outputs[..<index].contains(where: { $0.storage === output.storage })
    else { throw inOperand(place, output) }
  }
}

/// Throws for a scale that is no number.
func requireScale(_ place: String, _ scale: Float) throws {
  guard scale.isFinite else {
    throw TesseraError.failure(place, found: "a scale of \(scale)", wanted: "a finite number")
  }
}

/// Throws for an epsilon below 0 or NaN.
func requireEpsilon(_ place: String, _ eps: Float) throws {
  guard eps >= 0, eps.isFinite else {
    throw TesseraError.failure(place, found: "eps \(eps)", wanted: "a finite number, 0 or more")
  }
}
