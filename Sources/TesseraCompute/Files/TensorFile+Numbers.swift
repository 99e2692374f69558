// SPDX-License-Identifier: Apache-2.0
import Foundation

extension TensorFile {
  /// Where a tensor's elements lie, for readers of other types than weights have.
  ///
  /// - Returns: the file's bytes, the first of the tensor's, the type as safetensors names it, and the extents.
  /// - Throws: `TesseraError` if the tensor is missing, or a view whose elements are not side by side.
  package func elements(
    of name: String
  ) throws -> (data: Data, offset: Int, type: String, shape: [Int]) {
    let tensor = try stored(name)
    guard tensor.strides == nil else {
      throw TesseraError.input(
        "\(path): \(name)", found: "a view of another tensor", wanted: "a tensor of its own (contiguous())")
    }
    return (sources[tensor.source], tensor.range.lowerBound, tensor.type.name, tensor.shape)
  }
}
