// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraImages
import TesseraPipeline
import TesseraText

extension Rows {
  /// A small encoder's folder.
  func encoderFolder() throws -> String {
    let path = folder + "/encoder"
    if !FileManager.default.fileExists(atPath: path + "/model.safetensors") {
      try TinyEncoder.write(to: path)
    }
    return path
  }

  func encoder() throws -> TransformerEncoder {
    try TransformerEncoder(folder: try encoderFolder(), device: device)
  }

  func text() {
    let d = device
    function("Embedder.init(_:states:pooling:batch:)")
    for states in [-1...0, 0...3, 2...9, 0...Int.max, Int.min...0] {
      refuses("states \(states)") { try Embedder(try self.encoder(), states: states) }
    }
    for batch in [0, -1, Int.min] {
      refuses("batch \(batch)") { try Embedder(try self.encoder(), states: 0...1, batch: batch) }
    }
    gives("a batch of any size", 64) { try Embedder(try self.encoder(), states: 0...1, batch: .max).features }
    function("Embedder.embed(_:progress:cut:)")
    gives("no texts", []) { try Embedder(try self.encoder(), states: 0...1).embed([]) }
    gives("an empty text, and one of a NUL", 64) {
      try Embedder(try self.encoder(), states: 1...1).embed(["", "\u{0}"]).count
    }
    gives("a text beyond the positions", 32) {
      try Embedder(try self.encoder(), states: 1...1).embed([String(repeating: "a film ", count: 500)]).count
    }
    refuses("progress that throws") {
      try Embedder(try self.encoder(), states: 1...1).embed(["a"]) { _ in
        throw TesseraError.failure("here", found: "it")
      }
    }
    function("Embedder.embed(_:rows:cut:take:)")
    for row in [-1, 1, Int.max, .min] {
      refuses("row \(row) of one") {
        try Embedder(try self.encoder(), states: 1...1).embed(["a"], rows: [row]) { _, _ in }
      }
    }
    gives("a row twice", 64) {
      var count = 0
      try Embedder(try self.encoder(), states: 1...1).embed(["a"], rows: [0, 0]) { count += $1.count }
      return count
    }
    function("EncoderFolder.init(_:)")
    for path in unreadable {
      refuses("'\(path.suffix(8))'") { try EncoderFolder(path).configuration().layers }
    }
    function("EncoderFolder.configuration()")
    gives("of a small encoder", 2) { try EncoderFolder(try self.encoderFolder()).configuration().layers }
    function("EncoderFolder.contains(_:)")
    gives("no such file", [false, false]) {
      [
        try EncoderFolder(try self.encoderFolder()).contains("no"),
        try EncoderFolder(try self.encoderFolder()).contains("\u{0}"),
      ]
    }
    function("EncoderFolder.file(_:)")
    gives("a name", true) { try EncoderFolder(try self.encoderFolder()).file("a").hasSuffix("/a") }
    function("SubwordTokenizer.init(folder:configuration:)")
    refuses("a folder without a vocabulary") {
      let bare = self.folder + "/bare"
      try FileManager.default.createDirectory(atPath: bare, withIntermediateDirectories: true)
      let config = try Data(contentsOf: URL(fileURLWithPath: try self.encoderFolder() + "/config.json"))
      try config.write(to: URL(fileURLWithPath: bare + "/config.json"))
      let found = try EncoderFolder(bare)
      return try SubwordTokenizer(folder: found, configuration: try found.configuration()).count
    }
    function("EncoderConfiguration.init(file:)")
    for path in unreadable { refuses("'\(path.suffix(8))'") { try EncoderConfiguration(file: path).layers } }
    function("TransformerEncoder.init(folder:device:products:)")
    for path in unreadable {
      refuses("'\(path.suffix(8))'") { try TransformerEncoder(folder: path, device: d).configuration }
    }
    gives("exact products", Products.s3) {
      try TransformerEncoder(folder: try self.encoderFolder(), device: d, products: .s3).products
    }
    function("TransformerEncoder.init(folder:devices:products:)")
    for path in unreadable {
      refuses("'\(path.suffix(8))'") {
        try TransformerEncoder(folder: path, devices: DeviceGroup(d)).configuration
      }
    }
    function("SubwordTokenizer.init(vocabularyFile:family:)")
    for path in unreadable {
      refuses("'\(path.suffix(8))'") { try SubwordTokenizer(vocabularyFile: path).count }
    }
    function("SubwordTokenizer.init(tokens:family:place:)")
    for tokens in [[], ["[UNK]"], ["[UNK]", "[CLS]"], [""]] {
      refuses("\(tokens)") { try SubwordTokenizer(tokens: tokens).count }
    }
    function("SubwordTokenizer.encode(_:limit:)")
    let tokenizer = { try SubwordTokenizer(tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]) }
    for limit in [0, -1, 1, 2, Int.min] {
      gives("limit \(limit)", [2, 3]) { try tokenizer().encode("a a a", limit: limit) }
    }
    gives("no limit", [2, 5, 3]) { try tokenizer().encode("a", limit: .max) }
    gives("nothing", [2, 3]) { try tokenizer().encode("") }
  }

  func images() {
    let d = device
    function("NamedOption.init(named:for:)")
    for name in ["", "t-SNE", "tsne "] { refuses("'\(name)'") { try LayoutMethod(named: name, for: "x") } }
    function("NamedOption.init(from:)")
    for text in ["[\"\"]", "[\"t-SNE\"]"] {
      refuses(text) { try JSONDecoder().decode([LayoutMethod].self, from: Data(text.utf8)).count }
    }
    function("LayoutMethod.drawnPlaces(_:seed:channel:on:)")
    for (count, channel) in [(0, 0), (-1, 0), (.max, 0), (1, -1), (1, .max)] {
      refuses("\(count) features, channel \(channel)") {
        try LayoutMethod.drawnPlaces(count, seed: 1, channel: channel, on: d).count
      }
    }
    function("TSNE.LearningRate.init(_:)")
    for text in ["", "x", "0", "-1", "nan", "inf", "1e7", "Auto"] {
      refuses("'\(text)'") { try TSNE.LearningRate(text).text }
    }
    gives("a rate that is none, as t-SNE then says", "nan") { TSNE.LearningRate(Float.nan).text }
    function("TSNE.LearningRate.init(from:)")
    for text in ["[\"x\"]", "[\"\"]"] {
      refuses(text) { try JSONDecoder().decode([TSNE.LearningRate].self, from: Data(text.utf8)).count }
    }
    function("TSNE.LearningRate.encode(to:)")
    gives("the spelling", "[\"1e2\"]") {
      String(decoding: try JSONEncoder().encode([try TSNE.LearningRate("1e2")]), as: UTF8.self)
    }
    function("PNG.encode(_:width:height:)")
    for (count, width, height) in [
      (4, 2, 3), (0, 0, 0), (4, -2, -2), (4, .max, .max), (4, 1 << 32, 1 << 32), (4, .min, 2),
    ] {
      refuses("\(count) pixels of \(width) x \(height)") {
        try PNG.encode([UInt8](repeating: 0, count: count), width: width, height: height)
      }
    }
    function("PNG.encode(stretching:pixels:channels:)")
    for (count, pixels, channels) in [
      (5, 2, 1), (0, 0, 0), (4, -2, 1), (4, 2, 0), (4, .max, 1), (4, 2, .min),
    ] {
      refuses("\(count) values, \(pixels) pixels, \(channels) channels") {
        try PNG.encode(stretching: [Float](repeating: 0, count: count), pixels: pixels, channels: channels)
      }
    }
    for value in [Float.nan, .infinity] {
      refuses("\(value)") { try PNG.encode(stretching: [0, value, 1, 0], pixels: 2, channels: 1) }
    }
    function("ContactSheet.png(_:pixels:channels:columns:scale:stretch:)")
    func sheet(
      _ values: [Float], _ pixels: Int = 2, _ channels: Int = 1, _ columns: Int = 1, _ scale: Int = 1
    ) throws -> Data {
      try ContactSheet.png(values, pixels: pixels, channels: channels, columns: columns, scale: scale)
    }
    let four = [Float](repeating: 0.5, count: 4)
    for value in [0, -1, Int.max, .min] {
      refuses("pixels \(value)") { try sheet(four, value) }
      refuses("channels \(value)") { try sheet(four, 2, value) }
      refuses("columns \(value)") { try sheet(four, 2, 1, value) }
      refuses("scale \(value)") { try sheet(four, 2, 1, 1, value) }
    }
    for values in [[], [0, 1, 2], [0, 1, 2, .nan], [0, .infinity, 0, 0]] as [[Float]] {
      refuses("\(values)") { try sheet(values) }
    }
    scaling()
    places(d)
  }

  private func scaling() {
    let d = device
    let values: [Float] = [0, 1, 2, 3, 4, 5]
    function("Scaler.init(minimum:maximum:)")
    for (minimum, maximum) in [
      ([0, 0], 0), ([0, 0], .nan), ([0, 0], -1), ([.nan, 0], 1), ([], 1), ([0, .infinity], 1),
      ([0, 0], .infinity),
    ] as [([Float], Float)] {
      refuses("\(minimum), \(maximum)") {
        try Scaler(minimum: minimum, maximum: maximum).apply(Floats(values), columns: 2, rows: [0], on: d)
      }
    }
    let wrong: [(String, [Float], Int, [Int])] = [
      ("columns 0", values, 0, [0]), ("columns -2", values, -2, [0]), ("columns of no rows", values, 4, [0]),
      ("columns beyond", values, .max, [0]),
      ("row -1", values, 2, [-1]), ("row 3", values, 2, [0, 3]), ("row Int.max", values, 2, [.max]),
      ("a NaN", [0, 1, .nan, 3], 2, [1]), ("infinity", [0, .infinity], 2, [0]),
    ]
    function("Scaler.fit(_:columns:rows:on:)")
    for (what, values, columns, rows) in wrong + [("no rows", values, 2, [])] {
      refuses(what) { try Scaler.fit(Floats(values), columns: columns, rows: rows, on: d) }
    }
    function("Scaler.apply(_:columns:rows:on:)")
    let scaler = Scaler(minimum: [0, 0], maximum: 1)
    for (what, values, columns, rows) in wrong + [("other columns", values, 3, [0])] {
      refuses(what) { try scaler.apply(Floats(values), columns: columns, rows: rows, on: d) }
    }
    gives("no rows", []) { try scaler.apply(Floats(values), columns: 2, rows: [], on: d) }
    function("Scaler.applyTransposed(_:columns:rows:on:)")
    for (what, values, columns, rows) in wrong + [("other columns", values, 3, [0])] {
      refuses(what) { try scaler.applyTransposed(Floats(values), columns: columns, rows: rows, on: d) }
    }
    function("requireFinite(_:_:columns:)")
    for columns in [0, -1, 2, Int.min] {
      refuses("a NaN, \(columns) columns") { try requireFinite("x", [0, .nan], columns: columns) }
    }
  }

  private func places(_ d: any Backend) {
    function("PixelLayout.init(pixels:pixelOfFeature:)")
    for (pixels, features) in [
      (0, [0]), (-1, [0]), (2, [4]), (2, [-1]), (.max, [0]), (5000, [0]), (2, [.max]),
    ] as [(Int, [Int32])] {
      refuses("\(pixels), \(features)") { try PixelLayout(pixels: pixels, pixelOfFeature: features) }
    }
    function("PixelLayout.init(_:pixels:by:)")
    for coordinates in [[], [1], [0, 1, 2], [0, .nan], [.infinity, 0], [0, 1, .nan, 2]] as [[Float]] {
      for way in Discretization.allCases {
        refuses("\(coordinates) by \(way)") { try PixelLayout(coordinates, pixels: 4, by: way) }
      }
    }
    for pixels in [-1, 5000, Int.max, .min] {
      refuses("\(pixels) pixels") { try PixelLayout([0, 1, 0, 1], pixels: pixels) }
    }
    refuses("lsa with too few pixels") { try PixelLayout([0, 1, 0, 1], pixels: 1, by: .lsa) }
    gives("coordinates as large as floats are", [0, 3]) {
      try PixelLayout([-3e38, 3e38, -3e38, 3e38], pixels: 2).pixelOfFeature.map { min($0, 3) }.sorted() == [
        0, 0,
      ] ? [0, 0] : [0, 3]
    }
    function("Discretization.check(features:side:)")
    for (features, side) in [(5, 2), (1, 0), (1, -1), (1, 513), (1, .max), (1, .min), (.max, 512)] {
      refuses("lsa, \(features) on \(side)") { try Discretization.lsa.check(features: features, side: side) }
    }
    function("TSNE.check(points:dims:)")
    for (count, dims) in [
      (0, 1), (-1, 1), (1, 0), (30, 1), (.max, .max), (.min, 1), (1 << 28, 1), (1 << 27, 1 << 27),
    ] { refuses("\(count) x \(dims)") { try TSNE().check(points: count, dims: dims) } }
    refuses("neighbours beyond Int") {
      var tsne = TSNE()
      tsne.perplexity = 9e18
      try tsne.check(points: .max, dims: 1)
      return "nothing refused"
    }
    function("PixelLayout.side(for:)")
    for (features, side) in [
      (0, 1), (-1, 1), (.min, 1), (5, 3), (1 << 40, 1 << 20), ((1 << 40) + 1, (1 << 20) + 1),
    ] { gives("\(features)", side) { PixelLayout.side(for: features) } }
    gives("the largest number", 3_037_000_500) { PixelLayout.side(for: .max) }
    let layout = { try PixelLayout(pixels: 2, pixelOfFeature: [0, 3]) }
    function("PixelLayout.render(_:count:)")
    for (count, rows) in [(1, 3), (-1, 2), (2, 2), (.max, 2), (.min, 0), (0, 2)] {
      refuses("\(rows) values in \(count) rows") {
        try layout().render([Float](repeating: 0, count: count == .min ? 0 : rows), count: count)
      }
    }
    function("PixelLayout.features(of:count:)")
    for (count, values) in [(1, 3), (-1, 4), (2, 4), (.max, 4), (0, 4)] {
      refuses("\(values) values of \(count) images") {
        try layout().features(of: [Float](repeating: 0, count: values), count: count)
      }
    }
    function("PrincipalComponents.init(_:count:dims:on:)")
    let points: [Float] = [0, 1, 2, 3, 5, 8]
    for (count, dims) in [(0, 0), (-3, -2), (3, 3), (2, 2), (.max, 2), (3, .max), (3, 0)] {
      refuses("\(count) x \(dims)") { try PrincipalComponents(points, count: count, dims: dims, on: d) }
    }
    for values in [[0, 0, 0, 0], [0, 1, .nan, 2], [0, 1, .infinity, 2]] as [[Float]] {
      refuses("\(values)") { try PrincipalComponents(values, count: 2, dims: 2, on: d) }
    }
    function("TSNE.init()")
    gives("scikit-learn's defaults", 30) { TSNE().perplexity }
    function("TSNE.layOut(_:count:dims:on:helpers:progress:)")
    func layOut(_ values: [Float], _ count: Int, _ dims: Int, _ change: (inout TSNE) -> Void = { _ in })
      throws -> Int
    {
      var tsne = TSNE()
      (tsne.perplexity, tsne.iterations) = (1.5, 2)
      change(&tsne)
      return try tsne.layOut(values, count: count, dims: dims, on: d).coordinates.count
    }
    gives("three points", 6) { try layOut(points, 3, 2) }
    gives("no iterations", 6) { try layOut(points, 3, 2) { $0.iterations = 0 } }
    for (count, dims) in [(0, 0), (-3, -2), (3, 3), (.max, 2), (3, .max), (3, 0), (1, 6)] {
      refuses("\(count) x \(dims)") { try layOut(points, count, dims) }
    }
    for value in [Float.nan, 0, -1, 3, .infinity] {
      refuses("perplexity \(value)") { try layOut(points, 3, 2) { $0.perplexity = value } }
    }
    for value in [Float.nan, 0, -1, .infinity] {
      refuses("exaggeration \(value)") { try layOut(points, 3, 2) { $0.exaggeration = value } }
      refuses("learning rate \(value)") { try layOut(points, 3, 2) { $0.learningRate = value } }
    }
    for value in [-1, Int.min] {
      refuses("iterations \(value)") { try layOut(points, 3, 2) { $0.iterations = value } }
      refuses("exploration \(value)") { try layOut(points, 3, 2) { $0.explorationIterations = value } }
      gives("exact limit \(value)", 6) { try layOut(points, 3, 2) { $0.exactLimit = value } }
    }
    for metric in FeatureMetric.allCases {
      refuses("a NaN, \(metric)") { try layOut([0, 1, .nan, 3, 5, 8], 3, 2) { $0.metric = metric } }
      gives("equal points, \(metric)", 6) {
        try layOut([Float](repeating: 1, count: 6), 3, 2) { $0.metric = metric }
      }
    }
    refuses("equal points from their components") {
      try layOut([Float](repeating: 1, count: 6), 3, 2) { $0.start = .pca }
    }
  }
}
