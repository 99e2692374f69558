// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// One primitive on one shape, with inputs of its own: what tests and `tessera verify` run on two backends
/// and compare bit for bit.
public struct CatalogueCase: Sendable {
  /// The backend's method, such as `matmul`.
  public let primitive: String
  /// Shape and attributes, such as `5x7x13 A' B`.
  public let label: String
  /// Whether it is small enough for a simulator such as Oclgrind.
  public let isSmall: Bool
  /// Runs the primitive and reads every output back.
  public let run: @Sendable (any Backend) throws -> [CaseOutput]

  /// A case; `work` is a rough number of multiply-adds. `small`: a simulator takes it all the same.
  init(
    _ primitive: String, _ label: String, work: Int = 0, small: Bool = false,
    run: @escaping @Sendable (any Backend) throws -> [CaseOutput]
  ) {
    self.primitive = primitive
    self.label = label
    self.isSmall = small || work < 20_000
    self.run = run
  }
}

/// A named output as bit patterns.
public struct CaseOutput: Sendable, Equatable {
  /// The output's name, such as `y` or `mean`.
  public let name: String
  /// The elements' bits in row-major order.
  public let bits: [UInt32]
}

/// Every primitive over enumerated shapes.
public enum Catalogue {
  /// All cases, in a fixed order.
  public static var cases: [CatalogueCase] {
    productCases + mapCases + broadcastCases + reductionCases + softmaxCases
      + distanceSoftmaxCases + attentionCases + normalizationCases + poolingCases + lossCases + randomCases
      + memoryCases + layoutCases + neighbourCases + integerProductCases + exactConvolutionCases
      + conversionCases
  }

  /// The cases of matrix products, convolutions and distances, whose tiles may be tuned.
  public static var productCases: [CatalogueCase] {
    matmulCases + convolutionCases + winogradCases + distanceCases
  }

  /// The first difference between two runs of a case, as one line; nil if the bits are equal.
  public static func difference(_ a: [CaseOutput], _ b: [CaseOutput]) -> String? {
    guard a.map(\.name) == b.map(\.name) else { return "other outputs" }
    for (x, y) in zip(a, b) where x.bits != y.bits {
      guard x.bits.count == y.bits.count else {
        return "\(x.name): \(x.bits.count) and \(y.bits.count) elements"
      }
      let wrong = x.bits.indices.filter { x.bits[$0] != y.bits[$0] }
      let at = wrong[0]
      func show(_ bits: UInt32) -> String {
        "0x\(String(bits, radix: 16)) (\(Float(bitPattern: bits)))"
      }
      return
        "\(x.name)[\(at)]: \(show(x.bits[at])) and \(show(y.bits[at])), \(wrong.count) of \(x.bits.count) differ"
    }
    return nil
  }
}

extension Backend {
  /// A float output's bits.
  func output(_ name: String, _ tensor: Tensor) throws -> CaseOutput {
    CaseOutput(name: name, bits: try floats(tensor).map(\.bitPattern))
  }

  /// An integer output's bits.
  func outputInts(_ name: String, _ tensor: Tensor) throws -> CaseOutput {
    CaseOutput(name: name, bits: try ints(tensor).map { UInt32(bitPattern: $0) })
  }
}
