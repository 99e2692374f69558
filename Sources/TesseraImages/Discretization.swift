// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How places in the unit square become pixels.
public enum Discretization: String, NamedOption {
  /// DeepInsight's: scale and round down; the top edge goes into the last pixel. Features may share pixels.
  case bin
  /// Quantiles of each coordinate first, so that rows and columns hold equally many features
  /// (pyDeepInsight's qtb).
  case qtb
  /// Each feature its own pixel, at the least sum of squared distances (linear sum assignment).
  case lsa

  /// Throws unless so many features can be given pixels of a grid of so many a side.
  public func check(features: Int, side: Int) throws {
    guard self == .lsa, side < 1 || side > 512 || features > side * side else { return }
    throw TesseraError.input(
      "lsa", found: "\(features) features on \(side) x \(side) pixels",
      wanted: "at least as many pixels as features, at most 512 a side")
  }

  /// The row-major pixel of each place in [0, 1]^2.
  func pixels(of places: [Point], side: Int) throws -> [Int32] {
    func bin(_ share: Double) -> Int32 { Int32(max(0, min(side - 1, Int(share * Double(side))))) }
    switch self {
    case .bin: return places.map { bin($0.y) * Int32(side) + bin($0.x) }
    case .qtb:
      let (x, y) = (Self.quantiles(places.map(\.x), side), Self.quantiles(places.map(\.y), side))
      return zip(x, y).map { bin($1) * Int32(side) + bin($0) }
    case .lsa: return try Assignment.pixels(of: places, side: side)
    }
  }

  /// The share of values below each value, interpolated between `count` quantiles, as scikit-learn's
  /// `quantile_transform`: the mean of the interpolation from below and from above, for values that repeat.
  static func quantiles(_ values: [Double], _ count: Int) -> [Double] {
    let sorted = values.sorted()
    let count = min(count, values.count)
    guard count > 1, let low = sorted.first, let high = sorted.last, low < high else {
      return values.map { _ in 0 }
    }
    let references = (0..<count).map { Double($0) / Double(count - 1) }
    let quantiles = references.map { share -> Double in
      let at = share * Double(sorted.count - 1)
      let below = Int(at)
      let (a, b, t) = (sorted[below], sorted[min(below + 1, sorted.count - 1)], at - Double(below))
      return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t
    }
    let (mirrored, shares) = (
      Array(quantiles.reversed().map { -$0 }), Array(references.reversed().map { -$0 })
    )
    return values.map { value in
      if value == low { return 0 }
      if value == high { return 1 }
      return 0.5 * (interpolate(value, quantiles, references) - interpolate(-value, mirrored, shares))
    }
  }

  /// Linear interpolation of y over ascending x; of equal x the last counts, as in numpy's interp.
  private static func interpolate(_ value: Double, _ x: [Double], _ y: [Double]) -> Double {
    var (low, high) = (0, x.count)
    while low < high {
      let middle = (low + high) / 2
      if x[middle] <= value { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return y[0] }
    guard low < x.count else { return y[x.count - 1] }
    let (a, b) = (low - 1, low)
    return (y[b] - y[a]) / (x[b] - x[a]) * (value - x[a]) + y[a]
  }
}
