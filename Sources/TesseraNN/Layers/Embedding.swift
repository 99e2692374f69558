// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Rows of a table by number: the input is a variable of int32.
public final class Embedding: Module {
  private let weight: Parameter

  /// A table drawn from the normal distribution, as PyTorch's.
  ///
  /// - Parameters:
  ///   - count: rows of the table.
  ///   - width: columns of the table.
  ///   - initializer: draws the table.
  /// - Throws: `TesseraError` for less than one row or column.
  public init(_ count: Int, _ width: Int, _ initializer: Initializer) throws {
    guard count >= 1, width >= 1 else {
      throw TesseraError.failure("Embedding", found: "\(count) rows of \(width)", wanted: "1 or more each")
    }
    weight = try initializer.normal([count, width], deviation: 1)
  }

  /// (...) int32 to (..., width).
  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.take(weight.leaf(), x.value)
  }

  public var state: [(name: String, state: ModuleState)] { [("weight", .parameter(weight))] }
}
