import Kernels

/// A backend that runs the item and row kernels of `Kernels/cl` by name. The families of primitives are
/// written once, on top of this, for every backend.
protocol KernelLauncher: Backend {
  /// Enqueues `items` items of a kernel.
  ///
  /// - Parameters:
  ///   - kernel: family and name.
  ///   - items: elements or rows; nothing happens for 0.
  ///   - cost: rough number of elements that one item touches, to choose how finely to split.
  ///   - parameters: the kernel's parameter struct, passed by value.
  ///   - tensors: its buffers in order.
  func launch<P>(
    _ kernel: KernelName, items: Int, cost: Int, _ parameters: P, _ tensors: [Tensor]) throws
}

/// A kernel: its function's name, the family (file) that holds it, whether items are rows, and whether a GPU sums several groups
/// of a batch in a row at once.
struct KernelName: Sendable {
  let family: String
  let name: String
  let isRow: Bool
  var hasTeams = false

  static func item(_ family: String, _ name: String) -> KernelName {
    KernelName(family: family, name: name, isRow: false)
  }

  static func row(_ family: String, _ name: String) -> KernelName {
    KernelName(family: family, name: name, isRow: true)
  }

  static func channels(_ family: String, _ name: String) -> KernelName {
    KernelName(family: family, name: name, isRow: true, hasTeams: true)
  }
}

/// Throws unless every tensor has the wanted number of elements.
func require(_ place: String, _ tensors: [(Tensor, Int)]) throws {
  for (tensor, count) in tensors where tensor.count != count {
    throw TesseraError.failure(
      place, found: "a tensor of \(tensor.count) elements \(tensor.shape)", wanted: "\(count) elements")
  }
}

/// Throws unless extents are 0 or more and their product fits 32-bit indices.
func requireExtents(_ place: String, _ extents: Int...) throws {
  var product = 1
  for extent in extents {
    let (next, overflow) = product.multipliedReportingOverflow(by: extent)
    guard extent >= 0, !overflow, next <= Int(Int32.max) else {
      throw TesseraError.failure(
        place, found: "extents \(extents)", wanted: "0 or more, at most 2^31 - 1 elements")
    }
    product = next
  }
}
