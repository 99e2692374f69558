// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraImages
import TesseraCompute
import TesseraData
import TesseraPipeline
import TesseraText
import TesseraVision

extension Rows {
  /// Embeddings of eight rows of four features, two classes, by way of a file.
  func embeddings(_ name: String = "embeddings", _ change: (inout SafetensorsWriter) -> Void = { _ in })
    throws -> Embeddings
  {
    let path = folder + "/\(name).safetensors"
    var writer = SafetensorsWriter(metadata: ["classes": "[\"a\",\"b\"]", "kind": "embeddings"])
    writer.add("features", (0..<32).map { Float($0 * 7 % 11) / 4 }, shape: [8, 4])
    writer.add("labels", [0, 1, 0, 1, 0, 1, 0, 1] as [Int32], shape: [8])
    change(&writer)
    _ = try writer.write(to: path)
    return try Embeddings.read(path)
  }

  var split: Split { Split(training: [0, 1, 2, 3, 4], validation: [5, 6], test: [7]) }

  func plan(_ change: (inout LayoutPlan) -> Void = { _ in }) -> LayoutPlan {
    var plan = LayoutPlan()
    plan.pixels = 8
    (plan.tsne.perplexity, plan.tsne.iterations) = (1.5, 2)
    change(&plan)
    return plan
  }

  func layout(_ split: Split? = nil, _ change: (inout LayoutPlan) -> Void = { _ in }) throws -> FeatureLayout
  {
    try FeatureLayout.make(
      try embeddings(), split: split ?? self.split, plan(change), on: DeviceGroup(device))
  }

  func imageSet(_ split: Split? = nil) throws -> ImageSet {
    try ImageSet.make(try embeddings(), try layout(), split: split ?? self.split, on: device)
  }

  func options(_ change: (inout TrainedModel.Options) -> Void = { _ in }) -> TrainedModel.Options {
    var options = TrainedModel.Options(.alexnet)
    (options.network.head, options.network.upsampling) = (.linear, 8)
    (options.training.epochs, options.training.batch) = (0, 4)
    change(&options)
    return options
  }

  func model() throws -> TrainedModel {
    try TrainedModel.train(try imageSet(), options(), on: DeviceGroup(device))
  }

  func pipeline() throws {
    dataFormats()
    function("DataSet.read(_:format:classes:labelled:part:)")
    for path in unreadable { refuses("'\(path.suffix(8))'") { try DataSet.read(path).texts } }
    refuses("a column that is not there") {
      try DataSet.read(self.folder + "/reviews.csv", format: .init(text: "no")).texts
    }
    refuses("no classes are known") { try DataSet.read(self.folder + "/reviews.csv", classes: []).texts }
    splits()
    probes()
    stages()
    models()
    runs()
    configurations()
  }

  private func dataFormats() {
    function("DataFormat.init(text:label:quotes:separator:encoding:header:labels:)")
    gives("no names", true) { DataFormat().text == nil }
    function("DataFormat.init(from:)")
    for text in ["{}", "[]", "{\"quotes\":\"single\"}"] {
      gives(text, true) { (try? JSONDecoder().decode(DataFormat.self, from: Data(text.utf8))) == nil }
    }
    function("DataFormat.encode(to:)")
    gives("the defaults", true) {
      try JSONDecoder().decode(DataFormat.self, from: try JSONEncoder().encode(DataFormat())) == DataFormat()
    }
    function("Separator.init(named:)")
    for name in ["", "ab", "\"", "\n", "\\", "\u{e9}", "\u{0}"] {
      refuses("'\(name)'") { try Separator(named: name)?.byte ?? 0 }
    }
    function("TextEncoding.init(named:)")
    for name in ["", "utf7", "utf"] { refuses("'\(name)'") { try TextEncoding(named: name) } }
    function("LabelRules.init()")
    gives("no rules", "") { LabelRules().text }
    function("LabelRules.init(_:)")
    for text in ["a", ",", "a=b=c", ">=", ">=x=y", ">=1e999", "a=b,>=7", "=x"] {
      refuses("'\(text)'") { try LabelRules(text).text }
    }
    function("LabelRules.init(from:)")
    for text in ["[\"a\"]", "[\">=x\"]"] {
      refuses("'\(text)'") { try JSONDecoder().decode([LabelRules].self, from: Data(text.utf8)).count }
    }
    function("LabelRules.encode(to:)")
    gives("no rules", "[\"\"]") {
      String(decoding: try JSONEncoder().encode([LabelRules()]), as: UTF8.self)
    }
    function("DataSet.requireRowsOfEachClass()")
    works("two of each") { try DataSet.read(self.folder + "/reviews.csv").requireRowsOfEachClass() }
    function("DataFormat.requireEffect(on:)")
    works("of no data") { try DataFormat(quotes: .none, header: false).requireEffect(on: []) }
    for format in [DataFormat(quotes: .none), DataFormat(header: false), DataFormat(quotes: .double)] {
      refuses("a table's, of JSON") {
        let path = self.folder + "/rows.jsonl"
        try Data("{\"text\": \"a\", \"label\": \"b\"}\n".utf8).write(to: URL(fileURLWithPath: path))
        return try format.requireEffect(on: [DataSet.read(path, labelled: false)])
      }
    }
    function("Embeddings.constantFeatures(rows:)")
    for row in [-1, 8, Int.max, .min] {
      refuses("row \(row)") { try self.embeddings().constantFeatures(rows: [0, row]) }
    }
    gives("no rows", 0) { try self.embeddings().constantFeatures(rows: []) }
    function("ProgressLine.noteCut(_:of:at:)")
    works("huge numbers") { ProgressLine(quiet: true).noteCut(.max, of: .min, at: -1) }
  }

  private func splits() {
    function("Split.init(training:validation:test:)")
    for rows in [[-1], [8], [Int.max], [.min]] {
      refuses("rows \(rows)") { try self.layout(Split(training: rows, validation: [], test: [])).side }
    }
    function("Split.init(labels:validation:test:seed:method:fold:trainingRows:)")
    func made(
      _ labels: [Int32] = [0, 1, 0, 1], _ validation: Double = 0.25, _ test: Double = 0.25, _ rows: Int? = nil
    ) throws -> [Int] {
      try Split(labels: labels, validation: validation, test: test, seed: 1, trainingRows: rows).training
    }
    for (a, b) in [(-0.1, 0), (0, -0.1), (0.5, 0.5), (.nan, 0), (0, .nan), (.infinity, 0), (1, 0)]
      as [(Double, Double)]
    { refuses("shares \(a), \(b)") { try made([0, 1, 0, 1], a, b) } }
    for rows in [0, -1, 5, Int.max, .min] {
      refuses("\(rows) training rows") { try made([0, 1, 0, 1], 0, 0, rows) }
    }
    refuses("no labels") { try made([]) }
    refuses("one class") { try made([1, 1, 1, 1]) }
    for fold in [Fold(0, of: 2), Fold(3, of: 2), Fold(1, of: 5), Fold(1, of: -1), Fold(.max, of: .max)] {
      refuses("fold \(fold.number) of \(fold.count)") {
        try Split(labels: [0, 1, 0, 1], validation: 0, test: 0, seed: 1, fold: fold).training
      }
    }
    function("Fold.init(_:of:)")
    gives("a fold that there is not", -1) { Fold(-1, of: 0).number }
    function("SplitOptions.split(of:seed:hasTest:)")
    for (fold, folds) in [(1, nil), (nil, 2), (0, 2), (3, 2), (.max, .min)] as [(Int?, Int?)] {
      refuses("fold \(fold as Any) of \(folds as Any)") {
        var options = SplitOptions()
        (options.fold, options.folds) = (fold, folds)
        return try options.split(of: [0, 1, 0, 1], seed: 1).training
      }
    }
    function("Split.check(_:count:)")
    for rows in [[-1], [4], [Int.max]] {
      refuses("rows \(rows) of 4") {
        try Split(training: [], validation: rows, test: []).check("x", count: 4)
      }
    }
    refuses("a row of none") { try Split(training: [0], validation: [], test: []).check("x", count: 0) }
    works("no rows") { try Split(training: [], validation: [], test: []).check("x", count: -1) }
  }

  private func probes() {
    let d = device
    let features: [Float] = [0, 1, 1, 0, 0, 2, 2, 0]
    func fit(
      _ features: [Float], _ columns: Int = 2, _ labels: [Int32] = [0, 1, 0, 1], _ classes: Int = 2,
      _ training: [Int] = [0, 1, 2], _ validation: [Int] = [3]
    ) throws -> LinearProbe {
      try LinearProbe.fit(
        features: Floats(features), columns: columns, labels: labels, classes: classes,
        training: training, validation: validation, on: d)
    }
    function("LinearProbe.fit(features:columns:labels:classes:training:validation:on:)")
    for columns in [0, -2, 3, Int.max] {
      refuses("\(columns) columns") { try fit(features, columns).classes }
    }
    for labels in [[], [0, 1, 0], [0, 2, 0, 1], [0, -1, 0, 1]] as [[Int32]] {
      refuses("labels \(labels)") { try fit(features, 2, labels).classes }
    }
    for classes in [0, 1, -1, Int.min] {
      refuses("\(classes) classes") { try fit(features, 2, [0, 0, 0, 0], classes).classes }
    }
    for rows in [[], [-1], [4], [Int.max]] {
      refuses("training rows \(rows)") { try fit(features, 2, [0, 1, 0, 1], 2, rows).classes }
    }
    for rows in [[-1], [4]] {
      refuses("validation rows \(rows)") { try fit(features, 2, [0, 1, 0, 1], 2, [0, 1], rows).classes }
    }
    refuses("a NaN") { try fit([.nan] + features.dropFirst()).classes }
    function("LinearProbe.predict(features:columns:rows:on:)")
    for (columns, rows) in [(0, [0]), (3, [0]), (2, [-1]), (2, [4]), (2, [Int.max]), (-2, [0])] {
      refuses("\(columns) columns, rows \(rows)") {
        try fit(features).predict(features: Floats(features), columns: columns, rows: rows, on: d)
      }
    }
    refuses("a NaN") { try fit(features).predict(features: [.nan, 0], columns: 2, rows: [0], on: d) }
    gives("no rows", []) {
      try fit(features).predict(features: Floats(features), columns: 2, rows: [], on: d)
    }
  }

  private func stages() {
    let d = device
    function("Embeddings.make(_:by:journal:progress:cut:)")
    let data = { try DataSet.read(self.folder + "/reviews.csv") }
    let embedder = { try Embedder(try self.encoder(), states: 0...1) }
    gives("every text", 64) { try Embeddings.make(try data(), by: try embedder()).columns }
    function("EmbeddingJournal.init(_:key:)")
    for path in unwritable {
      refuses("rows kept in '\(path.suffix(8))'") {
        try Embeddings.make(try data(), by: try embedder(), journal: EmbeddingJournal(path, key: [])).columns
      }
    }
    function("EmbeddingJournal.remove()")
    gives("what is not there", true) {
      EmbeddingJournal(self.folder + "/none.partial", key: ["a"]).remove()
      return true
    }
    function("Embeddings.write(to:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try self.embeddings().write(to: path) } }
    function("Embeddings.read(_:)")
    for path in unreadable { refuses("'\(path.suffix(8))'") { try Embeddings.read(path).columns } }
    refuses("a file of other tensors") { try Embeddings.read(try self.tensorFile().path).columns }
    function("FeatureLayout.make(_:split:_:on:progress:)")
    for pixels in [-1, 4097, Int.max, .min] {
      refuses("\(pixels) pixels") { try self.layout { $0.pixels = pixels }.side }
    }
    refuses("no training rows") { try self.layout(Split(training: [], validation: [0], test: [])).side }
    refuses("perplexity NaN") { try self.layout { $0.tsne.perplexity = .nan }.side }
    refuses("channels of states that nobody told") { try self.layout { $0.channels = .layer }.side }
    refuses("no representations") { try self.layout { $0.representations = [] }.side }
    function("LayoutPlan.init()")
    gives("the recipe's", 50) { LayoutPlan().pixels }
    function("FeatureLayout.render(_:columns:rows:on:)")
    for (columns, rows) in [(0, [0]), (3, [0]), (4, [-1]), (4, [8]), (4, [Int.max]), (-4, [0])] {
      refuses("\(columns) columns, rows \(rows)") {
        let values = Floats([Float](repeating: 0, count: 32))
        return try self.layout().render(values, columns: columns, rows: rows, on: d).count
      }
    }
    refuses("a NaN") { try self.layout().render([.nan, 0, 0, 0], columns: 4, rows: [0], on: d).count }
    gives("no rows", 0) { try self.layout().render([], columns: 4, rows: [], on: d).count }
    function("FeatureLayout.write(to:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try self.layout().write(to: path) } }
    function("FeatureLayout.read(_:)")
    for path in unreadable { refuses("'\(path.suffix(8))'") { try FeatureLayout.read(path).side } }
    refuses("a file of other tensors") { try FeatureLayout.read(try self.tensorFile().path).side }
    function("ImageSet.make(_:_:split:to:on:)")
    for rows in [[-1], [8]] {
      refuses("a split of rows \(rows)") {
        try ImageSet.make(
          try self.embeddings(), try self.layout(), split: Split(training: rows, validation: [], test: []),
          to: self.folder + "/i", on: d
        ).fingerprint
      }
    }
    refuses("a folder for a file") {
      try ImageSet.make(try self.embeddings(), try self.layout(), split: self.split, to: self.folder, on: d)
        .fingerprint
    }
    function("ImageSet.make(_:_:split:on:)")
    refuses("a layout of other features") {
      let small = try self.embeddings("small") { _ in }
      let layout = try self.layout()
      _ = small
      return try layout.render(small.features, columns: 2, rows: [0], on: d).count
    }
    for rows in [[-1], [8]] {
      refuses("a split of rows \(rows)") {
        try self.imageSet(Split(training: rows, validation: [], test: [])).area
      }
    }
    function("ImageSet.write(to:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try self.imageSet().write(to: path) } }
    function("ImageSet.read(_:)")
    for path in unreadable { refuses("'\(path.suffix(8))'") { try ImageSet.read(path).area } }
    refuses("a file of other tensors") { try ImageSet.read(try self.tensorFile().path).area }
    function("ImageSet.writePictures(to:)")
    for path in ["/proc/no", folder + "/text/below"] {
      refuses("'\(path.suffix(8))'") { try self.imageSet().writePictures(to: path) }
    }
    function("ImageSet.check(_:)")
    refuses("upsampling 0") { try self.imageSet().check(self.options { $0.network.upsampling = 0 }) }
    refuses("weights that are not there") {
      try self.imageSet().check(self.options { $0.weights = "/no/such" })
    }
    function("LayoutPlan.check(_:_:)")
    for (what, change) in [
      ("pixels -1", { $0.pixels = -1 }), ("perplexity NaN", { $0.tsne.perplexity = .nan }),
      ("iterations -1", { $0.tsne.iterations = -1 }),
    ] as [(String, (inout LayoutPlan) -> Void)] {
      refuses(what) { try self.plan(change).check(try self.embeddings(), self.split) }
    }
    refuses("rows that are not there") {
      try self.plan().check(try self.embeddings(), Split(training: [9], validation: [], test: []))
    }
    function("LayoutOptions.init()")
    gives("the official code's", 50) { LayoutOptions().pixels }
    for (what, change) in layoutMistakes {
      let make = {
        var options = LayoutOptions()
        change(&options)
        return options
      }
      function("LayoutOptions.check()")
      refuses(what) { try make().check() }
      function("LayoutOptions.plan(seed:seesValidation:)")
      refuses(what) { try make().plan().pixels }
    }
    refuses("t-SNE's options without it") {
      var options = LayoutOptions()
      (options.layout, options.iterations) = (.pca, 5)
      return try options.plan().pixels
    }
    function("RepresentationList.init(_:)")
    for text in ["", ",", "tsne,tsne", "no"] { refuses("'\(text)'") { try RepresentationList(text).text } }
    function("RepresentationList.init(from:)")
    for text in ["[\"\"]", "[\"no\"]"] {
      refuses(text) { try JSONDecoder().decode([RepresentationList].self, from: Data(text.utf8)).count }
    }
    function("RepresentationList.encode(to:)")
    gives("the text", "[\"tsne\"]") {
      String(decoding: try JSONEncoder().encode([try RepresentationList("tsne")]), as: UTF8.self)
    }
    function("EmbeddingOptions.init()")
    gives("no states are chosen", true) { EmbeddingOptions().firstState == nil }
    // From files and into them, as the compiler writes that.
    for text in [
      "{\"pooling\": \"no\"}", "{\"pooling\": \"cls\", \"paperStates\": true, \"products\": \"tf32\"}",
    ] {
      refuses(text) { try JSONDecoder().decode([EmbeddingOptions].self, from: Data("[\(text)]".utf8)).count }
    }
    gives("what is read back", true) {
      var options = EmbeddingOptions()
      options.products = .s3
      return try JSONDecoder().decode(EmbeddingOptions.self, from: try JSONEncoder().encode(options))
        == options
    }
    function("EmbeddingOptions.states(layers:)")
    for (first, last, layers) in [(-1, 2, 2), (2, 1, 2), (0, 3, 2), (0, .max, 2), (.min, 0, 2), (0, 0, -1)] {
      refuses("\(first)...\(last) of \(layers)") {
        var options = EmbeddingOptions()
        (options.firstState, options.lastState) = (first, last)
        return try options.states(layers: layers)
      }
    }
    function("Recipe.model(_:)")
    for recipe in Recipe.allCases {
      gives("every network of \(recipe.rawValue)", Architecture.allCases) {
        try Architecture.allCases.map { network in
          let options = recipe.model(network)
          try options.check()
          return options.architecture
        }
      }
    }
    function("TableOptions.init()")
    gives("missing values are refused", "refuse") { TableOptions().missing.rawValue }
    tables()
    function("SplitOptions.init()")
    gives("a fifth", 0.2) { SplitOptions().testShare }
    function("Representation.init(method:metric:)")
    gives("a metric that counts for nothing", "pca") {
      Representation(method: .pca, metric: .cosine).description
    }
    function("Representation.list(_:)")
    for text in ["", ",", "tsne,tsne", "pca:cosine", "tsne:", "tsne:no", "no"] {
      refuses("'\(text)'") { try Representation.list(text) }
    }
  }
}
