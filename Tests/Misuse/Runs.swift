// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraImages
import TesseraCompute
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
    function("KeptEpoch.init(_:of:hasLinearPath:)")
    gives("no epoch", true) { KeptEpoch(nil, of: -1, hasLinearPath: true).description.hasPrefix("none") }
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
    function("Pipeline.init(_:devices:out:embeddingBatch:limits:splitting:overwrite:progress:)")
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
    (c.model, c.head, c.pixels, c.upsampling, c.epochs, c.batch) = ("alexnet", "linear", 8, 8, 1, 8)
    (c.perplexity, c.iterations, c.bypass) = (5, 5, true)
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
      ("model", { $0.model = "no" }), ("discretization", { $0.discretization = "" }),
      ("pooling", { $0.pooling = "max" }), ("normalization", { $0.normalization = "x" }),
      ("slice", { $0.slice = "x" }),
      ("schedule", { $0.schedule = "x" }), ("layout", { $0.layout = "x" }), ("metric", { $0.metric = "x" }),
      ("start", { $0.tsneStart = "x" }), ("learning rate", { $0.tsneLearningRate = "x" }),
      ("channels", { $0.channels = "x" }), ("head", { $0.head = "x" }),
      ("upsampling 0", { $0.upsampling = 0 }), ("pixels 1", { $0.pixels = 1 }),
      ("pixels Int.max", { $0.pixels = .max }),
    ]
  }

  func configurations() {
    let make: ((inout RunConfiguration) -> Void) -> RunConfiguration = {
      var c = RunConfiguration(data: "", encoder: "")
      $0(&c)
      return c
    }
    func refuse(
      _ name: String, _ call: @escaping (RunConfiguration) throws -> Any,
      _ change: @escaping (inout RunConfiguration) -> Void
    ) {
      function("RunConfiguration.\(name)()")
      refuses("a name that is none") { try call(make(change)) }
    }
    refuse("architecture", { try $0.architecture() }) { $0.model = "vgg" }
    refuse("discretizationMethod", { try $0.discretizationMethod() }) { $0.discretization = "Bin" }
    refuse("tokenPooling", { try $0.tokenPooling() }) { $0.pooling = "" }
    refuse("imageNormalization", { try $0.imageNormalization() }) { $0.normalization = "z" }
    refuse("sliceMode", { try $0.sliceMode() }) { $0.slice = "thawed" }
    refuse("learningSchedule", { try $0.learningSchedule() }) { $0.schedule = "cosine" }
    refuse("layoutPlan", { try $0.layoutPlan() }) { $0.layout = "umap" }
    refuse("trainingOptions", { try $0.trainingOptions() }) { $0.head = "mlp" }
    function("RunConfiguration.states(layers:)")
    for (first, last, layers) in [(-1, 2, 2), (2, 1, 2), (0, 3, 2), (0, .max, 2), (.min, 0, 2), (0, 0, -1)] {
      refuses("\(first)...\(last) of \(layers)") {
        try make {
          ($0.firstState, $0.lastState) = (first, last)
        }.states(layers: layers)
      }
    }
    function("RunConfiguration.init(data:encoder:)")
    gives("nothing is looked at yet", "") { make { _ in }.data }
    function("RunConfiguration.write(to:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try make { _ in }.write(to: path) } }
    function("RunConfiguration.read(_:)")
    for path in unreadable { refuses("'\(path.suffix(8))'") { try RunConfiguration.read(path).data } }
    function("RunConfiguration.checkpointKey(images:weights:)")
    gives("any text, of one length", true) {
      try make { _ in }.checkpointKey(images: "", weights: "").isEmpty == false
    }
  }
}
