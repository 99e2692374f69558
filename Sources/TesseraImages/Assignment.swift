// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Optimal assignment of points to the pixels of a grid, each its own, so that the sum of squared distances
/// to the pixels' centres is the smallest possible.
///
/// Bertsekas' auction algorithm (1988) with epsilon scaling, Gauss-Seidel: an unassigned point takes the
/// pixel of the lowest cost + price and raises its price to where the second best would do as well, plus
/// epsilon. Costs are integers times (pixels + 1), so at epsilon = 1 the assignment is optimal. Pixels that
/// no point needs go to stand-ins of cost 0.
///
/// A bid does not look at every pixel: those of a block of 8 x 8 cost at least the squared distance to the
/// block plus its lowest price, and most blocks are out of question by that.
///
///     +----+----+----+       b: block of the point's last choice, looked at first
///     |    |  2 |    |       1, 2: blocks whose bound is below the second best so far
///     +----+----+----+
///     |    |  b |  1 |
///     +----+----+----+
struct Assignment {
  /// Units of a pixel's side: coordinates are rounded to 1/4096 of a pixel.
  private static let unit = 4096
  private static let blockSide = 8

  private let side: Int, blocksASide: Int
  private let scale: Int
  /// Points' coordinates in units; stand-ins follow the points.
  private var x: [Int], y: [Int]
  private let points: Int
  private var prices: [Int], owner: [Int32]
  private var lowest: [Int]
  private var choice: [Int32], lastBlock: [Int32]

  /// Pixels of points, row-major.
  ///
  /// - Parameters:
  ///   - places: coordinates in [0, 1], as `x` (columns) and `y` (rows).
  ///   - side: pixels a side; at most 512, side^2 at least the number of points.
  static func pixels(of places: [Point], side: Int) throws -> [Int32] {
    try Discretization.lsa.check(features: places.count, side: side)
    var solver = Assignment(places, side)
    solver.solve()
    return Array(solver.choice.prefix(places.count))
  }

  private init(_ places: [Point], _ side: Int) {
    self.side = side
    points = places.count
    blocksASide = (side + Self.blockSide - 1) / Self.blockSide
    scale = side * side + 1
    func units(_ share: Double) -> Int {
      Int((max(0, min(1, share)) * Double(side * Self.unit)).rounded())
    }
    (x, y) = (places.map { units($0.x) }, places.map { units($0.y) })
    prices = [Int](repeating: 0, count: side * side)
    owner = [Int32](repeating: -1, count: side * side)
    lowest = [Int](repeating: 0, count: blocksASide * blocksASide)
    choice = [Int32](repeating: -1, count: side * side)
    lastBlock = [Int32](repeating: 0, count: side * side)
  }

  private mutating func solve() {
    guard points > 0 else { return }
    for i in 0..<points {
      let (column, row) = (min(side - 1, x[i] / Self.unit), min(side - 1, y[i] / Self.unit))
      lastBlock[i] = Int32(row / Self.blockSide * blocksASide + column / Self.blockSide)
    }
    let extent = side * Self.unit
    var epsilon = max(1, 2 * extent * extent * scale / 64)
    while true {
      auction(epsilon)
      if epsilon == 1 { return }
      epsilon = max(1, epsilon / 6)
    }
  }

  private mutating func auction(_ epsilon: Int) {
    for pixel in owner.indices { owner[pixel] = -1 }
    var waiting = (0..<Int32(owner.count)).reversed() as [Int32]
    while let person = waiting.popLast() {
      let bid = bestPixel(for: Int(person))
      let raised = prices[bid.pixel] + (bid.second - bid.first) + epsilon
      raise(bid.pixel, to: raised)
      if owner[bid.pixel] >= 0 { waiting.append(owner[bid.pixel]) }
      owner[bid.pixel] = person
      choice[Int(person)] = Int32(bid.pixel)
    }
  }

  /// The pixel of the lowest cost + price, that sum, and the second lowest (as large as can be if there is
  /// one pixel).
  private func bestPixel(for person: Int) -> (pixel: Int, first: Int, second: Int) {
    var best = (pixel: 0, first: Int.max, second: Int.max)
    let home = Int(lastBlock[person])
    scan(home, person, &best)
    for block in lowest.indices where block != home {
      let least = lowest[block]
      guard least < best.second, least + distance(to: block, person) < best.second else { continue }
      scan(block, person, &best)
    }
    if best.second == Int.max { best.second = best.first }
    return best
  }

  private func scan(_ block: Int, _ person: Int, _ best: inout (pixel: Int, first: Int, second: Int)) {
    let (rows, columns) = extents(block)
    for row in rows {
      let dy = person < points ? y[person] - row * Self.unit - Self.unit / 2 : 0
      for column in columns {
        let dx = person < points ? x[person] - column * Self.unit - Self.unit / 2 : 0
        let value = (dx * dx + dy * dy) * scale + prices[row * side + column]
        if value < best.first {
          best = (row * side + column, value, best.first)
        } else if value < best.second {
          best.second = value
        }
      }
    }
  }

  /// A lower bound of the scaled cost of a block's pixels.
  private func distance(to block: Int, _ person: Int) -> Int {
    guard person < points else { return 0 }
    let (rows, columns) = extents(block)
    func gap(_ at: Int, _ range: Range<Int>) -> Int {
      let low = range.lowerBound * Self.unit + Self.unit / 2,
        high = range.upperBound * Self.unit - Self.unit / 2
      return max(0, low - at, at - high)
    }
    let (dx, dy) = (gap(x[person], columns), gap(y[person], rows))
    return (dx * dx + dy * dy) * scale
  }

  private func extents(_ block: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let (row, column) = (block / blocksASide * Self.blockSide, block % blocksASide * Self.blockSide)
    return (row..<min(side, row + Self.blockSide), column..<min(side, column + Self.blockSide))
  }

  private mutating func raise(_ pixel: Int, to price: Int) {
    let block = pixel / side / Self.blockSide * blocksASide + pixel % side / Self.blockSide
    let old = prices[pixel]
    prices[pixel] = price
    guard old == lowest[block] else { return }
    let (rows, columns) = extents(block)
    var least = Int.max
    for row in rows {
      for column in columns { least = min(least, prices[row * side + column]) }
    }
    lowest[block] = least
  }
}
