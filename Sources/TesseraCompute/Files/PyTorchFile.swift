// SPDX-License-Identifier: Apache-2.0
import Foundation

/// PyTorch's `.pth`/`.bin` files: the zip format (1.6 and later) and the legacy one.
enum PyTorchFile {
  /// The low 64 bits of the number that legacy files begin with, 0x1950a86a20f9469cfc6c.
  private static let legacyMagic = Int(bitPattern: 0xa86a_20f9_469c_fc6c)

  static func read(_ path: String, _ data: Data) throws -> TensorFile {
    data.starts(with: [0x50, 0x4b]) ? try archive(path, data) : try legacy(path, data)
  }

  /// An archive of stored (never compressed) members: NAME/data.pkl and NAME/data/KEY.
  private static func archive(_ path: String, _ data: Data) throws -> TensorFile {
    let members = try ZipDirectory.read(path, data)
    let pickles = members.keys.filter { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }
    guard let name = pickles.first, pickles.count == 1, let pickle = members[name] else {
      throw ZipContent.refusal(path, members.keys.ordered(), pickles: pickles.count)
    }
    let prefix = name.dropLast("data.pkl".count)
    if members["\(prefix)constants.pkl"] != nil { throw ZipContent.torchScript(path) }
    if let order = members["\(prefix)byteorder"], !order.isCompressed,
      data.dropFirst(order.range.lowerBound).starts(with: Array("big".utf8))
    {
      throw TesseraError.input(
        path, found: "numbers in big-endian order", wanted: "PyTorch weights in little-endian order")
    }
    guard !members.contains(where: { $0.key.hasPrefix(prefix) && $0.value.isCompressed }) else {
      throw TesseraError.input(
        path, found: "PyTorch weights whose archive was compressed again",
        wanted: "them as torch.save writes them: torch.save(torch.load(FILE), OTHER)")
    }
    let arena = PickleArena()
    return try withExtendedLifetime(arena) {
      var machine = Unpickler(
        path: path, data: data.prefix(pickle.range.upperBound), position: pickle.range.lowerBound,
        arena: arena)
      let value = try machine.run()
      return try file(path, data, value) { key in members["\(prefix)data/\(key)"]?.range }
    }
  }

  /// Magic number, protocol and system pickles, the state dict, the list of storage keys, then the
  /// storages, each with its element count in 8 bytes.
  private static func legacy(_ path: String, _ data: Data) throws -> TensorFile {
    let arena = PickleArena()
    return try withExtendedLifetime(arena) {
      try legacy(path, data, Unpickler(path: path, data: data, position: 0, arena: arena))
    }
  }

  private static func legacy(_ path: String, _ data: Data, _ start: Unpickler) throws -> TensorFile {
    var machine = start
    guard case .int(legacyMagic) = try machine.run() else {
      throw TesseraError.input(
        path, found: "a Python pickle that torch.save did not write",
        wanted: "safetensors or PyTorch weights: load it and torch.save a dictionary of tensors")
    }
    for _ in 0..<2 { _ = try machine.run() }
    let value = try machine.run()
    guard case .list(let keys) = try machine.run() else {
      throw TesseraError.input(path, found: "no list of storages", wanted: "PyTorch weights")
    }
    var ranges: [String: Range<Int>] = [:]
    var position = machine.position
    for item in keys.items {
      guard case .text(let key) = item, position <= data.count - 8 else {
        throw TesseraError.input(
          path, found: "\(data.count) bytes",
          wanted: "storages up to the end of the list\(SafetensorsFormat.shortened)")
      }
      let count = data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Int64.self) }
      position += 8
      guard let size = machine.storages[key]?.byteCount else {
        throw TesseraError.input(
          "\(path): storage \(key)", found: "elements of an unknown type",
          wanted: "weights: load them and torch.save a dictionary of tensors")
      }
      guard count >= 0, count <= Int64(data.count), Int(count) * size <= data.count - position else {
        throw TesseraError.input(
          "\(path): storage \(key)", found: "\(count) elements at byte \(position) of \(data.count)",
          wanted: "a storage inside the file\(SafetensorsFormat.shortened)")
      }
      ranges[key] = position..<position + Int(count) * size
      position += Int(count) * size
    }
    return try file(path, data, value) { ranges[$0] }
  }

  private static func file(
    _ path: String, _ data: Data, _ value: PickleValue, storage: (String) -> Range<Int>?
  ) throws -> TensorFile {
    var walk = PickleWalk(path: path)
    try walk.visit(value)
    var tensors: [String: StoredTensor] = [:]
    for (name, tensor) in walk.tensors {
      tensors[name] = try stored("\(path): tensor \(name)", tensor, storage)
    }
    return TensorFile(path: path, metadata: [:], sources: [data], tensors: tensors)
  }

  /// A tensor's place in the file, checked to lie inside its storage. Of one that is not read, only what is
  /// known.
  private static func stored(
    _ place: String, _ tensor: PickleTensor, _ storage: (String) -> Range<Int>?
  ) throws -> StoredTensor {
    if case .other = tensor.type {
      return StoredTensor(type: tensor.type, shape: tensor.shape, range: 0..<0)
    }
    guard let key = tensor.storage, let range = storage(key) else {
      throw TesseraError.input(place, found: "no storage \(tensor.storage ?? "at all")", wanted: "one")
    }
    let size = tensor.type.byteCount
    let available = range.count / size
    var (dense, step, last) = (true, 1, 0)
    let isEmpty = tensor.shape.contains(0)
    for (extent, stride) in zip(tensor.shape, tensor.strides).reversed() where extent > 0 {
      dense = dense && (extent <= 1 || stride == step)
      let (next, overflow) = step.multipliedReportingOverflow(by: extent)
      // A view never has more elements than its storage: extents cannot blow up memory.
      guard !overflow, next <= available || isEmpty && next <= Int(Int32.max) else {
        throw TesseraError.input(
          place, found: "shape \(tensor.shape) of a storage of \(available) elements",
          wanted: "a shape that fits")
      }
      step = next
      if extent > 1 { last = last.addingSaturating(stride.multipliedSaturating(by: extent - 1)) }
    }
    let span = isEmpty ? 0 : last.addingSaturating(1)
    guard tensor.offset >= 0, tensor.offset <= available, span <= available - tensor.offset else {
      throw TesseraError.input(
        place, found: "\(span) elements from \(tensor.offset) on of a storage of \(available)",
        wanted: "elements inside the storage")
    }
    let low = range.lowerBound + tensor.offset * size
    return StoredTensor(
      type: tensor.type, shape: tensor.shape, range: low..<low + span * size,
      strides: dense || isEmpty ? nil : tensor.strides)
  }
}

extension Int {
  fileprivate func addingSaturating(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  fileprivate func multipliedSaturating(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
