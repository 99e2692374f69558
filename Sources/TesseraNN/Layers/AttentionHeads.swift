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
    let gathered = GatheredGradient(parts: 3)
    let device = device
    func part(_ number: Int, of whole: Tensor, from gradient: Tensor) throws {
      try device.copy(
        gradient, to: whole,
        strided: StridedCopy(shape, destinationOffset: number * width, destinationStrides: strides))
    }
    // Recorded before the parts, this comes after them in the backward pass.
    let source = output(all.value, of: [all]) { tape, whole in
      for number in gathered.end() {
        let zeros = try device.allocate(shape, .float32)
        try device.fill(zeros, with: 0)
        try part(number, of: whole, from: zeros)
      }
      try tape.accumulate(whole, to: all)
    }
    return try (0..<3).map { number in
      let y = try device.allocate(shape, .float32)
      try device.copy(
        all.value, to: y, strided: StridedCopy(shape, sourceOffset: number * width, sourceStrides: strides))
      return output(y, of: [source]) { tape, dy in
        try part(number, of: try gathered.whole(of: source, tape, device, with: number), from: dy)
      }
    }
  }
}

/// A gradient whose parts come one after another, each into its place.
private final class GatheredGradient {
  private let parts: Int
  private var whole: Tensor?
  private var missing: Set<Int>

  init(parts: Int) {
    self.parts = parts
    missing = Set(0..<parts)
  }

  /// Where a part is to be written; with the first the whole becomes a variable's gradient.
  func whole(
    of variable: Variable, _ tape: Tape, _ device: any Backend, with part: Int
  ) throws -> Tensor {
    missing.remove(part)
    if let whole { return whole }
    let whole = try device.allocate(variable.shape, .float32)
    try tape.accumulate(whole, to: variable)
    self.whole = whole
    return whole
  }

  /// The parts that got no gradient: nothing hangs on them. The next pass begins anew.
  func end() -> [Int] {
    defer { (whole, missing) = (nil, Set(0..<parts)) }
    return missing.sorted()
  }
}
