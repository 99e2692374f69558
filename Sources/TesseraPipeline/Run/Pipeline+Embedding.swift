// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraText

extension Pipeline {
  /// Makes the features of rows: of a table its columns, of texts what an encoder makes of them.
  func features(
    _ rows: any LabelledRows, _ file: String, _ stage: String, _ encoderPrint: String?
  ) throws -> (fingerprint: String, ran: Bool) {
    if let table = rows as? NumberTable, let options = configuration.table {
      return try features(table, file, stage, options)
    }
    guard let texts = rows as? DataSet, let encoderPrint else {
      throw TesseraError.failure(stage, found: "rows of another kind", wanted: "texts, or a table")
    }
    return try embed(texts, file, stage, encoderPrint)
  }

  /// Makes the embeddings of reviews: takes them from another run that has them, or embeds.
  private func embed(
    _ data: DataSet, _ file: String, _ stage: String, _ encoderPrint: String
  ) throws -> (fingerprint: String, ran: Bool) {
    let wanted = try wanted(stage, data, encoderPrint)
    let partial = folder.file(file + EmbeddingJournal.ending)
    let result = try folder.stage(
      stage, inputs: wanted.inputs,
      parameters: ["layers": "\(wanted.states)", "pooling": wanted.pooling.rawValue]
        .merging(wanted.products.parameters) { $1 },
      outputs: [file]
    ) {
      if let source = embedding.run {
        let other = EmbeddingSource(folder: source)
        if let taken = try other.embeddings(wanted) {
          let cut = try other.cut(stage, of: data.texts.count)
          try tellCut(cut.texts, of: cut.total, at: cut.tokens, stage)
          progress.note("\(stage): taken from \(source)")
          return try taken.write(to: folder.file(file))
        }
        progress.note("\(stage): \(source) has none of these reviews; they are embedded")
      }
      return try embed(data, wanted, encoderPrint).write(to: folder.file(file))
    }
    // The stage has its record now: rows that were kept on the way are in its file.
    unlink(partial)
    if !result.ran { tellKeptCut(stage) }
    return result
  }

  /// Looks whether the run that embeddings are to be taken from has them, before anything is written.
  func checkSource(_ rows: any LabelledRows, encoder: String?) throws {
    guard let source = embedding.run else { return }
    guard let data = rows as? DataSet, let encoder else {
      throw TesseraError.input(
        "embeddings-of", found: "\(source) for a table, which is not embedded", wanted: "none (leave it out)")
    }
    _ = try EmbeddingSource(folder: source).record(try wanted("embeddings", data, encoder))
  }

  private func wanted(_ stage: String, _ data: DataSet, _ encoder: String) throws -> EmbeddingSource.Wanted {
    let layers = try EncoderFolder(configuration.encoder).configuration().layers
    return .init(
      stage: stage, inputs: ["data": data.fingerprint, "encoder": encoder],
      states: try configuration.embedding.states(layers: layers), pooling: configuration.embedding.pooling,
      products: configuration.embedding.products, kernels: devices.kernelSources)
  }

  private func embed(
    _ data: DataSet, _ wanted: EmbeddingSource.Wanted, _ encoderPrint: String
  ) throws -> Embeddings {
    let file = wanted.stage == "embeddings" ? Files.embeddings : Files.testEmbeddings
    progress.begin("reading the encoder")
    let encoder = try TransformerEncoder(
      folder: configuration.encoder, devices: devices, products: wanted.products)
    for note in encoder.notes { progress.note("warning: \(note)") }
    // What one stage has told, another need not.
    if file == Files.embeddings { encoder.weightNotes.forEach(progress.note) }
    progress.begin("embedding \(data.texts.count) reviews")
    let result = try Embeddings.make(
      data,
      by: Embedder(
        encoder, states: wanted.states, pooling: wanted.pooling, batch: embedding.batch),
      journal: EmbeddingJournal(
        folder.file(file + EmbeddingJournal.ending), data: data,
        encoder: encoderPrint, configuration.embedding,
        kernels: wanted.kernels),
      progress: { progress.update("embedding", done: $0, of: data.texts.count, unit: "reviews") },
      cut: { try tellCut($0, of: data.texts.count, at: $1, wanted.stage) })
    try requireFinite(file, result.features, columns: result.columns)
    return result
  }
}
