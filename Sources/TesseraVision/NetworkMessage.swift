// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraNN

/// A network as it travels to other ranks: what it is, and its weights of now.
struct NetworkMessage: Codable {
  let architecture: Architecture
  let classes: Int, pixels: Int, channels: Int
  let standardizesBatches: Bool
  let options: NetworkOptions

  /// What a network is.
  init(_ network: ImageClassifier) {
    (architecture, classes) = (network.architecture, network.classes)
    (pixels, channels) = (network.pixels, network.channels)
    (standardizesBatches, options) = (network.standardizesBatches, network.options)
  }

  /// The same network on a device, with weights drawn by seed.
  func network(on device: any Backend) throws -> ImageClassifier {
    let network = try ImageClassifier(
      architecture, classes: classes, pixels: pixels, channels: channels, options: options, seed: 0,
      device: device)
    network.standardizesBatches = standardizesBatches
    return network
  }
}

extension MessageWriter {
  /// Adds a value as JSON.
  mutating func add(json value: some Encodable) throws {
    add(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
  }

  /// Adds the values of tensors.
  mutating func add(_ tensors: [Tensor], on device: any Backend) throws {
    add(tensors.count)
    for tensor in tensors { add(try device.floats(tensor)) }
  }
}

extension MessageReader {
  /// The next value, of JSON.
  mutating func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(try text().utf8))
  }

  /// Arrays of floats with their number.
  mutating func arrays() throws -> [[Float]] { try (0..<(try int())).map { _ in try floats() } }
}

extension Backend {
  /// Writes values into tensors of as many elements.
  func upload(_ values: [[Float]], to tensors: [Tensor]) throws {
    guard values.map(\.count) == tensors.map(\.count) else {
      throw TesseraError.failure(
        "weights from the leader", found: "\(values.count) arrays",
        wanted: "\(tensors.count) of known lengths")
    }
    for (values, tensor) in zip(values, tensors) {
      try values.withUnsafeBytes { try upload($0, to: tensor, offset: 0) }
    }
  }
}
