// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Every type to every other, at counts around vectors' ends; numbers of every kind.
  @_optimize(none)
  static var conversionCases: [CatalogueCase] {
    let types = ElementType.allCases
    let pairs = types.flatMap { from in types.map { (from, $0) } }
    return pairs.flatMap { from, to in
      (from == .float32 ? [0, 1, 17, 1031, 20_011] : [0, 1, 1031]).map { convert(from, to, $0) }
    } + [conversionBounds]
  }

  /// Numbers next to those from which on a type has its greatest number, infinity, denormals or 0: none of them comes by
  /// chance.
  private static var conversionBounds: CatalogueCase {
    CatalogueCase("convert", "float32 to every type around its bounds") { device in
      let bounds: [Float] = [
        65504, 65520, 0x1p-14, 0x1p-24, 0x1p-25, 0x1.fep127, 0x1.ffp127, 0x1p-126, 0x1p-133, 0x1p-134, 1, 127,
        128,
        129, 255, 256, 0x1.fffffep30, 0x1p31,
      ]
      let values = bounds.flatMap { bound in
        (0..<5).map { Float(bitPattern: bound.bitPattern - 2 + $0) }.flatMap { [$0, -$0] }
      }
      let x = try device.tensor(values)
      return try ElementType.allCases.map { type in
        let y = try device.allocate([values.count], type)
        try device.convert(x, into: y)
        return try device.outputBits("\(type)", y)
      }
    }
  }

  static func convert(_ from: ElementType, _ to: ElementType, _ count: Int) -> CatalogueCase {
    CatalogueCase("convert", "\(from) to \(to) \(count)") { device in
      var inputs = CaseInputs(seed: 95)
      // All 2^16 patterns of the small types come by chance; those of float32 are of a size that small types have.
      let near = inputs.ordinary(count / 2).enumerated().map {
        $0.offset % 3 == 0 ? $0.element * 0x1p-13 : $0.offset % 3 == 1 ? $0.element * 0x1p9 : $0.element
      }
      let values = near + inputs.withSpecials(count / 4)
      let all = values + inputs.anyBits(count - values.count)
      let x = try device.allocate([count], from)
      let bytes = all.withUnsafeBytes { Array($0.prefix(count * from.byteCount)) }
      try bytes.withUnsafeBytes { try device.upload($0, to: x, offset: 0) }
      let y = try device.allocate([count], to)
      try device.convert(x, into: y)
      return [try device.outputBits("y", y)]
    }
  }
}

extension Backend {
  /// An output's bits, whatever its type.
  fileprivate func outputBits(_ name: String, _ tensor: Tensor) throws -> CaseOutput {
    let size = tensor.elementType.byteCount
    var bytes = [UInt8](repeating: 0, count: tensor.count * size)
    try bytes.withUnsafeMutableBytes { try download(tensor, offset: 0, into: $0) }
    let bits = stride(from: 0, to: bytes.count, by: size).map { begin in
      bytes[begin..<begin + size].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
    return CaseOutput(name: name, bits: bits)
  }
}
