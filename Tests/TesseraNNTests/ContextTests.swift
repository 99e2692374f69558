// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraNN

/// Variables and the contexts that they belong to.
@Suite struct ContextTests {
  @Test func oneImportIsEnoughForAFirstProgram() throws {
    let context = Context(device: try CPUBackend(), differentiable: true)
    let x = try context.variable([1, 2, 3], requiresGradient: true)
    let y = try (x * x + 2 * x).mean()
    try y.backward()
    let device = context.device
    #expect(try y.item() == 26 / Float(3))
    #expect(try device.floats(try #require(x.gradient)) == [4 / 3, 2, 8 / 3])
    #expect("\(x)" == "[1.0, 2.0, 3.0] float32 [3]")
  }

  @Test func withoutGradientNothingIsRecorded() throws {
    let context = Context(device: try CPUBackend(), differentiable: true)
    let x = try context.variable([1, 2], requiresGradient: true)
    let y = try context.withoutGradient { try x * 3 }
    #expect(!y.requiresGradient)
    #expect(throws: TesseraError.self) { try y.sum().backward() }
    let z = try (x * y).sum()
    try z.backward()
    #expect(try context.device.floats(try #require(x.gradient)) == [3, 6])
    #expect(throws: TesseraError.self) {
      try context.withoutGradient { throw TesseraError.failure("here", found: "it") }
    }
    #expect(try (x * 3).requiresGradient)
  }

  @Test func variablesOfTwoContextsDoNotMeet() throws {
    let device = try CPUBackend()
    let (one, other) = (Context(device: device), Context(device: device))
    let (x, y) = (try one.variable([1]), try other.variable([2]))
    #expect(throws: TesseraError.self) { try x + y }
    // A leaf goes over; what was computed does not.
    #expect(try (try other(x) + y).item() == 3)
    let computed = try y * 2
    let recorded = Context(device: device, differentiable: true)
    let output = try recorded.variable([1], requiresGradient: true) * 2
    #expect(throws: TesseraError.self) { try one(output) }
    #expect(try (try one(computed) + 1).item() == 5)
  }

  /// A context of one expression: what wants no gradient goes on without it, what wants one is named.
  @Test func aContextMayBeGone() throws {
    let device = try CPUBackend()
    let layer = try Linear(2, 2, Initializer(device: device, seed: 1))
    let y = try layer(Variable(try device.tensor([1, 2], [1, 2])), Context(device: device))
    #expect(y.context == nil)
    #expect(try y.softmax().sum().item() == 1)
    #expect(try device.ints(y.argmax()).count == 1)
    #expect(y.description.hasSuffix("float32 [1, 2]"))
    func made() throws -> Variable { try Context(device: device).variable([1], requiresGradient: true) }
    let error = #expect(throws: TesseraError.self) { try made() + 1 }
    #expect("\(try #require(error))".contains("whose context is gone"))
    #expect(try made().values() == [1])
    // Its tape is gone too: nothing would reach what it was computed from.
    func recorded() throws -> Variable {
      let context = Context(device: device, differentiable: true)
      return try context.variable([1], requiresGradient: true) * 2
    }
    let context = Context(device: device, differentiable: true)
    #expect(throws: TesseraError.self) { try recorded() * context.variable([1]) }
  }

  /// The context stays as long as its own variable, though only variables are used after it.
  @Test func aContextOutlivesItsLastMention() throws {
    let context = Context(device: try CPUBackend(), differentiable: true)
    let x = try context.variable(drawn(1, 1000), requiresGradient: true)
    var y = x
    for _ in 0..<20 { y = try (y * 0.5 + 1).tanh() }
    try y.mean().backward()
    #expect(x.gradient != nil)
  }

  @Test func gradientsAreClippedByTheirNorm() throws {
    let device = try CPUBackend()
    let parameters = [("a", Parameter(try device.tensor([3, 0]))), ("b", Parameter(try device.tensor([4])))]
    for (bound, factor) in [(Float(2.5), Float(0.5)), (50, 1)] {
      let context = Context(device: device, differentiable: true)
      let loss = try (context(parameters[0].1).square().sum() + context(parameters[1].1).square().sum()) * 0.5
      try loss.backward()
      let norm = try Parameter.clipGradients(parameters, norm: bound, on: device)
      #expect(try device.floats(norm) == [5])
      let found = try parameters.flatMap { try device.floats(try #require($0.1.gradient)) }
      #expect(largestDifference(found, [3 * factor, 0, 4 * factor]).value < 1e-5)
    }
    #expect(throws: TesseraError.self) { try Parameter.clipGradients(parameters, norm: -1, on: device) }
  }

  /// One tensor may be the gradient of two parameters: each is scaled once.
  @Test func aSharedGradientIsScaledOnce() throws {
    let device = try CPUBackend()
    let parameters = [("a", Parameter(try device.tensor([1]))), ("b", Parameter(try device.tensor([1])))]
    let context = Context(device: device, differentiable: true)
    try (context(parameters[0].1) + context(parameters[1].1)).backward()
    try Parameter.clipGradients(parameters, norm: Float(0.5).squareRoot(), on: device)
    for (_, parameter) in parameters {
      #expect(abs(try device.floats(try #require(parameter.gradient))[0] - 0.5) < 1e-5)
    }
  }
}
