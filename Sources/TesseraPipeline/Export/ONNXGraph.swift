// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A graph of ONNX as it is built: nodes, constants, inputs and outputs (onnx/onnx.proto; github.com/onnx/onnx,
/// "ONNX IR"). What is needed of the format is small enough to write by hand.
struct ONNXGraph {
  /// The version of the format's messages, and of the operators.
  static let irVersion: Int64 = 8, operators: Int64 = 17

  /// The types of elements that are used, by their numbers in the format.
  enum Element: Int64 {
    case float32 = 1, int64 = 7, float64 = 11
  }

  /// An attribute of a node.
  enum Attribute {
    case int(Int), ints([Int]), float(Float), text(String)
  }

  private var nodes: [ProtobufMessage] = [], constants: [ProtobufMessage] = []
  private var inputs: [ProtobufMessage] = [], outputs: [ProtobufMessage] = []
  private var names: Set<String> = []
  /// Bytes of the constants.
  private(set) var constantBytes = 0

  /// A name that no other value has.
  private mutating func unused(_ name: String) -> String {
    var candidate = name, number = 2
    while !names.insert(candidate).inserted {
      candidate = "\(name)_\(number)"
      number += 1
    }
    return candidate
  }

  /// Adds a node of one output.
  ///
  /// - Parameters:
  ///   - operation: the operator, such as `Conv`.
  ///   - inputs: names of values.
  ///   - name: what its output is called, if no other value is.
  ///   - attributes: by name.
  /// - Returns: the output's name.
  mutating func node(
    _ operation: String, _ inputs: [String], name: String? = nil,
    _ attributes: [(String, Attribute)] = []
  ) -> String {
    let output = unused(name ?? operation.lowercased())
    var node = ProtobufMessage()
    for input in inputs { node.add(1, input) }
    node.add(2, output)
    node.add(3, output)
    node.add(4, operation)
    for (name, attribute) in attributes { node.add(5, Self.message(name, attribute)) }
    nodes.append(node)
    return output
  }

  private static func message(_ name: String, _ attribute: Attribute) -> ProtobufMessage {
    var message = ProtobufMessage()
    message.add(1, name)
    let type: Int64
    switch attribute {
    case .float(let value):
      message.add(2, value)
      type = 1
    case .int(let value):
      message.add(3, Int64(value))
      type = 2
    case .text(let value):
      message.add(4, value)
      type = 3
    case .ints(let values):
      for value in values { message.add(8, Int64(value)) }
      type = 7
    }
    message.add(20, type)
    return message
  }

  private mutating func constant(
    _ name: String, _ element: Element, _ shape: [Int], _ bytes: [UInt8]
  ) -> String {
    let name = unused(name)
    var tensor = ProtobufMessage()
    for extent in shape { tensor.add(1, Int64(extent)) }
    tensor.add(2, element.rawValue)
    tensor.add(8, name)
    tensor.add(9, bytes)
    constants.append(tensor)
    constantBytes += bytes.count
    return name
  }

  /// Adds a constant of binary32 numbers.
  mutating func floats(_ name: String, _ values: [Float], _ shape: [Int]) -> String {
    // The format's raw data are little-endian, as every host that this builds for is.
    constant(name, .float32, shape, values.withUnsafeBytes { Array($0) })
  }

  /// Adds a constant of binary64 numbers.
  mutating func doubles(_ name: String, _ values: [Double], _ shape: [Int]) -> String {
    constant(name, .float64, shape, values.withUnsafeBytes { Array($0) })
  }

  /// Adds a constant of integers.
  mutating func integers(_ name: String, _ values: [Int], _ shape: [Int]? = nil) -> String {
    constant(name, .int64, shape ?? [values.count], values.map { Int64($0) }.withUnsafeBytes { Array($0) })
  }

  /// Adds an input of (batch, columns).
  mutating func input(_ name: String, _ element: Element, columns: Int) -> String {
    inputs.append(Self.value(name, element, columns))
    names.insert(name)
    return name
  }

  /// Makes a value an output of (batch, columns).
  mutating func output(_ name: String, columns: Int) {
    outputs.append(Self.value(name, .float32, columns))
  }

  private static func value(_ name: String, _ element: Element, _ columns: Int) -> ProtobufMessage {
    var batch = ProtobufMessage(), width = ProtobufMessage(), shape = ProtobufMessage()
    batch.add(2, "batch")
    width.add(1, Int64(columns))
    shape.add(1, batch)
    shape.add(1, width)
    var tensor = ProtobufMessage(), type = ProtobufMessage(), value = ProtobufMessage()
    tensor.add(1, element.rawValue)
    tensor.add(2, shape)
    type.add(1, tensor)
    value.add(1, name)
    value.add(2, type)
    return value
  }

  /// The model's file.
  ///
  /// - Parameters:
  ///   - name: the graph's name.
  ///   - note: what it says of itself.
  ///   - metadata: what else it tells, by key.
  func model(_ name: String, note: String, metadata: [(String, String)]) -> [UInt8] {
    var graph = ProtobufMessage()
    for node in nodes { graph.add(1, node) }
    graph.add(2, name)
    for constant in constants { graph.add(5, constant) }
    graph.add(10, note)
    for input in inputs { graph.add(11, input) }
    for output in outputs { graph.add(12, output) }
    var operators = ProtobufMessage(), model = ProtobufMessage()
    operators.add(1, "")
    operators.add(2, Self.operators)
    model.add(1, Self.irVersion)
    model.add(2, "tessera")
    model.add(3, tesseraVersion)
    model.add(7, graph)
    model.add(8, operators)
    for (key, value) in metadata {
      var entry = ProtobufMessage()
      entry.add(1, key)
      entry.add(2, value)
      model.add(14, entry)
    }
    return model.bytes
  }
}
