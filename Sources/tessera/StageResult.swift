// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraPipeline
import TesseraText
import TesseraVision

/// What `embed --json`, `layout --json`, `render --json` and `train --json` print: the file, its fingerprint, and what
/// was found on the way.
struct StageResult<Found: Encodable>: Encodable {
  /// The layout of this object.
  let version = 1
  /// The file that was written.
  let file: String
  /// The SHA-256 that the text tells.
  let fingerprint: String
  /// What was found, whose fields are the object's.
  let found: Found
  /// Where was computed, by which program.
  let computed: ComputedBy

  private enum CodingKeys: String, CodingKey {
    case version, file, fingerprint
  }

  /// Writes one object.
  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(version, forKey: .version)
    try values.encode(file, forKey: .file)
    try values.encode(fingerprint, forKey: .fingerprint)
    try found.encode(to: encoder)
    try computed.encode(to: encoder)
  }
}

/// What `embed` found.
struct EmbeddedTexts: Encodable {
  /// What the reviews hold, and the fingerprint of their rows.
  let data: DataSummary, dataFingerprint: String
  /// Texts that are longer than the encoder takes, and features of each text.
  let cut: Int, features: Int
  /// The hidden states, what stands for a text, and what linear layers are sums of
  /// (by name, also fp32's: a file would leave those out).
  let states: [Int], pooling: SentencePooling, products: String
}

/// What `layout` found.
struct LaidOut: Encodable {
  /// Pixels of a side.
  let side: Int
  /// The images' channels.
  let channels: [RunSummary.Channel]
  /// How many rows are for what.
  let training: Int, validation: Int, test: Int
}

/// What `render` made.
struct RenderedImages: Encodable {
  /// Images, pixels of a side, channels.
  let images: Int, pixels: Int, channels: Int
  /// The classes.
  let classes: [String]
  /// How many rows are for what.
  let training: Int, validation: Int, test: Int
}

/// What `train` made.
struct TrainedNetwork: Encodable {
  /// The classes.
  let classes: [String]
  /// The epochs with the digests of their states, and what those of this call gave and how long they took.
  let history: [EpochRecord], epochs: [EpochFigures]
  /// The epoch that was kept; nil if none was run.
  let keptEpoch: Int?
  /// Whether the network is its linear path alone, to which the CNN added nothing.
  let linearPathAlone: Bool
}
