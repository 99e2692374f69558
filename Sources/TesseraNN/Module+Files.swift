// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Module {
  /// Writes parameters and buffers to a safetensors file, under PyTorch's names.
  ///
  /// - Parameters:
  ///   - path: the file, which appears whole or not at all.
  ///   - prefix: what stands before every name, such as `encoder.`.
  ///   - device: where they are.
  ///   - type: what float32 is stored as: float16 and bfloat16 take half the space, and are rounded.
  ///   - metadata: free text that travels with them.
  /// - Returns: the fingerprint of names, shapes and elements.
  /// - Throws: `TesseraError` for a file that cannot be written, and a type of integers.
  @discardableResult
  public func save(
    to path: String, prefix: String = "", on device: any Backend, as type: ElementType = .float32,
    metadata: [String: String] = [:]
  ) throws -> String {
    guard !type.isInteger else {
      throw TesseraError.failure(
        "saving \(path)", found: "weights as \(type)", wanted: "float32, float16 or bfloat16")
    }
    var writer = SafetensorsWriter(metadata: metadata)
    for (name, state) in state {
      let tensor = state.tensor
      let isFloat = tensor.elementType == .float32
      writer.add(
        prefix + name, isFloat ? try device.converted(tensor, to: type) : tensor, on: device)
    }
    return try writer.write(to: path)
  }

  /// Reads parameters and buffers from a safetensors file, or from PyTorch's. Nothing changes unless all are
  /// there.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - prefix: what stands before every name; where none is given, that under which the file has them all.
  ///   - device: where they are.
  /// - Throws: `TesseraError` naming a tensor that is missing, of another shape or type, or not finite.
  public func load(from path: String, prefix: String? = nil, on device: any Backend) throws {
    let file = try TensorFile.open(path)
    let wanted = state.map { WantedTensor((prefix ?? "") + $0.name, shape: $0.state.tensor.shape) }
    let found = try file.select(wanted, for: "the weights of the module")
    let names = state.map { found.name((prefix ?? "") + $0.name) }
    let values = try zip(names, state).map { try file.weights($0, shape: $1.state.tensor.shape) }
    for (values, state) in zip(values, state) {
      try values.withUnsafeBytes { try device.upload($0, to: state.state.tensor, offset: 0) }
    }
  }
}
