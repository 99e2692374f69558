// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What follows the slice.
public enum Head: String, NamedOption {
  /// The paper's: convolutions, pooling, linear layers with dropout, as the architecture has them.
  case paper
  /// Batch norm and one linear layer on all of the slice's output, nothing pooled.
  case linear
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

  /// The official code's network.
  public init() {}

  /// What a model's metadata say; files without them are of the official code's network.
  ///
  /// - Throws: `TesseraError` for an upsampling out of range or an unknown head.
  public init(_ file: TensorFile) throws {
    if let text = file.metadata["upsampling"] { upsampling = Int(text) ?? 0 }
    bypass = file.metadata["bypass"] == "true"
    head = try file.metadata["head"].map { try Head(named: $0, for: "\(file.path): head") } ?? head
    try check()
  }

  /// What differs from the official code's network, for a model's file.
  public var metadata: [String: String] {
    var metadata: [String: String] = [:]
    let usual = NetworkOptions()
    if upsampling != usual.upsampling { metadata["upsampling"] = "\(upsampling)" }
    if head != usual.head { metadata["head"] = head.rawValue }
    if bypass { metadata["bypass"] = "true" }
    return metadata
  }

  /// - Throws: `TesseraError` for a factor out of range.
  package func check() throws {
    guard (1...8).contains(upsampling) else {
      throw TesseraError.input("upsampling", found: "\(upsampling)", wanted: "1 to 8")
    }
  }
}
