// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraAssets
import TesseraCompute
import TesseraPipeline

/// Reviews that a run is made of, if it is not of a table.
struct RunDataOptions: ParsableArguments {
  @Option(help: DataOptions.help)
  var data: String?
  @OptionGroup(title: "Data") var rows: LabelOptions
}

/// The encoder of a run's reviews.
struct RunEncoderOptions: ParsableArguments {
  @Option(help: EncoderOptions.help)
  var encoder: String?
  @OptionGroup(title: "Encoder") var taken: EmbeddingArguments
}

/// What a run is made of.
extension Run {
  /// The rows and what makes features of them: reviews with an encoder, or a table.
  ///
  /// - Throws: `TesseraError` for both or neither, and for options of the one with the other.
  func source() throws -> RunConfiguration {
    func refused(_ name: String, _ found: String, _ wanted: String) -> TesseraError {
      .input(name, found: found, wanted: wanted)
    }
    guard let features = table.features else {
      if let name = table.givenAlone {
        throw refused(name, "an option of a table without one", "--features with it")
      }
      guard let data = data.data else { throw refused("run", "neither --data nor --features", "one of them") }
      guard let folder = encoder.encoder else {
        throw refused("encoder", "none for the texts of --data", "an encoder's folder")
      }
      let assets = AssetStore.standard
      var c = RunConfiguration(
        data: try assets.path(of: data, option: "data"),
        encoder: try assets.path(of: folder, option: "encoder"))
      c.embedding = try encoder.taken.options(recipe)
      return c
    }
    let idle = [
      ("data", data.data != nil), ("encoder", encoder.encoder != nil), ("embeddings-of", embeddingsOf != nil),
      ("text-column", data.rows.file.textColumn != nil),
    ]
    if let name = encoder.taken.given ?? idle.first(where: \.1)?.0 {
      throw refused(name, "an option of texts with --features", "none (leave it out)")
    }
    var c = RunConfiguration(table: features, table.options)
    c.embedding = try encoder.taken.options(recipe)
    return c
  }
}
