// SPDX-License-Identifier: Apache-2.0
extension RandomStream {
  /// The first 32-bit words of the stream.
  public func words(_ count: Int) throws -> [UInt32] {
    let cpu = try CPUBackend(threads: 1)
    let tensor = try cpu.allocate([count], .int32)
    try cpu.randomWords(self, into: tensor)
    return try cpu.ints(tensor).map { UInt32(bitPattern: $0) }
  }

  /// The items in a random order: sorted by their word of the stream, equal words by position.
  public func shuffled<T>(_ items: [T]) throws -> [T] {
    let keys = try words(items.count)
    return items.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { items[$0] }
  }
}
