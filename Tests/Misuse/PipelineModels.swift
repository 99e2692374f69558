// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraImages
import TesseraCompute
import TesseraData
import TesseraPipeline
import TesseraText
import TesseraVision

/// What is done with images and a model that was trained on them.
extension Rows {
  func models() {
    let d = device
    function("TrainedModel.Options.init(_:weights:)")
    refuses("weights that are not there") {
      try TrainedModel.train(
        try self.imageSet(), self.options { $0.weights = "/no/such" }, on: DeviceGroup(d)
      ).classes
    }
    function("TrainedModel.Options.check()")
    for (what, change) in optionMistakes { refuses(what) { try self.options(change).check() } }
    function("TrainedModel.Options.checkpointKey(images:weights:)")
    gives("any text, of one length", false) {
      self.options().checkpointKey(images: "", weights: "").isEmpty
    }
    function("TrainedModel.Options.init(from:)")
    for text in ["{}", "[]", "{\"model\":\"vgg\"}"] {
      gives(text, true) {
        (try? JSONDecoder().decode(TrainedModel.Options.self, from: Data(text.utf8))) == nil
      }
    }
    function("TrainedModel.Options.encode(to:)")
    gives("what is read back", true) {
      let text = try JSONEncoder().encode(self.options())
      return try JSONDecoder().decode(TrainedModel.Options.self, from: text) == self.options()
    }
    function("TrainedModel.train(_:_:_:on:notes:features:progress:sharing:measured:epochDone:)")
    for (what, change) in optionMistakes {
      refuses(what) {
        try TrainedModel.train(try self.imageSet(), self.options(change), on: DeviceGroup(d)).classes
      }
    }
    function("TrainedModel.logProbabilities(_:of:)")
    for rows in [[-1], [1], [0, Int.max]] {
      refuses("rows \(rows) of one image") {
        try self.model().logProbabilities(Floats([Float](repeating: 0, count: 64)), of: rows).count
      }
    }
    function("TrainedModel.predict(_:of:)")
    for rows in [[-1], [1], [0, Int.max]] {
      refuses("rows \(rows) of one image") {
        try self.model().predict(Floats([Float](repeating: 0, count: 64)), of: rows).count
      }
    }
    for (name, call) in [
      ("logProbabilities", { try self.model().logProbabilities(Floats($0)).count }),
      ("predict", { try self.model().predict(Floats($0)).count }),
    ] as [(String, ([Float]) throws -> Int)] {
      function("TrainedModel.\(name)(_:of:)")
      refuses("63 values") { try call([Float](repeating: 0, count: 63)) }
      refuses("a NaN") { try call([.nan] + [Float](repeating: 0, count: 63)) }
      gives("no images", 0) { try call([]) }
    }
    function("TrainedModel.write(to:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try self.model().write(to: path) } }
    function("TrainedModel.read(_:on:)")
    for path in unreadable {
      refuses("'\(path.suffix(8))'") { try TrainedModel.read(path, on: DeviceGroup(d)).classes }
    }
    refuses("a file of other tensors") {
      try TrainedModel.read(try self.tensorFile().path, on: DeviceGroup(d)).classes
    }
    function("Evaluation.make(_:images:labels:probe:)")
    let image = [Float](repeating: 0, count: 64)
    for (labels, probe) in [([], [0]), ([0], []), ([0, 1], [0, 1]), ([0], [0, 1])] as [([Int32], [Int32])] {
      refuses("labels \(labels), probe \(probe) of one image") {
        try Evaluation.make(try self.model(), images: Floats(image), labels: labels, probe: probe).model
      }
    }
    function("Evaluation.init(from:)")
    for text in [
      "{}", "[]", "{\"fingerprint\":1}", "{\"fingerprint\":\"x\",\"model\":{\"correct\":2,\"total\":1}}",
    ] {
      gives(text, true) { (try? JSONDecoder().decode(Evaluation.self, from: Data(text.utf8))) == nil }
    }
    function("Evaluation.encode(to:)")
    gives("no rows", "{\"fingerprint\":\"x\"}") {
      let none = try JSONDecoder().decode(Evaluation.self, from: Data("{\"fingerprint\":\"x\"}".utf8))
      return String(decoding: try JSONEncoder().encode(none), as: UTF8.self)
    }
    function("Accuracy.init(from:)")
    for text in ["{}", "{\"correct\":2,\"total\":1}", "{\"correct\":-1,\"total\":1}", "[]"] {
      gives(text, true) { (try? JSONDecoder().decode(Accuracy.self, from: Data(text.utf8))) == nil }
    }
    function("PredictionTable.Form.init(of:)")
    for path in ["", "rows", "rows.xls", "/", ".csv"] {
      refuses("'\(path)'") { try PredictionTable.Form(of: path).rawValue }
    }
    function("PredictionTable.init(folder:)")
    for path in unreadable { refuses("'\(path.suffix(8))'") { try PredictionTable(folder: path) } }
    function("TensorBoardEvents.init(folder:)")
    for path in ["/proc/none/x", "/etc/passwd/x"] {
      refuses("in \(path)") { try TensorBoardEvents(folder: path).path }
    }
    function("Estimate.init(from:)")
    for text in ["{}", #"{"value":1e300,"low":0,"high":1}"#, #"{"value":1,"low":0}"#, "[]"] {
      gives(text, true) { (try? JSONDecoder().decode(Estimate.self, from: Data(text.utf8))) == nil }
    }
    function("ClassMeasures.init(from:)")
    for text in ["{}", "[]", #"{"classes":[]}"#] {
      gives(text, true) { (try? JSONDecoder().decode(ClassMeasures.self, from: Data(text.utf8))) == nil }
    }
    function("PairedComparison.init(from:)")
    for text in ["{}", #"{"onlyModel":-1,"onlyProbe":1}"#, "[]"] {
      gives(text, true) { (try? JSONDecoder().decode(PairedComparison.self, from: Data(text.utf8))) == nil }
    }
  }

  var layoutMistakes: [(String, (inout LayoutOptions) -> Void)] {
    [
      ("pixels -1", { $0.pixels = -1 }), ("pixels Int.max", { $0.pixels = .max }),
      ("perplexity NaN", { $0.perplexity = .nan }), ("perplexity 0", { $0.perplexity = 0 }),
      ("iterations 0", { $0.iterations = 0 }), ("iterations Int.min", { $0.iterations = .min }),
      ("exact limit -1", { $0.tsneExactLimit = -1 }), ("exact limit Int.max", { $0.tsneExactLimit = .max }),
    ]
  }

  private var optionMistakes: [(String, (inout TrainedModel.Options) -> Void)] {
    [
      ("batch 0", { $0.training.batch = 0 }), ("epochs -1", { $0.training.epochs = -1 }),
      ("upsampling 0", { $0.network.upsampling = 0 }),
      ("rates NaN", { $0.training.classifierRate = .nan }),
      ("smoothing 2", { $0.training.labelSmoothing = 2 }), ("noise -1", { $0.training.noise = -1 }),
      ("patience -1", { $0.training.patience = -1 }), ("weight decay -1", { $0.training.weightDecay = -1 }),
      ("a rate of a frozen slice", { $0.training.sliceRate = 1 }),
      ("a rate of no convolutions", { $0.training.convolutionRate = 1 }),
    ]
  }
}
