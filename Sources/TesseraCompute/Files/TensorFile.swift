// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A file of named tensors: safetensors, or PyTorch's `.pth`/`.bin`; or several such files with an index.
///
/// Tensors of a type that is not read are no obstacle unless they are asked for.
public final class TensorFile {
  /// Where it came from.
  public let path: String
  /// Free text that travels with the tensors.
  public let metadata: [String: String]
  /// The bytes of each file.
  let sources: [Data]
  let tensors: [String: StoredTensor]
  /// The file, if it is one that is mapped whole and holds the tensors as they are.
  var mapping: MappedFile?

  init(path: String, metadata: [String: String], sources: [Data], tensors: [String: StoredTensor]) {
    (self.path, self.metadata, self.sources, self.tensors) = (path, metadata, sources, tensors)
  }

  /// Opens a safetensors file, or a PyTorch one by its first bytes.
  ///
  /// - Throws: `TesseraError` naming the file and what is wrong with it; what is another kind of file by
  ///   its first bytes, such as a page, an archive or a Git LFS pointer, is named.
  public static func open(_ path: String) throws -> TensorFile {
    let wanted = "safetensors or PyTorch weights"
    let mapping = try InputFile.map(path, wanted: wanted)
    let data = mapping?.data ?? Data()
    let start = data.prefix(FileKind.prefixCount)
    switch FileKind.recognise(start) {
    case .zip, .pickle: return try PyTorchFile.read(path, data)
    case .safetensors, nil:
      let file = try SafetensorsFormat.read(path, data)
      file.mapping = mapping
      return file
    case let kind?: throw kind.refusal(path, start, wanted: wanted)
    }
  }

  /// Throws if the file was made under another version of the numerics contract: its numbers are not what
  /// this program would make. What says nothing of a version is taken.
  public func checkNumerics() throws {
    if let version = metadata["numerics"], version != "\(numericsVersion)" {
      throw TesseraError.input(
        path, found: "a file of numerics version \(version)",
        wanted: "version \(numericsVersion), this program's: made anew from what it was made of")
    }
  }

  /// The names, sorted.
  public var names: [String] { tensors.keys.ordered() }

  /// Whether a tensor of that name is there.
  public func contains(_ name: String) -> Bool { tensors[name] != nil }

  /// Extents of a tensor.
  public func shape(_ name: String) throws -> [Int] {
    let tensor = try stored(name)
    guard tensor.type.elementType != nil || [.f64, .i64].contains(tensor.type) else {
      throw TesseraError.input("\(path): \(name)", found: tensor.type.name, wanted: "a type that is read")
    }
    return tensor.shape
  }

  func stored(_ name: String) throws -> StoredTensor {
    guard let tensor = tensors[name] else {
      throw TesseraError.input(path, found: "no tensor \(name)", wanted: "one")
    }
    return tensor
  }

  /// A tensor's bytes.
  func withBytes<R>(of tensor: StoredTensor, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try sources[tensor.source].withUnsafeBytes {
      try body(UnsafeRawBufferPointer(rebasing: $0[tensor.range]))
    }
  }
}
