// SPDX-License-Identifier: Apache-2.0
import Foundation

extension CPUBackend {
  public func allocate(_ shape: [Int], _ type: ElementType) throws -> Tensor {
    let count = try Tensor.elementCount(shape)
    let storage = try pool.storage(count * type.byteCount, for: "a tensor \(shape)")
    return try Tensor(shape: shape, elementType: type, storage: storage)
  }

  public func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor, offset: Int) throws {
    let destination = try bytePointer(tensor, offset: offset, count: bytes.count)
    tensor.forgetBounds()
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    // Of memory that is touched first the pages have to be made: that is work for all threads.
    let (to, from) = (
      UnsafeSendablePointer(pointer: destination.assumingMemoryBound(to: UInt8.self)),
      UnsafeSendablePointer(pointer: UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: UInt8.self)))
    )
    parallel(bytes.count, grain: 2 << 20) { begin, end in
      memcpy(to.pointer + begin, from.pointer + begin, end - begin)
    }
  }

  public func download(
    _ tensor: Tensor, offset: Int, into bytes: UnsafeMutableRawBufferPointer
  ) throws {
    let source = try bytePointer(tensor, offset: offset, count: bytes.count)
    if let base = bytes.baseAddress, bytes.count > 0 {
      base.copyMemory(from: source, byteCount: bytes.count)
    }
  }

  public func synchronize() throws {}

  public func fill(_ tensor: Tensor, with value: Float) throws {
    try require("fill", [], into: [(tensor, tensor.count)])
    let y = try tensor.cpu("fill")
    parallel(tensor.count, grain: 1 << 16) { begin, end in
      (y.pointer + begin).update(repeating: value, count: end - begin)
    }
  }

  public func copy(_ source: Tensor, to destination: Tensor, region: CopyRegion) throws {
    try region.check(source, destination)
    let size = source.elementType.byteCount
    let x = try source.cpuBytes("copy")
    let y = try destination.cpuBytes("copy")
    guard region.rows > 1 else {
      return parallel(region.rows * region.columns, grain: 1 << 16) { begin, end in
        memcpy(
          y.pointer + (region.destinationOffset + begin) * size,
          x.pointer + (region.sourceOffset + begin) * size, (end - begin) * size)
      }
    }
    parallel(region.rows, grain: max(1, (1 << 16) / max(1, region.columns))) { begin, end in
      for row in begin..<end {
        memcpy(
          y.pointer + (region.destinationOffset + row * region.destinationStride) * size,
          x.pointer + (region.sourceOffset + row * region.sourceStride) * size, region.columns * size)
      }
    }
  }

  private func bytePointer(_ tensor: Tensor, offset: Int, count: Int) throws -> UnsafeMutableRawPointer {
    try tensor.checkTransfer(count, offset)
    let bytes = offset * tensor.elementType.byteCount
    return UnsafeMutableRawPointer(try tensor.cpuBytes("transfer").pointer + bytes)
  }
}

extension CopyRegion {
  /// Throws unless the region lies inside the tensors, which are of one type.
  func check(_ source: Tensor, _ destination: Tensor) throws {
    func fits(_ offset: Int, _ stride: Int, _ count: Int) -> Bool {
      let bound = 0...Int(Int32.max)
      guard [rows, columns, offset, stride].allSatisfy(bound.contains) else { return false }
      return rows == 0 || columns == 0 || offset + (rows - 1) * stride + columns <= count
    }
    guard fits(sourceOffset, sourceStride, source.count),
      fits(destinationOffset, destinationStride, destination.count),
      rows <= 1 || destinationStride >= columns
    else {
      throw TesseraError.failure(
        "copy", found: "\(self)", wanted: "a region inside \(source.count) and \(destination.count) elements")
    }
    guard source.elementType == destination.elementType else {
      throw TesseraError.failure(
        "copy", found: "\(source.elementType) into \(destination.elementType)", wanted: "one type")
    }
    try requireApart("copy", [source], into: [destination])
    destination.forgetBounds()
  }
}

extension CPUBackend {
  public func transpose(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try checkTranspose(x, rows, columns, y)
    let source = try x.cpuInts("transpose")
    let target = try y.cpuInts("transpose")
    let tile = 16
    parallel(columns, grain: tile) { begin, end in
      for c0 in stride(from: begin, to: end, by: tile) {
        for r0 in stride(from: 0, to: rows, by: tile) {
          for c in c0..<min(c0 + tile, end) {
            for r in r0..<min(r0 + tile, rows) {
              target.pointer[c * rows + r] = source.pointer[r * columns + c]
            }
          }
        }
      }
    }
  }
}

/// Throws unless y can take the transpose of x (rows, columns), both float32 or both int32.
func checkTranspose(_ x: Tensor, _ rows: Int, _ columns: Int, _ y: Tensor) throws {
  try requireExtents("transpose", rows, columns)
  guard x.count == rows * columns, y.count == x.count, x.elementType == y.elementType else {
    throw TesseraError.failure(
      "transpose", found: "\(x.elementType) \(x.shape) into \(y.elementType) \(y.shape)",
      wanted: "\(rows) x \(columns) elements of one type")
  }
  try requireWords("transpose", x)
  try requireApart("transpose", [x], into: [y])
  y.forgetBounds()
}
