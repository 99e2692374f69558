// SPDX-License-Identifier: Apache-2.0
/// Collects the tensors of an unpickled value by name: the keys on the way to each, joined by dots. State
/// dicts may lie in dictionaries, lists and objects of any depth.
struct PickleWalk {
  private let path: String
  private(set) var tensors: [String: PickleTensor] = [:]
  /// Entries that may still be visited: what is shared between many places could blow up without end.
  private var left = 20_000_000
  /// The containers on the way to the present one: circles are not followed.
  private var open: Set<ObjectIdentifier> = []

  /// A walk over the file of that path.
  init(path: String) { self.path = path }

  /// Visits the outermost value.
  ///
  /// - Throws: `TesseraError` for a value that can hold no tensors, or one that is too large.
  mutating func visit(_ value: PickleValue) throws {
    switch value {
    case .dictionary, .list, .tuple, .object, .tensor: try visit(value, "", depth: 0)
    default: throw TesseraError.input(path, found: "no dictionary of tensors", wanted: "a state dict")
    }
  }

  private mutating func visit(_ value: PickleValue, _ name: String, depth: Int) throws {
    left -= 1
    guard left > 0, tensors.count <= 1_000_000 else {
      throw TesseraError.input(
        path, found: "more entries than a checkpoint has", wanted: "a state dict of at most a million tensors"
      )
    }
    // Names are of no length that a hostile file likes.
    guard name.utf8.count <= 4096 else { return }
    switch value {
    case .tensor(let tensor): tensors[name] = tensor
    case .dictionary(let box): try inside(box, depth) { try $0.pairs(box, name, depth: $1) }
    case .list(let box), .tuple(let box):
      try inside(box, depth) { walk, depth in
        for (index, item) in box.items.enumerated() {
          try walk.visit(item, Self.joined(name, "\(index)"), depth: depth)
        }
      }
    case .object(let object):
      try inside(object, depth) { walk, depth in
        try walk.pairs(object.pairs, name, depth: depth)
        try walk.attributes(object, name, depth: depth)
      }
    default: break
    }
  }

  private mutating func inside(
    _ container: AnyObject, _ depth: Int, _ body: (inout PickleWalk, Int) throws -> Void
  ) throws {
    // Beyond so many levels nobody keeps weights, and a stack has an end.
    guard depth < 64, open.insert(ObjectIdentifier(container)).inserted else { return }
    defer { open.remove(ObjectIdentifier(container)) }
    try body(&self, depth + 1)
  }

  private mutating func pairs(_ box: PickleBox, _ name: String, depth: Int) throws {
    for index in stride(from: 0, to: box.items.count - 1, by: 2) {
      let key: String
      switch box.items[index] {
      case .text(let text): key = text
      case .int(let number): key = "\(number)"
      default: continue
      }
      try visit(box.items[index + 1], Self.joined(name, key), depth: depth)
    }
  }

  /// The attributes of a stand-in: of a network that was saved whole, its parameters, buffers and modules,
  /// named as its state dict names them.
  private mutating func attributes(_ object: PickleObject, _ name: String, depth: Int) throws {
    var state = object.state
    // Objects with slots have two sets of attributes, of which one may be nothing.
    if case .tuple(let box) = state,
      let own = box.items.first(where: { if case .dictionary = $0 { true } else { false } })
    {
      state = own
    }
    guard case .dictionary(let box) = state else { return }
    var members: [String: PickleValue] = [:]
    for index in stride(from: 0, to: box.items.count - 1, by: 2) {
      if case .text(let key) = box.items[index] { members[key] = box.items[index + 1] }
    }
    guard members["_modules"] != nil, members["_parameters"] != nil else {
      return try pairs(box, name, depth: depth)
    }
    for part in ["_parameters", "_buffers", "_modules"] {
      if let value = members[part] { try visit(value, name, depth: depth) }
    }
  }

  private static func joined(_ name: String, _ key: String) -> String {
    name.isEmpty ? key : "\(name).\(key)"
  }
}
