// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Fields of a message of Protocol Buffers, read back without the code that wrote it.
struct WireField {
  let field: Int
  /// A varint's value; of other kinds 0.
  let number: Int64
  /// What lies between the key and the next field.
  let bytes: ArraySlice<UInt8>

  var text: String { String(decoding: bytes, as: UTF8.self) }

  var float: Float { Float(bitPattern: bytes.enumerated().reduce(0) { $0 | UInt32($1.1) << (8 * $1.0) }) }

  /// The fields of a message, in order.
  static func fields(_ data: ArraySlice<UInt8>) throws -> [WireField] {
    var (at, found) = (data.startIndex, [WireField]())
    func varint() throws -> UInt64 {
      var (value, shift) = (UInt64(0), UInt64(0))
      while true {
        try #require(at < data.endIndex && shift < 70)
        value |= UInt64(data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80 { return value }
      }
    }
    while at < data.endIndex {
      let key = Int(try varint()), begin = at
      switch key & 7 {
      case 0:
        let value = Int64(bitPattern: try varint())
        found.append(WireField(field: key >> 3, number: value, bytes: data[begin..<at]))
      case 5:
        found.append(WireField(field: key >> 3, number: 0, bytes: data[at..<at + 4]))
        at += 4
      default:
        try #require(key & 7 == 2)
        let length = Int(try varint())
        try #require(length <= data.endIndex - at)
        found.append(WireField(field: key >> 3, number: 0, bytes: data[at..<at + length]))
        at += length
      }
    }
    return found
  }
}

/// A model of ONNX as its file tells it (onnx/onnx.proto), with numbers in binary64.
struct ONNXReader {
  struct Node {
    let operation: String, inputs: [String], output: String
    var numbers: [String: [Int]] = [:], floats: [String: Float] = [:], texts: [String: String] = [:]

    /// An attribute of one integer.
    func number(_ name: String) throws -> Int { try #require(numbers[name]?.first, "\(operation) \(name)") }
  }

  private(set) var nodes: [Node] = []
  private(set) var constants: [String: ONNXArray] = [:]
  private(set) var inputs: [String] = [], outputs: [String] = []

  init(_ bytes: [UInt8]) throws {
    let graph = try #require(try WireField.fields(bytes[...]).first { $0.field == 7 })
    for part in try WireField.fields(graph.bytes) {
      switch part.field {
      case 1: nodes.append(try Self.node(part.bytes))
      case 5:
        let (name, values) = try Self.constant(part.bytes)
        #expect(constants.updateValue(values, forKey: name) == nil, "\(name)")
      case 11: inputs.append(try WireField.fields(part.bytes)[0].text)
      case 12: outputs.append(try WireField.fields(part.bytes)[0].text)
      default: break
      }
    }
  }

  private static func node(_ bytes: ArraySlice<UInt8>) throws -> Node {
    let parts = try WireField.fields(bytes)
    let outputs = parts.filter { $0.field == 2 }
    try #require(outputs.count == 1)
    var node = Node(
      operation: try #require(parts.first { $0.field == 4 }).text,
      inputs: parts.filter { $0.field == 1 }.map(\.text), output: outputs[0].text)
    for attribute in parts where attribute.field == 5 {
      let fields = try WireField.fields(attribute.bytes)
      let name = try #require(fields.first { $0.field == 1 }).text
      // The type tells which of the fields counts.
      switch try #require(fields.first { $0.field == 20 }).number {
      case 1: node.floats[name] = try #require(fields.first { $0.field == 2 }).float
      case 2: node.numbers[name] = [Int(try #require(fields.first { $0.field == 3 }).number)]
      case 3: node.texts[name] = try #require(fields.first { $0.field == 4 }).text
      case 7: node.numbers[name] = fields.filter { $0.field == 8 }.map { Int($0.number) }
      default: Issue.record("the attribute \(name) of \(node.operation)")
      }
    }
    return node
  }

  private static func constant(_ bytes: ArraySlice<UInt8>) throws -> (String, ONNXArray) {
    let fields = try WireField.fields(bytes)
    let data = Data(try #require(fields.first { $0.field == 9 }).bytes)
    let shape = fields.filter { $0.field == 1 }.map { Int($0.number) }
    let values: [Double] = try data.withUnsafeBytes { raw in
      switch try #require(fields.first { $0.field == 2 }).number {
      case 1:
        (0..<raw.count / 4).map { Double(raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
      case 7:
        (0..<raw.count / 8).map { Double(raw.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
      default: (0..<raw.count / 8).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
      }
    }
    try #require(values.count == shape.reduce(1, *))
    return (try #require(fields.first { $0.field == 8 }).text, ONNXArray(shape, values))
  }
}

/// An array of binary64 numbers in row-major order.
struct ONNXArray {
  var shape: [Int]
  var values: [Double]

  init(_ shape: [Int], _ values: [Double]) { (self.shape, self.values) = (shape, values) }

  /// The values as integers: a shape, places.
  var integers: [Int] { values.map { Int($0) } }
}
