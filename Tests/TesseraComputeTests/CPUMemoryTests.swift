// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TesseraCompute

@Suite("CPU memory")
struct CPUMemoryTests {
  @Test func sizeClassesHoldTheRequestAndWasteAtMostAnEighth() {
    for bytes in Array(1...5000) + [1 << 20, (1 << 20) + 1, (1 << 31) - 1, 1 << 33] {
      let capacity = CPUMemoryPool.sizeClass(bytes)
      #expect(capacity >= bytes && (bytes <= 256 || capacity <= bytes + bytes / 8 + 1))
    }
  }

  @Test func aReleasedTensorIsReused() throws {
    let device = try CPUBackend(threads: 1)
    for _ in 0..<10 { _ = try device.allocate([1000], .float32) }
    #expect(device.pool.highWaterMark < 2 * 4096 + 256)
  }

  /// Batches of texts differ by some tokens: their blocks serve each other, in megabytes; much smaller ones get their
  /// own.
  @Test(arguments: [(40, 40, 40), (40, 33, 40), (40, 30, 30), (33, 40, 40)])
  func aLargeBlockServesSizesALittleBelow(_ first: Int, _ second: Int, _ capacity: Int) throws {
    let pool = CPUMemoryPool(exact: false)
    var storage: CPUStorage? = try pool.storage(first << 20)
    let pointer = storage?.pointer
    storage = nil
    let next = try pool.storage(second << 20)
    #expect(next.byteCount == second << 20 && next.capacity == capacity << 20)
    #expect(capacity != 40 || first != 40 || next.pointer == pointer)
    #expect(pool.highWaterMark == max(CPUMemoryPool.sizeClass(first << 20), next.capacity))
  }

  @Test func copiesTouchOnlyTheirRegion() throws {
    let device = try CPUBackend(threads: 2)
    let source = try device.tensor((0..<20).map { Float($0) }, [4, 5])
    let target = try device.tensor([Float](repeating: -1, count: 12), [3, 4])
    try device.copy(
      source, to: target,
      region: CopyRegion(
        rows: 2, columns: 3, sourceOffset: 6, sourceStride: 5, destinationOffset: 1,
        destinationStride: 4))
    #expect(try device.floats(target) == [-1, 6, 7, 8, -1, 11, 12, 13, -1, -1, -1, -1])
  }

  @Test func memoryThatIsNotThereIsAnErrorThatNamesWhatItWasFor() throws {
    let pool = CPUMemoryPool(exact: false)
    let small = try pool.storage(1 << 20)
    do {
      // More than any address space holds.
      _ = try pool.storage(1 << 56, for: "a tensor of the test")
      Issue.record("2^56 bytes were given")
    } catch let error as TesseraError {
      #expect(error.isOutOfMemory && error.place == "a tensor of the test", "\(error)")
      #expect(error.found.contains("no memory for its 7205759403792"), "\(error)")
    }
    // What failed is not counted, and the pool goes on.
    _ = small
    #expect(try pool.storage(1 << 10).byteCount == 1 << 10)
  }

  @Test func aRegionOutsideIsRefused() throws {
    let device = try CPUBackend(threads: 1)
    let source = try device.tensor([Float](repeating: 0, count: 4), [4])
    #expect(throws: TesseraError.self) {
      try device.copy(
        source, to: source,
        region: CopyRegion(rows: 2, columns: 2, sourceOffset: 1, sourceStride: 2, destinationStride: 2))
    }
    #expect(throws: TesseraError.self) { try device.allocate([1 << 16, 1 << 16], .float32) }
    #expect(throws: TesseraError.self) { try device.allocate([-1], .float32) }
  }

  @Test func errorsAreOneLine() {
    let error = TesseraError.input("a\nb.csv:3", found: "a broken\tquote", wanted: "a closing one")
    #expect(error.description == "a\\u{a}b.csv:3: found a broken\\u{9}quote, wanted a closing one")
    // Found by fuzzing: Unicode has more line ends than those of ASCII; and text must not be turned around
    // on a terminal.
    let names = TesseraError.input("a", found: "b\u{85}c\u{2028}d\u{2029}e\u{9b}f\u{202e}g\u{e9}")
    #expect(names.description == "a: b\\u{85}c\\u{2028}d\\u{2029}e\\u{9b}f\\u{202e}g\u{e9}")
  }
}
