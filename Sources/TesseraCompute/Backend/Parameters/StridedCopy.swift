// SPDX-License-Identifier: Apache-2.0

/// A copy between two arrays that are seen through the same axes, each with strides of its own: a permutation
/// of axes, a slice, a part of a larger array, a repetition (stride 0 in the source).
public struct StridedCopy: Codable, Hashable, Sendable {
  /// Extents of the axes, outermost first.
  public var extents: [Int]
  /// The element of the source that the first index has.
  public var sourceOffset: Int
  /// Elements of the source from an index of an axis to the next; 0 and negative ones are taken.
  public var sourceStrides: [Int]
  /// The element of the destination that the first index has.
  public var destinationOffset: Int
  /// Elements of the destination from an index of an axis to the next. No two indices have one element.
  public var destinationStrides: [Int]

  /// A copy of all elements of the extents; between dense row-major arrays, unless told otherwise.
  public init(
    _ extents: [Int], sourceOffset: Int = 0, sourceStrides: [Int]? = nil, destinationOffset: Int = 0,
    destinationStrides: [Int]? = nil
  ) {
    let dense = Self.strides(extents)
    self.extents = extents
    (self.sourceOffset, self.sourceStrides) = (sourceOffset, sourceStrides ?? dense)
    (self.destinationOffset, self.destinationStrides) = (destinationOffset, destinationStrides ?? dense)
  }

  /// Strides of a dense row-major array; of extents that make no tensor ones that no check lets pass.
  public static func strides(_ extents: [Int]) -> [Int] {
    var (strides, step) = ([Int](repeating: 1, count: extents.count), 1)
    for axis in extents.indices.reversed() {
      strides[axis] = step
      let (next, overflow) = step.multipliedReportingOverflow(by: max(1, extents[axis]))
      step = overflow ? Int.max : next
    }
    return strides
  }

  /// The arrays seen through the axes.
  ///
  /// - Throws: `TesseraError` for elements outside of the arrays, and for an element of the destination that
  ///   two indices have.
  func checked(_ place: String, source: Int, destination: Int) throws -> StridedLayout {
    let count = try Tensor.elementCount(extents, place)
    guard sourceStrides.count == extents.count, destinationStrides.count == extents.count else {
      throw TesseraError.failure(
        place, found: "strides \(sourceStrides) and \(destinationStrides)",
        wanted: "one for each of \(extents)")
    }
    let layout = StridedLayout(
      extents: extents,
      arrays: [
        .init(offset: sourceOffset, strides: sourceStrides),
        .init(offset: destinationOffset, strides: destinationStrides),
      ])
    guard count > 0 else { return layout }
    for (array, limit) in zip(layout.arrays, [source, destination]) {
      guard array.places(extents).map({ $0.lowerBound >= 0 && $0.upperBound < limit }) ?? false else {
        throw TesseraError.failure(
          place, found: "\(self)", wanted: "places inside \(source) and \(destination) elements")
      }
    }
    // An axis has to step over all that those of smaller steps reach.
    var reach = 0
    let axes = extents.indices.filter { extents[$0] > 1 }
      .map { (abs(destinationStrides[$0]), extents[$0]) }.ordered { $0.0 < $1.0 }
    for (stride, extent) in axes {
      guard stride > reach else {
        throw TesseraError.failure(
          place, found: "\(self)", wanted: "an element of the destination for each index")
      }
      reach += (extent - 1) * stride
    }
    return layout
  }
}
