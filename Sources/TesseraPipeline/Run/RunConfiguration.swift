// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraImages
import TesseraText
import TesseraVision

/// Everything that decides the result of a run. What is not set is as the official code has it, and as older versions of
/// Tessera had it, whose files do not name everything; the command line's default recipe sets more.
///
/// Device, threads and batch of the embedding are left out: they change no bit.
public struct RunConfiguration: Codable, Sendable, Equatable {
  /// The layout of a run's folder that this program writes, and the latest that it reads.
  public static let currentVersion = 1
  /// The layout of the run's folder (1 where older versions of Tessera say nothing).
  public private(set) var version = RunConfiguration.currentVersion
  /// Files: reviews, reviews to test on (nil: a share of the former), encoder folder, weights of the slice (nil: drawn
  /// by seed).
  public var data: String, test: String?, encoder: String, weights: String?
  /// Column names; nil looks for well-known ones.
  public var textColumn: String?, labelColumn: String?
  /// How the files of reviews are read: quotes, separator, encoding, whether there is a header, and what labels stand for.
  public var quotes = "auto", separator = "auto", encoding = "auto", header = true, labels = ""
  /// Hidden states, first and last, and how a text's tokens become one vector.
  public var firstState: Int?, lastState: Int?, pooling = "cls"
  /// The network, how pixels are standardised, what becomes of the slice, and whether scaler and layout see the
  /// validation rows.
  public var model = "efficientnet_lite0", normalization = "global", slice = "frozen", seesValidation = false
  /// Pixels a side (0: as few as give every feature one), how places become pixels, t-SNE's perplexity and iterations.
  public var pixels = 50, discretization = "bin", perplexity: Float = 30, iterations = 1000
  /// What gives features their places, t-SNE's metric, its start, and its learning rate ("auto" follows the number of
  /// features).
  public var layout = "tsne", metric = "euclidean", tsneStart = "random", tsneLearningRate = "200"
  /// The most features that t-SNE lays out with the affinities of all pairs; older versions took no more of them.
  public var tsneExactLimit = TSNE.mostExact
  /// What the images' channels show, and the representations of several channels.
  public var channels = "grey", representations: String?
  /// Epochs, rows a step, seed.
  public var epochs = 15, batch = 32, seed: UInt64 = 1701
  /// Learning rates; the model's if nil. L2 penalty.
  public var convolutionRate: Float?, classifierRate: Float?, weightDecay: Float = 0
  /// The slice's learning rate if it is trained; schedule of the rates; label smoothing; epochs to wait for a better one.
  public var sliceRate: Float?, schedule = "constant", labelSmoothing: Float = 0, patience: Int?
  /// Whether the official code's hidden states are taken where none are chosen (6...11 of 12).
  public var paperStates = false
  /// What follows the slice: the paper's head, or one linear layer.
  public var head = "paper"
  /// The factor of the upsampling, whether a linear path leads around slice and head, noise on the pixels in training.
  public var upsampling = 3, bypass = false, noise: Float = 0
  /// How often the network is trained, by seeds that follow each other, for the mean accuracy and its interval.
  public var repeats = 1
  /// The most repeats that make sense, and that are looked for.
  public static let mostRepeats = 1000
  /// Shares of the rows for validation and, without test data, for the test.
  public var validationShare = 0.2, testShare = 0.2
  /// How many of the training rows are used; nil: all.
  public var trainingRows: Int?

  /// A configuration with the default recipe.
  public init(data: String, encoder: String) {
    self.data = data
    self.encoder = encoder
  }

  /// The network.
  public func architecture() throws -> Architecture {
    guard let architecture = Architecture(rawValue: model) else {
      throw TesseraError.input(
        "model", found: model, wanted: Architecture.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return architecture
  }

  /// How places become pixels.
  public func discretizationMethod() throws -> Discretization {
    guard let value = Discretization(rawValue: discretization) else {
      throw TesseraError.input("discretization", found: discretization, wanted: "bin, qtb or lsa")
    }
    return value
  }

  /// The pooling of tokens.
  public func tokenPooling() throws -> Pooling {
    guard let value = Pooling(rawValue: pooling) else {
      throw TesseraError.input("pooling", found: pooling, wanted: "cls or mean")
    }
    return value
  }

  /// The standardisation of pixels.
  public func imageNormalization() throws -> ImageNormalization {
    guard let value = ImageNormalization(rawValue: normalization) else {
      throw TesseraError.input(
        "normalization", found: normalization,
        wanted: ImageNormalization.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
  }

  /// What becomes of the slice in training.
  public func sliceMode() throws -> SliceMode {
    guard let value = SliceMode(rawValue: slice) else {
      throw TesseraError.input("slice", found: slice, wanted: "frozen, moving or trainable")
    }
    return value
  }

  /// The schedule of the learning rates.
  public func learningSchedule() throws -> Schedule {
    guard let value = Schedule(rawValue: schedule) else {
      throw TesseraError.input("schedule", found: schedule, wanted: "constant or linear")
    }
    return value
  }

  /// The hidden states of an encoder: all but the embedding layer's unless chosen.
  public func states(layers: Int) throws -> ClosedRange<Int> {
    let paper = paperStates && layers == 12
    let (first, last) = (firstState ?? (paper ? 6 : min(1, layers)), lastState ?? (paper ? 11 : layers))
    guard first >= 0, first <= last, last <= layers else {
      throw TesseraError.input(
        "layers", found: "\(first)...\(last)", wanted: "hidden states within 0...\(layers)")
    }
    return first...last
  }

  /// Writes the configuration as JSON.
  public func write(to path: String) throws { try AtomicFile.write(try encoded(), to: path) }

  /// The configuration as JSON with sorted keys.
  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Reads a run's configuration. What an older version of Tessera did not know has its default.
  ///
  /// - Throws: `TesseraError` for what is no configuration, or one of a later Tessera.
  public static func read(_ path: String) throws -> RunConfiguration {
    let data = try InputFile.read(
      path, wanted: "a run's configuration (made by tessera run)", atMost: InputFile.Limit.configuration)
    try checkVersion(path)
    do {
      let defaults = try JSONEncoder().encode(RunConfiguration(data: "", encoder: ""))
      var fields = try JSONSerialization.jsonObject(with: defaults) as? [String: Any] ?? [:]
      let found = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
      // What every version has written has no default.
      for name in ["data", "encoder"] { fields[name] = nil }
      fields.merge(found) { $1 }
      return try JSONDecoder().decode(
        RunConfiguration.self, from: try JSONSerialization.data(withJSONObject: fields))
    } catch {
      throw TesseraError.input(
        path, found: "a configuration that cannot be read", wanted: "what tessera run writes")
    }
  }

  /// Throws if a folder holds a run of a later Tessera, which this one would misread or spoil; what cannot be read at all is
  /// left to the caller.
  static func checkVersion(_ path: String) throws {
    let data = InputFile.readIfThere(path) ?? Data()
    let fields = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    guard let found = fields?["version"] else { return }
    let version = (found as? NSNumber).flatMap { Int(exactly: $0.doubleValue) }
    guard let version, (1...currentVersion).contains(version) else {
      throw TesseraError.input(
        path, found: "a run of version \(version.map { "\($0)" } ?? "unknown")",
        wanted: "1 to \(currentVersion), this program's")
    }
  }
}
