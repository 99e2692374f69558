// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Calls of public functions with wrong arguments, and what has to come of each.
///
/// To add a row: `function("Type.name(label:)")` names what is called (as `MisuseTests` says that it is
/// missing), then, a line a call,
///
///     refuses("a negative extent") { try device.allocate([-1], .float32) }    // throws a `TesseraError`
///     gives("no values", 0) { Fingerprint().digits().count }                  // comes back with this
///
/// and `kernel` for a function of tensors, which tries each of them with another type, another number of
/// elements, of another device, and in another's memory. A function without arguments that could be wrong
/// has a row that says what it gives.
final class Rows {
  struct Row {
    let function: String, what: String
    /// What the call is to give, as text; nil: a `TesseraError`.
    let wanted: String?
    let call: () throws -> String
  }

  private(set) var all: [Row] = []
  private var current = ""
  let device: any Backend
  let folder: String
  /// Tensors of other devices, (elements, type): one of a device that nobody knows among them.
  let strangers: [(name: String, make: (Int, ElementType) throws -> Tensor)]

  init(_ device: any Backend, folder: String, others: [any Backend]) {
    (self.device, self.folder) = (device, folder)
    strangers =
      [
        (
          "a device that nobody knows",
          { try Tensor(shape: [$0], elementType: $1, storage: Unknown(byteCount: 4 * $0)) }
        )
      ]
      + others.map { other in (other.name, { try other.allocate([$0], $1) }) }
  }

  /// Memory of no device.
  private final class Unknown: TensorStorage {
    let byteCount: Int
    init(byteCount: Int) { self.byteCount = byteCount }
  }

  func function(_ name: String) { current = name }

  /// Takes rows of the current function back, which are no mistakes of it.
  func removeLast(where isRight: (Row) -> Bool) { all.removeAll { $0.function == current && isRight($0) } }

  func refuses<T>(_ what: String, _ call: @escaping () throws -> T) {
    all.append(Row(function: current, what: what, wanted: nil) { "\(try call())" })
  }

  func gives<T>(_ what: String, _ wanted: T, _ call: @escaping () throws -> T) {
    all.append(Row(function: current, what: what, wanted: "\(wanted)") { "\(try call())" })
  }

  /// The call comes to its end; there is nothing to compare.
  func works(_ what: String, _ call: @escaping () throws -> Void) {
    gives(what, "done") {
      try call()
      return "done"
    }
  }

  /// A tensor's place in a call.
  enum Operand {
    /// Floats or integers that are read.
    case floats(Int), ints(Int)
    /// Floats or integers that are written; `shared` ones may be an input's memory.
    case out(Int), intsOut(Int), shared(Int)

    var count: Int {
      switch self {
      case .floats(let count), .ints(let count), .out(let count), .intsOut(let count), .shared(let count):
        count
      }
    }
    var type: ElementType {
      switch self {
      case .ints, .intsOut: .int32
      default: .float32
      }
    }
    var isOutput: Bool {
      switch self {
      case .floats, .ints: false
      default: true
      }
    }
  }

  func floats(_ count: Int) throws -> Tensor {
    try device.tensor((0..<count).map { Float($0 % 7) / 8 + 0.25 }, [count])
  }

  func ints(_ count: Int) throws -> Tensor { try device.tensor([Int32](repeating: 0, count: count), [count]) }

  private func make(_ operand: Operand) throws -> Tensor {
    operand.type == .float32 ? try floats(operand.count) : try ints(operand.count)
  }

  /// A function of tensors: the right call, and one with each tensor wrong in each way.
  ///
  /// - Parameter atLeast: whether operands may have more elements than are looked at.
  func kernel(
    _ name: String, _ operands: [Operand], atLeast: Bool = false, _ call: @escaping ([Tensor]) throws -> Void
  ) {
    function(name)
    let device = device
    works("as it should be") {
      let tensors = try operands.map(self.make)
      try call(tensors)
      for (tensor, operand) in zip(tensors, operands) where operand.isOutput && operand.type == .float32 {
        guard try device.floats(tensor).allSatisfy(\.isFinite) else {
          throw TesseraError.failure(name, found: "a NaN from good numbers", wanted: "none")
        }
      }
    }
    func wrong(_ at: Int, _ what: String, _ tensor: @escaping () throws -> Tensor) {
      refuses("operand \(at): \(what)") {
        var tensors = try operands.map(self.make)
        tensors[at] = try tensor()
        try call(tensors)
        try device.synchronize()
        return "nothing refused"
      }
    }
    for (at, operand) in operands.enumerated() {
      let other: ElementType = operand.type == .float32 ? .int32 : .float32
      wrong(at, "of the other type") { try device.allocate([operand.count], other) }
      wrong(at, "empty") { try device.allocate([0], operand.type) }
      wrong(at, "an element less") { try device.allocate([operand.count - 1], operand.type) }
      if !atLeast {
        wrong(at, "an element more") { try device.allocate([operand.count + 1], operand.type) }
      }
      for stranger in strangers {
        wrong(at, "of \(stranger.name)") { try stranger.make(operand.count, operand.type) }
      }
      guard operand.isOutput, case let before = operands.indices.filter({ $0 < at }), !before.isEmpty else {
        continue
      }
      if case .shared = operand { continue }
      for other in before where operands[other].count == operand.count && operands[other].type == operand.type
      {
        refuses("operand \(at): in the memory of operand \(other)") {
          var tensors = try operands.map(self.make)
          tensors[at] = tensors[other]
          try call(tensors)
          return "nothing refused"
        }
      }
    }
  }

  func fields<P>(
    _ p: P, _ paths: [(String, WritableKeyPath<P, Int>)], _ call: @escaping (P) throws -> Void
  ) { fields(p, paths, [-1, 1 << 31, .max, .min], call) }

  func numbers<P>(
    _ p: P, _ paths: [(String, WritableKeyPath<P, Float>)], _ call: @escaping (P) throws -> Void
  ) { fields(p, paths, [.nan, .infinity, -1], call) }

  /// A struct of settings, each in turn with numbers that make no sense.
  func fields<P, V>(
    _ p: P, _ paths: [(String, WritableKeyPath<P, V>)], _ values: [V],
    _ call: @escaping (P) throws -> Void
  ) {
    for (name, path) in paths {
      for value in values {
        refuses("\(name) \(value)") {
          var p = p
          p[keyPath: path] = value
          try call(p)
          return "nothing refused"
        }
      }
    }
  }
}
