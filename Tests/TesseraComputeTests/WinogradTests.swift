// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Rule 11: which convolutions take fewer multiplications, and that nothing but the shape has a say.
@Suite struct WinogradTests {
  private func shape(
    _ channels: Int, _ size: (Int, Int), _ outputs: Int, _ kernel: (Int, Int), batch: Int = 2,
    stride: Int = 1,
    padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) -> Convolution {
    Convolution(
      batch: batch, inChannels: channels, size: size, outChannels: outputs, kernel: kernel, stride: stride,
      padding: padding, dilation: dilation, groups: groups)
  }

  @Test func theShapeDecides() {
    func directions(_ p: Convolution) -> [Bool] {
      [ConvDirection.forward, .gradData, .gradWeight].map { p.tiles($0) != nil }
    }
    // 3 x 3 on 9 x 9 outputs: 9 x 81 multiplications against 36 x 9 tiles, 2.25.
    #expect(directions(shape(16, (9, 9), 16, (3, 3), padding: 1)) == [true, true, true])
    #expect(directions(shape(15, (9, 9), 16, (3, 3), padding: 1)) == [false, false, false])
    #expect(directions(shape(16, (9, 9), 15, (3, 3), padding: 1)) == [false, false, false])
    #expect(directions(shape(16, (9, 9), 16, (3, 2), padding: 1)) == [false, false, false])
    #expect(directions(shape(16, (9, 9), 16, (1, 1))) == [false, false, false])
    #expect(directions(shape(16, (14, 14), 16, (6, 6))) == [false, false, false])
    #expect(directions(shape(16, (9, 9), 16, (3, 3), stride: 2, padding: 1)) == [false, false, false])
    #expect(directions(shape(16, (9, 9), 16, (3, 3), padding: 2, dilation: 2)) == [false, false, false])
    #expect(directions(shape(32, (9, 9), 32, (3, 3), padding: 1, groups: 2)) == [false, false, false])
    // 2 x 2: outputs of 9 x 9 gain 2.25, the input's 10 x 10 only 400 to 256, 1.56.
    #expect(directions(shape(16, (10, 10), 16, (2, 2))) == [true, false, true])
    // 3 x 3 on 5 x 5: 225 to 144, 1.56; on 4 x 8: 288 to 72, no tile is cut.
    #expect(directions(shape(16, (5, 5), 16, (3, 3), padding: 1)) == [false, false, false])
    #expect(directions(shape(16, (4, 8), 16, (3, 3), padding: 1)) == [true, true, true])
    // The border itself: 9 x 34 pixels are 1.7 times 36 x 5 tiles.
    #expect(WinogradTiles(kernel: 3, output: Size2D(height: 2, width: 17)).isWorthwhile)
    #expect(!WinogradTiles(kernel: 3, output: Size2D(height: 1, width: 17)).isWorthwhile)
    #expect(!WinogradTiles(kernel: 3, output: Size2D(height: 0, width: 17)).isWorthwhile)
    var direct = shape(16, (9, 9), 16, (3, 3), padding: 1)
    direct.algorithm = .direct
    #expect(directions(direct) == [false, false, false])
  }

  @Test func tilesCoverTheOutput() {
    for kernel in WinogradTiles.kernels {
      for extent in 1...20 {
        let tiles = WinogradTiles(kernel: kernel, output: Size2D(height: extent, width: 2 * extent))
        #expect(tiles.side + kernel - 1 == tiles.points)
        #expect(tiles.rows * tiles.side >= extent && (tiles.rows - 1) * tiles.side < extent)
        #expect(tiles.columns * tiles.side >= 2 * extent && (tiles.columns - 1) * tiles.side < 2 * extent)
      }
    }
  }

  /// Every direction's result, of one batch.
  private func results(_ p: Convolution, on device: CPUBackend) throws -> [[UInt32]] {
    var inputs = CaseInputs(seed: 23)
    let x = try device.tensor(inputs.floats(p.inputCount), [p.inputCount])
    let w = try device.tensor(inputs.floats(p.weightCount), [p.weightCount])
    let dy = try device.tensor(inputs.floats(p.outputCount), [p.outputCount])
    let (y, dx, dw) = (
      try device.empty([p.outputCount]), try device.empty([p.inputCount]), try device.empty([p.weightCount])
    )
    try device.conv2d(p, x, w, bias: nil, into: y)
    try device.conv2dGradData(p, dy, w, into: dx)
    try device.conv2dGradWeight(p, x, dy, into: dw)
    return try [y, dx, dw].map { try device.floats($0).map(\.bitPattern) }
  }

  @Test(arguments: [(2, 10), (3, 9), (4, 11), (5, 8)]) func neitherThreadsNorTheBatchChangeABit(
    _ kernel: Int, _ size: Int
  ) throws {
    let p = shape(20, (size, size + 2), 33, (kernel, kernel), batch: 9)
    let one = try results(p, on: CPUBackend(threads: 1))
    for threads in [2, 7] { #expect(try results(p, on: CPUBackend(threads: threads)) == one) }
    // The first sample alone: its part of a random batch is what one draws first.
    var (single, device) = (p, try CPUBackend(threads: 1))
    single.batch = 1
    device = try CPUBackend(threads: 3)
    var inputs = CaseInputs(seed: 23)
    let x = inputs.floats(p.inputCount)
    let w = try device.tensor(inputs.floats(p.weightCount), [p.weightCount])
    let y = try device.empty([single.outputCount])
    try device.conv2d(
      single, device.tensor(Array(x.prefix(single.inputCount)), [single.inputCount]), w, bias: nil, into: y)
    #expect(try device.floats(y).map(\.bitPattern) == Array(one[0].prefix(single.outputCount)))
  }

  @Test func theDirectSumIsAnother() throws {
    let device = try CPUBackend()
    let p = shape(32, (12, 12), 16, (3, 3), padding: 1)
    var direct = p
    direct.algorithm = .direct
    let (fast, slow) = (try results(p, on: device), try results(direct, on: device))
    for (a, b) in zip(fast, slow) {
      #expect(a != b)
      for (x, y) in zip(a, b) {
        #expect(abs(Float(bitPattern: x) - Float(bitPattern: y)) < 1e-4 * max(1, abs(Float(bitPattern: y))))
      }
    }
  }
}
