// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Runs the pickle machine for PyTorch's files: it builds numbers, text, tuples, lists, dictionaries and
/// tensors. Of every other class or function that a file asks for it keeps the name alone: an inert
/// stand-in takes the object's place, and nothing in a file is ever looked up, called or imported.
struct Unpickler {
  private let path: String
  private let data: Data
  private(set) var position: Int
  var stack: [PickleValue] = []
  private var memo: [Int: PickleValue] = [:]
  let arena: PickleArena
  /// The type of every storage that was named, whether its tensor is reached or not.
  var storages: [String: StoredType] = [:]

  /// - Parameter arena: must outlive the values.
  init(path: String, data: Data, position: Int, arena: PickleArena) {
    (self.path, self.data, self.position, self.arena) = (path, data, position, arena)
  }

  func bad(_ found: String, _ wanted: String = "a PyTorch state dict") -> TesseraError {
    .input("\(path): pickle at byte \(position)", found: found, wanted: wanted)
  }

  private mutating func bytes(_ count: Int) throws -> Data {
    guard count >= 0, count <= data.count - position else {
      throw bad(
        "the end of the file", "\(count < 0 ? "some" : "\(count)") more bytes\(SafetensorsFormat.shortened)")
    }
    defer { position += count }
    return data[data.startIndex + position..<data.startIndex + position + count]
  }

  private mutating func number(_ count: Int) throws -> Int {
    try bytes(count).enumerated().reduce(0) { $0 | Int(truncatingIfNeeded: $1.element) << (8 * $1.offset) }
  }

  private mutating func text(_ count: Int) throws -> PickleValue {
    .text(String(decoding: try bytes(count), as: UTF8.self))
  }

  private mutating func skip(_ count: Int) throws -> PickleValue {
    _ = try bytes(count)
    return .bytes
  }

  private mutating func line() throws -> String {
    let rest = data[(data.startIndex + position)...]
    guard let end = rest.prefix(1 << 20).firstIndex(of: 10) else { throw bad("a line without end") }
    position = end - data.startIndex + 1
    return String(decoding: rest[..<end], as: UTF8.self)
  }

  mutating func pop() throws -> PickleValue {
    guard let value = stack.popLast() else { throw bad("an empty stack") }
    return value
  }

  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = stack.lastIndex(where: { if case .mark = $0 { true } else { false } }) else {
      throw bad("an empty stack")
    }
    let items = Array(stack[(mark + 1)...])
    stack.removeSubrange(mark...)
    return items
  }

  func top() throws -> PickleValue {
    guard let value = stack.last else { throw bad("an empty stack") }
    return value
  }

  /// Runs one pickle to STOP and returns the value left. The next begins anew: it knows nothing of what
  /// this one kept.
  mutating func run() throws -> PickleValue {
    (stack, memo) = ([], [:])
    while true {
      guard stack.count < 10_000_000 else { throw bad("a stack without end") }
      let opcode = UInt8(try number(1))
      if opcode == UInt8(ascii: ".") { return try pop() }
      if let value = try scalar(opcode) {
        stack.append(value)
      } else if try !container(opcode), try !memory(opcode), try !foreign(opcode) {
        throw bad("opcode 0x\(String(opcode, radix: 16))", "one of the pickle protocols up to 5")
      }
    }
  }

  /// Opcodes that push a number, a text, bytes or nothing.
  private mutating func scalar(_ opcode: UInt8) throws -> PickleValue? {
    switch opcode {
    case UInt8(ascii: "N"): PickleValue.none
    case 0x88: .bool(true)
    case 0x89: .bool(false)
    case UInt8(ascii: "J"): .int(Int(Int32(truncatingIfNeeded: try number(4))))
    case UInt8(ascii: "K"): .int(try number(1))
    case UInt8(ascii: "M"): .int(try number(2))
    case UInt8(ascii: "I"), UInt8(ascii: "L"): try written()
    case 0x8a: .int(try long(number(1)))
    case 0x8b: .int(try long(number(4)))
    case UInt8(ascii: "F"): .float(Double(try line()) ?? .nan)
    case UInt8(ascii: "G"):
      .float(Double(bitPattern: try bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }))
    case UInt8(ascii: "X"), UInt8(ascii: "T"): try text(number(4))
    case 0x8c, UInt8(ascii: "U"): try text(number(1))
    case 0x8d: try text(number(8))
    case UInt8(ascii: "V"): .text(try line())
    case UInt8(ascii: "S"): .text(String(try line().dropFirst().dropLast()))
    case UInt8(ascii: "C"): try skip(number(1))
    case UInt8(ascii: "B"): try skip(number(4))
    case 0x8e, 0x96: try skip(number(8))
    default: nil
    }
  }

  /// A number in digits: of protocol 0, where 00 and 01 are truth values.
  private mutating func written() throws -> PickleValue {
    let digits = try line()
    if digits == "00" || digits == "01" { return .bool(digits == "01") }
    let number = digits.hasSuffix("L") ? String(digits.dropLast()) : digits
    // What has more than 64 bits is no extent; beside weights it may be there.
    guard let value = Int(number) else {
      guard let large = Double(number) else { throw bad("the number \(digits.prefix(20))", "a whole one") }
      return .float(large)
    }
    return .int(value)
  }

  /// The low 64 bits of an integer.
  private mutating func long(_ count: Int) throws -> Int {
    let raw = try bytes(count)
    var value: UInt64 = raw.last.map { $0 & 0x80 != 0 } == true ? .max : 0
    for (index, byte) in raw.prefix(8).enumerated() {
      value = value & ~(0xff << UInt64(8 * index)) | UInt64(byte) << UInt64(8 * index)
    }
    return Int(Int64(bitPattern: value))
  }

  /// Opcodes of tuples, lists, dictionaries and sets.
  private mutating func container(_ opcode: UInt8) throws -> Bool {
    switch opcode {
    case UInt8(ascii: "("): stack.append(.mark)
    case UInt8(ascii: ")"): stack.append(.tuple(arena.box()))
    case 0x85, 0x86, 0x87: try tuple(Int(opcode - 0x84))
    case UInt8(ascii: "t"), 0x91: stack.append(.tuple(arena.box(try popToMark())))
    case UInt8(ascii: "]"): stack.append(.list(arena.box()))
    case UInt8(ascii: "l"): stack.append(.list(arena.box(try popToMark())))
    case UInt8(ascii: "}"): stack.append(.dictionary(arena.box()))
    case UInt8(ascii: "d"): stack.append(.dictionary(arena.box(try popToMark())))
    case 0x8f: stack.append(.object(arena.object("builtins set")))
    case UInt8(ascii: "a"): try append([try pop()])
    case UInt8(ascii: "e"), 0x90: try append(try popToMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      try append([try pop(), value], pairs: true)
    case UInt8(ascii: "u"): try append(try popToMark(), pairs: true)
    default: return false
    }
    return true
  }

  private mutating func tuple(_ count: Int) throws {
    guard stack.count >= count else { throw bad("an empty stack") }
    let items = Array(stack.suffix(count))
    stack.removeLast(count)
    stack.append(.tuple(arena.box(items)))
  }

  // Mutating, so that its arguments take from the stack before it looks at it.
  private mutating func append(_ items: [PickleValue], pairs: Bool = false) throws {
    switch try top() {
    case .list(let box), .dictionary(let box): box.items += items
    case .object(let object): if pairs { object.pairs.items += items }
    default: throw bad("items for something that holds none")
    }
  }

  /// Opcodes of the frame, the stack and the memo.
  private mutating func memory(_ opcode: UInt8) throws -> Bool {
    switch opcode {
    case 0x80: _ = try bytes(1)
    case 0x95: _ = try bytes(8)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    case UInt8(ascii: "q"): memo[try number(1)] = try top()
    case UInt8(ascii: "r"): memo[try number(4)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "p"): memo[try slot()] = try top()
    case UInt8(ascii: "h"): try recall(number(1))
    case UInt8(ascii: "j"): try recall(number(4))
    case UInt8(ascii: "g"): try recall(slot())
    default: return false
    }
    return true
  }

  private mutating func slot() throws -> Int {
    let digits = try line()
    guard let index = Int(digits), index >= 0 else { throw bad("memo \(digits.prefix(20))") }
    return index
  }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw bad("memo \(index), which was never set") }
    stack.append(value)
  }

  /// Opcodes that ask for classes, functions and objects.
  private mutating func foreign(_ opcode: UInt8) throws -> Bool {
    switch opcode {
    case UInt8(ascii: "c"):
      let module = try line()
      stack.append(.global("\(module) \(try line())"))
    case 0x93:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw bad("a nameless global")
      }
      stack.append(.global("\(module) \(name)"))
    case 0x82, 0x83, 0x84: stack.append(.global("extension \(try number(1 << Int(opcode - 0x82)))"))
    case UInt8(ascii: "R"), 0x81: try reduce()
    case 0x92:
      // The arguments by name stand on top.
      _ = try pop()
      try reduce()
    case UInt8(ascii: "i"):
      let module = try line()
      let name = try line()
      _ = try popToMark()
      stack.append(.object(arena.object("\(module) \(name)")))
    case UInt8(ascii: "o"):
      guard let first = try popToMark().first else { throw bad("an object without a class") }
      stack.append(.object(arena.object(try name(of: first))))
    case UInt8(ascii: "P"): stack.append(.object(arena.object("persistent \(try line().prefix(200))")))
    case UInt8(ascii: "Q"): try persistent()
    case UInt8(ascii: "b"): try build()
    default: return false
    }
    return true
  }
}
