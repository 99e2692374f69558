// SPDX-License-Identifier: Apache-2.0
import COpenCL
package import Kernels

extension OpenCLBackend: KernelDispatching {
  package func launch<P: KernelParameters>(
    _ kernel: Kernel, items: Int, cost: Int, _ parameters: P, _ tensors: [Tensor]
  ) throws {
    guard items > 0 else { return }
    let (global, local) = range(kernel, items)
    try withUnsafeBytes(of: parameters) {
      try enqueue(kernel, global: [global], local: [local], parameters: $0, tensors)
    }
  }

  /// Work-items in all and of a group: a row is a group's or, on CPU devices, a work-item's; elements are
  /// dealt out to as many work-items as a GPU holds, or one to each.
  private func range(_ kernel: Kernel, _ items: Int) -> (global: Int, local: Int) {
    guard gpu else {
      // A group is a loop of the compiler's, and starting one costs as much as many of its elements.
      let group = max(1, min(1024, device.maxWorkGroup))
      return kernel.isRow ? (items, 1) : ((items + group - 1) / group * group, group)
    }
    let work = kernel.hasTeams ? 256 : 64
    guard !kernel.isRow else { return (items * work, work) }
    return (min((items + 255) / 256, 16 * device.computeUnits) * 256, 256)
  }

  public func fill(_ tensor: Tensor, with value: Float) throws {
    try require("fill", [], into: [(tensor, tensor.count)])
    try launch(
      .fill, items: tensor.count, cost: 1,
      tsr_map_params(count: Int32(tensor.count), alpha: value, beta: 0), [tensor])
  }

  public func copy(_ source: Tensor, to destination: Tensor, region: CopyRegion) throws {
    try region.check(source, destination)
    guard region.columns > 0, region.rows > 0 else { return }
    let (from, to) = (
      try source.openCL("copy", pool).buffer, try destination.openCL("copy", pool).buffer
    )
    let size = source.elementType.byteCount
    // One row would be one work-item's, or one work-group's; the queue's own copy has the whole device. The kernel
    // moves words alone.
    if region.rows == 1 || size != 4, from != to {
      for row in 0..<region.rows {
        let begin = region.sourceOffset + row * region.sourceStride
        let end = region.destinationOffset + row * region.destinationStride
        try command(.transfer, "copy", KernelWork(bytes: 2 * size * region.columns)) {
          cl.clEnqueueCopyBuffer(
            queue, from, to, begin * size, end * size, region.columns * size, 0, nil, $0)
        }
      }
      return
    }
    let p = tsr_copy_params(
      rows: Int32(region.rows), cols: Int32(region.columns), src_offset: Int32(region.sourceOffset),
      src_stride: Int32(region.sourceStride), dst_offset: Int32(region.destinationOffset),
      dst_stride: Int32(region.destinationStride))
    try launch(
      .copy, items: region.rows, cost: region.columns, p, [source, destination])
  }

  public func transpose(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try checkTranspose(x, rows, columns, y)
    var p = tsr_copy_params()
    (p.rows, p.cols) = (Int32(rows), Int32(columns))
    try launch(.transpose, items: columns, cost: rows, p, [x, y])
  }
}
