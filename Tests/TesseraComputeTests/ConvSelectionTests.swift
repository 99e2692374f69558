// SPDX-License-Identifier: Apache-2.0
import Kernels
import Testing

@testable import TesseraCompute

/// Which shape goes to which kernel: the table of `ConvSelection`.
@Suite struct ConvSelectionTests {
  private static func conv(
    _ ins: Int, _ outs: Int, _ size: Int, kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1,
    batch: Int = 32
  ) -> Convolution {
    Convolution(
      batch: batch, inChannels: ins, size: (size, size), outChannels: outs, kernel: (kernel, kernel),
      stride: stride, padding: padding, groups: groups)
  }

  private static func candidates(
    _ direction: ConvDirection, _ p: Convolution, _ target: ConvTarget
  ) -> [ConvAlgorithm] {
    ConvSelection.candidates(direction, ConvShape(tsr_conv_params(p), direction), on: target)
  }

  private static func first(
    _ direction: ConvDirection, _ p: Convolution, _ target: ConvTarget
  ) -> ConvAlgorithm? { candidates(direction, p, target).first }

  private static let cpu = ConvTarget.cpu(panel: 32), openCL = ConvTarget.openCLCPU(panel: 32)

  @Test func depthwiseKernelsAreGrouped() {
    let p = Self.conv(64, 64, 56, kernel: 3, padding: 1, groups: 64)
    for direction in [ConvDirection.forward, .gradData, .gradWeight] {
      #expect(Self.first(direction, p, Self.cpu) == .grouped)
      #expect(Self.first(direction, p, Self.openCL) == .grouped)
      #expect(Self.first(direction, p, .openCLGPU) == .perOutput)
    }
  }

  @Test func manyChannelsAreBlocked() {
    let p = Self.conv(64, 192, 17, kernel: 5, padding: 2)
    for direction in [ConvDirection.forward, .gradData, .gradWeight] {
      #expect(Self.first(direction, p, Self.cpu) == .blocked)
      #expect(Self.first(direction, p, Self.openCL) == .blocked)
      #expect(Self.first(direction, p, .openCLGPU) == .implicitGEMM)
    }
  }

  @Test func pointwiseKernelsAreMatrixProducts() {
    let p = Self.conv(256, 64, 14, kernel: 1)
    for target in [Self.cpu, Self.openCL, .openCLGPU] {
      #expect(Self.first(.forward, p, target) == .pointwise)
      #expect(Self.first(.gradData, p, target) == .pointwise)
    }
  }

  /// 33 output channels leave 31 of 64 lanes of two panels of 32 empty.
  @Test func panelsThatStayEmptyAreNoReasonToBlock() {
    let p = Self.conv(64, 33, 17, kernel: 3, padding: 1)
    #expect(Self.first(.forward, p, Self.cpu) == .implicitGEMM)
    #expect(Self.first(.forward, p, .cpu(panel: 8)) == .blocked)
  }

  /// A register tile applies no exponential.
  @Test func activationsOfManyOperationsGoThroughTheGEMM() {
    var p = Self.conv(64, 64, 17, kernel: 3, padding: 1)
    p.activation = .gelu
    #expect(Self.first(.forward, p, Self.cpu) == .implicitGEMM)
  }

  /// Every list ends with what takes any shape, and a batch is no part of the choice.
  @Test func somethingAlwaysSuits() {
    for groups in [1, 3, 64] {
      for (kernel, stride) in [(1, 1), (1, 3), (3, 2), (11, 4)] {
        for batch in [1, 7, 300] {
          let p = Self.conv(
            3 * groups, 5 * groups, 31, kernel: kernel, stride: stride, groups: groups, batch: batch)
          let one = Self.conv(3 * groups, 5 * groups, 31, kernel: kernel, stride: stride, groups: groups)
          for direction in [ConvDirection.forward, .gradData, .gradWeight] {
            for target in [Self.cpu, Self.openCL, .openCLGPU] {
              let all = Self.candidates(direction, p, target)
              #expect(all.last == .implicitGEMM)
              #expect(all == Self.candidates(direction, one, target))
            }
          }
        }
      }
    }
  }
}
