import Foundation
import TesseraCompute

/// What represents a text: the [CLS] token's vector or the mean over its tokens.
public enum Pooling: String, Sendable, CaseIterable {
  case cls, mean
}

/// An encoder of the BERT family (`EncoderFamily`) in evaluation mode.
///
/// Texts of a batch are packed one after the other without padding: linear layers run over all tokens, attention
/// over each text alone. What else is in the batch cannot change a text's bits.
public final class TransformerEncoder: Sendable {
  /// The family and the extents.
  public let configuration: EncoderConfiguration
  /// The tokenizer that goes with it.
  public let tokenizer: WordPieceTokenizer
  /// The weights on each device that embeds.
  let copies: PerDevice<EncoderOnDevice>

  /// Reads `config.json`, `vocab.txt` and `model.safetensors` (or `pytorch_model.bin`) of a folder.
  ///
  /// - Parameter devices: those that embed; each gets the weights once.
  /// - Throws: `TesseraError` naming the file and tensor that does not fit.
  public init(folder: String, devices: DeviceGroup) throws {
    let root = URL(fileURLWithPath: folder)
    func path(_ name: String) -> String { root.appendingPathComponent(name).path }
    let c = try EncoderConfiguration(file: path("config.json"))
    tokenizer = try WordPieceTokenizer(vocabularyFile: path("vocab.txt"), family: c.family)
    guard tokenizer.count <= c.vocabulary else {
      throw TesseraError.input(
        path("vocab.txt"), found: "\(tokenizer.count) tokens",
        wanted: "at most the \(c.vocabulary) of config.json")
    }
    let names = ["model.safetensors", "pytorch_model.bin"]
    let name = names.first { FileManager.default.fileExists(atPath: path($0)) } ?? names[0]
    let file = try TensorFile.open(path(name))
    copies = try PerDevice(devices) { try EncoderOnDevice(file, c, device: $0) }
    configuration = c
  }

  /// The same on one device.
  public convenience init(folder: String, device: any Backend) throws {
    try self.init(folder: folder, devices: DeviceGroup(device))
  }
}
