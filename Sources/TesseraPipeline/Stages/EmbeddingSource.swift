// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraText

/// How a run comes to its embeddings. Changes no bit.
public struct EmbeddingWork: Sendable {
  /// Texts at once.
  public var batch = EmbeddingOptions.usualBatch
  /// A run's folder whose embeddings are taken where they are of the same texts by the same encoder; nil: all
  /// texts are embedded.
  public var run: String?

  /// The defaults.
  public init() {}
}

/// The embeddings of another run: those of hidden states and vectors that it has need not be computed again.
struct EmbeddingSource {
  /// The other run's folder.
  let folder: String

  /// What a run wants of it.
  struct Wanted {
    /// `embeddings` or `test-embeddings`.
    let stage: String
    /// The fingerprints of the texts and the encoder.
    let inputs: [String: String]
    /// The hidden states.
    let states: ClosedRange<Int>
    /// The vectors.
    let pooling: SentencePooling
    /// What the encoder's linear layers are sums of.
    let products: Products
    /// What the run's devices compute by.
    let kernels: KernelSources
  }

  /// The record of the embeddings that hold what is wanted.
  ///
  /// - Returns: nil where the other run has none of the stage's texts, as of other texts to test on.
  /// - Throws: `TesseraError` where it has none at all, of other reviews, by another encoder or program, or
  ///   without a hidden state or vector that is wanted.
  func record(_ wanted: Wanted) throws -> StageRecord? {
    let path = URL(fileURLWithPath: folder).appendingPathComponent("\(wanted.stage).json")
    guard let record = StageRecord.read(path), record.outputs.count == 1 else {
      if wanted.stage == "test-embeddings" { return nil }
      throw refused("no record of embeddings", "the folder of a run that has some")
    }
    guard record.inputs["data"] == wanted.inputs["data"] else {
      if wanted.stage == "test-embeddings" { return nil }
      throw refused("embeddings of other reviews", "those of --data")
    }
    guard record.inputs["encoder"] == wanted.inputs["encoder"] else {
      throw refused("embeddings by another encoder", "the one of --encoder")
    }
    guard record.numerics == Int(numericsVersion), record.version == StageRecord.versions[wanted.stage],
      record.maker?.kernelSources == wanted.kernels.fingerprint
    else {
      throw refused("embeddings by another version or by other kernels", "this program's")
    }
    let products = Products.name(in: record.parameters)
    guard products == wanted.products.rawValue else {
      throw refused("embeddings by \(products) products", "by \(wanted.products.rawValue) ones")
    }
    let (layers, pooling) = (record.parameters["layers"], record.parameters["pooling"])
    let states = Embeddings.states(layers)
    let vectors = SentencePooling(rawValue: pooling ?? "")?.vectors ?? []
    guard wanted.states.allSatisfy(states.contains), wanted.pooling.vectors.allSatisfy(vectors.contains)
    else {
      throw refused(
        "hidden states \(layers ?? "unknown"), \(pooling ?? "unknown") vectors",
        "hidden states \(wanted.states.lowerBound)...\(wanted.states.upperBound), "
          + "\(wanted.pooling.rawValue) vectors")
    }
    return record
  }

  /// The embeddings as they would be made; nil as above.
  ///
  /// - Throws: as above, and `TesseraError` if the file was changed.
  func embeddings(_ wanted: Wanted) throws -> Embeddings? {
    guard let record = try record(wanted), let (file, digits) = record.outputs.first else { return nil }
    let path = URL(fileURLWithPath: folder).appendingPathComponent(file).path
    guard (try? Fingerprint.ofFile(path)) == digits else {
      throw TesseraError.input(path, found: "another file than its record names", wanted: "the run's own")
    }
    return try Embeddings.read(path).taking(wanted.states, wanted.pooling, path)
  }

  /// How many of a stage's texts were longer than the encoder takes, as the other run found it.
  ///
  /// - Parameter count: the texts that there are.
  /// - Throws: `TesseraError` if it does not say so.
  func cut(_ stage: String, of count: Int) throws -> DataRecord.Cut {
    let path = URL(fileURLWithPath: folder).appendingPathComponent(Pipeline.Files.data).path
    guard let cut = DataRecord.read(path)?.cut[stage], cut.total == count, (0...count).contains(cut.texts)
    else {
      throw TesseraError.input(
        path, found: "no count of texts that were cut", wanted: "the folder of a run as tessera run leaves it"
      )
    }
    return cut
  }

  private func refused(_ found: String, _ wanted: String) -> TesseraError {
    TesseraError.input("embeddings of \(folder)", found: found, wanted: wanted)
  }
}

extension Embeddings {
  /// The features of some of the hidden states and vectors.
  ///
  /// - Parameter place: for messages.
  /// - Throws: `TesseraError` for states or vectors that are not there.
  func taking(_ states: ClosedRange<Int>, _ pooling: SentencePooling, _ place: String) throws -> Embeddings {
    let (had, own) = (self.states, SentencePooling(rawValue: source["pooling"] ?? "") ?? .cls)
    guard let first = had.first, let last = had.last, first <= states.lowerBound, states.upperBound <= last,
      Set(own.vectors).isSuperset(of: pooling.vectors), columns % (had.count * own.vectors.count) == 0
    else {
      throw TesseraError.input(
        place, found: "hidden states \(source["layers"] ?? "unknown"), \(own.rawValue) vectors",
        wanted: "hidden states \(states.lowerBound)...\(states.upperBound), \(pooling.rawValue) vectors")
    }
    let width = columns / (had.count * own.vectors.count)
    let starts = states.flatMap { state in
      pooling.vectors.map { vector in
        ((state - first) * own.vectors.count + (own.vectors.firstIndex(of: vector) ?? 0)) * width
      }
    }
    var taken = source
    taken["layers"] = "\(states.lowerBound)...\(states.upperBound)"
    taken["pooling"] = pooling.rawValue
    if starts.count * width == columns {
      return Embeddings(
        features: features, columns: columns, labels: labels, classes: classes, source: taken)
    }
    let part = [Float](unsafeUninitializedCapacity: labels.count * starts.count * width) { out, filled in
      features.forEachBlock(columns: columns) { _, block in
        for row in stride(from: 0, to: block.count, by: columns) {
          for start in starts {
            for at in row + start..<row + start + width {
              out[filled] = block[at]
              filled += 1
            }
          }
        }
      }
    }
    return Embeddings(
      features: Floats(part), columns: starts.count * width, labels: labels, classes: classes, source: taken)
  }
}
