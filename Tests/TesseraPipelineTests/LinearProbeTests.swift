// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraPipeline

@Suite struct LinearProbeTests {
  /// Rows whose class is the sign of one direction, with `noise`.
  private func rows(_ count: Int, _ columns: Int, noise: Float) -> (features: [Float], labels: [Int32]) {
    var features = drawn(21, count * columns)
    let labels = (0..<count).map { Int32($0 * 3 % 7 % 2) }
    for row in 0..<count {
      for c in 0..<columns { features[row * columns + c] = noise * features[row * columns + c] + 5 }
      features[row * columns + 2] += labels[row] == 1 ? 0.5 : -0.5
    }
    return (features, labels)
  }

  private func accuracy(_ noise: Float, on device: any Backend) throws -> (share: Double, guesses: [Int32]) {
    let (features, labels) = rows(300, 20, noise: noise)
    let probe = try LinearProbe.fit(
      features: features, columns: 20, labels: labels, classes: 2, training: Array(0..<160),
      validation: Array(160..<200), on: device)
    let guesses = try probe.predict(features: features, columns: 20, rows: Array(200..<300), on: device)
    return (Double(zip(guesses, labels[200...]).count { $0 == $1 }) / 100, guesses)
  }

  @Test func aDirectionIsFound() throws {
    let clear = try accuracy(0.2, on: try CPUBackend()).share
    #expect(clear > 0.95)
    let noisy = try accuracy(0.8, on: try CPUBackend()).share
    #expect(noisy > 0.65 && noisy < 0.95)
  }

  @Test(.tags(.opencl)) func threadsAndOpenCLGiveTheSameGuesses() throws {
    let reference = try accuracy(2, on: try CPUBackend(threads: 1)).guesses
    #expect(try accuracy(2, on: try CPUBackend(threads: 3)).guesses == reference)
    if TestDevices.hasOpenCL {
      #expect(try accuracy(2, on: try OpenCLBackend(try TestDevices.first())).guesses == reference)
    }
  }
}
