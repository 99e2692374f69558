// SPDX-License-Identifier: Apache-2.0

/// A primitive with its parameters, as a value: stored, compared, and run on any device. What it is applied
/// to comes beside it.
package struct RecordedOperation: Equatable, Sendable {
  /// The families that `Backend` is made of.
  enum Kind: Equatable, Sendable {
    case memory(MemoryOperation), contraction(ContractionOperation), map(MapOperation)
    case reduction(ReductionOperation), softmax(SoftmaxOperation), normalization(NormalizationOperation)
    case pooling(PoolingOperation), training(TrainingOperation), layout(LayoutOperation)
  }

  /// The primitive.
  let kind: Kind

  private var family: any OperationFamily {
    switch kind {
    case .memory(let operation): operation
    case .contraction(let operation): operation
    case .map(let operation): operation
    case .reduction(let operation): operation
    case .softmax(let operation): operation
    case .normalization(let operation): operation
    case .pooling(let operation): operation
    case .training(let operation): operation
    case .layout(let operation): operation
    }
  }

  /// The primitive's name: that of its case, under which its parameters are stored too.
  package var name: String { Mirror(reflecting: family).children.first?.label ?? "" }

  /// What becomes of each operand.
  ///
  /// - Parameter counts: the elements of each.
  /// - Throws: `TesseraError` for another number of operands than the primitive has.
  func accesses(_ counts: [Int]) throws -> [OperandAccess] {
    let wanted = family.operands(counts)
    let reads = counts.count - wanted.updates - wanted.writes
    guard wanted.reads.contains(reads) else {
      throw TesseraError.failure(
        name, found: "\(counts.count) operands",
        wanted: "\(wanted.reads.upperBound + wanted.updates + wanted.writes)")
    }
    return Array(repeating: .read, count: reads) + Array(repeating: .updated, count: wanted.updates)
      + Array(repeating: .written, count: wanted.writes)
  }

  /// Runs the primitive, which checks its arguments, on a device that has the operands.
  ///
  /// - Throws: `TesseraError` for operands that do not fit, and for what the device fails at.
  func run(on device: any Backend, _ tensors: [Tensor]) throws {
    _ = try accesses(tensors.map(\.count))
    try family.run(on: device, tensors)
  }
}

extension RecordedOperation: Codable {
  /// The families one after another: no two have a case of one name.
  private static let families: [@Sendable (any Decoder) throws -> Kind] = [
    { .memory(try .init(from: $0)) }, { .contraction(try .init(from: $0)) }, { .map(try .init(from: $0)) },
    { .reduction(try .init(from: $0)) }, { .softmax(try .init(from: $0)) },
    { .normalization(try .init(from: $0)) }, { .pooling(try .init(from: $0)) },
    { .training(try .init(from: $0)) }, { .layout(try .init(from: $0)) },
  ]

  package init(from decoder: any Decoder) throws {
    for family in Self.families {
      do {
        kind = try family(decoder)
        return
      } catch let error as DecodingError {
        // A family that has no such case fails at the name; one that has it, below the name.
        if error.path.count > decoder.codingPath.count { throw error }
      }
    }
    throw DecodingError.dataCorrupted(
      .init(codingPath: decoder.codingPath, debugDescription: "an operation that is not known"))
  }

  package func encode(to encoder: any Encoder) throws { try family.encode(to: encoder) }
}

extension DecodingError {
  /// Where in the text it is.
  fileprivate var path: [any CodingKey] {
    switch self {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      context.codingPath
    case .keyNotFound(let key, let context): context.codingPath + [key]
    @unknown default: []
    }
  }
}
