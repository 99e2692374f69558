// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Helpers of the tests against float64: inputs, and the comparison of outputs.
struct Reference {
  let device: CPUBackend
  private var inputs = CaseInputs(seed: 7)

  init() throws { device = try CPUBackend() }

  /// Random numbers and their tensor.
  mutating func input(_ shape: [Int], _ low: Float = -1, _ high: Float = 1) throws -> (Tensor, [Double]) {
    let values = inputs.floats(shape.reduce(1, *), low, high)
    return (try device.tensor(values, shape), values.map { Double($0) })
  }

  /// Random integers and their tensor.
  mutating func integers(_ count: Int, below bound: Int) throws -> (Tensor, [Int]) {
    let values = inputs.ints(count, below: bound)
    return (try device.tensor(values, [count]), values.map { Int($0) })
  }

  /// An output tensor.
  func empty(_ shape: Int...) throws -> Tensor { try device.empty(shape) }

  /// Every element lies within `tolerance` (relative from 1 on, absolute below) of the exact one.
  func expect(
    _ tensor: Tensor, _ wanted: [Double], _ tolerance: Double = 1e-5, _ what: String = "",
    location: SourceLocation = #_sourceLocation
  ) throws {
    let found = try device.floats(tensor)
    #expect(found.count == wanted.count, sourceLocation: location)
    for (i, (x, y)) in zip(found, wanted).enumerated() {
      let isClose = abs(Double(x) - y) <= tolerance * max(1, abs(y))
      if !isClose {
        Issue.record("\(what)[\(i)]: found \(x), wanted \(y)", sourceLocation: location)
        return
      }
    }
  }
}

/// Sum over a range.
func sum(_ range: Range<Int>, _ term: (Int) -> Double) -> Double { range.reduce(0) { $0 + term($1) } }

/// The gradient of sum(dy f(x)) by central differences.
func slope(_ x: [Double], _ dy: [Double], _ f: ([Double]) -> [Double]) -> [Double] {
  x.indices.map { i in
    func at(_ h: Double) -> Double {
      var moved = x
      moved[i] += h
      return zip(f(moved), dy).reduce(0) { $0 + $1.0 * $1.1 }
    }
    return (at(1e-4) - at(-1e-4)) / 2e-4
  }
}
