// SPDX-License-Identifier: Apache-2.0

extension Fingerprint {
  /// Adds a tensor: its type, its shape, then its elements, row-major and little-endian, as they lie on a device.
  /// They are read back in pieces of 4 MiB.
  ///
  /// - Throws: `TesseraError` if the device fails.
  public mutating func add(_ tensor: Tensor, on device: any MemoryBackend) throws {
    add("\(tensor.elementType.safetensorsName) \(tensor.shape)")
    try addElements(of: tensor, on: device)
  }

  /// Adds a tensor's elements alone.
  mutating func addElements(of tensor: Tensor, on device: any MemoryBackend) throws {
    let (most, size) = (1 << 20, tensor.elementType.byteCount)
    var bytes = [UInt8](repeating: 0, count: min(most, tensor.count) * size)
    for begin in stride(from: 0, to: tensor.count, by: most) {
      let count = min(most, tensor.count - begin)
      try bytes.withUnsafeMutableBytes {
        try device.download(
          tensor, offset: begin, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<(count * size)]))
      }
      bytes.withUnsafeBytes { add(UnsafeRawBufferPointer(rebasing: $0[..<(count * size)])) }
    }
  }
}

extension MemoryBackend {
  /// SHA-256 of a tensor's type, shape and elements: equal on two devices if every bit is.
  ///
  /// - Throws: `TesseraError` if the device fails.
  public func fingerprint(of tensor: Tensor) throws -> String {
    var print = Fingerprint()
    try print.add(tensor, on: self)
    return print.digits()
  }
}
