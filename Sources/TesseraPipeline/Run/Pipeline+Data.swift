// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData

extension Pipeline {
  /// Reads the rows and tells what they hold; what would make the result nonsense is refused before work
  /// starts.
  func readData() throws -> (data: any LabelledRows, test: (any LabelledRows)?, record: DataRecord) {
    let data = try configuration.rows(configuration.data)
    progress.note("data: \(data.summary.line)")
    try data.requireRowsOfEachClass()
    let test = try configuration.test.map {
      try configuration.rows($0, as: data, part: .test)
    }
    try configuration.format.requireEffect(on: [data, test].compactMap { $0 as? DataSet })
    if let test { progress.note("test: \(test.summary.line)") }
    let split = try split(data.labels)
    let missing = data.classes.indices.filter { number in
      !split.training.contains { data.labels[$0] == Int32(number) }
    }
    if !missing.isEmpty {
      let names = missing.map { data.classes[$0] }.joined(separator: ", ")
      progress.note("no training row of \(names), which can so never be predicted")
    }
    for warning in SmallClasses(
      labels: data.labels, classes: data.classes, split: split, test: test?.labels,
      options: configuration.split
    ).warnings { progress.note("warning: \(warning)") }
    let record = DataRecord(data, split: split, test: test)
    for note in record.duplicates.notes { progress.note(note) }
    return (data, test, record)
  }

  /// Keeps what was found out about the data in the run's folder.
  func keep(_ record: DataRecord) throws {
    var record = record
    // Stages that do not run again would not say it again.
    if let old = DataRecord.read(folder.file(Files.data)), old.fingerprint == record.fingerprint {
      (record.cut, record.constantFeatures) = (old.cut, old.constantFeatures)
    }
    try record.write(in: folder)
  }

  /// Which rows are for what.
  func split(_ labels: [Int32]) throws -> Split { try configuration.split(of: labels) }

  /// Tells how many texts are longer than the encoder takes, and keeps it.
  func tellCut(_ count: Int, of total: Int, at tokens: Int, _ stage: String) throws {
    let cut = DataRecord.Cut(texts: count, total: total, tokens: tokens)
    if count > 0 { progress.note(cut.note) }
    try record { $0.cut[stage] = cut }
  }

  /// Tells what was found when a stage ran that does not run again.
  func tellKeptCut(_ stage: String) {
    guard let cut = DataRecord.read(folder.file(Files.data))?.cut[stage], cut.texts > 0 else { return }
    progress.note(cut.note)
  }

  /// Tells how many features say nothing about the training rows.
  func tellConstantFeatures(_ embeddings: Embeddings) throws {
    let rows = try split(embeddings.labels).training
    let count = try embeddings.constantFeatures(rows: rows)
    try record { $0.constantFeatures = count }
    guard count > 0 else { return }
    let all = count == embeddings.columns ? ": there is nothing to learn from" : ""
    progress.note("\(count) of \(embeddings.columns) features are the same in every training row\(all)")
  }

  private func record(_ change: (inout DataRecord) -> Void) throws {
    guard var record = DataRecord.read(folder.file(Files.data)) else { return }
    change(&record)
    try record.write(in: folder)
  }
}

extension RunConfiguration {
  /// Which rows are for what.
  func split(of labels: [Int32]) throws -> Split {
    try split.split(of: labels, seed: seed, hasTest: test != nil)
  }
}

extension Embeddings {
  /// How many features have one value in all of these rows.
  ///
  /// - Throws: `TesseraError` for a row that there is not.
  public func constantFeatures(rows: [Int]) throws -> Int {
    guard let first = rows.first else { return 0 }
    if let wrong = rows.first(where: { !labels.indices.contains($0) }) {
      throw TesseraError.input("rows", found: "row \(wrong)", wanted: "rows within 0..<\(labels.count)")
    }
    let start = features[first * columns..<(first + 1) * columns]
    var open = Array(0..<columns)
    for row in rows {
      features.withUnsafeBufferPointer { values in
        open.removeAll { values[row * columns + $0] != start[$0] }
      }
      features.release(row * columns..<(row + 1) * columns)
      if open.isEmpty { break }
    }
    return open.count
  }
}
