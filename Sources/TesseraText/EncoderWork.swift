// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Embedding on the devices of other ranks: they get the encoder's weights once, and then texts as token ids.
package final class EncoderWork: AssistedWork {
  /// The name of the kind.
  package static let kind = "encoder"
  private let encoders: [EncoderOnDevice]

  /// The encoder on the devices of this rank.
  package init(_ content: Payload, devices: DeviceGroup, _ communicator: any Communicator) throws {
    var reader = MessageReader(content)
    let settings = try reader.text()
    let products = try Products(named: try reader.text(), for: "products")
    let weights = try reader.nested()
    encoders = try Self.inFolder { folder in
      let (config, file) = (folder + "/config.json", folder + "/model.safetensors")
      try AtomicFile.write(Data(settings.utf8), to: config)
      try weights.withBytes { bytes in
        let output = try AtomicFile(file)
        try output.write(bytes)
        try output.commit()
      }
      let configuration = try EncoderConfiguration(file: config)
      let tensors = try EncoderTensors(configuration).select(from: try TensorFile.open(file)).selection
      return try devices.all.map { device in
        try devices.naming(device) {
          try EncoderOnDevice(tensors, configuration, device: device, products: products)
        }
      }
    }
  }

  /// What stands for each text of a batch.
  package func part(_ content: Payload, device: Int) throws -> Payload {
    var reader = MessageReader(content)
    let (lower, upper) = (try reader.int(), try reader.int())
    let pooling = try SentencePooling(named: try reader.text(), for: "pooling")
    let batch = try (0..<(try reader.int())).map { _ in try reader.ints() }
    guard 0 <= lower, lower <= upper else {
      throw TesseraError.failure("embedding", found: "states \(lower)...\(upper)", wanted: "a span")
    }
    let encoder = encoders[device]
    let parts = try splittingOnOutOfMemory(batch) { texts in
      [(texts.count, try encoder.pooledStates(Array(texts), lower...upper, pooling))]
    }
    var writer = MessageWriter()
    writer.add(parts.count)
    for (count, vectors) in parts {
      writer.add(count)
      writer.add(vectors.count)
      vectors.forEach { writer.add($0) }
    }
    return writer.payload
  }

  /// Puts an encoder on the devices of other ranks.
  static func share(
    _ tensors: TensorSelection, _ c: EncoderConfiguration, settings: String, _ products: Products,
    with team: RankTeam
  ) throws -> SharedModel {
    let weights = try inFolder { folder in
      var writer = SafetensorsWriter()
      for wanted in EncoderTensors(c).wanted {
        let shape = try tensors.file.shape(tensors.name(wanted.name))
        writer.add(
          wanted.name, try tensors.file.weights(tensors.name(wanted.name), shape: shape), shape: shape)
      }
      let file = folder + "/model.safetensors"
      _ = try writer.write(to: file)
      return try InputFile.readAny(file, wanted: "weights", atMost: InputFile.Limit.tensors, mapped: true)
        .withUnsafeBytes { Payload(copying: $0) }
    }
    var writer = MessageWriter()
    writer.add(settings)
    writer.add(products.rawValue)
    writer.add(weights)
    return try SharedModel(team, kind: kind, writer.payload)
  }

  /// A batch of texts as a message.
  static func part(_ texts: [[Int32]], _ states: ClosedRange<Int>, _ pooling: SentencePooling) -> Payload {
    var writer = MessageWriter()
    writer.add(states.lowerBound)
    writer.add(states.upperBound)
    writer.add(pooling.rawValue)
    writer.add(texts.count)
    texts.forEach { writer.add($0) }
    return writer.payload
  }

  /// The vectors of an answer, for as many texts as each entry says.
  static func vectors(_ answer: Payload) throws -> [(texts: Int, vectors: [[Float]])] {
    var reader = MessageReader(answer)
    return try (0..<(try reader.int())).map { _ in
      let texts = try reader.int()
      return (texts, try (0..<(try reader.int())).map { _ in try reader.floats() })
    }
  }

  /// Runs a body with a folder of its own that is gone afterwards; what is mapped of it stays.
  private static func inFolder<R>(_ body: (String) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.path + "/tessera-\(getpid())-\(UUID().uuidString)"
    try OutputFolder.make(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }
}
