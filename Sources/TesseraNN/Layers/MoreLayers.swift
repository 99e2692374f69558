// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Average pooling, padding counted.
public final class AvgPool2d: Module {
  private let kernel: Int, stride: Int, padding: Int

  /// Windows of kernel x kernel; side by side, unless a stride is given.
  public init(kernel: Int, stride: Int? = nil, padding: Int = 0) {
    (self.kernel, self.stride, self.padding) = (kernel, stride ?? kernel, padding)
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.averagePool(x, kernel: kernel, stride: stride, padding: padding)
  }
}

/// A function without state as a module.
public final class Lambda: Module {
  private let body: (Variable, Context) throws -> Variable

  /// A function of variables.
  public init(_ body: @escaping (Variable, Context) throws -> Variable) { self.body = body }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try body(try context(x), context)
  }
}

/// Modules, one a line, for `Sequential`'s builder.
@resultBuilder
public enum ModuleBuilder {
  /// Modules one after another.
  public static func buildBlock(_ parts: [any Module]...) -> [any Module] { Array(parts.joined()) }
  /// One module.
  public static func buildExpression(_ module: any Module) -> [any Module] { [module] }
  /// Modules of a list, such as of a `map`.
  public static func buildExpression(_ modules: [any Module]) -> [any Module] { modules }
  /// Modules of an `if` without `else`.
  public static func buildOptional(_ part: [any Module]?) -> [any Module] { part ?? [] }
  /// Modules of an `if`.
  public static func buildEither(first part: [any Module]) -> [any Module] { part }
  /// Modules of an `else`.
  public static func buildEither(second part: [any Module]) -> [any Module] { part }
  /// Modules of a loop.
  public static func buildArray(_ parts: [[any Module]]) -> [any Module] { Array(parts.joined()) }
}

extension Sequential {
  /// Modules named 0, 1, 2, ..., one a line.
  ///
  /// - Parameter modules: makes them.
  /// - Throws: what making them throws.
  public convenience init(@ModuleBuilder _ modules: () throws -> [any Module]) rethrows {
    self.init(try modules())
  }
}
