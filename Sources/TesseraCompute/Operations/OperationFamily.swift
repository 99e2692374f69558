// SPDX-License-Identifier: Apache-2.0

/// A family of primitives as values: each case is a primitive with its parameters, by its name, and can be
/// stored, compared and run again.
protocol OperationFamily: Codable, Equatable, Sendable {
  /// What the primitive does with its operands, which come in this order: those that are read, those that are
  /// changed, those that are written.
  ///
  /// - Parameter counts: elements of each operand, as many as there are: whether something of an output stays
  ///   may depend on them.
  func operands(_ counts: [Int]) -> OperandCounts
  /// Runs the primitive, which checks its arguments, on a device.
  ///
  /// - Parameters:
  ///   - device: where the operands are.
  ///   - t: the operands, of a number that `operands` allows.
  func run(on device: any Backend, _ t: [Tensor]) throws
}

/// How many operands a primitive has of each kind.
struct OperandCounts {
  /// Operands that are read alone; more than one number where a bias may be left out.
  var reads: ClosedRange<Int>
  /// Operands of which something is read or stays before they are written.
  var updates: Int
  /// Operands of which every element is written and none read.
  var writes: Int

  /// So many operands of each kind; one output that is written, unless told otherwise.
  init(reads: Int, optional: Int = 0, updates: Int = 0, writes: Int = 1) {
    (self.reads, self.updates, self.writes) = (reads...reads + optional, updates, writes)
  }

  /// Operands of which the one that is written is written whole, or in part.
  init(reads: Int, optional: Int = 0, writesWhole: Bool) {
    self.init(reads: reads, optional: optional, updates: writesWhole ? 0 : 1, writes: writesWhole ? 1 : 0)
  }
}

/// What becomes of an operand.
enum OperandAccess: Equatable {
  /// It is read alone.
  case read
  /// Something of it is read, or stays, and something written.
  case updated
  /// Every element is written, none read.
  case written
}

/// A loose number of a primitive, stored by its bits: decimals have no place for a NaN's.
struct FloatBits: Codable, Hashable, Sendable {
  /// The number.
  let value: Float

  init(_ value: Float) { self.value = value }

  init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard text.utf8.count == 10, text.hasPrefix("0x"), let bits = UInt32(text.dropFirst(2), radix: 16) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(text) is no float32 by its bits"))
    }
    value = Float(bitPattern: bits)
  }

  func encode(to encoder: any Encoder) throws {
    let digits = String(value.bitPattern, radix: 16)
    var container = encoder.singleValueContainer()
    try container.encode("0x" + String(repeating: "0", count: 8 - digits.count) + digits)
  }

  static func == (a: FloatBits, b: FloatBits) -> Bool { a.value.bitPattern == b.value.bitPattern }

  func hash(into hasher: inout Hasher) { hasher.combine(value.bitPattern) }
}
