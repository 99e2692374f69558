// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

extension Benchmark {
  /// An item of a shape told as text:
  ///
  /// - `matmul`: `MxNxK`, and `t` behind it where B is stored transposed, such as `8192x384x384t`; `s3` or
  ///   `s2` as a second word for exact products;
  /// - `conv2d`, `conv2dGradData`, `conv2dGradWeight`: words in any order, `b32` images, `64->192`
  ///   channels, `5x5` kernel, `on 17x17`, and, if they are not 1, 0, 1, 1, `s4` stride, `p2` padding, `d2`
  ///   dilation, `g32` groups; `direct` for the direct sum whatever the shape, `products=s3` or
  ///   `products=s2` for exact ones;
  /// - `attention`, `attentionComposed`: `TEXTSxLENGTHxHEADSxWIDTH`;
  /// - `softmax`, `layerNorm`, `gelu`, `copy`: `ROWSxCOLUMNS`;
  /// - `batchNorm`, `batchNormStatistics`, `batchNormGradData`: `BATCHxCHANNELSxPLACES`;
  /// - `maxPool`, `maxPoolGrad`, `averagePool` (3 x 3, stride 2, padding 1): `PLANESxHEIGHTxWIDTH`;
  /// - `relu`, `reluGrad`, `add`, `adam`: `ELEMENTS`;
  /// - `squaredDistances`, `nearestNeighbours`: `POINTSxDIMENSIONS`; `affinities`, `tsneForces`,
  ///   `neighbourAffinities`, `neighbourForces`: `POINTS`;
  /// - `launch`: `LAUNCHES` that are waited for together; `upload`, `download`: `ELEMENTS` of 4 bytes.
  ///
  /// - Throws: `TesseraError` for a kernel that takes no shape, or a shape that is none of its.
  @_optimize(none)
  public static func item(_ kernel: String, shape: String) throws -> Item {
    switch kernel {
    case "matmul":
      let words = shape.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      let products = words.count == 1 ? .fp32 : try Products(named: String(words[1]), for: "matmul: shape")
      let (text, isTransposed) = (
        words[0].hasSuffix("t") ? words[0].dropLast() : words[0], words[0].hasSuffix("t")
      )
      let sizes = try extents(String(text), 3, kernel)
      return product(sizes[0], sizes[1], sizes[2], transposed: isTransposed, products)
    case "conv2d", "conv2dGradData", "conv2dGradWeight":
      return convolution(kernel, label: shape, try convolutionShape(shape, kernel))
    case "attention", "attentionComposed":
      let sizes = try elements(shape, 4, kernel)
      // The matrices of scores and the three operands have to be allocated too.
      let (tokens, heads) = (Double(sizes[0]) * Double(sizes[1]), Double(sizes[2]))
      guard 3 * tokens * heads * Double(sizes[3]) < 0x1p31,
        heads * Double(sizes[1]) * Double(sizes[1]) < 0x1p31
      else { throw TesseraError.input("\(kernel): shape", found: shape, wanted: "a smaller one") }
      return attention(kernel, sizes[0], sizes[1], sizes[2], sizes[3])
    case "softmax", "layerNorm", "gelu", "copy":
      let sizes = try extents(shape, 2, kernel)
      return row(kernel, sizes[0], sizes[1])
    case "batchNorm", "batchNormStatistics", "batchNormGradData":
      let sizes = try elements(shape, 3, kernel)
      return channels(kernel, sizes[0], sizes[1], sizes[2])
    case "maxPool", "maxPoolGrad", "averagePool":
      let sizes = try elements(shape, 3, kernel)
      return pool(kernel, sizes[0], sizes[1], sizes[2])
    case "relu", "reluGrad", "add": return map(kernel, try elements(shape, 1, kernel)[0])
    case "adam": return adam(try elements(shape, 1, kernel)[0])
    case "squaredDistances":
      let sizes = try extents(shape, 2, kernel)
      return distances(sizes[0], sizes[1])
    case "affinities": return affinities(try extents(shape, 1, kernel)[0])
    case "tsneForces": return forces(try extents(shape, 1, kernel)[0])
    case "nearestNeighbours":
      let sizes = try elements(shape, 2, kernel)
      return nearest(sizes[0], sizes[1])
    case "neighbourAffinities": return neighbourAffinities(try neighbours(shape, kernel))
    case "neighbourForces": return neighbourForces(try neighbours(shape, kernel))
    case "launch": return launch(try launches(shape))
    case "upload", "download": return transfer(kernel, try elements(shape, 1, kernel)[0])
    default:
      throw TesseraError.input(
        "bench", found: kernel, wanted: Set(items.map(\.kernel)).ordered().joined(separator: ", "))
    }
  }

  /// So many positive extents joined by x, any two of which (one alone: its square) make a tensor that can
  /// be allocated.
  private static func extents(_ text: String, _ count: Int, _ kernel: String) throws -> [Int] {
    let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    let largest = sizes.ordered(by: >)
    guard sizes.count == count, sizes.allSatisfy({ (1...1 << 24).contains($0) }),
      largest[0] * largest[min(1, count - 1)] <= Int(Int32.max)
    else {
      throw TesseraError.input(
        "\(kernel): shape", found: text,
        wanted: "\(count) extent(s) such as \(["", "4608", "4096x512", "1024x1024x1024"][count])")
    }
    return sizes
  }

  /// So many launches that a device's queue can take.
  private static func launches(_ text: String) throws -> Int {
    guard let count = Int(text), (1...65_536).contains(count) else {
      throw TesseraError.input("launch: shape", found: text, wanted: "1 to 65536 launches such as 64")
    }
    return count
  }

  /// So many points that their neighbours fit a tensor.
  private static func neighbours(_ text: String, _ kernel: String) throws -> Int {
    guard let points = Int(text), (1...1 << 23).contains(points) else {
      throw TesseraError.input(
        "\(kernel): shape", found: text, wanted: "1 to \(1 << 23) points such as 100000")
    }
    return points
  }

  /// The same, for one tensor that has them all.
  private static func elements(_ text: String, _ count: Int, _ kernel: String) throws -> [Int] {
    let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    let product = sizes.reduce(1.0) { $0 * Double($1) }
    guard sizes.count == count, sizes.allSatisfy({ $0 > 0 }), product <= Double(Int32.max) else {
      throw TesseraError.input(
        "\(kernel): shape", found: text,
        wanted: "\(count) extent(s) such as \(["1048576", "", "32x64x5625", "15x268x12x32"][count - 1])")
    }
    return sizes
  }

  @_optimize(none)
  private static func convolutionShape(_ text: String, _ kernel: String) throws -> Convolution {
    let wrong = TesseraError.input(
      "\(kernel): shape", found: text, wanted: "such as b32 64->192 5x5 s1 p2 on 17x17")
    let least: [Character: Int] = ["b": 1, "s": 1, "p": 0, "d": 1, "g": 1]
    var numbers = least
    var channels: [Int] = []
    var window: [Int] = []
    var size: [Int] = []
    var algorithm = Convolution.Algorithm.automatic
    var products = Products.fp32
    var words = text.split(separator: " ")[...]
    while let word = words.popFirst() {
      if word == "on" {
        guard let next = words.popFirst() else { throw wrong }
        size = try extents(String(next), 2, kernel)
      } else if word == "direct" {
        algorithm = .direct
      } else if word.hasPrefix("products=") {
        products = try Products(named: String(word.dropFirst(9)), for: "\(kernel): products")
      } else if let arrow = word.range(of: "->") {
        channels = [word[..<arrow.lowerBound], word[arrow.upperBound...]].compactMap { Int($0) }
      } else if let name = word.first, numbers[name] != nil, let value = Int(word.dropFirst()) {
        numbers[name] = value
      } else {
        window = try extents(String(word), 2, kernel)
      }
    }
    guard channels.count == 2, window.count == 2, size.count == 2,
      numbers.allSatisfy({ ((least[$0.key] ?? 1)...65_536).contains($0.value) }),
      let groups = numbers["g"], channels.allSatisfy({ (1...65_536).contains($0) && $0 % groups == 0 }),
      let padding = numbers["p"], let dilation = numbers["d"],
      zip(size, window).allSatisfy({ $0 + 2 * padding >= ($1 - 1) * dilation + 1 && padding < $1 * dilation }
      ),
      let batch = numbers["b"], let stride = numbers["s"]
    else { throw wrong }
    // Elements of the image, of what comes out, and of the weights.
    let area = Double(size[0] + 2 * padding) * Double(size[1] + 2 * padding)
    let weights = Double(channels[0]) * Double(channels[1]) * Double(window[0]) * Double(window[1])
    guard Double(batch) * Double(channels[0]) * area < 0x1p31, weights < 0x1p31,
      Double(batch) * Double(channels[1]) * area / Double(stride * stride) < 0x1p31
    else { throw wrong }
    var p = Convolution(
      batch: batch, inChannels: channels[0], size: (size[0], size[1]), outChannels: channels[1],
      kernel: (window[0], window[1]), stride: stride, padding: padding, dilation: dilation, groups: groups)
    (p.algorithm, p.products) = (algorithm, products)
    return p
  }
}
