// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A weight: a leaf of the tape that an optimiser may change. It may be used any number of times in a pass,
/// by one module or by several that share it: the gradients of all uses add up.
public final class Parameter {
  /// Its value; the optimiser writes into it.
  public let value: Tensor
  /// Whether gradients are computed for it.
  public var isTrainable: Bool
  /// The leaf of the last forward pass in which it was trainable.
  private var variable: Variable?

  /// A parameter over a tensor.
  public init(_ value: Tensor, isTrainable: Bool = true) {
    self.value = value
    self.isTrainable = isTrainable
  }

  /// The leaf for a forward pass: the same for every use until a backward pass has reached it. The first
  /// use after that begins a new pass, whose gradients replace those of the last one.
  public func leaf() -> Variable {
    // A segment that is computed again meets gradients of later ones, which are of its own pass.
    if variable?.gradient != nil, !Self.isRecomputing {
      end("of an earlier pass, whose gradients a later one replaced")
    }
    if isTrainable, let variable { return variable }
    let leaf = Variable(value, requiresGradient: isTrainable)
    leaf.isOfParameters = true
    if isTrainable { variable = leaf }
    return leaf
  }

  /// Whether a backward pass computes a segment again.
  @TaskLocal static var isRecomputing = false

  /// The gradient of the last backward pass: the sum over all uses of the parameter.
  public var gradient: Tensor? { variable?.gradient }

  /// Puts another gradient in the place of the last pass's.
  func replaceGradient(_ make: (Tensor) throws -> Tensor) throws {
    guard let variable, let gradient = variable.gradient else {
      throw TesseraError.failure("a gradient", found: "none yet", wanted: "a backward pass first")
    }
    variable.gradient = try make(gradient)
  }

  /// Lets go of the last pass, after which the value was changed.
  func reset() { end("that an optimiser has changed since the forward pass") }

  private func end(_ reason: String) {
    variable?.ended = reason
    variable = nil
  }
}

/// What a module holds under a name: a parameter, or a buffer such as running statistics.
public enum ModuleState {
  /// What training changes.
  case parameter(Parameter)
  /// What is kept beside, such as running statistics.
  case buffer(Tensor)

  /// The tensor itself.
  public var tensor: Tensor {
    switch self {
    case .parameter(let parameter): parameter.value
    case .buffer(let tensor): tensor
    }
  }
}

/// A differentiable function with state. Names of state are those of PyTorch's state dicts.
public protocol Module: AnyObject {
  /// Applies the module.
  func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable
  /// Everything the module holds, by name relative to it, in a fixed order.
  var state: [(name: String, state: ModuleState)] { get }
}

extension Module {
  /// Nothing.
  public var state: [(name: String, state: ModuleState)] { [] }

  /// The parameters, in order; one that several modules share is there once, under its first name.
  public var parameters: [(name: String, parameter: Parameter)] {
    var seen: Set<ObjectIdentifier> = []
    return state.compactMap { name, state in
      guard case .parameter(let parameter) = state else { return nil }
      return seen.insert(ObjectIdentifier(parameter)).inserted ? (name, parameter) : nil
    }
  }

  /// Makes the parameters trainable or not.
  public func setTrainable(_ trainable: Bool) {
    for (_, parameter) in parameters { parameter.isTrainable = trainable }
  }
}

/// Modules one after the other; state is named by position or by given names.
public final class Sequential: Module {
  let children: [(name: String, module: any Module)]

  /// Modules named 0, 1, 2, ...
  public init(_ modules: [any Module]) {
    children = modules.enumerated().map { (String($0.offset), $0.element) }
  }

  /// Named modules.
  public init(named modules: [(String, any Module)]) { children = modules.map { (name: $0.0, module: $0.1) } }

  /// How many modules there are.
  public var count: Int { children.count }

  /// The modules' names, in order.
  package var names: [String] { children.map(\.name) }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    var x = x
    for child in children { x = try child.module(x, context) }
    return x
  }

  public var state: [(name: String, state: ModuleState)] {
    children.flatMap { child in child.module.state.map { ("\(child.name).\($0.name)", $0.state) } }
  }
}
