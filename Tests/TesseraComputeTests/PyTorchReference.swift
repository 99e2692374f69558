// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraCompute

/// PyTorch's results in float64 (tools/golden/primitives.py), and the inputs that they are of.
struct PyTorchReference {
  let device: CPUBackend
  private let file: TensorFile

  init() throws {
    device = try CPUBackend()
    file = try Golden(.module).tensors("primitives.safetensors")
  }

  /// The numbers of draw `seed`.
  func input(_ seed: UInt64, _ shape: [Int], _ low: Float = -1, _ high: Float = 1) throws -> Tensor {
    try device.tensor(drawn(seed, shape.reduce(1, *), low, high), shape)
  }

  /// An output tensor.
  func empty(_ shape: Int...) throws -> Tensor { try device.empty(shape) }

  /// Every element lies within `tolerance` (relative from 1 on, absolute below) of PyTorch's.
  func expect(
    _ name: String, _ tensor: Tensor, _ tolerance: Float = 2e-6, location: SourceLocation = #_sourceLocation
  ) throws {
    let found =
      tensor.elementType == .int32 ? try device.ints(tensor).map { Float($0) } : try device.floats(tensor)
    let wanted = try file.floats(name)
    #expect(found.count == wanted.count, "\(name)", sourceLocation: location)
    let wrong = zip(found, wanted).enumerated().first { _, pair in
      !(abs(pair.0 - pair.1) <= tolerance * max(1, abs(pair.1)))
    }
    #expect(wrong == nil, "\(name)", sourceLocation: location)
  }
}
