// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// What a kernel has to do, as far as its call tells.
package struct KernelWork: Sendable {
  /// Floating-point operations (a fused product counts two); 0 where they are not known.
  package let operations: Double
  /// Operations on integers of eight bits (a product that is added counts two), of exact products; 0 of others.
  package let integerOperations: Double
  /// Bytes of its buffers; of copies and gathers those that are moved.
  package let bytes: Int

  static let none = KernelWork(operations: 0, bytes: 0)

  init(operations: Double = 0, integerOperations: Double = 0, bytes: Int) {
    (self.operations, self.integerOperations, self.bytes) = (operations, integerOperations, bytes)
  }

  /// Work of a kernel, by its parameters and its buffers.
  init(_ kernel: Kernel, _ parameters: UnsafeRawBufferPointer, _ tensors: [Tensor]) {
    // A kernel whose parameters are of another kind than its name says is no reason to read beyond them.
    func read<P: BitwiseCopyable>(_ type: P.Type) -> P? {
      parameters.count == MemoryLayout<P>.size ? parameters.loadUnaligned(as: type) : nil
    }
    var (operations, integers) = (0.0, 0.0)
    var moved = tensors.reduce(0) { $0 + $1.count * $1.elementType.byteCount }
    switch kernel {
    case .matmul, .convImplicitGEMM, .convPerOutput, .gradWeightPerOutput, .gradWeightImplicitGEMM:
      operations = read(tsr_gemm_params.self)?.operations ?? 0
    case .convBlocked, .gradWeightBlocked, .convGrouped, .gradWeightGrouped:
      operations = read(tsr_conv_cpu_params.self)?.operations ?? 0
    case .convWinograd: operations = read(tsr_winograd_params.self).map { 2 * Double($0.multiplyAdds) } ?? 0
    case .gradWeightWinograd:
      operations =
        read(tsr_winograd_part_params.self).map {
          2 * Double($0.conv.multiplyAdds) * Double($0.count) / Double(max(1, $0.conv.groups))
        } ?? 0
    case .integerMatmul: integers = read(tsr_integer_gemm_params.self)?.integerOperations ?? 0
    case .distances: operations = (read(tsr_gemm_params.self)?.operations ?? 0) * 1.5
    case .copy: moved = read(tsr_copy_params.self).map { 8 * Int($0.rows) * Int($0.cols) } ?? moved
    case .copyStrided:
      moved = read(tsr_strided_params.self).map { 8 * Int($0.rows) * Int($0.cols) } ?? moved
    case .gather: moved = read(tsr_gather_params.self).map { 8 * Int($0.rows) * Int($0.cols) } ?? moved
    default: break
    }
    self.init(operations: operations, integerOperations: integers, bytes: moved)
  }
}

extension tsr_gemm_params {
  /// Two for each fused product.
  var operations: Double {
    let terms = min(
      Int(gemm.k) - Int(first / chunks) * Int(split_k),
      (Int(splits) + Int(chunks) - 1) / Int(chunks) * Int(split_k))
    return 2 * Double(gemm.batch) * Double(gemm.m) * Double(gemm.n) * Double(terms)
  }
}

extension tsr_conv_cpu_params {
  /// Two for each fused product.
  var operations: Double {
    2 * Double(gemm.batch) * Double(gemm.m) * Double(gemm.n) * Double(gemm.k)
  }
}

extension tsr_integer_gemm_params {
  /// Two for each product of digits.
  var integerOperations: Double {
    2 * Double(Products.pairs(digits: Int(digits))) * Double(gemm.m) * Double(gemm.n) * Double(gemm.k)
  }
}

extension Products {
  /// Products of digits that a product of numbers has (NUMERICS.md rule 12).
  fileprivate static func pairs(digits: Int) -> Int { digits == 3 ? 6 : 4 }

  /// What so many multiply-adds are.
  func work(_ multiplyAdds: Double, bytes: Int) -> KernelWork {
    guard let digits else { return KernelWork(operations: 2 * multiplyAdds, bytes: bytes) }
    return KernelWork(integerOperations: 2 * Double(Self.pairs(digits: digits)) * multiplyAdds, bytes: bytes)
  }

  /// A contraction's name in a profile: exact sums are told apart.
  func named(_ contraction: String) -> String { self == .fp32 ? contraction : "\(contraction) \(rawValue)" }
}

extension Matmul {
  /// Products of numbers that are added up.
  var multiplyAdds: Double { Double(batch) * Double(m) * Double(n) * Double(k) }
}

extension Convolution {
  /// What its sums are: groups of few channels have fp32's in every mode.
  var sums: Products { exactDigits == nil ? .fp32 : products }
}
