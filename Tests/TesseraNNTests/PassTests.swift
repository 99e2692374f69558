// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// What a pass is, and what must not happen between a forward and its backward pass.
@Suite struct PassTests {
  private let device: CPUBackend
  private let parameter: Parameter
  private let x: Variable

  init() throws {
    device = try CPUBackend(threads: 1)
    parameter = Parameter(try device.tensor([2, -3] as [Float], [1, 2]))
    x = Variable(try device.tensor([1, 2, 3, 4] as [Float], [2, 2]))
  }

  /// y = x w', whose gradient for w is (4, 6) times the gradient for y.
  private func forward(_ context: Context) throws -> Variable {
    try context.linear(x, weight: parameter.leaf(), bias: nil)
  }

  private func backward(_ context: Context, _ y: Variable, _ value: Float = 1) throws {
    try context.tape?.backward(from: y, gradient: try device.tensor([value, value], [2, 1]))
  }

  private func gradient() throws -> [Float]? { try parameter.gradient.map { try device.floats($0) } }

  private func differentiable() -> Context { Context(device: device, differentiable: true) }

  @Test func aPassWithoutATapeBetweenChangesNothing() throws {
    let context = differentiable()
    let y = try forward(context)
    _ = try forward(Context(device: device))
    try backward(context, y)
    #expect(try gradient() == [4, 6])
  }

  @Test func passesAtTheSameTimeAddUpAndALaterOneReplacesThem() throws {
    let (a, b) = (differentiable(), differentiable())
    let (y, z) = (try forward(a), try forward(b))
    try backward(a, y)
    try backward(b, z, 10)
    #expect(try gradient() == [44, 66])
    let next = differentiable()
    try backward(next, try forward(next), -1)
    #expect(try gradient() == [-4, -6])
  }

  @Test func aParameterThatHasChangedTakesNoGradient() throws {
    let adam = try Adam(device: device, [.init([("w", parameter)], learningRate: 0.1)])
    let (a, b) = (differentiable(), differentiable())
    let (y, z) = (try forward(a), try forward(b))
    try backward(a, y)
    try adam.step()
    #expect(throws: TesseraError.self) { try backward(b, z) }
    #expect(parameter.gradient == nil)
    // Nor does one whose gradients a later pass has replaced.
    let (c, d) = (differentiable(), differentiable())
    let (u, v) = (try forward(c), try forward(d))
    try backward(c, u)
    _ = try forward(differentiable())
    #expect(throws: TesseraError.self) { try backward(d, v) }
  }

  @Test func aTapeIsGoneOverOnce() throws {
    let context = differentiable()
    let y = try forward(context)
    try backward(context, y)
    let error = #expect(throws: TesseraError.self) { try backward(context, y) }
    #expect("\(try #require(error))".contains("the tape does not hold"))
    #expect(try gradient() == [4, 6])
    #expect(throws: TesseraError.self) { try backward(context, x) }
    let other = try forward(differentiable())
    #expect(throws: TesseraError.self) { try backward(context, other) }
    #expect(throws: TesseraError.self) {
      let again = try forward(context)
      try context.tape?.backward(from: again, gradient: try device.tensor([1, 1] as [Float], [2]))
    }
  }

  @Test func frozenAndTrainedUsesOfOneParameter() throws {
    let context = differentiable()
    let y = try forward(context)
    parameter.isTrainable = false
    let both = try context.add(y, try forward(context))
    try backward(context, both)
    #expect(try gradient() == [4, 6])
    // Thawed, it begins anew.
    parameter.isTrainable = true
    let next = differentiable()
    try backward(next, try forward(next), 2)
    #expect(try gradient() == [8, 12])
  }

  @Test func aCustomFunctionMayRecordTwice() throws {
    let context = differentiable()
    let tape = try #require(context.tape)
    let leaf = Variable(try device.tensor([1, 1] as [Float], [2]), requiresGradient: true)
    let y = Variable(try device.tensor([5, 5] as [Float], [2]))
    tape.record(y) { [unowned tape] in try tape.accumulate($0, to: leaf) }
    tape.record(y) { [unowned tape] in try tape.accumulate($0, to: leaf) }
    try tape.backward(from: y, gradient: try device.tensor([3, 4] as [Float], [2]))
    #expect(try device.floats(try #require(leaf.gradient)) == [6, 8])
    #expect(throws: TesseraError.self) { try tape.accumulate(try device.tensor([1 as Float], [1]), to: leaf) }
  }

  @Test func runningStatisticsThatMoveAreNotThoseOfThePassBefore() throws {
    let draw = Initializer(device: device, seed: 1)
    let norm = try BatchNorm2d(2, draw)
    let input = Variable(try device.tensor(drawn(3, 8), [4, 2]), requiresGradient: true)
    func gradient(_ between: () throws -> Void) throws -> [Float] {
      let context = differentiable()
      input.gradient = nil
      let y = try norm(input, context)
      try between()
      try context.tape?.backward(
        from: y, gradient: try device.tensor([Float](repeating: 1, count: 8), [4, 2]))
      return try device.floats(try #require(input.gradient))
    }
    let alone = try gradient {}
    let other = Variable(try device.tensor(drawn(4, 8, 5, 9), [4, 2]))
    #expect(try gradient { _ = try norm(other, Context(device: device, training: true)) } == alone)
  }

  @Test func anOptimizerCountsASharedParameterOnce() throws {
    let draw = Initializer(device: device, seed: 1)
    let layer = try Linear(2, 2, draw)
    let network = Sequential([layer, layer])
    #expect(network.state.map(\.name) == ["0.weight", "0.bias", "1.weight", "1.bias"])
    #expect(network.parameters.map(\.name) == ["0.weight", "0.bias"])
    let twice = layer.parameters + layer.parameters.map { ("again." + $0.name, $0.parameter) }
    let adam = try Adam(device: device, [.init(twice, learningRate: 0.1), .init(twice, learningRate: 0.1)])
    #expect(adam.state.map(\.name).filter { $0.hasSuffix("first_moment") }.count == 2)
    #expect(throws: TesseraError.self) {
      try Adam(device: device, [.init(twice, learningRate: 0.1), .init(twice, learningRate: 0.2)])
    }
    #expect(throws: TesseraError.self) {
      try Adam(
        device: device, [.init([("a", parameter), ("b", Parameter(parameter.value))], learningRate: 0.1)])
    }
  }

  @Test func streamsOfAStepStayItsOwn() throws {
    let context = Context(device: device, training: true, seed: 1, step: 3)
    var streams: Set<RandomStream> = []
    for _ in 0..<65_536 { streams.insert(try context.nextStream(for: [4])) }
    #expect(streams.count == 65_536)
    #expect(throws: TesseraError.self) { try context.nextStream(for: [4]) }
    #expect(throws: TesseraError.self) { try Context(device: device, step: 1 << 40).nextStream(for: [4]) }
  }

  @Test func aPartTakesRowsOfItsSamplesAlone() throws {
    let exchange = try AllReduce(parts: 1)
    let part = try BatchShard(0..<2, of: 2, exchange, number: 0, memory: .init())
    let context = Context(device: device, differentiable: true, part: part)
    let wide = Variable(try device.tensor(drawn(1, 8), [4, 2]))
    let y = try context.linear(wide, weight: parameter.leaf(), bias: nil)
    #expect(throws: TesseraError.self) {
      try context.tape?.backward(from: y, gradient: try device.tensor([1, 1, 1, 1] as [Float], [4, 1]))
    }
    for (samples, number) in [(4..<8, 0), (0..<9, 0), (0..<8, 1), (-8..<0, 0)] {
      #expect(throws: TesseraError.self) {
        try BatchShard(samples, of: 16, exchange, number: number, memory: .init())
      }
    }
  }
}
