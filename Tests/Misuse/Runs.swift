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
  func runs() {
    let d = device
    function("ReportPage.init(folder:device:)")
    for path in ["/no/such", folder] {
      refuses("'\(path.suffix(8))'") { try ReportPage(folder: path, device: d) }
    }
    function("ReportPage.html()")
    refuses("of a folder without a run") { try ReportPage(folder: self.folder, device: d).html() }
    function("ONNXModel.init(run:on:)")
    for path in ["/no/such", folder] {
      refuses("'\(path.suffix(8))'") { try ONNXModel(run: path, on: d) }
    }
    function("ONNXModel.write(to:)")
    refuses("of a folder without a run") { try ONNXModel(run: self.folder, on: d).write(to: "/no/such/x") }
    function("RunReport.init(folder:)")
    for path in ["/no/such", folder] { refuses("'\(path.suffix(8))'") { try RunReport(folder: path).text } }
    function("Predictor.init(run:devices:batch:)")
    for path in ["/no/such", folder] {
      refuses("'\(path.suffix(8))'") { try Predictor(run: path, devices: DeviceGroup(d)).classes }
    }
    // Their arguments are texts, and predictions that it made itself.
    for name in [
      "predict(_:progress:)", "evaluate(_:progress:cut:)", "evidence(_:most:)", "words(_:_:most:)",
      "picture(_:)",
    ] {
      function("Predictor.\(name)")
      refuses("of a folder without a run") {
        try Predictor(run: self.folder, devices: DeviceGroup(d)).classes
      }
    }
    predictions()
    function("RunDirectory.init(_:)")
    for path in ["", "/proc/no", folder + "/text/below"] {
      refuses("'\(path.suffix(8))'") { try RunDirectory(path).path }
    }
    refuses("twice at a time") {
      let first = try RunDirectory(self.folder + "/held")
      return (first, try RunDirectory(self.folder + "/held"))
    }
    function("RunDirectory.discardIfEmpty()")
    works("a new folder") { try RunDirectory(self.folder + "/new").discardIfEmpty() }
    function("RunDirectory.foreign(_:_:)")
    gives("no names", true) { !RunDirectory.foreign("x", []).description.isEmpty }
    function("RunDirectory.visibleNames(in:)")
    for path in ["", "/no/such", folder + "/text"] {
      gives("'\(path.suffix(8))'", 0) { path.isEmpty ? 0 : RunDirectory.visibleNames(in: path).count }
    }
    function("TrainingFolder.check(_:images:overwrite:)")
    refuses("a folder of other files") {
      try TrainingFolder.check(self.folder, images: "x", overwrite: false)
    }
    works("no folder") { try TrainingFolder.check("/no/such", images: "", overwrite: false) }
    function("TrainingFolder.prepare(_:resume:key:)")
    works("nothing to go on from") {
      try TrainingFolder.prepare(try RunDirectory(self.folder + "/training"), resume: true, key: "")
    }
    function("FinishedRun.init(_:)")
    for path in ["", "/no/such", folder] { refuses("'\(path.suffix(8))'") { try FinishedRun(path).folder } }
    function("DiskSpace.amount(_:)")
    for bytes in [Int.min, -1, 0] { gives("\(bytes)", "\(bytes) bytes") { DiskSpace.amount(bytes) } }
    function("DiskSpace.free(at:)")
    gives("where nothing is yet", true) {
      DiskSpace.free(at: self.folder + "/no/such/folder") == nil
        || DiskSpace.free(at: self.folder + "/no") ?? 0 > 0
    }
    function("DiskSpace.require(_:at:for:)")
    refuses("more than there is") { try DiskSpace.require(.max, at: self.folder, for: "x") }
    works("less than nothing") { try DiskSpace.require(.min, at: self.folder, for: "x") }
    function("KeptEpoch.init(_:of:_:)")
    gives("no epoch", true) { KeptEpoch(nil, of: -1, NetworkOptions()).description.hasPrefix("none") }
    function("RunDirectory.file(_:)")
    gives("a name", true) { try RunDirectory(self.folder + "/run").file("a").hasSuffix("/run/a") }
    function("RunDirectory.stage(_:inputs:parameters:outputs:body:)")
    refuses("an output that the body does not write") {
      try RunDirectory(self.folder + "/run").stage("x", inputs: [:], parameters: [:], outputs: ["no"]) { "" }
    }
    refuses("a body that throws") {
      try RunDirectory(self.folder + "/run").stage("x", inputs: [:], parameters: [:], outputs: []) {
        throw TesseraError.failure("here", found: "it")
      }
    }
    function("EmbeddingWork.init()")
    gives("the usual batch", 256) { EmbeddingWork().batch }
    function(
      "Pipeline.init(_:devices:out:embedding:limits:splitting:keptStates:overwrite:progress:)")
    func made(_ out: String, _ change: (inout RunConfiguration) -> Void = { _ in }) throws -> Pipeline {
      var configuration = RunConfiguration(
        data: self.folder + "/reviews.csv", encoder: try self.encoderFolder())
      change(&configuration)
      return try Pipeline(
        configuration, devices: DeviceGroup(d), out: out, progress: ProgressLine(quiet: true))
    }
    for path in ["", "/proc/no"] { refuses("'\(path)'") { try made(path) } }
    for (what, change) in configurationMistakes {
      refuses(what) { try made(self.folder + "/pipeline", change) }
    }
    function("Pipeline.run()")
    refuses("data that is not there") {
      try made(self.folder + "/pipeline") { $0.data = "/no/such" }.run().fingerprints
    }
    refuses("an encoder that is not there") {
      try made(self.folder + "/pipeline") { $0.encoder = "/no/such" }.run().fingerprints
    }
    function("ProgressLine.init(quiet:began:)")
    works("quiet") { _ = ProgressLine(quiet: true) }
    function("ProgressLine.begin(_:quietly:)")
    works("nothing") { ProgressLine(quiet: true).begin("") }
    function("ProgressLine.update(_:done:of:unit:)")
    for (done, total) in [(0, 0), (-1, 0), (Int.max, Int.min), (.min, .max)] {
      works("\(done) of \(total)") { ProgressLine().update("x", done: done, of: total, unit: "") }
    }
    function("ProgressLine.note(_:)")
    works("nothing") { ProgressLine(quiet: true).note("") }
  }

  /// A finished run of the small encoder, made once.
  private func finishedRun() throws -> String {
    let out = folder + "/finished"
    guard !FileManager.default.fileExists(atPath: out + "/result.json") else { return out }
    var c = RunConfiguration(data: folder + "/reviews.csv", encoder: try encoderFolder())
    (c.layout.pixels, c.layout.perplexity, c.layout.iterations) = (8, 5, 5)
    (c.model.architecture, c.model.network.head, c.model.network.bypass) = (.alexnet, .linear, true)
    (c.model.network.upsampling, c.model.training.epochs, c.model.training.batch) = (8, 1, 8)
    _ = try Pipeline(c, devices: DeviceGroup(device), out: out, progress: ProgressLine(quiet: true)).run()
    return out
  }

  private func predictions() {
    let d = device
    let predictor = { try Predictor(run: try self.finishedRun(), devices: DeviceGroup(d), batch: 4) }
    function("Predictor.init(run:devices:batch:)")
    for batch in [0, -1, Int.min] {
      refuses("batch \(batch)") {
        try Predictor(run: try self.finishedRun(), devices: DeviceGroup(d), batch: batch).predict(["a"]).count
      }
    }
    function("Predictor.predict(_:progress:)")
    gives("no texts", 0) { try predictor().predict([]).count }
    gives("an empty text", 1) { try predictor().predict([""]).count }
    function("Predictor.evidence(_:most:)")
    for most in [0, -1, Int.min] {
      gives("the first \(most)", 0) {
        try predictor().evidence(try predictor().predict(["a good film"])[0], most: most).features.count
      }
    }
    function("Predictor.words(_:_:most:)")
    for most in [0, -1, Int.min] {
      gives("the first \(most)", 0) {
        try predictor().words("a good film", try predictor().predict(["a good film"])[0], most: most).count
      }
    }
    gives("no words", 0) { try predictor().words("", try predictor().predict([""])[0]).count }
    function("Predictor.evaluate(_:progress:cut:)")
    gives("the run's own rows", 24) {
      try predictor().evaluate(try DataSet.read(self.folder + "/reviews.csv")).model.total
    }
    function("FinishedRun.checked(_:)")
    for name in ["", "no", "../reviews.csv", "run.json"] {
      refuses("'\(name)'") { try FinishedRun(try self.finishedRun()).checked(name) }
    }
  }

  private var configurationMistakes: [(String, (inout RunConfiguration) -> Void)] {
    [
      ("upsampling 0", { $0.model.network.upsampling = 0 }), ("batch 0", { $0.model.training.batch = 0 }),
      ("a rate of a frozen slice", { $0.model.training.sliceRate = 1 }),
      ("pixels 1", { $0.layout.pixels = 1 }), ("pixels Int.max", { $0.layout.pixels = .max }),
      ("a metric of pca", { ($0.layout.layout, $0.layout.metric) = (.pca, .cosine) }),
    ]
  }

  func configurations() {
    let make: ((inout RunConfiguration) -> Void) -> RunConfiguration = {
      var c = RunConfiguration(data: "", encoder: "")
      $0(&c)
      return c
    }
    function("RunConfiguration.layoutPlan()")
    refuses("pixels -1") { try make { $0.layout.pixels = -1 }.layoutPlan().pixels }
    function("RunConfiguration.init(from:)")
    for text in ["{}", "[]", "{\"data\":1}"] {
      gives(text, true) {
        (try? JSONDecoder().decode(RunConfiguration.self, from: Data(text.utf8))) == nil
      }
    }
    function("RunConfiguration.encode(to:)")
    gives("what is read back", true) {
      let text = try JSONEncoder().encode(make { _ in })
      return try JSONDecoder().decode(RunConfiguration.self, from: text) == make { _ in }
    }
    function("RunConfiguration.init(data:encoder:)")
    gives("nothing is looked at yet", "") { make { _ in }.data }
    function("RunConfiguration.init(table:_:)")
    gives("nothing is looked at yet", "") { RunConfiguration(table: "").encoder }
    refuses("a table that is none") {
      try Pipeline(
        RunConfiguration(table: self.folder + "/reviews.csv"), devices: DeviceGroup(self.device),
        out: self.folder + "/table", progress: ProgressLine(quiet: true)
      ).run().fingerprints.count
    }
    function("RunConfiguration.write(to:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try make { _ in }.write(to: path) } }
    function("RunConfiguration.read(_:)")
    for path in unreadable { refuses("'\(path.suffix(8))'") { try RunConfiguration.read(path).data } }
    for (key, value) in [("slice", "melted"), ("model", ""), ("tsneLearningRate", "x"), ("labels", "x")] {
      refuses("\(key) \(value)") {
        let path = self.folder + "/named.json"
        let text = "{\"data\":\"d\",\"encoder\":\"e\",\"\(key)\":\"\(value)\"}"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try RunConfiguration.read(path).data
      }
    }
  }
}
