// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Hugging Face's index of weights in several files: `model.safetensors.index.json` or
/// `pytorch_model.bin.index.json`, whose `weight_map` says which file beside it holds which tensor.
package struct ShardIndex {
  /// Where the index is.
  package let path: String
  /// The files, sorted, relative to the index's folder.
  package let shards: [String]
  private let map: [String: String]

  /// Reads an index.
  ///
  /// - Throws: `TesseraError` for what is no index or names files outside its folder.
  package init(_ path: String) throws {
    let wanted = "an index of weights in several files"
    let data = try InputFile.read(path, wanted: wanted, atMost: InputFile.Limit.configuration)
    guard let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
      throw TesseraError.input(path, found: "no JSON object", wanted: wanted)
    }
    guard let map = object["weight_map"] as? [String: String], !map.isEmpty else {
      throw TesseraError.input(
        "\(path): weight_map",
        found: object["weight_map"] == nil ? "nothing" : "what is no map of names to files",
        wanted: "the file of each tensor")
    }
    (self.path, self.map) = (path, map)
    shards = Set(map.values).ordered()
    guard shards.count <= 10_000 else {
      throw TesseraError.input(
        "\(path): weight_map", found: "\(shards.count) files", wanted: "at most 10000")
    }
    for shard in shards where !Self.staysInside(shard) {
      throw TesseraError.input(
        "\(path): weight_map", found: "the file \(shard)", wanted: "files in the index's own folder")
    }
  }

  /// Whether a path is one of a file in the folder or in one below it, and not another index.
  private static func staysInside(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return !name.utf8.contains(0) && !name.hasSuffix(".index.json")
      && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
  }

  private func place(_ shard: String) -> String {
    path.utf8.lastIndex(of: 0x2f).map { String(path[...$0]) + shard } ?? shard
  }

  /// The tensors of all files.
  ///
  /// - Throws: `TesseraError` naming the files that are missing, or a tensor that its file does not hold.
  package func open() throws -> TensorFile {
    let missing = shards.filter { !FileManager.default.fileExists(atPath: place($0)) }
    guard missing.isEmpty else {
      let named = missing.prefix(3).joined(separator: ", ")
      let more = missing.count > 3 ? " and \(missing.count - 3) more" : ""
      throw TesseraError.input(
        path, found: "no \(named)\(more) beside it",
        wanted: "all \(shards.count) files of the index; fetch what is missing")
    }
    var (sources, tensors) = ([Data](), [String: StoredTensor]())
    let names = Dictionary(grouping: map.keys, by: { map[$0] ?? "" })
    for shard in shards {
      let file = try TensorFile.open(place(shard))
      for name in (names[shard] ?? []).ordered() {
        guard var tensor = file.tensors[name] else {
          throw TesseraError.input(
            place(shard), found: "no tensor \(name)", wanted: "what \(path) says that it holds")
        }
        tensor.source += sources.count
        tensors[name] = tensor
      }
      sources += file.sources
    }
    return TensorFile(path: path, metadata: [:], sources: sources, tensors: tensors)
  }
}
