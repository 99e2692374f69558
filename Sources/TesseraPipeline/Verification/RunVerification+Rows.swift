// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraText

extension RunVerification {
  /// Recomputes rows of embeddings and images, and stretches of the training.
  func recomputeRows(
    _ sample: RowSample, _ seed: UInt64, _ stretches: RowSample, _ certificate: inout RunCertificate
  ) throws {
    let encoder =
      configuration.table == nil
      ? try TransformerEncoder(
        folder: configuration.encoder, devices: devices, products: configuration.embedding.products) : nil
    if let encoder { try run.check(layers: encoder.configuration.layers) }
    certificate.difference = try versionDifference() ?? dataDifference()
    if certificate.difference != nil { return }
    for (number, stage) in RunStages.names(configuration).enumerated() {
      let found: (RunCertificate.Stage, RunCertificate.Difference?)
      switch stage {
      case "embeddings":
        found = try embeddingRows(stage, Pipeline.Files.embeddings, data, encoder) {
          try sample.drawn(of: $0, seed: seed, stream: UInt64(number))
        }
      case "test-embeddings":
        guard let test else { continue }
        found = try embeddingRows(stage, Pipeline.Files.testEmbeddings, test, encoder) {
          try sample.drawn(of: $0, seed: seed, stream: UInt64(number))
        }
      case "images":
        let stages = try images(sample, seed, stream: UInt64(number))
        certificate.stages += stages.map(\.0)
        certificate.difference = stages.lazy.compactMap(\.1).first
        if certificate.difference != nil { return }
        continue
      case "layout" where try run.isOlder(stage), "model" where try run.isOlder(stage),
        "evaluation" where try run.isOlder(stage):
        progress.note("\(stage): recorded by an older program, without what a sample is compared with")
        found = (.init(stage: stage, extent: .nothing), nil)
      case "layout":
        found = try layoutStretches {
          try stretches.drawn(of: $0, seed: seed, stream: UInt64(number))
        }
      case "evaluation":
        found = try predictionRows {
          try sample.drawn(of: $0, seed: seed, stream: UInt64(number))
        }
      case "model":
        found = try trainingStretches {
          try stretches.drawn(of: $0, seed: seed, stream: UInt64(number))
        }
      default: found = (.init(stage: stage, extent: .nothing), nil)
      }
      certificate.stages.append(found.0)
      certificate.difference = found.1
      if found.1 != nil { return }
    }
  }

  /// Makes some of the rows of features again; classes are compared in every row.
  private func embeddingRows(
    _ stage: String, _ file: String, _ set: any LabelledRows, _ encoder: TransformerEncoder?,
    draw: (Int) throws -> [Int]
  ) throws -> (RunCertificate.Stage, RunCertificate.Difference?) {
    let recorded = try Embeddings.read(run.checked(file))
    let report = Rows(stage: stage, file: file, total: set.count)
    guard recorded.labels.count == set.count else {
      return report.other(0, "\(recorded.labels.count) rows", "\(set.count)")
    }
    if let row = recorded.labels.indices.first(where: { recorded.labels[$0] != set.labels[$0] }) {
      return report.differs(0, "labels", [row], "\(recorded.labels[row])", "\(set.labels[row])")
    }
    let rows = try draw(set.count)
    if let table = set as? NumberTable { return try columns(stage, table, rows, recorded, report) }
    guard let set = set as? DataSet, let encoder else {
      throw TesseraError.failure(stage, found: "rows of another kind", wanted: "texts, or a table")
    }
    progress.begin("embedding \(rows.count) of \(set.texts.count) reviews again")
    let states = try configuration.embedding.states(layers: encoder.configuration.layers)
    let embedder = try Embedder(encoder, states: states, pooling: configuration.embedding.pooling)
    guard embedder.features == recorded.columns else {
      return report.other(0, "\(recorded.columns) features", "\(embedder.features)")
    }
    let features = try embedder.embed(
      rows.map { set.texts[$0] },
      progress: { progress.update("embedding", done: $0, of: rows.count, unit: "reviews") })
    return report.compare(rows, "features", columns: recorded.columns, recorded.features, features)
  }

  /// Fits a table's columns again and scales some of its rows.
  private func columns(
    _ stage: String, _ table: NumberTable, _ rows: [Int], _ recorded: Embeddings, _ report: Rows
  ) throws -> (RunCertificate.Stage, RunCertificate.Difference?) {
    guard let first = data as? NumberTable, let options = configuration.table else {
      throw TesseraError.failure(stage, found: "rows of another kind", wanted: "a table")
    }
    progress.begin("scaling \(rows.count) of \(table.count) rows again")
    let scaler = try ColumnScaler.fit(
      first, rows: try configuration.split(of: first.labels).training, scaling: options.scaling,
      missing: options.missing)
    let told = try TableFeatures.scaler(run.checked(Pipeline.Files.embeddings))
    if told != scaler {
      let column = scaler.names.indices.first { told.differs(from: scaler, at: $0) } ?? 0
      return report.differs(
        0, "column", [column], told.line(column), scaler.line(column))
    }
    guard scaler.names.count == recorded.columns else {
      return report.other(0, "\(recorded.columns) features", "\(scaler.names.count)")
    }
    return report.compare(
      rows, "features", columns: recorded.columns, recorded.features, try scaler.features(table, rows: rows))
  }

  /// Renders some of the rows again, of the run's reviews and of those that it tests on.
  private func images(
    _ sample: RowSample, _ seed: UInt64, stream: UInt64
  ) throws -> [(RunCertificate.Stage, RunCertificate.Difference?)] {
    let layout = try FeatureLayout.read(run.checked(Pipeline.Files.layout))
    let split = try configuration.split(of: data.labels)
    var found = [
      try imageRows("images", Pipeline.Files.embeddings, Pipeline.Files.images, layout, split: split) {
        try sample.drawn(of: $0, seed: seed, stream: stream << 8)
      }
    ]
    if let test, found[0].1 == nil {
      let all = Split(training: [], validation: [], test: Array(test.labels.indices))
      found.append(
        try imageRows(
          "test-images", Pipeline.Files.testEmbeddings, Pipeline.Files.testImages, layout, split: all
        ) {
          try sample.drawn(of: $0, seed: seed, stream: stream << 8 | 1)
        })
    }
    return found
  }

  private func imageRows(
    _ stage: String, _ source: String, _ file: String, _ layout: FeatureLayout, split: Split,
    draw: (Int) throws -> [Int]
  ) throws -> (RunCertificate.Stage, RunCertificate.Difference?) {
    let embeddings = try Embeddings.read(run.checked(source))
    let images = try ImageSet.read(run.checked(file))
    let total = embeddings.labels.count
    let report = Rows(stage: stage, file: file, total: total)
    guard images.labels.count == total else {
      return report.other(0, "\(images.labels.count) rows", "\(total)")
    }
    guard images.split == split else {
      return report.other(0, "other rows for training, validation and test", "the seed's")
    }
    if let row = images.labels.indices.first(where: { images.labels[$0] != embeddings.labels[$0] }) {
      return report.differs(0, "labels", [row], "\(images.labels[row])", "\(embeddings.labels[row])")
    }
    let rows = try draw(total)
    progress.begin("rendering \(rows.count) of \(total) images again")
    let again = try layout.render(
      embeddings.features, columns: embeddings.columns, rows: rows, on: devices.main)
    return report.compare(rows, "images", columns: images.area, images.images, again)
  }
}

/// What is said of a stage's rows.
struct Rows {
  let stage: String, file: String
  let total: Int

  func done(_ rows: Int) -> RunCertificate.Stage {
    .init(
      stage: stage, extent: .rows, rows: rows, total: total,
      passes: RowSample.chances(drawn: rows, total: total))
  }

  func other(
    _ rows: Int, _ recorded: String, _ recomputed: String
  ) -> (RunCertificate.Stage, RunCertificate.Difference?) {
    (done(rows), .init(stage: stage, file: file, recorded: recorded, recomputed: recomputed))
  }

  func differs(
    _ rows: Int, _ tensor: String, _ index: [Int], _ recorded: String, _ recomputed: String
  ) -> (RunCertificate.Stage, RunCertificate.Difference?) {
    (
      done(rows),
      .init(
        stage: stage, file: file, tensor: tensor, index: index, recorded: recorded, recomputed: recomputed)
    )
  }

  /// Rows of `columns` values: of `recorded` those with these numbers, of `again` one after the other.
  func compare(
    _ rows: [Int], _ tensor: String, columns: Int, _ recorded: Floats, _ again: [Float]
  ) -> (RunCertificate.Stage, RunCertificate.Difference?) {
    for (place, row) in rows.enumerated() {
      let own = recorded[row * columns..<(row + 1) * columns]
      for column in 0..<columns {
        let (left, right) = (own[column], again[place * columns + column])
        guard left.bitPattern != right.bitPattern else { continue }
        return differs(place + 1, tensor, [row, column], bitText(left), bitText(right))
      }
    }
    return (done(rows.count), nil)
  }
}
