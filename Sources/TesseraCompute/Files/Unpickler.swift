import Foundation

/// What a restricted unpickler can hold: data, and marks for the few callables that PyTorch files need.
indirect enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case text(String)
  case tuple(PickleBox)
  case list(PickleBox)
  case dictionary(PickleBox)
  case global(String)
  case storage(key: String, type: StoredType, count: Int)
  case tensor(PickleTensor)
  case mark
}

/// Items of a list or tuple, or keys and values of a dictionary in turns.
final class PickleBox {
  var items: [PickleValue]
  init(_ items: [PickleValue] = []) { self.items = items }
}

/// Owns all boxes of a pickle and empties them one by one in the end: a hostile file may nest them a million deep or
/// in circles, which must neither overflow the stack nor leak.
final class PickleArena {
  private var boxes: [PickleBox] = []

  func box(_ items: [PickleValue] = []) -> PickleBox {
    let box = PickleBox(items)
    boxes.append(box)
    return box
  }

  deinit {
    for box in boxes { box.items = [] }
  }
}

/// A view of a storage.
struct PickleTensor {
  let storage: String
  let type: StoredType
  let storageCount: Int
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}

/// Runs the pickle machine for state dicts: it builds numbers, text, tuples, lists, dictionaries and tensors, and
/// refuses every other global, so that nothing in a file is ever called.
struct Unpickler {
  private let path: String
  private let data: Data
  private(set) var position: Int
  private var stack: [PickleValue] = []
  private var memo: [Int: PickleValue] = [:]
  private let arena: PickleArena

  /// Globals that are marks for what this machine does itself.
  private static let storages: [String: StoredType] = [
    "torch FloatStorage": .f32, "torch DoubleStorage": .f64, "torch HalfStorage": .f16,
    "torch BFloat16Storage": .bf16, "torch LongStorage": .i64, "torch IntStorage": .i32,
  ]
  private static let allowed: Set<String> = [
    "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter",
  ]

  /// - Parameter arena: must outlive the values.
  init(path: String, data: Data, position: Int, arena: PickleArena) {
    (self.path, self.data, self.position, self.arena) = (path, data, position, arena)
  }

  private func bad(_ found: String, _ wanted: String = "a PyTorch state dict") -> TesseraError {
    .input("\(path): pickle at byte \(position)", found: found, wanted: wanted)
  }

  private mutating func bytes(_ count: Int) throws -> Data {
    guard count >= 0, position + count <= data.count else {
      throw bad("the end of the file", "\(count) more bytes")
    }
    defer { position += count }
    return data.subdata(in: data.startIndex + position..<data.startIndex + position + count)
  }

  private mutating func number(_ count: Int) throws -> Int {
    try bytes(count).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
  }

  private mutating func line() throws -> String {
    var out: [UInt8] = []
    while true {
      let byte = try bytes(1).first ?? 10
      if byte == 10 { return String(decoding: out, as: UTF8.self) }
      guard out.count < 1000 else { throw bad("a line without end") }
      out.append(byte)
    }
  }

  private mutating func pop() throws -> PickleValue {
    guard let value = stack.popLast() else { throw bad("an empty stack") }
    return value
  }

  private mutating func popToMark() throws -> [PickleValue] {
    var items: [PickleValue] = []
    while true {
      let value = try pop()
      if case .mark = value { return items.reversed() }
      items.append(value)
    }
  }

  /// Runs to STOP and returns the one value left.
  mutating func run() throws -> PickleValue {
    while true {
      guard stack.count < 10_000_000 else { throw bad("a stack without end") }
      let opcode = try number(1)
      switch opcode {
      case 0x80: _ = try bytes(1)
      case 0x95: _ = try bytes(8)
      case 0x2e: return try pop()
      case 0x28: stack.append(.mark)
      case 0x4e: stack.append(.none)
      case 0x88: stack.append(.bool(true))
      case 0x89: stack.append(.bool(false))
      case 0x4a: stack.append(.int(Int(Int32(truncatingIfNeeded: try number(4)))))
      case 0x4b: stack.append(.int(try number(1)))
      case 0x4d: stack.append(.int(try number(2)))
      case 0x8a: stack.append(.int(try long()))
      case 0x47:
        let raw = try bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        stack.append(.float(Double(bitPattern: raw)))
      case 0x58: stack.append(.text(String(decoding: try bytes(number(4)), as: UTF8.self)))
      case 0x8c, 0x55: stack.append(.text(String(decoding: try bytes(number(1)), as: UTF8.self)))
      case 0x29: stack.append(.tuple(arena.box()))
      case 0x85, 0x86, 0x87: try tuple(opcode - 0x84)
      case 0x74: stack.append(.tuple(arena.box(try popToMark())))
      case 0x5d: stack.append(.list(arena.box()))
      case 0x7d: stack.append(.dictionary(arena.box()))
      case 0x61:
        let item = try pop()
        try append([item])
      case 0x73:
        let value = try pop()
        let key = try pop()
        try append([key, value])
      case 0x65, 0x75:
        let items = try popToMark()
        try append(items)
      case 0x71: memo[try number(1)] = try top()
      case 0x72: memo[try number(4)] = try top()
      case 0x94: memo[memo.count] = try top()
      case 0x68: try recall(number(1))
      case 0x6a: try recall(number(4))
      case 0x63:
        let module = try line()
        try global(module, line())
      case 0x93:
        guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
          throw bad("a nameless global")
        }
        try global(module, name)
      case 0x52: try reduce()
      case 0x51: try persistent()
      case 0x62: _ = try pop()  // BUILD: attributes of a dictionary, such as _metadata, carry no tensors.
      default: throw bad("opcode 0x\(String(opcode, radix: 16))", "one that plain data needs")
      }
    }
  }

  private func top() throws -> PickleValue {
    guard let value = stack.last else { throw bad("an empty stack") }
    return value
  }

  private mutating func long() throws -> Int {
    let raw = try bytes(number(1))
    guard raw.count <= 16 else { throw bad("an integer of \(raw.count) bytes") }
    var value: UInt64 = raw.last.map { $0 & 0x80 != 0 } == true ? .max : 0
    for (index, byte) in raw.prefix(8).enumerated() {
      value = value & ~(0xff << UInt64(8 * index)) | UInt64(byte) << UInt64(8 * index)
    }
    return Int(Int64(bitPattern: value))
  }

  private mutating func tuple(_ count: Int) throws {
    guard stack.count >= count else { throw bad("an empty stack") }
    let items = Array(stack.suffix(count))
    stack.removeLast(count)
    stack.append(.tuple(arena.box(items)))
  }

  private func append(_ items: [PickleValue]) throws {
    switch try top() {
    case .list(let box), .dictionary(let box): box.items += items
    default: throw bad("items for something that holds none")
    }
  }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw bad("memo \(index), which was never set") }
    stack.append(value)
  }

  private mutating func global(_ module: String, _ name: String) throws {
    let full = "\(module) \(name)"
    guard Self.allowed.contains(full) || Self.storages[full] != nil else {
      throw bad("a request for \(module).\(name)", "tensors and plain data alone")
    }
    stack.append(.global(full))
  }

  private mutating func reduce() throws {
    guard case .tuple(let box) = try pop(), case .global(let name) = try pop() else {
      throw bad("a call of something that is not known")
    }
    let arguments = box.items
    switch name {
    case "collections OrderedDict": stack.append(.dictionary(arena.box()))
    case "torch._utils _rebuild_parameter":
      guard let first = arguments.first else { throw bad("a parameter without a tensor") }
      stack.append(first)
    case "torch._utils _rebuild_tensor_v2": stack.append(.tensor(try tensor(arguments)))
    default: throw bad("a call of \(name)", "tensors and plain data alone")
    }
  }

  private func tensor(_ arguments: [PickleValue]) throws -> PickleTensor {
    guard arguments.count >= 4, case .storage(let key, let type, let count) = arguments[0],
      case .int(let offset) = arguments[1], case .tuple(let extents) = arguments[2],
      case .tuple(let steps) = arguments[3], extents.items.count == steps.items.count
    else { throw bad("a tensor that is put together in an unknown way") }
    func numbers(_ values: [PickleValue]) throws -> [Int] {
      try values.map {
        guard case .int(let n) = $0, n >= 0, n <= Int(Int32.max) else {
          throw bad("a shape or stride out of range")
        }
        return n
      }
    }
    return PickleTensor(
      storage: key, type: type, storageCount: count, offset: offset, shape: try numbers(extents.items),
      strides: try numbers(steps.items))
  }

  /// ("storage", type, key, location, count[, view]).
  private mutating func persistent() throws {
    guard case .tuple(let box) = try pop(), case let parts = box.items, parts.count >= 5,
      case .text("storage") = parts[0],
      case .global(let name) = parts[1], let type = Self.storages[name], case .text(let key) = parts[2],
      case .int(let count) = parts[4], count >= 0
    else { throw bad("a persistent object that is no storage", "a storage of numbers") }
    if parts.count > 5, case .tuple = parts[5] { throw bad("a view of a storage", "whole storages") }
    stack.append(.storage(key: key, type: type, count: count))
  }
}
