// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraText
import TesseraImages

/// Features of texts with their classes, as they travel between stages.
public struct Embeddings: Sendable {
  /// Row-major (labels.count, columns).
  public let features: Floats
  /// Features a row.
  public let columns: Int
  /// Class of each row; -1: none.
  public let labels: [Int32]
  /// The classes' names.
  public let classes: [String]
  /// What the features were made with.
  public let source: [String: String]

  /// Embeds a data set.
  ///
  /// - Parameters:
  ///   - data: texts and their classes.
  ///   - embedder: what reads the texts.
  ///   - journal: where rows are kept as they come, so that what was killed goes on; nil: nowhere.
  ///   - progress: called with the number of texts done.
  ///   - cut: called with the number of texts that are longer than the encoder takes, and the most tokens
  ///     that it takes.
  public static func make(
    _ data: DataSet, by embedder: Embedder, journal: EmbeddingJournal? = nil,
    progress: (Int) throws -> Void = { _ in }, cut: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> Embeddings {
    let (states, columns) = (embedder.states, embedder.features)
    if let journal { try OutputFolder.make(journal.folder) }
    // Beside a journal there is room on a disk: memory need not hold all rows.
    let features = try FloatsWriter(
      count: data.texts.count * columns, folder: journal?.folder ?? "",
      limit: journal == nil ? .max : FloatsWriter.usualLimit)
    func put(_ rows: [Int], _ values: [Float]) throws {
      for (index, row) in rows.enumerated() {
        try features.write(values[index * columns..<(index + 1) * columns], at: row * columns)
      }
    }
    let known = try journal?.read(rows: data.texts.count, columns: columns, put) ?? []
    var done = known.count
    try embedder.embed(
      data.texts, rows: data.texts.indices.filter { !known.contains($0) },
      cut: { try cut($0, embedder.limit) }
    ) { rows, values in
      try put(rows, values)
      try journal?.append(rows, values)
      done += rows.count
      try progress(done)
    }
    return Embeddings(
      features: try features.finish(), columns: columns, labels: data.labels, classes: data.classes,
      source: [
        "layers": "\(states.lowerBound)...\(states.upperBound)", "pooling": embedder.pooling.rawValue,
        "data": data.fingerprint,
      ].merging(embedder.products.parameters) { $1 })
  }

  /// Writes the features; returns their fingerprint.
  public func write(to path: String) throws -> String {
    let names = String(decoding: try JSONEncoder().encode(classes), as: UTF8.self)
    var writer = SafetensorsWriter(
      metadata: source.merging(["kind": "embeddings", "classes": names]) { a, _ in a })
    writer.add("features", features, shape: [labels.count, columns])
    writer.add("labels", labels, shape: [labels.count])
    return try writer.write(to: path)
  }

  /// Reads features back.
  ///
  /// - Throws: `TesseraError` for a file of another kind or features that are not finite.
  public static func read(_ path: String) throws -> Embeddings {
    let file = try TensorFile.open(path)
    try file.checkNumerics()
    let shape = try file.shape("features")
    guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
      throw TesseraError.input("\(path): features", found: "shape \(shape)", wanted: "[rows, features]")
    }
    let features = try file.mappedFloats("features")
    try requireFinite(path, features, columns: shape[1])
    let labels = try file.ints("labels", shape: [shape[0]])
    let classes = try readClasses(file)
    guard labels.allSatisfy({ $0 >= -1 && $0 < Int32(classes.count) }) else {
      throw TesseraError.input(
        "\(path): labels", found: "a class outside 0..<\(classes.count)", wanted: "known classes")
    }
    return Embeddings(
      features: features, columns: shape[1], labels: labels, classes: classes,
      source: file.metadata.filter {
        ["layers", "pooling", "products", "data", TableFeatures.names, "scaling", "missing"].contains($0.key)
      })
  }
}

/// The classes' names in a file's metadata.
func readClasses(_ file: TensorFile) throws -> [String] {
  guard let text = file.metadata["classes"],
    let classes = try? JSONDecoder().decode([String].self, from: Data(text.utf8)), !classes.isEmpty
  else {
    throw TesseraError.input(file.path, found: "no classes in its metadata", wanted: "a file made by tessera")
  }
  return classes
}
