// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages

/// A way to lay features out, by its name: `pca`, `random`, or `tsne:` with a metric.
public struct Representation: Sendable, Equatable, CustomStringConvertible {
  /// What gives features their positions.
  public let method: LayoutMethod
  /// t-SNE's metric.
  public let metric: FeatureMetric

  /// A representation.
  public init(method: LayoutMethod, metric: FeatureMetric = .euclidean) {
    (self.method, self.metric) = (method, metric)
  }

  /// Such as `tsne:correlation`.
  public var description: String {
    method == .tsne ? "\(method.rawValue):\(metric.rawValue)" : method.rawValue
  }

  /// Representations by their names, separated by commas; `tsne` alone is Euclidean.
  ///
  /// - Throws: `TesseraError` for a name that does not exist or comes twice.
  public static func list(_ text: String) throws -> [Representation] {
    let found = try text.split(separator: ",", omittingEmptySubsequences: false).map {
      name -> Representation in
      let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let method = try LayoutMethod(named: parts[0], for: "representations")
      guard parts.count == 2 else { return Representation(method: method) }
      guard method == .tsne else {
        throw TesseraError.input("representations", found: String(name), wanted: "\(method.rawValue) alone")
      }
      return Representation(
        method: method, metric: try FeatureMetric(named: parts[1], for: "representations"))
    }
    for (at, one) in found.enumerated() where found.prefix(at).contains(one) {
      throw TesseraError.input("representations", found: "\(one) twice", wanted: "each once")
    }
    return found
  }
}

/// What the channels of an image show.
public enum ImageChannels: String, NamedOption {
  /// One channel of all features.
  case grey
  /// A channel for each hidden state of the encoder, each with a layout of its own: a grid for a sixth of
  /// the features (of six states) leaves most of them a pixel to themselves, where on a shared grid, masked
  /// by state, they would crowd as in the grey image; and t-SNE of six parts takes a sixth of the time of
  /// t-SNE of them all.
  case layer
  /// Several representations of all features.
  case several
}
