// SPDX-License-Identifier: Apache-2.0

/// How the CPU splits a product over threads, and who packs which operand: speed alone, no bit depends on it.
///
/// Whichever of A and B is the smaller is packed once for all tasks; the other is packed by the task that uses
/// it, in the level 2 cache, or A is read where it lies. So every element is packed at most once (Goto and van
/// de Geijn 2008, with either operand in the role of the shared one).
struct GemmSchedule: Equatable {
  /// Where a task finds an operand.
  enum Operand { case shared, own, inPlace }

  /// A product, or several of the same extents.
  struct Problem {
    var m, n, k: Int
    /// How many products there are, which are tasks of their own.
    var products = 1
    /// Floats from one row of A to the next where its k lie side by side; nil where they do not.
    var aRow: Int?
    /// Whether all products have the same A.
    var sharesA = true
    /// Whether B can be packed for all tasks: it is a matrix, and one of its strides is 1.
    var sharesB = false
    /// Whether the columns of a row of B lie side by side.
    var bIsRowMajor = false
    /// Whether B stands in panels already.
    var bIsPacked = false
    /// Only the upper half is computed.
    var isUpper = false
  }

  /// The most rows and columns of a block of C: a task.
  var rows, columns: Int
  var a, b: Operand
  /// How many threads are worth their waking.
  var workers: Int

  /// Products below this many terms a thread are sooner done than shared out.
  static let grain = 300_000
  /// Panels of rows of a task: A's part of one chunk of k stays in the level 2 cache beside that of B.
  static let rowPanels = 16
  /// Columns of a task that packs its own B.
  static let ownColumns = 256

  /// Columns of a task with one row.
  static let streamColumns = 2048

  /// The schedule of a problem for tiles of so many rows and columns.
  init(_ p: Problem, threads: Int, tile: (rows: Int, columns: Int)) {
    let terms = p.products * max(1, p.m) * max(1, p.n) * max(1, p.k)
    workers = max(1, min(threads, terms / Self.grain))
    let canReadInPlace = p.aRow.map { Self.readsWell(row: $0, k: p.k, rows: tile.rows) } ?? false
    let isSmallA = canReadInPlace && p.m * p.k <= 1 << 18
    let prefersRows = p.m >= p.n && !(isSmallA && p.n >= 2 * workers * tile.columns)
    if p.products == 1, p.sharesB, prefersRows, terms >= 2 * Self.grain {
      (a, b) = (canReadInPlace ? .inPlace : .own, .shared)
      let panels = (p.m + tile.rows - 1) / tile.rows
      rows = tile.rows * Self.panels(of: panels, atMost: Self.rowPanels, for: workers)
      let tasks = (p.m + rows - 1) / rows
      // Few rows and many threads: columns are split too.
      let across = workers == 1 ? 1 : (2 * workers + tasks - 1) / tasks
      columns = Self.split(p.n, into: across, tile: tile.columns)
      return
    }
    (rows, b) = (max(1, p.m), p.bIsPacked ? .shared : .own)
    // One row takes B as it comes: long rows of it, whose sums stay in the level 1 cache, or a panel of columns from
    // their begin to their end.
    let most = p.m > 1 ? Self.ownColumns : p.bIsRowMajor ? Self.streamColumns : tile.columns
    let panels = (p.n + tile.columns - 1) / tile.columns
    if p.products == 1, !p.isUpper {
      columns = tile.columns * Self.panels(of: panels, atMost: most / tile.columns, for: workers)
    } else {
      // The upper half's tasks are of different length.
      let tasks = (p.isUpper ? 8 : 2) * workers
      let wanted = workers == 1 ? 1 : (tasks + p.products - 1) / p.products
      columns = min(Self.ownColumns, Self.split(max(64, p.n), into: wanted, tile: tile.columns))
    }
    a = isSmallA ? .inPlace : p.sharesA ? .shared : .own
  }

  /// Whether few columns should be rows: vectors are filled with rows of A then, which must be packed (a third of
  /// a vector's product for each element), but no lane computes a column that is not there.
  static func isBetterTransposed(m: Int, n: Int, vector: Int) -> Bool {
    guard m > n, n <= 3 * vector else { return false }
    let asColumns = Double((n + vector - 1) / vector)
    return asColumns > 0.35 + Double(n) / Double(vector) * Double((m + vector - 1) / vector * vector)
      / Double(m)
  }

  /// The most panels of a task, so that threads have equally many: the most that leave each of them two tasks or
  /// more, unless fewer balance better. Tasks are as even as panels allow: it is their number that counts.
  static func panels(of count: Int, atMost most: Int, for workers: Int) -> Int {
    guard count > 0 else { return 1 }
    let greatest = max(1, min(most, workers == 1 ? count : count / (2 * workers)))
    var best = (panels: greatest, cost: Double.infinity)
    for panels in stride(from: greatest, through: max(1, greatest / 2), by: -1) {
      let tasks = (count + panels - 1) / panels
      let cost = Double((tasks + workers - 1) / workers) / Double(tasks)
      if cost < best.cost { best = (panels, cost) }
    }
    return best.panels
  }

  /// Columns of each of so many parts, whole tiles.
  private static func split(_ columns: Int, into parts: Int, tile: Int) -> Int {
    let width = (columns + parts - 1) / max(1, parts)
    return max(tile, (width + tile - 1) / tile * tile)
  }

  /// Whether rows that lie so far apart do not drive each other from the level 1 cache: a tile reads a chunk of
  /// each, and at most seven rows may share a set (8 ways of 64 lines, 4 KiB a way).
  static func readsWell(row: Int, k: Int, rows: Int) -> Bool {
    guard row > 0 else { return false }
    let distance = row * 4 % 4096
    return min(distance, 4096 - distance) * 7 >= min(k, 512) * 4 || k * rows <= 2048
  }
}
