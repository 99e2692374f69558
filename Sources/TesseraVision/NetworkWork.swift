// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// A network in evaluation mode on the devices of other ranks: the slice's output of images, and class
/// probabilities.
package final class NetworkWork: AssistedWork {
  /// The name of the kind.
  package static let kind = "network"
  private let networks: [ImageClassifier]
  private let communicator: any Communicator
  /// What this rank keeps of the slice's output; made with the first chunk.
  private let kept = Locked<KeptChunks?>(nil)

  /// The network on the devices of this rank.
  package init(_ content: Payload, devices: DeviceGroup, _ communicator: any Communicator) throws {
    var reader = MessageReader(content)
    let message = try reader.json(NetworkMessage.self)
    let values = try reader.arrays()
    self.communicator = communicator
    networks = try devices.all.map { device in
      try devices.naming(device) {
        let network = try message.network(on: device)
        try device.upload(values, to: network.state.map(\.tensor))
        return network
      }
    }
  }

  /// Class probabilities of images, or the slice's output, which is kept here.
  package func part(_ content: Payload, device: Int) throws -> Payload {
    var reader = MessageReader(content)
    let (first, chunk) = (try reader.int(), try reader.int())
    let (images, network) = (try reader.floats(), networks[device])
    var writer = MessageWriter()
    if chunk == 0 {
      // A batch may be standardised as a whole: it stays one.
      writer.add(try network.logProbabilities(of: images[...]))
      return writer.payload
    }
    let area = network.channels * network.pixels * network.pixels
    _ = try splittingOnOutOfMemory(0..<images.count / area) { rows in
      let features = try network.features(of: images[rows.lowerBound * area..<rows.upperBound * area])
      chunks(rowSize: features.count / rows.count, chunk).keep(
        try network.device.floats(features), from: first + rows.lowerBound)
      return [0]
    }
    writer.add(communicator.rank)
    return writer.payload
  }

  private func chunks(rowSize: Int, _ chunk: Int) -> KeptChunks {
    kept.withLock { kept in
      let chunks = kept ?? KeptChunks(rowSize: rowSize, chunk: chunk)
      kept = chunks
      return chunks
    }
  }

  /// Sends kept rows to a rank.
  package func told(_ content: Payload) throws -> Payload? {
    var reader = MessageReader(content)
    let (rank, rows) = (try reader.int(), try reader.ints().map { Int($0) })
    guard let kept = kept.withLock({ $0 }) else {
      throw TesseraError.failure("features of the slice", found: "none", wanted: "rows that are kept here")
    }
    try communicator.send(try kept.message(rows), to: rank, .rows)
    return nil
  }

  /// Puts a network with its weights of now on the devices of other ranks.
  static func share(_ network: ImageClassifier, with team: RankTeam) throws -> SharedModel {
    var writer = MessageWriter()
    try writer.add(json: NetworkMessage(network))
    try writer.add(network.state.map(\.tensor), on: network.device)
    return try SharedModel(team, kind: kind, writer.payload)
  }

  /// Images of which class probabilities are wanted.
  static func predicting(_ images: [Float]) -> Payload { keeping(images, from: 0, chunk: 0) }

  /// Images of which the slice's output is kept, from a row on, in chunks of so many rows.
  static func keeping(_ images: [Float], from row: Int, chunk: Int) -> Payload {
    var writer = MessageWriter()
    writer.add(row)
    writer.add(chunk)
    writer.add(images)
    return writer.payload
  }

  /// Rows that are to be sent to a rank.
  static func giving(_ rows: [Int], to rank: Int) -> Payload {
    var writer = MessageWriter()
    writer.add(rank)
    writer.add(rows.map { Int32($0) })
    return writer.payload
  }

  /// The rank that keeps a chunk, of its answer.
  static func keeper(_ answer: Payload) throws -> Int {
    var reader = MessageReader(answer)
    return try reader.int()
  }

  /// The numbers of an answer.
  static func values(_ answer: Payload) throws -> [Float] {
    var reader = MessageReader(answer)
    return try reader.floats()
  }
}
