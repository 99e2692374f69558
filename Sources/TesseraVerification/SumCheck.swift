// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Every reduction on data with structure, against float64 and beside numpy's pairwise float32 (NUMERICS.md
/// rules 4 to 6).
///
/// A sum that rounds the same repeated value the same way every time drifts; drawn data do not show it.
public enum SumCheck {
  /// One reduction on one kind of data.
  public struct Result: Sendable, Codable {
    /// The backend's method.
    public let primitive: String
    /// Its shape.
    public let shape: String
    /// The kind of data.
    public let data: String
    /// The largest error, relative to the sum of the terms' magnitudes.
    public let error: Double
    /// The largest error of pairwise float32 on the same numbers, relative to the same.
    public let pairwise: Double
    /// What the error may be at most; nil for sums that are chains for a reason that NUMERICS.md gives.
    public let bound: Double?

    /// Whether the error is within its bound.
    public var holds: Bool { error <= bound ?? .infinity }

    /// A table's row.
    public var line: String {
      func text(_ value: Double) -> String { String(format: "%.1e", value) }
      return "| \(primitive) | \(shape) | \(data) | \(text(error)) | \(text(pairwise)) |"
        + (bound == nil ? " a chain |" : holds ? " |" : " NOT within \(text(bound ?? 0)) |")
    }
  }

  /// What a reduction gave, what float64 and pairwise float32 give, and what errors are relative to.
  struct Measured {
    var found: [Float], exact: [Double], pairwise: [Float], scale: [Double]
  }

  /// A reduction on a shape.
  struct Reduction: Sendable {
    let primitive: String, shape: String
    var isChain = false
    let measure: @Sendable (any Backend, StructuredInputs) throws -> Measured
  }

  /// How many reductions and kinds of data there are.
  public static var count: Int { reductions.count * StructuredInputs.allCases.count }

  /// The primitives that are measured, each once, sorted.
  public static var primitives: [String] { Set(reductions.map(\.primitive)).ordered() }

  /// Measures all reductions.
  ///
  /// - Parameters:
  ///   - device: the device whose errors are measured.
  ///   - primitives: only those with these names; all if empty.
  ///   - each: gets every result.
  /// - Throws: what the device throws.
  public static func run(
    on device: any Backend, only primitives: [String] = [], each: (Result) -> Void = { _ in }
  ) throws -> [Result] {
    try reductions.filter { primitives.isEmpty || primitives.contains($0.primitive) }.flatMap { reduction in
      try StructuredInputs.allCases.map { kind in
        let measured = try reduction.measure(device, kind)
        let pairwise = measured.error(of: measured.pairwise)
        let result = Result(
          primitive: reduction.primitive, shape: reduction.shape, data: kind.rawValue,
          error: measured.error(of: measured.found), pairwise: pairwise,
          // Where pairwise sums happen to be exact, a rounding each of sum and quotient is still due.
          bound: reduction.isChain ? nil : 4 * max(pairwise, 0x1p-24))
        each(result)
        return result
      }
    }
  }

  /// numpy's `pairwise_sum` in float32: blocks of 128 by eight accumulators, halves above.
  static func pairwise(_ x: ArraySlice<Float>) -> Float {
    if x.count < 8 { return x.reduce(-0.0, +) }
    if x.count <= 128 {
      var r = Array(x.prefix(8))
      var at = x.startIndex + 8
      while at + 8 <= x.endIndex {
        for lane in 0..<8 { r[lane] += x[at + lane] }
        at += 8
      }
      let sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
      return x[at...].reduce(sum, +)
    }
    let half = x.count / 2 - x.count / 2 % 8
    return pairwise(x.prefix(half)) + pairwise(x.dropFirst(half))
  }

  static func pairwise(_ x: [Float]) -> Float { pairwise(x[...]) }

  /// The sum in float64, itself in halves.
  static func exact(_ x: ArraySlice<Double>) -> Double {
    x.count <= 64 ? x.reduce(0, +) : exact(x.prefix(x.count / 2)) + exact(x.dropFirst(x.count / 2))
  }

  static func exact(_ x: [Double]) -> Double { exact(x[...]) }

  /// Sums of float terms, each with its own.
  static func sums(_ found: [Float], of terms: [[Float]]) -> Measured {
    let wide = terms.map { $0.map { Double($0) } }
    return Measured(
      found: found, exact: wide.map { exact($0) }, pairwise: terms.map { pairwise($0) },
      scale: wide.map { exact($0.map { abs($0) }) })
  }
}

extension SumCheck.Measured {
  /// The largest error of values.
  func error(of values: [Float]) -> Double {
    guard values.count == exact.count else { return .infinity }
    return values.indices.reduce(0) { worst, at in
      let error = abs(Double(values[at]) - exact[at])
      guard !error.isNaN else { return .infinity }
      return max(worst, error == 0 ? 0 : error / max(scale[at], 0x1p-126))
    }
  }
}
