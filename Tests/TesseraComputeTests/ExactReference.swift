// SPDX-License-Identifier: Apache-2.0
import Foundation

@testable import TesseraCompute

/// A balanced line as integers (NUMERICS.md rule 12); without a scale where it is not finite.
struct ExactLine {
  var scale: Int?
  var values: [Int64] = []

  init(_ row: [Float], _ digits: Int) {
    let greatest = row.map { $0.bitPattern & 0x7fff_ffff }.max() ?? 0
    guard greatest < 0x7f80_0000 else {
      values = [Int64](repeating: 0, count: row.count)
      return
    }
    let s =
      digits == 3
      ? min(126, 149 - Int((greatest + 0x10101) >> 23)) : min(126, 141 - Int((greatest + 0x10100) >> 23))
    scale = s
    values = row.map { Int64((Double($0) * pow(2, Double(s))).rounded(.toNearestOrEven)) }
  }

  /// What one k adds to T.
  static func term(_ x: Int64, _ y: Int64, _ digits: Int) -> Int64 {
    guard digits == 3 else { return x * y }
    func split(_ q: Int64) -> (Int64, Int64, Int64) {
      let low = Int64(Int8(truncatingIfNeeded: q)), rest = (q - low) / 256
      let middle = Int64(Int8(truncatingIfNeeded: rest))
      return ((rest - middle) / 256, middle, low)
    }
    let (a, b) = (split(x), split(y))
    return 65_536 * a.0 * b.0 + 256 * (a.0 * b.1 + a.1 * b.0) + a.0 * b.2 + a.1 * b.1 + a.2 * b.0
  }

  /// The result of a sum of terms of two lines.
  static func result(_ total: Int64, _ a: ExactLine, _ b: ExactLine, _ digits: Int) -> Float {
    guard let s = a.scale, let t = b.scale else { return Float(bitPattern: 0x7fc0_0000) }
    let e = (digits == 3 ? 16 : 0) - s - t, h = e >> 1
    func power(_ exponent: Int) -> Float { Float(sign: .plus, exponent: exponent, significand: 1) }
    return Float(total) * power(h) * power(e - h)
  }
}

/// What A's columns and B's rows are multiplied by, from B's rows.
struct ExactBalance {
  let a: [Float], b: [Float]

  init(_ rows: [[Float]]) {
    let exponents = rows.map { row in
      let greatest = row.lazy.map { abs($0) }.filter(\.isFinite).max() ?? 0
      return greatest == 0 ? 0 : greatest.isSubnormal ? 1 : Int(greatest.exponent) + 127
    }
    let greatest = exponents.max() ?? 0
    func power(_ exponent: Int) -> Float { Float(sign: .plus, exponent: exponent, significand: 1) }
    a = exponents.map { $0 == 0 ? 0 : power(max($0 - greatest, -126)) }
    b = exponents.map { $0 == 0 ? 1 : power(-max($0 - greatest, -126)) }
  }
}

/// Rule 13 for one group of channels: convolutions by the formula of the contract, pixel by pixel.
struct ExactReference {
  let p: Convolution, digits: Int

  private var taps: Int { p.kernel.height * p.kernel.width }
  private var area: Int { p.height * p.width }
  private var made: Int { p.output.height * p.output.width }

  /// Calls `body` for every (output pixel, tap) that meets a pixel of the input.
  private func meetings(_ body: (_ output: Int, _ tap: Int, _ input: Int) -> Void) {
    for oy in 0..<p.output.height {
      for ox in 0..<p.output.width {
        for ky in 0..<p.kernel.height {
          for kx in 0..<p.kernel.width {
            let y = oy * p.stride.height - p.padding.height + ky * p.dilation.height
            let x = ox * p.stride.width - p.padding.width + kx * p.dilation.width
            guard (0..<p.height).contains(y), (0..<p.width).contains(x) else { continue }
            body(oy * p.output.width + ox, ky * p.kernel.width + kx, y * p.width + x)
          }
        }
      }
    }
  }

  /// The weights of a pair of channels.
  private func kernel(_ w: [Float], _ output: Int, _ channel: Int) -> [Float] {
    let at = (output * p.inChannels + channel) * taps
    return Array(w[at..<at + taps])
  }

  /// y without bias and activation.
  func forward(_ x: [Float], _ w: [Float]) -> [Float] {
    let (ins, outs) = (p.inChannels, p.outChannels)
    let balance = ExactBalance((0..<ins).map { c in (0..<outs).flatMap { kernel(w, $0, c) } })
    let kernels = (0..<outs).map { o in
      ExactLine((0..<ins).flatMap { c in kernel(w, o, c).map { $0 * balance.b[c] } }, digits)
    }
    return (0..<p.batch).flatMap { sample -> [Float] in
      let first = sample * ins * area
      let image = ExactLine((0..<ins * area).map { x[first + $0] * balance.a[$0 / area] }, digits)
      var sums = [Int64](repeating: 0, count: outs * made)
      meetings { output, tap, input in
        for o in 0..<outs {
          for c in 0..<ins {
            let (x, y) = (kernels[o].values[c * taps + tap], image.values[c * area + input])
            sums[o * made + output] += ExactLine.term(x, y, digits)
          }
        }
      }
      return sums.enumerated().map { ExactLine.result($1, kernels[$0 / made], image, digits) }
    }
  }

  /// dx.
  func gradData(_ dy: [Float], _ w: [Float]) -> [Float] {
    let (ins, outs) = (p.inChannels, p.outChannels)
    let balance = ExactBalance((0..<outs).map { o in (0..<ins).flatMap { kernel(w, o, $0) } })
    let kernels = (0..<ins).map { c in
      ExactLine((0..<outs).flatMap { o in kernel(w, o, c).map { $0 * balance.b[o] } }, digits)
    }
    return (0..<p.batch).flatMap { sample -> [Float] in
      let first = sample * outs * made
      let image = ExactLine((0..<outs * made).map { dy[first + $0] * balance.a[$0 / made] }, digits)
      var sums = [Int64](repeating: 0, count: ins * area)
      meetings { output, tap, input in
        for c in 0..<ins {
          for o in 0..<outs {
            let (x, y) = (kernels[c].values[o * taps + tap], image.values[o * made + output])
            sums[c * area + input] += ExactLine.term(x, y, digits)
          }
        }
      }
      return sums.enumerated().map { ExactLine.result($1, kernels[$0 / area], image, digits) }
    }
  }

  /// dw.
  func gradWeight(_ x: [Float], _ dy: [Float]) -> [Float] {
    let (ins, outs) = (p.inChannels, p.outChannels)
    var total = [Float](repeating: 0, count: outs * ins * taps)
    for first in stride(from: 0, to: p.batch, by: 8) {
      let samples = first..<min(p.batch, first + 8)
      func lines(_ values: [Float], _ channels: Int, _ area: Int) -> [ExactLine] {
        (0..<channels).map { (channel: Int) -> ExactLine in
          let line = samples.flatMap { (sample: Int) -> ArraySlice<Float> in
            let first = (sample * channels + channel) * area
            return values[first..<first + area]
          }
          return ExactLine(line, digits)
        }
      }
      let (images, gradients) = (lines(x, ins, area), lines(dy, outs, made))
      var sums = [Int64](repeating: 0, count: total.count)
      for sample in samples.indices {
        let n = sample - first
        meetings { output, tap, input in
          for o in 0..<outs {
            for c in 0..<ins {
              let (x, y) = (gradients[o].values[n * made + output], images[c].values[n * area + input])
              sums[(o * ins + c) * taps + tap] += ExactLine.term(x, y, digits)
            }
          }
        }
      }
      for at in total.indices {
        total[at] += ExactLine.result(sums[at], gradients[at / taps / ins], images[at / taps % ins], digits)
      }
    }
    return total.map { $0.isNaN ? Float(bitPattern: 0x7fc0_0000) : $0 }
  }
}
