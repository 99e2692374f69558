// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraNN
import TesseraCompute
import TesseraPipeline
import TesseraVision

extension Rows {
  /// The smallest network: AlexNet's slice on 8 x 8 pixels, one linear layer.
  func network(
    _ classes: Int = 2, pixels: Int = 8, channels: Int = 1, bypass: Bool = false, upsampling: Int = 8
  ) throws -> ImageClassifier {
    var options = NetworkOptions()
    (options.head, options.upsampling, options.bypass) = (.linear, upsampling, bypass)
    return try ImageClassifier(
      .alexnet, classes: classes, pixels: pixels, channels: channels, options: options, seed: 1,
      device: device)
  }

  func vision() throws {
    let d = device
    function("Architecture.learningRates(_:)")
    gives("of every architecture and head, above 0", true) {
      Architecture.allCases.allSatisfy { one in
        Head.allCases.allSatisfy { one.learningRates($0).classifier > 0 }
      }
    }
    function("Architecture.check(pixels:_:)")
    for pixels in [0, -1, 4097, Int.max, .min] {
      refuses("\(pixels) pixels") { try Architecture.vgg16.check(pixels: pixels, .init()) }
    }
    for factor in [0, -1, 9, Int.max, .min] {
      refuses("upsampling \(factor)") {
        var options = NetworkOptions()
        options.upsampling = factor
        try Architecture.vgg16.check(pixels: 50, options)
      }
    }
    function("ImageClassifier.init(_:classes:pixels:channels:options:seed:device:)")
    for classes in [0, 1, -1, Int.max, .min] { refuses("\(classes) classes") { try self.network(classes) } }
    for pixels in [0, 1, -1, 1 << 40, Int.max, .min] {
      refuses("\(pixels) pixels") { try self.network(pixels: pixels) }
    }
    for channels in [0, -1, Int.max, .min] {
      refuses("\(channels) channels") { try self.network(channels: channels) }
    }
    for factor in [0, -1, 9] { refuses("upsampling \(factor)") { try self.network(upsampling: factor) } }
    let image = [Float](repeating: 0.5, count: 64)
    let broken: [(String, [Float])] = [
      ("63 values", Array(image.dropLast())), ("a NaN", [.nan] + image.dropLast()),
      ("infinity", [.infinity] + image.dropLast()),
    ]
    function("ImageClassifier.logProbabilities(_:)")
    for (what, images) in broken { refuses(what) { try self.network().logProbabilities(images) } }
    gives("no images", []) { try self.network().logProbabilities([]) }
    function("Replicated.logProbabilities(_:)")
    for (what, images) in broken {
      refuses(what) { try self.network().copies(on: DeviceGroup(d)).logProbabilities(images) }
    }
    function("ImageClassifier.copies(on:)")
    gives("alone", 2) { try self.network().copies(on: DeviceGroup(d)).main.classes }
    function("ImageClassifier.gradCAM(_:of:)")
    for (what, images) in broken { refuses(what) { try self.network().gradCAM(images, of: [0]).side } }
    for targets in [[2], [-1], [], [0, 1], [.max]] as [[Int32]] {
      refuses("classes \(targets)") { try self.network().gradCAM(image, of: targets).side }
    }
    function("ImageClassifier.bypassShares(_:of:)")
    for (what, images) in broken {
      refuses(what) { try self.network(bypass: true).bypassShares(images, of: 0) as Any }
    }
    for target in [2, -1, Int32.max] {
      refuses("class \(target)") { try self.network(bypass: true).bypassShares(image, of: target) as Any }
    }
    gives("without a bypass", true) { try self.network().bypassShares(image, of: 0) == nil }
    function("ImageClassifier.startFromBypass(weight:bias:)")
    refuses("without a bypass") { try self.network().startFromBypass(weight: image + image, bias: [0, 0]) }
    refuses("too few weights") {
      try self.network(bypass: true).startFromBypass(weight: image, bias: [0, 0])
    }
    refuses("no biases") { try self.network(bypass: true).startFromBypass(weight: image + image, bias: []) }
    refuses("a NaN") {
      try self.network(bypass: true).startFromBypass(weight: image + image.dropLast() + [.nan], bias: [0, 0])
    }
    function("ImageClassifier.loadSlice(_:)")
    refuses("a file of other tensors") { try self.network().loadSlice(try self.tensorFile()) }
    function("ImageClassifier.load(_:prefix:)")
    refuses("a file of other tensors") { try self.network().load(try self.tensorFile(), prefix: "no.") }
    function("ImageClassifier.featureCount()")
    gives("above 0", true) { try self.network().featureCount() > 0 }
    function("FeatureLimits.place(of:on:)")
    for bytes in [Int.min, -1, 0] {
      gives("\(bytes) bytes", true) { FeatureLimits().place(of: bytes, on: d) == .device }
    }
    gives("more than there is", true) { FeatureLimits().place(of: .max, on: d) == nil }
    function("NetworkOptions.init()")
    gives("the official code's", 3) { NetworkOptions().upsampling }
    function("NetworkOptions.init(_:)")
    for (key, value) in [
      ("start", "x"), ("start", "joint"), ("upsampling", "9"), ("upsampling", "x"),
      ("upsampling", "-99999999999999999999"), ("head", "no"),
      ("products", "tf32"),
    ] {
      refuses("\(key) \(value)") {
        let path = self.folder + "/options.safetensors"
        _ = try SafetensorsWriter(metadata: [key: value]).write(to: path)
        return try NetworkOptions(try TensorFile.open(path))
      }
    }
    function("NetworkOptions.init(from:)")
    for text in [
      "{}", #"{"upsampling":3,"head":"paper"}"#,
      #"{"upsampling":3,"head":"paper","bypass":true,"start":"x"}"#,
      #"{"upsampling":3,"head":"paper","bypass":true,"networkProducts":"x"}"#,
    ] {
      gives(text, true) {
        (try? JSONDecoder().decode(NetworkOptions.self, from: Data(text.utf8))) == nil
      }
    }
    function("NetworkOptions.encode(to:)")
    gives("the usual start has no name", false) {
      String(decoding: try JSONEncoder().encode(NetworkOptions()), as: UTF8.self).contains("start")
    }
    gives("other products have one", true) {
      var options = NetworkOptions()
      options.products = .s2
      return try JSONDecoder().decode(NetworkOptions.self, from: try JSONEncoder().encode(options)) == options
    }
    statistics()
    trainers(image)
  }

  private func statistics() {
    function("PixelStatistics.init(mean:scale:)")
    for (mean, scale) in [([], []), ([0], []), ([0, 0], [1]), ([.nan], [1]), ([0], [.infinity])]
      as [([Float], [Float])]
    { refuses("\(mean), \(scale)") { try PixelStatistics(mean: mean, scale: scale) } }
    function("PixelStatistics.fit(_:area:rows:_:)")
    for kind in ImageNormalization.allCases {
      for (area, rows) in [(0, [0]), (-1, [0]), (3, [0]), (2, [2]), (2, [-1]), (.max, [0]), (2, [.max])] {
        refuses("\(kind), area \(area), rows \(rows)") {
          try PixelStatistics.fit([0, 1, 2, 3], area: area, rows: rows, kind)
        }
      }
      if kind != .batch {
        refuses("\(kind), no rows") { try PixelStatistics.fit([0, 1, 2, 3], area: 2, rows: [], kind) }
        refuses("\(kind), a NaN") { try PixelStatistics.fit([0, .nan, 2, 3], area: 2, rows: [0, 1], kind) }
      }
    }
    function("PixelStatistics.rows(_:)")
    refuses("half an image") { try PixelStatistics(mean: [0, 0], scale: [1, 1]).rows([1, 2, 3]).count }
    function("FeatureRows.init(_:columns:mean:scale:)")
    for (columns, mean, scale) in [(0, [], []), (-1, [0], [0]), (2, [0], [0, 0]), (2, [0, 0], [])]
      as [(Int, [Float], [Float])]
    {
      refuses("\(columns) columns") {
        try FeatureRows([1, 2], columns: columns, mean: mean, scale: scale).count
      }
    }
    function("FeatureRows.init(_:columns:)")
    for columns in [0, -1, 3, Int.max, Int.min] {
      gives("\(columns) columns", 0) { FeatureRows([1, 2], columns: columns).count }
    }
    function("PixelStatistics.apply(_:)")
    refuses("half an image") { try PixelStatistics(mean: [0, 0], scale: [1, 1]).apply([1, 2, 3]) }
  }

  private func trainers(_ image: [Float]) {
    func plan(_ change: (inout TrainingPlan) -> Void = { _ in }) -> TrainingPlan {
      var plan = TrainingPlan(
        images: (0..<4).flatMap { n in image.map { $0 * Float(n) } }, labels: [0, 1, 0, 1],
        training: [0, 1, 2], validation: [3])
      (plan.options.epochs, plan.options.batch) = (1, 3)
      change(&plan)
      return plan
    }
    func rows(_ count: Int, first: Float = 0) -> FeatureRows {
      let values = [first] + [Float](repeating: 0, count: max(0, count - 1))
      return FeatureRows(Floats(Array(values.prefix(count))), columns: image.count)
    }
    let changes: [(String, (inout TrainingPlan) -> Void)] = [
      ("no rows", { $0.training = [] }), ("row 4", { $0.training = [4] }), ("row -1", { $0.training = [-1] }),
      ("validation row 4", { $0.validation = [4] }),
      ("validation row Int.min", { $0.validation = [.min] }), ("label 2 of 2", { $0.labels[0] = 2 }),
      ("label -1", { $0.labels[3] = -1 }), ("a label less", { $0.labels.removeLast() }),
      ("no labels", { $0.labels = [] }), ("half an image", { $0.images = rows(4 * image.count - 1) }),
      ("no images", { $0.images = rows(0) }),
      ("images of another size", { $0.images = FeatureRows(Floats(image + image), columns: 2) }),
    ]
    let options: [(String, (inout TrainingOptions) -> Void)] = [
      ("batch 0", { $0.batch = 0 }), ("batch -1", { $0.batch = -1 }), ("batch Int.max", { $0.batch = .max }),
      ("epochs -1", { $0.epochs = -1 }), ("epochs Int.max", { $0.epochs = .max }),
      ("rates NaN", { ($0.convolutionRate, $0.classifierRate) = (.nan, 1) }),
      ("rates -1", { ($0.convolutionRate, $0.classifierRate) = (1, -1) }),
      ("weight decay NaN", { $0.weightDecay = .nan }), ("weight decay -1", { $0.weightDecay = -1 }),
      ("smoothing 2", { $0.labelSmoothing = 2 }), ("smoothing NaN", { $0.labelSmoothing = .nan }),
      ("noise -1", { $0.noise = -1 }), ("noise NaN", { $0.noise = .nan }),
      ("patience -1", { $0.patience = -1 }),
      ("slice rate NaN", { ($0.slice, $0.sliceRate) = (.trainable, .nan) }),
    ]
    function("TrainingOptions.init()")
    gives("the defaults", 15) { TrainingOptions().epochs }
    function("TrainingOptions.check()")
    for (what, change) in options {
      refuses(what) {
        var options = TrainingOptions()
        change(&options)
        return try options.check()
      }
      refuses("a plan of \(what)") { try Trainer(try self.network(), plan { change(&$0.options) }).history }
    }
    function("ClassWeights.init(_:)")
    for text in ["", "a", "a=0", "a=-1", "a=nan", "a=1,a=2", ",", "=", "\\"] {
      refuses("'\(text)'") { try ClassWeights(text).text }
    }
    function("ClassWeights.init(from:)")
    for text in ["[]", "[1]", "[\"a=0\"]"] {
      gives(text, text == "[]") {
        (try? JSONDecoder().decode([ClassWeights].self, from: Data(text.utf8))) != nil
      }
    }
    function("ClassWeights.encode(to:)")
    gives("a text", "[\"balanced\"]") {
      String(decoding: try JSONEncoder().encode([ClassWeights.balanced]), as: UTF8.self)
    }
    function("TrainingResources.init()")
    gives("no checkpoints", true) { TrainingResources().checkpoint == nil }
    function("TrainingPlan.init(images:labels:training:validation:)")
    for (what, change) in changes { refuses(what) { try Trainer(try self.network(), plan(change)).history } }
    function("Trainer.init(_:_:checkpoint:helpers:splitting:)")
    refuses("a plan for other images") { try Trainer(try self.network(pixels: 9), plan()).history }
    refuses("a plan for more classes") {
      try Trainer(try self.network(), plan { $0.labels = [0, 1, 2, 0] }).history
    }
    function("Trainer.run(features:progress:sharing:epochDone:)")
    gives("one epoch", 1) {
      let trainer = try Trainer(try self.network(), plan())
      try trainer.run()
      return trainer.history.count
    }
    gives("no epochs", 0) {
      let trainer = try Trainer(try self.network(), plan { $0.options.epochs = 0 })
      try trainer.run()
      return trainer.history.count
    }
    refuses("a NaN among the images") {
      try Trainer(try self.network(), plan { $0.images = rows(4 * image.count, first: .nan) }).run()
    }
    refuses("progress that throws") {
      try Trainer(try self.network(), plan()).run(progress: { _, _, _ in
        throw TesseraError.failure("here", found: "it")
      })
    }
    refuses("a checkpoint where nothing can be written") {
      try Trainer(try self.network(), plan(), checkpoint: Checkpoint(folder: "/proc/no", key: "x")).run()
    }
    function("Checkpoint.init(folder:key:)")
    works("any folder, made when it is written to") { _ = Checkpoint(folder: "", key: "") }
    function("FeatureLimits.init()")
    gives("limits below 0: nothing is kept", 1) {
      let trainer = try Trainer(
        try self.network(), plan { ($0.limits.device, $0.limits.host, $0.limits.file) = (-1, .min, -1) })
      try trainer.run()
      return trainer.history.count
    }
    function("TrainingCheck.fingerprint(_:on:)")
    gives("takes no argument that could be wrong", Architecture.allCases.count) {
      TrainingCheck.published.count
    }
  }
}
