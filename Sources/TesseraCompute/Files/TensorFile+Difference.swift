// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where two tensors of one name differ first.
package struct TensorDifference: Equatable, Sendable, Codable {
  /// The tensor's name.
  package let tensor: String
  /// The index of the element along each axis; empty where not an element differs but shape or type do.
  package let index: [Int]
  /// What either holds there: the bits, or the shape and type.
  package let found: String, wanted: String
}

extension TensorFile {
  /// The first tensor and element in which another file differs from this one; nil if all tensors of both are
  /// there, of one shape and type, with the same bits.
  ///
  /// - Parameter other: the file with what is wanted.
  package func firstDifference(from other: TensorFile) throws -> TensorDifference? {
    for name in Set(names + other.names).ordered() {
      guard contains(name), other.contains(name) else {
        let (found, wanted) = contains(name) ? ("a tensor", "none") : ("no tensor", "one")
        return TensorDifference(tensor: name, index: [], found: found, wanted: wanted)
      }
      if let difference = try firstDifference(of: name, from: name, in: other) { return difference }
    }
    return nil
  }

  /// The first element in which a tensor differs from one of another file.
  ///
  /// - Throws: `TesseraError` if either is not there.
  package func firstDifference(
    of name: String, from theirName: String, in other: TensorFile
  ) throws -> TensorDifference? {
    let (own, theirs) = (try stored(name), try other.stored(theirName))
    guard own.shape == theirs.shape, own.type == theirs.type else {
      return TensorDifference(
        tensor: name, index: [], found: "\(own.type.name) \(own.shape)",
        wanted: "\(theirs.type.name) \(theirs.shape)")
    }
    let element = max(1, own.range.count / max(1, own.count))
    guard own.count > 0 else { return nil }
    return withBytes(of: own) { left in
      other.withBytes(of: theirs) { right in
        guard let from = left.baseAddress, let to = right.baseAddress else { return nil }
        guard memcmp(from, to, left.count) != 0,
          let byte = left.indices.first(where: { left[$0] != right[$0] })
        else { return nil }
        let place = byte / element
        func bits(_ bytes: UnsafeRawBufferPointer) -> String {
          let digits = bytes[place * element..<(place + 1) * element].reversed().map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
          }
          return "0x" + digits.joined()
        }
        return TensorDifference(
          tensor: name, index: Self.index(of: place, in: own.shape), found: bits(left), wanted: bits(right))
      }
    }
  }

  private static func index(of place: Int, in shape: [Int]) -> [Int] {
    var (rest, index) = (place, [Int]())
    for extent in shape.reversed() {
      index.insert(rest % extent, at: 0)
      rest /= extent
    }
    return index
  }

  /// The first element of some tensors of a device in which the file's of the same names differ.
  ///
  /// - Parameters:
  ///   - tensors: float tensors with what is wanted, by name.
  ///   - device: the device that they are on.
  /// - Throws: `TesseraError` if the file has no tensor of a name and shape.
  package func firstDifference(
    from tensors: [(name: String, tensor: Tensor)], on device: any MemoryBackend
  ) throws -> TensorDifference? {
    for (name, tensor) in tensors {
      let (own, wanted) = (try floats(name, shape: tensor.shape), try device.floats(tensor))
      let place = own.withUnsafeBytes { left in
        wanted.withUnsafeBytes { right -> Int? in
          guard let from = left.baseAddress, let to = right.baseAddress,
            memcmp(from, to, left.count) != 0
          else { return nil }
          return left.indices.first { left[$0] != right[$0] }.map { $0 / 4 }
        }
      }
      guard let place else { continue }
      return TensorDifference(
        tensor: name, index: Self.index(of: place, in: tensor.shape), found: bitText(own[place]),
        wanted: bitText(wanted[place]))
    }
    return nil
  }
}

/// A float's bits as differences tell them.
package func bitText(_ value: Float) -> String {
  let digits = String(value.bitPattern, radix: 16)
  return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
