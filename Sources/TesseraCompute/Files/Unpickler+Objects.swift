// SPDX-License-Identifier: Apache-2.0
extension Unpickler {
  /// Storages by the names of their classes, all of module torch.
  private static let storageTypes: [String: StoredType] = [
    "FloatStorage": .f32, "DoubleStorage": .f64, "HalfStorage": .f16, "BFloat16Storage": .bf16,
    "LongStorage": .i64, "IntStorage": .i32, "BoolStorage": .other("BOOL", bits: 8),
    "ByteStorage": .u8, "CharStorage": .i8,
    "ShortStorage": .other("I16", bits: 16), "ComplexFloatStorage": .other("C64", bits: 64),
    "ComplexDoubleStorage": .other("C128", bits: 128), "UntypedStorage": .other("U8", bits: 8),
    "QInt8Storage": .other("a quantised tensor (qint8)", bits: 8),
    "QUInt8Storage": .other("a quantised tensor (quint8)", bits: 8),
    "QInt32Storage": .other("a quantised tensor (qint32)", bits: 32),
    "QUInt4x2Storage": .other("a quantised tensor (quint4x2)", bits: 8),
    "QUInt2x4Storage": .other("a quantised tensor (quint2x4)", bits: 8),
  ]
  /// Element types by the names of torch's dtypes, where a tensor names one.
  private static let elementTypes: [String: StoredType] = [
    "float32": .f32, "float64": .f64, "float16": .f16, "bfloat16": .bf16, "int64": .i64, "int32": .i32,
    "uint16": .other("U16", bits: 16), "uint32": .other("U32", bits: 32), "uint64": .other("U64", bits: 64),
  ]
  /// Functions of torch that make tensors of other kinds than plain views.
  private static let otherTensors: [String: String] = [
    "_rebuild_qtensor": "a quantised tensor", "_rebuild_sparse_tensor": "a sparse tensor",
    "_rebuild_sparse_csr_tensor": "a sparse tensor", "_rebuild_nested_tensor": "a nested tensor",
    "_rebuild_meta_tensor_no_storage": "a tensor without elements (device meta)",
    "_rebuild_wrapper_subclass": "a tensor of a class of its own",
    "_rebuild_device_tensor_from_numpy": "a tensor kept as a NumPy array",
    "_rebuild_xla_tensor": "a tensor kept as a NumPy array",
  ]

  /// The class of what is called or made.
  func name(of value: PickleValue) throws -> String {
    switch value {
    case .global(let name): name
    case .object(let object): object.name
    default: throw bad("a call of something that is not known")
    }
  }

  /// REDUCE and NEWOBJ: a call of a class or function, which is not made. Dictionaries of the library,
  /// tensors and parameters are what their arguments say; everything else is a stand-in.
  mutating func reduce() throws {
    let arguments = try pop()
    let name = try name(of: try pop())
    guard case .tuple(let box) = arguments else {
      guard case .object = arguments else { throw bad("a call of \(name) without arguments") }
      return stack.append(.object(arena.object(name)))
    }
    stack.append(try made(name, box.items))
  }

  private mutating func made(_ name: String, _ arguments: [PickleValue]) throws -> PickleValue {
    let (module, function) = Self.parts(name)
    switch (module, function) {
    case ("collections", "OrderedDict"), ("collections", "defaultdict"):
      return .dictionary(arena.box())
    case ("torch", "Size"):
      if case .tuple? = arguments.first { return arguments[0] }
    case ("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_parameter_with_state"),
      ("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"):
      guard let first = arguments.first else { throw bad("a parameter without a tensor") }
      return first
    case ("torch._utils", "_rebuild_tensor"), ("torch._utils", "_rebuild_tensor_v2"):
      return try tensor(arguments)
    case ("torch._utils", "_rebuild_tensor_v3"):
      return try tensor(arguments, type: arguments.count > 6 ? Self.elementType(arguments[6]) : nil)
    case ("torch._tensor", "_rebuild_from_type_v2"):
      // A tensor with attributes, or of a class derived from Tensor: the function that makes it, and its
      // arguments.
      if arguments.count > 2, case .global(let inner) = arguments[0], inner != name,
        case .tuple(let box) = arguments[2]
      {
        return try made(inner, box.items)
      }
    case ("torch._utils", _):
      if let kind = Self.otherTensors[function] {
        return .tensor(PickleTensor(storage: nil, type: .other(kind, bits: nil)))
      }
    case (_, "_reconstruct") where module.hasPrefix("numpy"),
      (_, "_frombuffer") where module.hasPrefix("numpy"):
      return .tensor(PickleTensor(storage: nil, type: .other("a NumPy array", bits: nil)))
    case ("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor"):
      if case .global(let own)? = arguments.first { return .object(arena.object(own)) }
    default: break
    }
    return .object(arena.object(name))
  }

  private static func parts(_ name: String) -> (module: String, function: String) {
    guard let blank = name.firstIndex(of: " ") else { return (name, "") }
    return (String(name[..<blank]), String(name[name.index(after: blank)...]))
  }

  private static func elementType(_ value: PickleValue) -> StoredType {
    guard case .global(let name) = value else { return .other("a tensor of an unknown type", bits: nil) }
    let (_, type) = parts(name)
    // float8_e4m3fn and the like have 8 bits; nothing of them is read.
    return elementTypes[type] ?? .other(type, bits: type.hasPrefix("float8") ? 8 : nil)
  }

  /// A view: storage, offset, shape, strides.
  private func tensor(_ arguments: [PickleValue], type: StoredType? = nil) throws -> PickleValue {
    if case .object(let object)? = arguments.first {
      return .tensor(PickleTensor(storage: nil, type: .other("a tensor of \(object.name)", bits: nil)))
    }
    guard arguments.count >= 4, case .storage(let storage) = arguments[0],
      case .int(let offset) = arguments[1], case .tuple(let extents) = arguments[2],
      case .tuple(let steps) = arguments[3], extents.items.count == steps.items.count
    else { throw bad("a tensor that is put together in an unknown way") }
    if arguments.count > 6, case .dictionary(let marks) = arguments[6], !marks.items.isEmpty {
      // Views that PyTorch negates or conjugates when they are read.
      return .tensor(
        PickleTensor(storage: nil, type: .other("a view that is kept negated or conjugated", bits: nil)))
    }
    func numbers(_ values: [PickleValue]) throws -> [Int] {
      try values.map {
        guard case .int(let n) = $0, n >= 0, n <= Int(Int32.max) else {
          throw bad("a shape or stride out of range")
        }
        return n
      }
    }
    guard extents.items.count <= 32, offset >= 0, offset <= 1 << 52 else {
      throw bad("a tensor that is put together in an unknown way")
    }
    return .tensor(
      PickleTensor(
        storage: storage.key, type: type ?? storage.type, offset: offset + storage.offset,
        shape: try numbers(extents.items), strides: try numbers(steps.items)))
  }

  /// BUILD: attributes for a stand-in. Those of dictionaries, such as `_metadata`, and of tensors hold no
  /// weights.
  mutating func build() throws {
    let state = try pop()
    if case .object(let object) = try top() { object.state = state }
  }

  /// A persistent object: ("storage", type, key, location, count[, view]), or, in files that hold whole
  /// networks, ("module", class, ...), which stands for the class.
  mutating func persistent() throws {
    let value = try pop()
    guard case .tuple(let box) = value, case let parts = box.items, parts.count >= 2,
      case .text(let kind) = parts[0], case .global(let name) = parts[1]
    else { return stack.append(.object(arena.object("persistent object"))) }
    let (module, type) = Self.parts(name)
    if kind == "module" { return stack.append(.global(name)) }
    guard kind == "storage", ["torch", "torch.cuda", "torch.storage"].contains(module),
      let type = Self.storageTypes[type]
    else { return stack.append(.object(arena.object(name))) }
    guard parts.count >= 5, case .text(let key) = parts[2], case .int(let count) = parts[4], count >= 0 else {
      throw bad("a storage that is put together in an unknown way", "a storage of numbers")
    }
    storages[key] = type
    var storage = PickleStorage(key: key, type: type)
    if parts.count > 5, case .tuple(let view) = parts[5] {
      guard view.items.count > 1, case .int(let offset) = view.items[1], (0...1 << 52).contains(offset) else {
        throw bad("a view of a storage that is put together in an unknown way", "a storage of numbers")
      }
      storage.offset = offset
    }
    stack.append(.storage(storage))
  }
}
