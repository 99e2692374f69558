// SPDX-License-Identifier: Apache-2.0

extension RecordedBackend {
  private func perform(_ operation: PoolingOperation, _ tensors: [Tensor]) throws {
    try perform(.pooling(operation), tensors)
  }

  package func maxPool(_ p: Pooling, _ x: Tensor, into y: Tensor, indices: Tensor) throws {
    try perform(.maxPool(p: p), [x, y, indices])
  }

  package func maxPoolGrad(_ p: Pooling, _ dy: Tensor, indices: Tensor, into dx: Tensor) throws {
    try perform(.maxPoolGrad(p: p), [dy, indices, dx])
  }

  package func averagePool(_ p: Pooling, _ x: Tensor, into y: Tensor) throws {
    try perform(.averagePool(p: p), [x, y])
  }

  package func averagePoolGrad(_ p: Pooling, _ dy: Tensor, into dx: Tensor) throws {
    try perform(.averagePoolGrad(p: p), [dy, dx])
  }

  package func adaptiveAveragePool(_ p: Pooling, _ x: Tensor, into y: Tensor) throws {
    try perform(.adaptiveAveragePool(p: p), [x, y])
  }

  package func adaptiveAveragePoolGrad(_ p: Pooling, _ dy: Tensor, into dx: Tensor) throws {
    try perform(.adaptiveAveragePoolGrad(p: p), [dy, dx])
  }

  package func upsampleNearest(
    planes: Int, height: Int, width: Int, scale: Int, _ x: Tensor, into y: Tensor
  ) throws {
    try perform(.upsampleNearest(planes: planes, height: height, width: width, scale: scale), [x, y])
  }

  package func upsampleNearestGrad(
    planes: Int, height: Int, width: Int, scale: Int, _ dy: Tensor, into dx: Tensor
  ) throws {
    try perform(.upsampleNearestGrad(planes: planes, height: height, width: width, scale: scale), [dy, dx])
  }
}
