// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Uniform numbers in [low, high) by SplitMix64 of a counter: what tools/golden/networks.py draws.
public func drawn(_ seed: UInt64, _ count: Int, _ low: Float = -1, _ high: Float = 1) -> [Float] {
  var numbers = SplitMix64(seed: seed)
  return numbers.floats(count, low, high)
}

/// The values that `draw_state` of that script gives the index-th tensor of a state.
public func drawnState(_ index: Int, _ name: String, _ shape: [Int], from seed: UInt64) -> [Float] {
  let count = shape.reduce(1, *)
  if name.hasSuffix("running_var") { return drawn(seed + UInt64(index), count, 0.5, 2) }
  guard shape.count > 1 else { return drawn(seed + UInt64(index), count, 0.25, 1) }
  let bound = (3 / Float(shape.dropFirst().reduce(1, *))).squareRoot()
  return drawn(seed + UInt64(index), count, -bound, bound)
}

/// Fills a state as `draw_state` does.
public func drawState(_ state: [(name: String, tensor: Tensor)], from seed: UInt64, on device: any Backend)
  throws
{
  for (index, (name, tensor)) in state.enumerated() {
    try drawnState(index, name, tensor.shape, from: seed).withUnsafeBytes {
      try device.upload($0, to: tensor, offset: 0)
    }
  }
}
