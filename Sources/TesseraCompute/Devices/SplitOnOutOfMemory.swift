// SPDX-License-Identifier: Apache-2.0
/// Does some work with all items at once or, if a device has not memory enough, with halves of them, and
/// halves of those.
///
/// - Parameters:
///   - items: what the work is for; its results must not hang on what is done together.
///   - work: gives a result for each of some items.
/// - Throws: what the work throws; an error that tells of memory once it is of one item alone.
/// - Returns: the results in order.
public func splittingOnOutOfMemory<Items: RandomAccessCollection, Result>(
  _ items: Items, _ work: (Items.SubSequence) throws -> [Result]
) throws -> [Result]
where Items.SubSequence: RandomAccessCollection, Items.SubSequence.SubSequence == Items.SubSequence {
  do {
    return try work(items[...])
  } catch let error as TesseraError where error.isOutOfMemory && items.count > 1 {
    let middle = items.index(items.startIndex, offsetBy: items.count / 2)
    return try splittingOnOutOfMemory(items[..<middle], work)
      + splittingOnOutOfMemory(items[middle...], work)
  }
}
