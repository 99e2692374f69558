// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TesseraCompute

/// Schedules change no bit (the catalogue's products tell); these are what makes them fast, and what keeps them
/// within an operand's limits.
@Suite struct GemmScheduleTests {
  static let tiles = [(rows: 14, columns: 32), (rows: 6, columns: 16), (rows: 4, columns: 8)]
  static let extents = [1, 2, 13, 14, 15, 33, 384, 1000, 8192]

  @Test(arguments: [1, 2, 7, 64]) func blocksCoverTheProduct(threads: Int) {
    for tile in Self.tiles {
      for m in Self.extents {
        for n in Self.extents {
          for (aRow, sharesB) in [(nil, false), (300, true), (1024, true)] as [(Int?, Bool)] {
            let problem = GemmSchedule.Problem(m: m, n: n, k: 300, aRow: aRow, sharesB: sharesB)
            let s = GemmSchedule(problem, threads: threads, tile: tile)
            #expect((1...threads).contains(s.workers) && s.rows > 0 && s.columns > 0)
            // Blocks begin where panels do.
            #expect(s.columns >= n || s.columns % tile.columns == 0)
            #expect(s.rows >= m || s.rows % tile.rows == 0)
            #expect(aRow != nil || s.a != .inPlace)
            #expect(sharesB || s.b == .own)
            // Of two workers or more, each has a task.
            let tasks = ((m + s.rows - 1) / s.rows) * ((n + s.columns - 1) / s.columns)
            let panels = ((m + tile.rows - 1) / tile.rows) * ((n + tile.columns - 1) / tile.columns)
            #expect(tasks >= min(s.workers, s.b == .own ? (n + tile.columns - 1) / tile.columns : panels))
          }
        }
      }
    }
  }

  @Test func theSmallerOperandIsShared() {
    let tall = GemmSchedule(
      .init(m: 8192, n: 384, k: 1536, aRow: 1536, sharesB: true), threads: 2, tile: (14, 32))
    #expect(tall.b == .shared && tall.a == .inPlace && tall.columns == 384)
    let wide = GemmSchedule(.init(m: 384, n: 8192, k: 1536, sharesB: true), threads: 2, tile: (14, 32))
    #expect(wide.a == .shared && wide.b == .own && wide.rows == 384)
    let small = GemmSchedule(
      .init(m: 128, n: 128, k: 128, aRow: 128, sharesB: true), threads: 2, tile: (14, 32))
    #expect(small.a == .inPlace && small.b == .own && small.workers == 2)
    let smallest = GemmSchedule(.init(m: 8, n: 8, k: 8, sharesB: true), threads: 64, tile: (14, 32))
    #expect(smallest.workers == 1)
  }

  @Test func rowsThatShareSetsOfTheCacheArePacked() {
    #expect(GemmSchedule.readsWell(row: 384, k: 384, rows: 14))
    #expect(GemmSchedule.readsWell(row: 1536, k: 1536, rows: 14))
    #expect(!GemmSchedule.readsWell(row: 1024, k: 1024, rows: 14))
    #expect(!GemmSchedule.readsWell(row: 4097, k: 4097, rows: 14))
    #expect(GemmSchedule.readsWell(row: 1024, k: 128, rows: 14))
    #expect(!GemmSchedule.readsWell(row: 0, k: 8, rows: 14))
  }

  @Test func threadsHaveEquallyMuch() {
    // Panels for two threads, in as even tasks: an odd number of them would leave one thread with one more.
    for panels in 32...400 {
      let most = GemmSchedule.panels(of: panels, atMost: 16, for: 2)
      let tasks = (panels + most - 1) / most
      #expect((6...16).contains(most) && tasks % 2 == 0, "\(panels) panels, \(most) a task")
    }
    #expect(GemmSchedule.panels(of: 0, atMost: 16, for: 2) == 1)
    #expect(GemmSchedule.panels(of: 1, atMost: 8, for: 64) == 1)
  }

  @Test func fewColumnsBecomeRows() {
    #expect(GemmSchedule.isBetterTransposed(m: 8192, n: 1, vector: 16))
    #expect(GemmSchedule.isBetterTransposed(m: 8192, n: 17, vector: 16))
    #expect(!GemmSchedule.isBetterTransposed(m: 8192, n: 16, vector: 16))
    #expect(!GemmSchedule.isBetterTransposed(m: 1, n: 1, vector: 16))
    #expect(!GemmSchedule.isBetterTransposed(m: 8192, n: 49, vector: 16))
  }
}
