// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What follows the slice.
public enum Head: String, NamedOption {
  /// The paper's: convolutions, pooling, linear layers with dropout, as the architecture has them.
  case paper
  /// Batch norm and one linear layer on all of the slice's output, nothing pooled.
  case linear
}

/// What of a network is fitted before the first step.
public enum NetworkStart: String, NamedOption {
  /// The linear path, if there is one: a logistic regression of the pixels.
  case path
  /// The linear path, if there is one, and the layer of a linear head together: one logistic regression of the
  /// pixels and of all that the frozen slice makes of them.
  case joint
}

/// What a network has besides its architecture.
public struct NetworkOptions: Sendable, Equatable, Codable {
  /// The factor of the nearest upsampling in front of the slice; the official code's is 3.
  public var upsampling = 3
  /// What follows the slice.
  public var head = Head.paper
  /// Whether a linear layer leads from the pixels around slice and head to the logits. It is fitted before
  /// training, as a logistic regression, and stays: the network learns what it leaves over.
  public var bypass = false
  /// What is fitted before the first step.
  public var start = NetworkStart.path
  /// What the sums of linear layers and convolutions are, in training and after it: fp32 numbers, or exact integers.
  /// A model has the bits of its own products.
  public var products = Products.fp32

  /// The official code's network.
  public init() {}

  /// What a model's metadata say; files without them are of the official code's network.
  ///
  /// - Throws: `TesseraError` for an upsampling out of range or an unknown head.
  public init(_ file: TensorFile) throws {
    if let text = file.metadata["upsampling"] { upsampling = Int(text) ?? 0 }
    bypass = file.metadata["bypass"] == "true"
    start =
      try file.metadata["start"].map { try NetworkStart(named: $0, for: "\(file.path): start") } ?? start
    products =
      try file.metadata["products"].map { try Products(named: $0, for: "\(file.path): products") } ?? .fp32
    head = try file.metadata["head"].map { try Head(named: $0, for: "\(file.path): head") } ?? head
    try check()
  }

  private enum CodingKeys: String, CodingKey {
    case upsampling, head, bypass, start
    // Of a run's file, where `products` are the encoder's.
    case products = "networkProducts"
  }

  /// Reads what `encode(to:)` writes; a start that is not named is the usual one.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    upsampling = try fields.decode(Int.self, forKey: .upsampling)
    head = try fields.decode(Head.self, forKey: .head)
    bypass = try fields.decode(Bool.self, forKey: .bypass)
    start = try fields.decodeIfPresent(NetworkStart.self, forKey: .start) ?? start
    products = try fields.decode(Products.self, forKey: .products)
  }

  /// Writes the options; the usual start and products are not named, so that files are those of older versions.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(upsampling, forKey: .upsampling)
    try fields.encode(head, forKey: .head)
    try fields.encode(bypass, forKey: .bypass)
    try fields.encode(products, forKey: .products)
    if start != NetworkOptions().start { try fields.encode(start, forKey: .start) }
  }

  /// What differs from the official code's network, for a model's file.
  public var metadata: [String: String] {
    var metadata: [String: String] = [:]
    let usual = NetworkOptions()
    if upsampling != usual.upsampling { metadata["upsampling"] = "\(upsampling)" }
    if head != usual.head { metadata["head"] = head.rawValue }
    if bypass { metadata["bypass"] = "true" }
    if start != usual.start { metadata["start"] = start.rawValue }
    if products != usual.products { metadata["products"] = products.rawValue }
    return metadata
  }

  /// - Throws: `TesseraError` for a factor out of range.
  package func check() throws {
    guard (1...8).contains(upsampling) else {
      throw TesseraError.input("upsampling", found: "\(upsampling)", wanted: "1 to 8")
    }
    guard start == .path || head == .linear else {
      throw TesseraError.input(
        "start", found: "joint with the head \(head.rawValue)", wanted: "the linear head, which can be fitted"
      )
    }
  }
}
