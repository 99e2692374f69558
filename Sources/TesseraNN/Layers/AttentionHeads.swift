// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// Queries, keys and values, (batch, heads, tokens, width of a head) each, of what one product made of all three,
  /// (batch, tokens, 3, heads, width of a head). One copy each way: their gradients meet in one array, where slices
  /// would have one of zeros each, and sums.
  func attentionHeads(_ all: Variable, heads: Int) throws -> [Variable] {
    let (batch, tokens, width) = (all.shape[0], all.shape[1], all.shape[2] / 3)
    let shape = [batch, heads, tokens, width / heads]
    let strides = [tokens * 3 * width, width / heads, 3 * width, 1]
    let gathered = GatheredGradient(all, parts: 3)
    return try (0..<3).map { part in
      let y = try device.allocate(shape, .float32)
      try device.copy(
        all.value, to: y, strided: StridedCopy(shape, sourceOffset: part * width, sourceStrides: strides))
      let device = device
      return output(y, of: [all]) { tape, dy in
        try gathered.take(tape, device) { whole in
          try device.copy(
            dy, to: whole,
            strided: StridedCopy(shape, destinationOffset: part * width, destinationStrides: strides))
        }
      }
    }
  }
}

/// A gradient whose parts come one after another.
private final class GatheredGradient {
  private let variable: Variable, parts: Int
  private var whole: Tensor?
  private var taken = 0

  init(_ variable: Variable, parts: Int) { (self.variable, self.parts) = (variable, parts) }

  /// Takes a part in; the last one passes all on.
  func take(_ tape: Tape, _ device: any Backend, _ write: (Tensor) throws -> Void) throws {
    let whole = try whole ?? device.allocate(variable.shape, .float32)
    self.whole = whole
    try write(whole)
    taken += 1
    guard taken == parts else { return }
    self.whole = nil
    try tape.accumulate(whole, to: variable)
  }
}
