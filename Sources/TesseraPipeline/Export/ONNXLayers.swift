// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// Writes a network's layers as nodes of ONNX, with the extents of what flows between them.
struct ONNXLayers {
  /// What is built.
  var graph: ONNXGraph
  /// Where the weights are.
  let device: any Backend
  /// Extents of an image at this place: channels, rows and columns.
  private(set) var extents: (channels: Int, height: Int, width: Int)

  /// Layers for images of these extents.
  init(_ graph: ONNXGraph, on device: any Backend, channels: Int, side: Int) {
    (self.graph, self.device, extents) = (graph, device, (channels, side, side))
  }

  /// Adds a layer.
  ///
  /// - Parameters:
  ///   - layer: the layer.
  ///   - x: the name of its input.
  ///   - path: what its constants' names begin with.
  /// - Returns: the name of its output.
  /// - Throws: `TesseraError` for a layer that ONNX is not written for.
  mutating func add(_ layer: LayerDescription, _ x: String, _ path: String) throws -> String {
    switch layer {
    case .sequence(let layers):
      var x = x
      for (name, layer) in layers { x = try add(layer, x, "\(path).\(name)") }
      return x
    case .linear(let weight, let bias):
      let inputs = [x, try constant(weight, path + ".weight"), try constant(bias, path + ".bias")]
      return graph.node("Gemm", inputs, name: path, [("transB", .int(1))])
    case .convolution(let weight, let bias, let attributes):
      return try convolution(x, weight, bias, attributes, path)
    case .batchNorm(let weight, let bias, let mean, let variance, let eps):
      let inputs = [
        x, try constant(weight, path + ".weight"), try constant(bias, path + ".bias"),
        try constant(mean, path + ".running_mean"), try constant(variance, path + ".running_var"),
      ]
      return graph.node("BatchNormalization", inputs, name: path, [("epsilon", .float(eps))])
    case .activation(let operation): return try activation(operation, x, path)
    case .identity: return x
    case .maxPool(let kernel, let stride, let padding):
      func extent(_ side: Int) -> Int { (side + 2 * padding - kernel) / stride + 1 }
      extents = (extents.channels, extent(extents.height), extent(extents.width))
      return graph.node(
        "MaxPool", [x], name: path,
        [
          ("kernel_shape", .ints([kernel, kernel])), ("strides", .ints([stride, stride])),
          ("pads", .ints([padding, padding, padding, padding])),
        ])
    case .adaptiveAveragePool(let size): return adaptiveAveragePool(x, size, path)
    case .localResponseNorm(let size):
      return graph.node(
        "LRN", [x], name: path,
        [("size", .int(size)), ("alpha", .float(1e-4)), ("beta", .float(0.75)), ("bias", .float(1))])
    case .flatten: return graph.node("Flatten", [x], name: path, [("axis", .int(1))])
    case .residual(let body, let shortcut, let operation):
      return try residual(x, body, shortcut, operation, path)
    case .shuffle(let first, let second): return try shuffle(x, first, second, path)
    }
  }

  private mutating func constant(_ tensor: Tensor, _ name: String) throws -> String {
    graph.floats(name, try device.floats(tensor), tensor.shape)
  }

  private mutating func convolution(
    _ x: String, _ weight: Tensor, _ bias: Tensor?, _ a: Context.ConvolutionAttributes, _ path: String
  ) throws -> String {
    let kernel = weight.shape[3]
    func extent(_ side: Int) -> Int {
      a.same
        ? (side + a.stride - 1) / a.stride
        : (side + 2 * a.padding - a.dilation * (kernel - 1) - 1) / a.stride + 1
    }
    extents = (weight.shape[0], extent(extents.height), extent(extents.width))
    var inputs = [x, try constant(weight, path + ".weight")]
    if let bias { inputs.append(try constant(bias, path + ".bias")) }
    // The odd zero is at the bottom and at the right in both.
    let padding: (String, ONNXGraph.Attribute) =
      a.same
      ? ("auto_pad", .text("SAME_UPPER")) : ("pads", .ints([a.padding, a.padding, a.padding, a.padding]))
    return graph.node(
      "Conv", inputs, name: path,
      [
        ("kernel_shape", .ints([kernel, kernel])), ("strides", .ints([a.stride, a.stride])),
        ("dilations", .ints([a.dilation, a.dilation])), ("group", .int(a.groups)), padding,
      ])
  }

  private mutating func activation(
    _ operation: UnaryOperation, _ x: String, _ path: String
  ) throws -> String {
    switch operation {
    case .relu: return graph.node("Relu", [x], name: path)
    case .relu6:
      let ends = [graph.floats(path + ".least", [0], []), graph.floats(path + ".most", [6], [])]
      return graph.node("Clip", [x] + ends, name: path)
    default:
      throw TesseraError.failure(
        "onnx", found: "the activation \(operation) at \(path)", wanted: "relu or relu6")
    }
  }

  /// The mean over windows that share the input out, as two products: ONNX has no such operator.
  ///
  ///     y (size, size) = rows (size, height) x (height, width) columns (width, size)
  private mutating func adaptiveAveragePool(_ x: String, _ size: Int, _ path: String) -> String {
    func shares(_ extent: Int) -> [Float] {
      (0..<size).flatMap { window -> [Float] in
        let (low, high) = (window * extent / size, ((window + 1) * extent + size - 1) / size)
        return (0..<extent).map { (low..<high).contains($0) ? 1 / Float(high - low) : 0 }
      }
    }
    let (height, width) = (extents.height, extents.width)
    let rows = graph.floats(path + ".rows", shares(height), [size, height])
    let across = shares(width)
    let columns = graph.floats(
      path + ".columns", (0..<width * size).map { across[$0 % size * width + $0 / size] }, [width, size])
    extents = (extents.channels, size, size)
    let narrow = graph.node("MatMul", [x, columns], name: path + ".narrow")
    return graph.node("MatMul", [rows, narrow], name: path)
  }

  private mutating func residual(
    _ x: String, _ body: LayerDescription, _ shortcut: LayerDescription?, _ operation: UnaryOperation?,
    _ path: String
  ) throws -> String {
    let start = extents
    let y = try add(body, x, path)
    let end = extents
    extents = start
    let z = try shortcut.map { try add($0, x, path + ".downsample") } ?? x
    extents = end
    let sum = graph.node("Add", [y, z], name: path + ".sum")
    return try operation.map { try activation($0, sum, path + ".out") } ?? sum
  }

  private mutating func shuffle(
    _ x: String, _ first: LayerDescription?, _ second: LayerDescription, _ path: String
  ) throws -> String {
    let start = extents
    var (left, right) = (x, x)
    if let first {
      left = try add(first, x, path + ".branch1")
    } else {
      let half = start.channels / 2
      left = channels(0..<half, of: x, path + ".left")
      right = channels(half..<start.channels, of: x, path + ".right")
    }
    let leftChannels = first == nil ? start.channels / 2 : extents.channels
    extents = (first == nil ? start.channels - start.channels / 2 : start.channels, start.height, start.width)
    right = try add(second, right, path + ".branch2")
    let all = leftChannels + extents.channels
    extents.channels = all
    let both = graph.node("Concat", [left, right], name: path + ".both", [("axis", .int(1))])
    let (height, width) = (extents.height, extents.width)
    let apart = graph.integers(path + ".apart", [-1, 2, all / 2, height, width])
    let together = graph.integers(path + ".together", [-1, all, height, width])
    let five = graph.node("Reshape", [both, apart], name: path + ".groups")
    let turned = graph.node("Transpose", [five], name: path + ".turned", [("perm", .ints([0, 2, 1, 3, 4]))])
    return graph.node("Reshape", [turned, together], name: path)
  }

  private mutating func channels(_ range: Range<Int>, of x: String, _ path: String) -> String {
    let inputs = [
      x, graph.integers(path + ".from", [range.lowerBound]), graph.integers(path + ".to", [range.upperBound]),
      graph.integers(path + ".axis", [1]),
    ]
    return graph.node("Slice", inputs, name: path)
  }
}
