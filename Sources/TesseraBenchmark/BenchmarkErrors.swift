// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Benchmark {
  /// Elements whose sums of so many terms are made in float64 too: all of a small result, else some that are evenly
  /// spread, fewer of long sums.
  static func sample(of count: Int, terms: Int) -> StrideTo<Int> {
    let most = max(16, min(4096, 200_000_000 / max(1, terms)))
    // An odd step meets all columns and rows of most shapes.
    return stride(from: 0, to: count, by: count <= most ? 1 : count / most | 1)
  }

  /// The root of the mean square of what is wrong over that of what is right, of sampled elements.
  private static func error(of output: [Float], terms: Int, _ right: (Int) -> Double) -> Double {
    var (lost, all) = (0.0, 0.0)
    for at in sample(of: output.count, terms: terms) {
      let wanted = right(at), wrong = Double(output[at]) - wanted
      lost += wrong * wrong
      all += wanted * wanted
    }
    return all > 0 ? (lost / all).squareRoot() : lost
  }

  /// What a product of the benchmark is wrong by.
  struct ProductError: Sendable {
    private let p: Matmul

    init(_ p: Matmul) { self.p = p }

    /// The benchmark's operands.
    static func operands(_ p: Matmul) -> (a: [Float], b: [Float]) {
      var inputs = SplitMix64(seed: 1)
      return (inputs.floats(p.m * p.k), inputs.floats(p.k * p.n))
    }

    /// Of a dense result.
    func of(_ output: [Float]) -> Double {
      let (a, b) = Self.operands(p)
      return Benchmark.error(of: output, terms: p.k) { at in
        var sum = 0.0
        for k in 0..<p.k {
          let left = a[at / p.n * p.a.rowStride + k * p.a.columnStride]
          sum += Double(left) * Double(b[k * p.b.rowStride + at % p.n * p.b.columnStride])
        }
        return sum
      }
    }
  }

  /// What a convolution of the benchmark, or a gradient of it, is wrong by.
  struct ConvolutionError: Sendable {
    private let p: Convolution, kernel: String

    init(_ p: Convolution, _ kernel: String) { (self.p, self.kernel) = (p, kernel) }

    /// The benchmark's operands.
    static func operands(_ p: Convolution) -> (x: [Float], w: [Float], y: [Float]) {
      var inputs = SplitMix64(seed: 2)
      return (inputs.floats(p.inputCount), inputs.floats(p.weightCount), inputs.floats(p.outputCount))
    }

    /// Of y, dx or dw.
    func of(_ output: [Float]) -> Double {
      let (x, w, y) = Self.operands(p)
      let terms = 2 * p.multiplyAdds / max(1, output.count)
      switch kernel {
      case "conv2d": return Benchmark.error(of: output, terms: terms) { forward($0, x, w) }
      case "conv2dGradData": return Benchmark.error(of: output, terms: terms) { gradData($0, y, w) }
      default: return Benchmark.error(of: output, terms: terms) { gradWeight($0, x, y) }
      }
    }

    private var ins: Int { p.inChannels / p.groups }
    private var outs: Int { p.outChannels / p.groups }

    /// The place in an image's plane that a tap of an output's pixel reads; nil outside.
    private func pixel(_ outY: Int, _ outX: Int, _ tapY: Int, _ tapX: Int) -> Int? {
      let y = outY * p.stride.height - p.padding.height + tapY * p.dilation.height
      let x = outX * p.stride.width - p.padding.width + tapX * p.dilation.width
      return (0..<p.height).contains(y) && (0..<p.width).contains(x) ? y * p.width + x : nil
    }

    private func forward(_ at: Int, _ x: [Float], _ w: [Float]) -> Double {
      let (height, width) = (p.output.height, p.output.width)
      let (image, output) = (at / (height * width) / p.outChannels, at / (height * width) % p.outChannels)
      var sum = 0.0
      for channel in 0..<ins {
        let plane = (image * p.inChannels + output / outs * ins + channel) * p.height * p.width
        for tap in 0..<p.kernel.height * p.kernel.width {
          guard
            let place = pixel(
              at / width % height, at % width, tap / p.kernel.width, tap % p.kernel.width)
          else { continue }
          let weight = (output * ins + channel) * p.kernel.height * p.kernel.width + tap
          sum += Double(x[plane + place]) * Double(w[weight])
        }
      }
      return sum
    }

    private func gradData(_ at: Int, _ y: [Float], _ w: [Float]) -> Double {
      let (row, column, plane) = (at / p.width % p.height, at % p.width, at / (p.height * p.width))
      let (image, channel) = (plane / p.inChannels, plane % p.inChannels)
      let (taps, made) = (p.kernel.height * p.kernel.width, p.output.height * p.output.width)
      var sum = 0.0
      for tap in 0..<taps {
        let down = row + p.padding.height - tap / p.kernel.width * p.dilation.height
        let across = column + p.padding.width - tap % p.kernel.width * p.dilation.width
        guard down >= 0, across >= 0, down % p.stride.height == 0, across % p.stride.width == 0,
          down / p.stride.height < p.output.height, across / p.stride.width < p.output.width
        else { continue }
        let place = down / p.stride.height * p.output.width + across / p.stride.width
        for output in channel / ins * outs..<(channel / ins + 1) * outs {
          sum +=
            Double(y[(image * p.outChannels + output) * made + place])
            * Double(w[(output * ins + channel % ins) * taps + tap])
        }
      }
      return sum
    }

    private func gradWeight(_ at: Int, _ x: [Float], _ y: [Float]) -> Double {
      let (tapX, tapY) = (at % p.kernel.width, at / p.kernel.width % p.kernel.height)
      let pair = at / (p.kernel.width * p.kernel.height)
      let (output, channel) = (pair / ins, pair % ins)
      let made = p.output.height * p.output.width
      var sum = 0.0
      for image in 0..<p.batch {
        let plane = (image * p.inChannels + output / outs * ins + channel) * p.height * p.width
        let own = (image * p.outChannels + output) * made
        for place in 0..<made {
          guard let read = pixel(place / p.output.width, place % p.output.width, tapY, tapX) else { continue }
          sum += Double(x[plane + read]) * Double(y[own + place])
        }
      }
      return sum
    }
  }
}
