// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// A network in evaluation mode on the devices of other ranks: the slice's output of images, and class
/// probabilities.
public final class NetworkWork: AssistedWork {
  /// The name of the kind.
  public static let kind = "network"
  private let networks: [ImageClassifier]

  /// What is wanted of images.
  enum Wanted: Int {
    case features, logProbabilities
  }

  /// The network on the devices of this rank.
  public init(_ content: Payload, devices: DeviceGroup, _ communicator: any Communicator) throws {
    var reader = MessageReader(content)
    let message = try reader.json(NetworkMessage.self)
    let values = try reader.arrays()
    networks = try devices.all.map { device in
      try devices.naming(device) {
        let network = try message.network(on: device)
        try device.upload(values, to: network.state.map(\.tensor))
        return network
      }
    }
  }

  /// What is wanted of some images.
  public func part(_ content: Payload, device: Int) throws -> Payload {
    var reader = MessageReader(content)
    guard let wanted = Wanted(rawValue: try reader.int()) else {
      throw TesseraError.failure("network", found: "an unknown wish", wanted: "a known one")
    }
    let (images, network) = (try reader.floats(), networks[device])
    let values: [Float]
    switch wanted {
    // A batch that is standardised as a whole must stay one.
    case .logProbabilities: values = try network.logProbabilities(of: images[...])
    case .features:
      let area = network.channels * network.pixels * network.pixels
      values = try splittingOnOutOfMemory(0..<images.count / area) { rows in
        let part = images[rows.lowerBound * area..<rows.upperBound * area]
        return try network.device.floats(try network.features(of: part))
      }
    }
    var writer = MessageWriter()
    writer.add(values)
    return writer.payload
  }

  /// Puts a network with its weights of now on the devices of other ranks.
  static func share(_ network: ImageClassifier, with team: RankTeam) throws -> SharedModel {
    var writer = MessageWriter()
    try writer.add(json: NetworkMessage(network))
    try writer.add(network.state.map(\.tensor), on: network.device)
    return try SharedModel(team, kind: kind, writer.payload)
  }

  /// Images as a message.
  static func part(_ wanted: Wanted, _ images: [Float]) -> Payload {
    var writer = MessageWriter()
    writer.add(wanted.rawValue)
    writer.add(images)
    return writer.payload
  }

  /// The numbers of an answer.
  static func values(_ answer: Payload) throws -> [Float] {
    var reader = MessageReader(answer)
    return try reader.floats()
  }
}
