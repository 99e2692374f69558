// SPDX-License-Identifier: Apache-2.0
package import Kernels

extension Kernel {
  /// All kernels of `Kernels/include/kernels.def`, in its order.
  static let all: [Kernel] = (0..<tsr_kernel_count()).compactMap { Kernel(rawValue: $0) }

  /// The function's name in C, where the instruction set is appended, and in OpenCL C.
  package var name: String { Self.entries[Int(rawValue)].name }
  /// The `.cl` file in `Kernels` that holds it, without its suffix.
  var family: String { Self.entries[Int(rawValue)].family }
  /// Whether items are rows, or what a row of groups makes.
  var isRow: Bool { Self.entries[Int(rawValue)].form != TSR_FORM_ITEM }
  /// Whether a GPU sums several groups of a batch in a row at once.
  var hasTeams: Bool { Self.entries[Int(rawValue)].form == TSR_FORM_CHANNELS }
  /// Whether C has it too.
  var isForCPU: Bool { Self.entries[Int(rawValue)].targets == TSR_TARGETS_BOTH }

  /// The list's columns, read once: a launch makes no strings.
  private static let entries = (0..<tsr_kernel_count()).map { index in
    let entry = tsr_kernel_at(index)
    return (
      name: String(cString: entry.name), family: String(cString: entry.family), form: Int(entry.form),
      targets: Int(entry.targets)
    )
  }
}
