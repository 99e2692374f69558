// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Elementary functions over all inputs: a device against the CPU for equality, the CPU against float64 for
/// the error bound (NUMERICS.md rule 3).
public enum FunctionCheck {
  /// A function with its reference and bound.
  public struct Function: Sendable {
    /// Its name.
    public let name: String
    let operation: UnaryOperation
    /// The largest allowed error in ulp.
    let bound: Double
    /// Whether ulps are those of the input's magnitude: for sums whose terms cancel.
    var inUlpsOfInput = false
    let reference: @Sendable (Double) -> Double
  }

  /// What a check found.
  public struct Result: Sendable, Codable {
    /// The function.
    public let name: String
    /// The largest error in ulp of the exact result.
    public let worstUlp: Double
    /// What the error may be at most.
    public let bound: Double
    /// The input where the largest error occurs.
    public let worstInput: Float
    /// Inputs whose bits differ between device and CPU.
    public let mismatches: Int
    /// Inputs in all.
    public let inputs: Int

    /// A table's row.
    public var line: String {
      let ulp = (worstUlp * 1000).rounded() / 1000
      return "| \(name) | \(ulp) | \(bound) | \(worstInput) | \(mismatches) | \(inputs) |"
    }
  }

  /// The functions of `common/math.h`. A turn's reference reduces exactly before it multiplies by 2 pi.
  public static let functions: [Function] = [
    Function(name: "sqrt", operation: .sqrt, bound: 0.5) { $0.squareRoot() },
    Function(name: "reciprocal", operation: .reciprocal, bound: 0.5) { 1 / $0 },
    Function(name: "exp", operation: .exp, bound: 1) { Foundation.exp($0) },
    Function(name: "log", operation: .log, bound: 1) { Foundation.log($0) },
    Function(name: "tanh", operation: .tanh, bound: 1.5) { Foundation.tanh($0) },
    Function(name: "erf", operation: .erf, bound: 1.25) { Foundation.erf($0) },
    Function(name: "rsqrt", operation: .rsqrt, bound: 0.51) { 1 / $0.squareRoot() },
    Function(name: "sinTurn", operation: .sinTurn, bound: 1.05) { x in
      let value = sineOfTurn(abs(x), quarter: 0) + 0
      return x.sign == .minus ? -value : value
    },
    Function(name: "cosTurn", operation: .cosTurn, bound: 1.05) { sineOfTurn(abs($0), quarter: 1) + 0 },
    Function(name: "sigmoid", operation: .sigmoid, bound: 2) { 1 / (1 + Foundation.exp(-$0)) },
    Function(name: "softplus", operation: .softplus, bound: 3) {
      max($0, 0) + Foundation.log1p(Foundation.exp(-abs($0)))
    },
    Function(name: "silu", operation: .silu, bound: 4) { $0 / (1 + Foundation.exp(-$0)) },
    Function(name: "gelu", operation: .gelu, bound: 2, inUlpsOfInput: true) {
      0.5 * $0 * Foundation.erfc(-$0 * 0.5.squareRoot())
    },
    Function(name: "geluTanh", operation: .geluTanh, bound: 2, inUlpsOfInput: true) {
      0.5 * $0 * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
    },
  ]

  private static func sineOfTurn(_ x: Double, quarter: Int) -> Double {
    guard x.isFinite else { return .nan }
    let part = x - x.rounded(.toNearestOrEven)
    let k = (part * 4).rounded(.toNearestOrEven)
    let angle = 2 * Double.pi * (part - k / 4)
    switch (Int(k) + quarter + 8) % 4 {
    case 0: return Foundation.sin(angle)
    case 1: return Foundation.cos(angle)
    case 2: return -Foundation.sin(angle)
    default: return -Foundation.cos(angle)
    }
  }

  /// Checks every `stride`-th bit pattern, 1 to 2^32.
  public static func run(
    _ function: Function, stride: Int, cpu: CPUBackend, device: any Backend,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> Result {
    guard (1...1 << 32).contains(stride) else {
      throw TesseraError.input("function check", found: "a stride of \(stride)", wanted: "1 to 2^32")
    }
    let total = ((1 << 32) + stride - 1) / stride
    let block = min(total, 1 << 22)
    var (worst, worstInput, mismatches, done) = (0.0, Float(0), 0, 0)
    let sameDevice = device.info.instructionSet == cpu.instructionSet
    while done < total {
      let count = min(block, total - done)
      let first = done
      let input = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
        for i in 0..<count { buffer[i] = Float(bitPattern: UInt32(truncatingIfNeeded: (first + i) * stride)) }
        filled = count
      }
      func compute(_ backend: any Backend) throws -> [Float] {
        let x = try backend.tensor(input, [count])
        try backend.unary(function.operation, x, alpha: 0, beta: 0, into: x)
        return try backend.floats(x)
      }
      let output = try compute(cpu)
      if !sameDevice {
        let other = try compute(device)
        for i in 0..<count where other[i].bitPattern != output[i].bitPattern { mismatches += 1 }
      }
      let parts = cpu.threads
      let errors = ErrorTable(count: parts)
      cpu.parallel(parts) { begin, end in
        for part in begin..<end {
          for i in count * part / parts..<count * (part + 1) / parts {
            let exact = function.reference(Double(input[i]))
            let error = ulps(output[i], exact, at: function.inUlpsOfInput ? Double(input[i]) : exact)
            if error > errors.values[part].error { errors.values[part] = (error, input[i]) }
          }
        }
      }
      for part in 0..<parts where errors.values[part].error > worst {
        (worst, worstInput) = errors.values[part]
      }
      done += count
      progress(done * stride, 1 << 32)
    }
    return Result(
      name: function.name, worstUlp: worst, bound: function.bound, worstInput: worstInput,
      mismatches: mismatches,
      inputs: total)
  }

  /// One slot a thread.
  private final class ErrorTable: @unchecked Sendable {
    let values: UnsafeMutablePointer<(error: Double, input: Float)>
    init(count: Int) {
      values = .allocate(capacity: count)
      values.initialize(repeating: (0, 0), count: count)
    }
    deinit { values.deallocate() }
  }

  /// The distance to the exact value in units of the last place of binary32 at `scale`; infinite where a NaN,
  /// an infinity or a sign of zero is wrong.
  static func ulps(_ value: Float, _ exact: Double, at scale: Double) -> Double {
    func error(_ value: Float, _ exact: Double) -> Double { Self.error(value, exact, scale) }
    if exact.isNaN { return value.bitPattern == 0x7fc0_0000 ? 0 : .infinity }
    let rounded = Float(exact)
    if value == rounded {
      return value == 0 && exact == 0 && value.sign != rounded.sign ? .infinity : error(value, exact)
    }
    guard value.isFinite else { return rounded.isInfinite ? 0 : error(.greatestFiniteMagnitude, exact) + 1 }
    if rounded.isInfinite {
      return abs(value) == .greatestFiniteMagnitude && value.sign == rounded.sign ? 1 : .infinity
    }
    return error(value, exact)
  }

  private static func error(_ value: Float, _ exact: Double, _ scale: Double) -> Double {
    guard value.isFinite, exact.isFinite else { return 0 }
    let magnitude = max(abs(scale), Double(Float.leastNormalMagnitude))
    // One ulp at 2^e <= |exact| < 2^(e + 1) is 2^(e - 23).
    let ulp = Double(sign: .plus, exponent: magnitude.exponent - 23, significand: 1)
    return abs(Double(value) - exact) / ulp
  }
}
