// SPDX-License-Identifier: Apache-2.0

extension OperationRecord {
  /// What becomes of each operand.
  ///
  /// - Throws: `TesseraError` for a number of operands that the primitive does not have, and extents that
  ///   make no tensor.
  func accesses() throws -> [OperandAccess] {
    try operation.accesses(try operands.map { try Tensor.elementCount($0.shape, place) })
  }

  /// Throws unless a record that was read tells what one that was made does: operands of the primitive's
  /// number, digests where there have to be, memory shared with earlier operands of as many elements.
  ///
  /// - Parameter path: the file it is from.
  package func check(_ path: String) throws {
    let place = "\(path): \(self.place)"
    func refuse(_ found: String, _ wanted: String) -> TesseraError {
      .input(place, found: found, wanted: wanted)
    }
    guard number >= 0 else { throw refuse("a number below 0", "0 or more") }
    let accesses: [OperandAccess]
    do {
      accesses = try self.accesses()
    } catch let error as TesseraError {
      throw refuse(error.found, error.wanted)
    }
    for (index, (operand, access)) in zip(operands, accesses).enumerated() {
      guard operand.memory >= 0 else { throw refuse("memory \(operand.memory)", "0 or more") }
      let earlier = operands[..<index]
      if let owner = Self.owner(of: operand.memory, in: earlier) {
        guard operands[owner].type == operand.type,
          try Tensor.elementCount(operands[owner].shape) == Tensor.elementCount(operand.shape)
        else {
          throw refuse("operand \(index) in the memory of \(owner)", "as many elements of one type")
        }
      }
      let digests = [
        ("before", operand.before, Self.hasContents(operand, access, after: earlier)),
        ("after", operand.after, access != .read),
      ]
      for (name, digest, isWanted) in digests {
        guard isWanted == (digest != nil), digest.map(Self.isDigest) ?? true else {
          throw refuse(
            "operand \(index) with \(name) \(digest ?? "missing")",
            isWanted ? "64 hexadecimal digits" : "none")
        }
      }
    }
  }

  /// Whether it matters what an operand holds before, and no earlier operand tells.
  static func hasContents(
    _ operand: Operand, _ access: OperandAccess, after earlier: ArraySlice<Operand>
  ) -> Bool {
    access != .written && owner(of: operand.memory, in: earlier) == nil
  }

  /// The first operand that has a memory.
  static func owner(of memory: Int, in operands: ArraySlice<Operand>) -> Int? {
    operands.firstIndex { $0.memory == memory }
  }

  private static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
