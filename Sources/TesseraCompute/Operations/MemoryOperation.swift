// SPDX-License-Identifier: Apache-2.0

/// The primitives of `MemoryBackend`.
enum MemoryOperation: OperationFamily {
  case fill(value: FloatBits)
  /// The host's bytes are the operand that is read.
  case upload(offset: Int)
  /// The type is the output's.
  case convert(to: ElementType)
  case copy(region: CopyRegion)
  case copyStrided(p: StridedCopy)
  case transpose(rows: Int, columns: Int)
  case swapAxes(outer: Int, a: Int, b: Int, inner: Int)

  func operands(_ counts: [Int]) -> OperandCounts {
    switch self {
    case .fill: OperandCounts(reads: 0)
    case .upload: OperandCounts(reads: 1, writesWhole: counts.first == counts.last)
    case .copy(let region):
      OperandCounts(reads: 1, writesWhole: elements(region.rows, region.columns) == counts.last)
    case .copyStrided(let p):
      OperandCounts(reads: 1, writesWhole: (try? Tensor.elementCount(p.extents)) == counts.last)
    case .convert, .transpose, .swapAxes: OperandCounts(reads: 1)
    }
  }

  func run(on device: any Backend, _ t: [Tensor]) throws {
    switch self {
    case .fill(let value): try device.fill(t[0], with: value.value)
    case .upload(let offset):
      var bytes = [UInt8](repeating: 0, count: t[0].count * t[0].elementType.byteCount)
      try bytes.withUnsafeMutableBytes { try device.download(t[0], offset: 0, into: $0) }
      try bytes.withUnsafeBytes { try device.upload($0, to: t[1], offset: offset) }
    case .convert(let type):
      guard t[1].elementType == type else {
        throw TesseraError.failure("convert", found: "an output of \(t[1].elementType)", wanted: "\(type)")
      }
      try device.convert(t[0], into: t[1])
    case .copy(let region): try device.copy(t[0], to: t[1], region: region)
    case .copyStrided(let p): try device.copy(t[0], to: t[1], strided: p)
    case .transpose(let rows, let columns):
      try device.transpose(t[0], rows: rows, columns: columns, into: t[1])
    case .swapAxes(let outer, let a, let b, let inner):
      try device.swapAxes(t[0], outer: outer, a: a, b: b, inner: inner, into: t[1])
    }
  }
}
