// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraNN
import TesseraText
import TesseraVision

/// A finished run's way from features to logits as a model of ONNX: scaler, pixels, standardisation, slice, head and
/// linear path. Of a run of a table the columns' scaling is in it too, so that it takes the table's own numbers.
///
///     columns --> (x - offset) scale --> features --> scaler --> pixels --> standardised --> network --> logits
///     of a table alone                                                           +---- linear path ------^
///
/// Its numbers are those of Tessera but for rounding: another program adds in another order.
public struct ONNXModel {
  /// The file's bytes.
  let bytes: [UInt8]
  /// The input's name and its number of columns.
  public let input: String, columns: Int
  /// The classes, in the order of the outputs' columns.
  public let classes: [String]

  /// What protobuf's readers take at the most, less room for what is no constant.
  private static let largest = Int(Int32.max) - (1 << 24)

  /// Reads a finished run.
  ///
  /// - Parameters:
  ///   - folder: the run's folder.
  ///   - device: where the weights are read.
  /// - Throws: `TesseraError` for a run that is not finished, files that are not as it left them, and a model that is
  ///   too large for the format.
  public init(run folder: String, on device: any Backend) throws {
    let run = try FinishedRun(folder)
    let layout = try FeatureLayout.read(run.checked(Pipeline.Files.layout))
    let model = try TrainedModel.read(run.checked(Pipeline.Files.model), on: DeviceGroup(device))
    let scaler =
      run.configuration.table == nil
      ? nil : try TableFeatures.scaler(run.checked(Pipeline.Files.embeddings))
    (columns, classes) = (layout.scaler.minimum.count, model.classes)
    input = scaler == nil ? "features" : "columns"
    var graph = ONNXGraph()
    var x = graph.input(input, scaler == nil ? .float32 : .float64, columns: columns)
    if let scaler { x = Self.scaled(&graph, x, scaler) }
    x = Self.logarithms(&graph, x, layout.scaler)
    x = Self.pixels(&graph, x, layout)
    x = Self.standardised(&graph, x, model.statistics)
    try Self.network(&graph, x, model, device)
    guard graph.constantBytes <= Self.largest else {
      throw TesseraError.input(
        folder, found: "a model of \(graph.constantBytes) bytes", wanted: "\(Self.largest) at most for ONNX")
    }
    let names = String(decoding: try JSONEncoder().encode(classes), as: UTF8.self)
    var metadata = [
      ("classes", names), ("architecture", model.network.architecture.rawValue),
      ("tessera.model", run.records["model"]?.fingerprint ?? ""),
      ("tessera.layout", run.records["layout"]?.fingerprint ?? ""),
    ]
    if let scaler {
      metadata.append(
        ("columns", String(decoding: try JSONEncoder().encode(scaler.names), as: UTF8.self)))
    } else {
      metadata.append(("encoder", URL(fileURLWithPath: run.configuration.encoder).lastPathComponent))
      metadata.append(("pooling", run.configuration.embedding.pooling.rawValue))
      metadata.append(("layers", run.records["embeddings"]?.parameters["layers"] ?? ""))
    }
    bytes = graph.model(
      "tessera", note: "From \(input) to logits and probabilities of \(classes.count) classes.",
      metadata: metadata)
  }

  /// Writes the model.
  ///
  /// - Parameter path: the file.
  /// - Returns: its SHA-256.
  /// - Throws: `TesseraError` if it cannot be written.
  @discardableResult public func write(to path: String) throws -> String {
    try AtomicFile.write(Data(bytes), to: path)
    return try Fingerprint.ofFile(path)
  }

  /// A table's columns as features: differences in binary64, then their scale; what is missing is filled in.
  private static func scaled(_ graph: inout ONNXGraph, _ x: String, _ scaler: ColumnScaler) -> String {
    let count = scaler.names.count
    let missing = graph.node("IsNaN", [x], name: "missing")
    let shifted = graph.node("Sub", [x, graph.doubles("column.offset", scaler.offset, [count])])
    let scale = graph.doubles("column.scale", scaler.scale.map { Double($0) }, [count])
    let product = graph.node("Mul", [shifted, scale])
    let single = graph.node("Cast", [product], [("to", .int(Int(ONNXGraph.Element.float32.rawValue)))])
    let ends = [
      graph.floats("column.least", [-ColumnScaler.largest], []),
      graph.floats("column.most", [ColumnScaler.largest], []),
    ]
    let clipped = graph.node("Clip", [single] + ends)
    let fill = graph.floats("column.fill", scaler.fill, [count])
    return graph.node("Where", [missing, fill, clipped], name: "features")
  }

  /// min(1, log(max(1, x + |minimum| + 1)) / maximum).
  private static func logarithms(_ graph: inout ONNXGraph, _ x: String, _ scaler: Scaler) -> String {
    let one = graph.floats("one", [1], [])
    let shifts = graph.floats("scaler.shift", scaler.minimum.map { abs($0) }, [scaler.minimum.count])
    let shifted = graph.node("Add", [graph.node("Add", [x, shifts]), one])
    let logarithm = graph.node("Log", [graph.node("Max", [shifted, one])])
    let share = graph.node("Div", [logarithm, graph.floats("scaler.maximum", [scaler.maximum], [])])
    return graph.node("Min", [share, one], name: "scaled")
  }

  /// Images of (batch, channels x pixels x pixels): a pixel is the mean of its features, an empty one 0. The first
  /// features of all pixels are taken together, then the second ones, and so on; a pixel without one takes a column of
  /// zeros that is put behind the features.
  private static func pixels(_ graph: inout ONNXGraph, _ x: String, _ layout: FeatureLayout) -> String {
    let (count, area) = (layout.scaler.minimum.count, layout.side * layout.side)
    var members = [[Int]](repeating: [], count: area * layout.channels.count)
    for (number, channel) in layout.channels.enumerated() {
      for (feature, pixel) in zip(channel.features, channel.pixels.pixelOfFeature) {
        members[number * area + Int(pixel)].append(feature)
      }
    }
    let padded = graph.node("Pad", [x, graph.integers("behind", [0, 0, 0, 1])], name: "padded")
    let most = members.map(\.count).max() ?? 1
    var sum: String?
    for place in 0..<max(1, most) {
      let indices = members.map { place < $0.count ? $0[place] : count }
      let part = graph.node(
        "Gather", [padded, graph.integers("layout.\(place)", indices)], [("axis", .int(1))])
      sum = sum.map { graph.node("Add", [$0, part]) } ?? part
    }
    guard most > 1 else { return sum ?? padded }
    let counts = graph.floats("layout.counts", members.map { Float(max(1, $0.count)) }, [members.count])
    return graph.node("Div", [sum ?? padded, counts], name: "images")
  }

  /// (x - mean) scale.
  private static func standardised(
    _ graph: inout ONNXGraph, _ x: String, _ statistics: PixelStatistics
  ) -> String {
    let count = statistics.mean.count
    let difference = graph.node("Sub", [x, graph.floats("pixel.mean", statistics.mean, [count])])
    return graph.node(
      "Mul", [difference, graph.floats("pixel.scale", statistics.scale, [count])], name: "standardised")
  }

  /// The network on standardised images of (batch, values), with its two outputs.
  private static func network(
    _ graph: inout ONNXGraph, _ x: String, _ model: TrainedModel, _ device: any Backend
  ) throws {
    let network = model.network
    let (channels, side, factor) = (network.channels, network.pixels, network.options.upsampling)
    let shape = graph.integers("image.shape", [-1, channels, side, side])
    var y = graph.node("Reshape", [x, shape], name: "squares")
    if factor > 1 {
      let scales = graph.floats("image.scales", [1, 1, Float(factor), Float(factor)], [4])
      y = graph.node(
        "Resize", [y, "", scales], name: "upsampled",
        [
          ("mode", .text("nearest")), ("nearest_mode", .text("floor")),
          ("coordinate_transformation_mode", .text("asymmetric")),
        ])
    }
    if network.standardizesBatches { y = batchStandardised(&graph, y) }
    let parts = try network.descriptions()
    var layers = ONNXLayers(graph, on: device, channels: channels, side: side * factor)
    for (name, layer) in [("slice", parts.slice), ("head", parts.head), ("classifier", parts.classifier)] {
      y = try layers.add(layer, y, name)
    }
    if let bypass = parts.bypass {
      let path = try layers.add(bypass, x, "bypass")
      y = layers.graph.node("Add", [y, path])
    }
    graph = layers.graph
    let logits = graph.node("Identity", [y], name: "logits")
    graph.output(logits, columns: model.classes.count)
    graph.output(
      graph.node("Softmax", [logits], name: "probabilities", [("axis", .int(1))]),
      columns: model.classes.count)
  }

  /// (x - mean) / sqrt(deviation^2 + 1e-8) over the whole batch, the deviation unbiased.
  static func batchStandardised(_ graph: inout ONNXGraph, _ x: String) -> String {
    let axes: [(String, ONNXGraph.Attribute)] = [("axes", .ints([0, 1, 2, 3])), ("keepdims", .int(1))]
    let difference = graph.node("Sub", [x, graph.node("ReduceMean", [x], axes)])
    let variance = graph.node("ReduceMean", [graph.node("Mul", [difference, difference])], axes)
    let one = graph.floats("batch.one", [1], [])
    let number = graph.node(
      "Cast", [graph.node("Size", [x])], [("to", .int(Int(ONNXGraph.Element.float32.rawValue)))])
    let others = graph.node("Max", [graph.node("Sub", [number, one]), one])
    let unbiased = graph.node("Mul", [variance, graph.node("Div", [number, others])])
    let shifted = graph.node("Add", [unbiased, graph.floats("batch.eps", [1e-8], [])])
    return graph.node("Div", [difference, graph.node("Sqrt", [shifted])], name: "standardised_batch")
  }
}
