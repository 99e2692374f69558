// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraCompute

/// Broadcasting, copies by strides, gathers' gradients and optimiser steps against PyTorch
/// (tools/golden/primitives.py), and at their borders.
@Suite struct BroadcastTests {
  private let torch = Result { try PyTorchReference() }

  @Test(arguments: [("column", [3, 1], [17]), ("middle", [4, 1, 3], [2, 1]), ("scalar", [], [5, 7])])
  func operationsBroadcastAsPyTorchs(_ name: String, _ a: [Int], _ b: [Int]) throws {
    let torch = try torch.get()
    let p = try Broadcast([a, b])
    let c = try torch.device.allocate(p.output, .float32)
    try torch.device.binary(.subtract, p, try torch.input(170, a), try torch.input(171, b), into: c)
    try torch.expect("broadcast.\(name).subtract", c)
    try torch.device.binary(.divide, p, try torch.input(170, a), try torch.input(171, b, 0.5, 2), into: c)
    try torch.expect("broadcast.\(name).divide", c)
  }

  @Test func selectionsBroadcast() throws {
    let torch = try torch.get()
    let p = try Broadcast([[3, 5], [3, 1], [2, 1, 5]])
    #expect(p.output == [2, 3, 5])
    let condition = try torch.device.tensor((0..<15).map { Float($0 % 4 - 1) }, [3, 5])
    let c = try torch.device.allocate(p.output, .float32)
    try torch.device.select(
      p, condition, try torch.input(172, [3, 1]), try torch.input(173, [2, 1, 5]), into: c)
    try torch.expect("broadcast.select", c, 0)
  }

  @Test func copiesByStridesMoveElements() throws {
    let torch = try torch.get()
    let x = try torch.input(174, [3, 4, 5])
    let copies: [(String, [Int], StridedCopy)] = [
      ("permuted", [5, 3, 4], StridedCopy([5, 3, 4], sourceStrides: [1, 20, 5])),
      ("flipped", [3, 4, 5], StridedCopy([3, 4, 5], sourceOffset: 15, sourceStrides: [20, -5, 1])),
      ("every", [3, 2, 5], StridedCopy([3, 2, 5], sourceStrides: [20, 15, 1])),
      (
        "part", [6, 7],
        StridedCopy(
          [3, 5], sourceOffset: 5, sourceStrides: [20, 1], destinationOffset: 9, destinationStrides: [7, 1])
      ),
    ]
    for (name, shape, p) in copies {
      let y = try torch.device.allocate(shape, .float32)
      try torch.device.fill(y, with: 0.25)
      try torch.device.copy(x, to: y, strided: p)
      try torch.expect("strided.\(name)", y, 0)
    }
  }

  @Test func aTablesGradientAddsUpWhatNamesItsRows() throws {
    let torch = try torch.get()
    let ids = try torch.device.tensor((0..<30).map { Int32($0 * 7 % 11 % 5) }, [30])
    let table = try torch.device.allocate([6, 3], .float32)
    for group in [1, 7, 8, 30, 1000] {
      try torch.device.gatherRowsGrad(
        try torch.input(176, [30, 3]), ids: ids, columns: 3, group: group, into: table)
      try torch.expect("gatherRows.gradient", table)
    }
  }

  /// A group's sum is a chain of its own: (1 + 2^-24) + (2^-24 + 2^-24) is not what one chain gives.
  @Test func groupsOfATablesGradientAreChainsOfTheirOwn() throws {
    let device = try CPUBackend()
    let tiny = Float(0x1p-24)
    let dy = try device.tensor([1, tiny, tiny, tiny], [4, 1])
    let ids = try device.tensor([0, 0, 0, 0] as [Int32], [4])
    let table = try device.allocate([1, 1], .float32)
    try device.gatherRowsGrad(dy, ids: ids, columns: 1, group: 4, into: table)
    #expect(try device.floats(table) == [1])
    try device.gatherRowsGrad(dy, ids: ids, columns: 1, group: 2, into: table)
    #expect(try device.floats(table) == [1 + 2 * tiny])
  }

  @Test(arguments: ["sgd", "nesterov", "plain", "rmsprop"]) func stepsAreThoseOfPyTorch(_ name: String) throws
  {
    let torch = try torch.get()
    let device = torch.device
    let (parameter, first, second) = (
      try torch.input(180, [67]), try device.allocate([67], .float32), try device.allocate([67], .float32)
    )
    for state in [first, second] { try device.fill(state, with: 0) }
    for step in 0..<5 {
      let gradient = try torch.input(UInt64(181 + step), [67], -0.1, 0.1)
      if name == "rmsprop" {
        let p = DescentStep(
          count: 67, learningRate: 0.01, momentum: 0.5, decay: 0.9, eps: 1e-6, weightDecay: 0.05)
        try device.rmsprop(p, gradient: gradient, parameter: parameter, squares: first, velocity: second)
      } else {
        let p = DescentStep(
          count: 67, learningRate: 0.1, momentum: name == "plain" ? 0 : 0.9,
          weightDecay: name == "plain" ? 0 : 0.05, nesterov: name == "nesterov")
        try device.sgd(p, gradient: gradient, parameter: parameter, velocity: first)
      }
    }
    try torch.expect("descent.\(name)", parameter)
  }

  /// Lion's algorithm 2 in Double.
  @Test func lionStepsBySigns() throws {
    let device = try CPUBackend()
    var (w, m) = ((0..<9).map { Double($0) - 4 }, [Double](repeating: 0, count: 9))
    let parameter = try device.tensor(w.map { Float($0) }, [9])
    let momentum = try device.tensor([Float](repeating: 0, count: 9), [9])
    let p = DescentStep(count: 9, learningRate: 0.125, momentum: 0.5, decay: 0.75, weightDecay: 0.0625)
    for step in 0..<4 {
      let g = (0..<9).map { Double(($0 * 5 + step * 3) % 7) - 3 }
      try device.lion(
        p, gradient: try device.tensor(g.map { Float($0) }, [9]), parameter: parameter, momentum: momentum)
      for i in 0..<9 {
        let blend = 0.5 * m[i] + 0.5 * g[i]
        w[i] -= 0.125 * ((blend > 0 ? 1 : blend < 0 ? -1 : 0) + 0.0625 * w[i])
        m[i] = 0.75 * m[i] + 0.25 * g[i]
      }
    }
    #expect(largestDifference(try device.floats(parameter), w.map { Float($0) }).value < 1e-5)
  }

  @Test func shapesThatDoNotBroadcastAreNamed() throws {
    let error = #expect(throws: TesseraError.self) { try Broadcast([[2, 3], [4, 3]]) }
    #expect("\(try #require(error))".contains("[2, 3] and [4, 3]"))
    #expect("\(try #require(error))".contains("axis -2 has 2 and 4"))
    #expect(throws: TesseraError.self) { try Broadcast([[1 << 20, 1], [1, 1 << 20]]) }
    #expect(try Broadcast([[0, 1], [1, 5]]).output == [0, 5])
    #expect(try Broadcast([]).output == [])
  }

  @Test func copiesOutsideOrTwiceToOnePlaceAreRefused() throws {
    let device = try CPUBackend()
    let (x, y) = (try device.tensor([1, 2, 3, 4, 5, 6]), try device.tensor([0, 0, 0, 0, 0, 0]))
    let wrong = [
      StridedCopy([7]), StridedCopy([3], sourceStrides: [3]), StridedCopy([2], sourceOffset: 6),
      StridedCopy([2], sourceStrides: [-1]), StridedCopy([2], destinationOffset: -1), StridedCopy([-1]),
      StridedCopy([2, 2], destinationStrides: [1, 1]), StridedCopy([2], destinationStrides: [0]),
      StridedCopy([2], sourceStrides: [1, 1]), StridedCopy([2], sourceStrides: [.max]),
      StridedCopy([2], sourceOffset: .min), StridedCopy([2, 3], destinationStrides: [2, 1]),
    ]
    for p in wrong { #expect(throws: TesseraError.self, "\(p)") { try device.copy(x, to: y, strided: p) } }
    #expect(throws: TesseraError.self) { try device.copy(x, to: x, strided: StridedCopy([6])) }
    #expect(try device.floats(y) == [0, 0, 0, 0, 0, 0])
  }

  @Test func tensorsPrintAsNumPys() throws {
    let device = try CPUBackend()
    #expect(
      try device.text(of: try device.tensor([1, -2.5, 3, 10], [2, 2])) == "[[ 1.0, -2.5],\n [ 3.0, 10.0]]")
    #expect(try device.text(of: try device.tensor([7 as Int32], [])) == "7")
    #expect(try device.text(of: try device.allocate([0, 2], .float32)) == "[]")
    #expect(
      try device.text(of: try device.tensor((0..<8).map { Float($0) }), most: 7)
        == "[0.0, 1.0, 2.0, ..., 5.0, 6.0, 7.0]")
  }
}
