import Foundation

/// PyTorch's `.pth`/`.bin` files: the zip format (1.6 and later) and the legacy one.
enum PyTorchFile {
  static func read(_ path: String, _ data: Data) throws -> TensorFile {
    data.starts(with: [0x50, 0x4b]) ? try archive(path, data) : try legacy(path, data)
  }

  /// An archive of stored (never compressed) members: NAME/data.pkl and NAME/data/KEY.
  private static func archive(_ path: String, _ data: Data) throws -> TensorFile {
    let members = try ZipDirectory.read(path, data)
    guard let pickle = members.first(where: { $0.key.hasSuffix("/data.pkl") || $0.key == "data.pkl" }) else {
      throw TesseraError.input(path, found: "an archive without data.pkl", wanted: "PyTorch weights")
    }
    let prefix = pickle.key.dropLast("data.pkl".count)
    let arena = PickleArena()
    return try withExtendedLifetime(arena) {
      var machine = Unpickler(
        path: path, data: data.subdata(in: data.startIndex..<data.startIndex + pickle.value.upperBound),
        position: pickle.value.lowerBound, arena: arena)
      return try file(path, data, try machine.run()) { key in members["\(prefix)data/\(key)"] }
    }
  }

  /// Magic number, protocol and system pickles, the state dict, the list of storage keys, then the storages, each
  /// with its element count in 8 bytes.
  private static func legacy(_ path: String, _ data: Data) throws -> TensorFile {
    let arena = PickleArena()
    return try withExtendedLifetime(arena) {
      try legacy(path, data, Unpickler(path: path, data: data, position: 0, arena: arena))
    }
  }

  private static func legacy(_ path: String, _ data: Data, _ start: Unpickler) throws -> TensorFile {
    var machine = start
    for _ in 0..<3 { _ = try machine.run() }
    let value = try machine.run()
    guard case .list(let keys) = try machine.run() else {
      throw TesseraError.input(path, found: "no list of storages", wanted: "PyTorch weights")
    }
    var types: [String: StoredType] = [:]
    try visit(value, path) { types[$1.storage] = $1.type }
    var ranges: [String: Range<Int>] = [:]
    var position = machine.position
    for item in keys.items {
      guard case .text(let key) = item, position + 8 <= data.count else {
        throw TesseraError.input(
          path, found: "\(data.count) bytes", wanted: "storages up to the end of the list")
      }
      let count = data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Int64.self) }
      position += 8
      let size = types[key]?.byteCount ?? 4
      guard count >= 0, count <= Int64(data.count), position + Int(count) * size <= data.count else {
        throw TesseraError.input(
          "\(path): storage \(key)", found: "\(count) elements at byte \(position) of \(data.count)",
          wanted: "a storage inside the file")
      }
      ranges[key] = position..<position + Int(count) * size
      position += Int(count) * size
    }
    return try file(path, data, value) { ranges[$0] }
  }

  private static func file(
    _ path: String, _ data: Data, _ value: PickleValue, storage: (String) -> Range<Int>?
  ) throws -> TensorFile {
    var tensors: [String: StoredTensor] = [:]
    try visit(value, path) { name, tensor in
      let place = "\(path): tensor \(name)"
      guard let range = storage(tensor.storage) else {
        throw TesseraError.input(place, found: "no storage \(tensor.storage)", wanted: "one")
      }
      let size = tensor.type.byteCount
      let available = range.count / size
      var (dense, step, last) = (true, 1, 0)
      let isEmpty = tensor.shape.contains(0)
      for (extent, stride) in Swift.zip(tensor.shape, tensor.strides).reversed() where extent > 0 {
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
      tensors[name] = StoredTensor(
        type: tensor.type, shape: tensor.shape, range: low..<low + span * size,
        strides: dense || isEmpty ? nil : tensor.strides)
    }
    return TensorFile(path: path, metadata: [:], data: data, tensors: tensors)
  }

  /// Every tensor of a state dict by name, also below keys such as `state_dict`.
  private static func visit(
    _ value: PickleValue, _ path: String, _ body: (String, PickleTensor) throws -> Void
  ) throws {
    var left = 1_000_000
    try visit(value, path, prefix: "", depth: 0, left: &left, body)
  }

  private static func visit(
    _ value: PickleValue, _ path: String, prefix: String, depth: Int, left: inout Int,
    _ body: (String, PickleTensor) throws -> Void
  ) throws {
    guard case .dictionary(let box) = value, depth < 16 else {
      throw TesseraError.input(path, found: "no dictionary of tensors", wanted: "a state dict")
    }
    for index in stride(from: 0, to: box.items.count - 1, by: 2) {
      left -= 1
      // Dictionaries that hold themselves would go on for ever.
      guard left > 0 else {
        throw TesseraError.input(path, found: "more than a million entries", wanted: "a state dict")
      }
      guard case .text(let key) = box.items[index] else { continue }
      switch box.items[index + 1] {
      case .tensor(let tensor): try body(prefix + key, tensor)
      case .dictionary:
        try visit(
          box.items[index + 1], path, prefix: "\(prefix)\(key).", depth: depth + 1, left: &left, body)
      default: break
      }
    }
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

/// The central directory of a zip archive.
enum ZipDirectory {
  /// Byte ranges of stored members by name.
  static func read(_ path: String, _ data: Data) throws -> [String: Range<Int>] {
    func bad(_ found: String, _ wanted: String = "a zip archive of stored members") -> TesseraError {
      .input(path, found: found, wanted: wanted)
    }
    return try data.withUnsafeBytes { raw in
      func u16(_ at: Int) -> Int { Int(raw.loadUnaligned(fromByteOffset: at, as: UInt16.self)) }
      func u32(_ at: Int) -> Int { Int(raw.loadUnaligned(fromByteOffset: at, as: UInt32.self)) }
      // At most so large that sums of a few still fit: any such place is past the end of a file.
      func u64(_ at: Int) -> Int {
        Int(clamping: min(raw.loadUnaligned(fromByteOffset: at, as: UInt64.self), 1 << 60))
      }
      guard raw.count >= 22 else { throw bad("\(raw.count) bytes") }
      let lowest = max(0, raw.count - 22 - 65_535)
      guard
        let end = stride(from: raw.count - 22, through: lowest, by: -1).first(where: {
          u32($0) == 0x0605_4b50
        })
      else { throw bad("no end of the directory (a truncated file?)") }
      var (count, position) = (u16(end + 10), u32(end + 16))
      if end >= 20, u32(end - 20) == 0x0706_4b50 {
        let wide = u64(end - 20 + 8)
        guard wide >= 0, wide + 56 <= raw.count, u32(wide) == 0x0606_4b50 else {
          throw bad("a broken directory")
        }
        (count, position) = (u64(wide + 32), u64(wide + 48))
      }
      var members: [String: Range<Int>] = [:]
      for _ in 0..<count {
        guard position >= 0, position + 46 <= raw.count, u32(position) == 0x0201_4b50 else {
          throw bad("a broken directory")
        }
        let (name, extra, comment) = (u16(position + 28), u16(position + 30), u16(position + 32))
        guard position + 46 + name + extra + comment <= raw.count else { throw bad("a broken directory") }
        var (size, packed, offset) = (u32(position + 24), u32(position + 20), u32(position + 42))
        var field = position + 46 + name
        let fieldsEnd = field + extra
        while field + 4 <= fieldsEnd {
          let length = u16(field + 2)
          if u16(field) == 1 {
            var at = field + 4
            func take(_ value: inout Int) {
              if value == 0xffff_ffff, at + 8 <= fieldsEnd {
                value = u64(at)
                at += 8
              }
            }
            take(&size)
            take(&packed)
            take(&offset)
          }
          field += 4 + length
        }
        let text = String(decoding: raw[position + 46..<position + 46 + name], as: UTF8.self)
        guard u16(position + 10) == 0, size == packed else {
          throw bad("member \(text) compressed", "stored members")
        }
        guard offset >= 0, offset + 30 <= raw.count, u32(offset) == 0x0403_4b50 else {
          throw bad("a broken member \(text)")
        }
        let start = offset + 30 + u16(offset + 26) + u16(offset + 28)
        guard size >= 0, start + size <= raw.count else { throw bad("member \(text) past the end") }
        members[text] = start..<start + size
        position += 46 + name + extra + comment
      }
      return members
    }
  }
}
