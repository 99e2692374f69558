// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraText
import TesseraVision
import Testing

@testable import TesseraPipeline

/// A run's file: the same bytes as ever, and every option in it read back.
@Suite struct OptionCodingTests {
  /// Every option at another value than its default.
  private static func changed() throws -> RunConfiguration {
    var c = RunConfiguration(data: "a.csv", encoder: "e")
    (c.test, c.repeats, c.seesValidation) = ("t.csv", 3, true)
    c.format = DataFormat(
      text: "t", label: "l", quotes: .backslash, separator: try Separator(named: ";"), encoding: .latin1,
      header: false, labels: try LabelRules("merge,a=b"))
    (c.embedding.firstState, c.embedding.lastState) = (2, 5)
    (c.embedding.pooling, c.embedding.paperStates) = (.mean, true)
    (c.split.validationShare, c.split.testShare, c.split.trainingRows) = (0.1, 0.3, 77)
    (c.split.splitMethod, c.split.fold, c.split.folds) = (.stratified, 2, 5)
    c.model.training.classWeights = try ClassWeights("good=2,bad=0.5")
    (c.layout.pixels, c.layout.discretization, c.layout.layout) = (0, .lsa, .pca)
    (c.layout.metric, c.layout.perplexity, c.layout.iterations) = (.absoluteCorrelation, 12.5, 250)
    (c.layout.tsneStart, c.layout.tsneExactLimit, c.layout.channels) = (.pca, 500, .several)
    c.layout.tsneLearningRate = try TSNE.LearningRate("1e2")
    c.layout.representations = try RepresentationList("tsne,pca")
    (c.model.architecture, c.model.weights, c.model.normalization) = (.wideResNet50, "w.pth", .batch)
    (c.model.network.upsampling, c.model.network.head, c.model.network.bypass) = (4, .linear, true)
    (c.embedding.products, c.model.network.products) = (.s3, .s2)
    (c.model.training.epochs, c.model.training.batch, c.seed) = (2, 9, .max)
    (c.model.training.convolutionRate, c.model.training.classifierRate) = (1e-5, 0.25)
    (c.model.training.weightDecay, c.model.training.slice) = (0.5, .trainable)
    (c.model.training.sliceRate, c.model.training.schedule) = (3e-5, .linear)
    (c.model.training.labelSmoothing, c.model.training.patience, c.model.training.noise) = (0.1, 4, 0.5)
    return c
  }

  private func text(_ configuration: RunConfiguration) throws -> String {
    String(decoding: try configuration.encoded(), as: UTF8.self)
  }

  @Test func aRunsFileHasTheSameBytesAsEver() throws {
    #expect(try text(RunConfiguration(data: "a.csv", encoder: "e")) == Self.usualFile)
    #expect(try text(Self.changed()) == Self.changedFile)
  }

  @Test func everyOptionIsReadBack() throws {
    let changed = try Self.changed()
    try withTemporaryFolder { folder in
      try changed.write(to: folder + "/run.json")
      #expect(try RunConfiguration.read(folder + "/run.json") == changed)
    }
    // None was left at its default, or the test would not see it forgotten.
    let usual = try RunConfiguration(data: "", encoder: "").fields
    let other = try changed.fields
    for (name, value) in usual where name != "version" {
      #expect(other.first { $0.name == name }?.value != value, "\(name)")
    }
    #expect(other.count == Self.changedFile.split(separator: "\n").count - 2)
  }

  @Test func whatAFileNamesThatThereIsNotIsRefused() throws {
    for (key, value, wanted) in [
      ("slice", "melted", "frozen, moving or trainable"), ("model", "lenet", "alexnet, vgg16, "),
      ("pooling", "max", "cls, mean or cls+mean"), ("products", "tf32", "fp32, s3 or s2"),
      ("networkProducts", "tf32", "fp32, s3 or s2"),
      ("tsneStart", "x", "random or pca"),
      ("tsneLearningRate", "fast", "above 0"), ("representations", "x", "tsne, pca or random"),
      ("quotes", "single", "auto, none, double or backslash"), ("separator", "xy", "auto, tab"),
      ("encoding", "utf7", "auto, utf8"), ("start", "x", "path or joint"), ("labels", "x", "as-is"),
      ("splitMethod", "x", "random or stratified"), ("classWeights", "x", "none, balanced, or NAME=WEIGHT"),
    ] {
      try withTemporaryFolder { folder in
        let path = folder + "/run.json"
        let text = #"{"data": "d", "encoder": "e", "\#(key)": "\#(value)"}"#
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: TesseraError.self) { try RunConfiguration.read(path) }
        let line = error?.description ?? ""
        #expect(line.hasPrefix("\(path): ") && line.contains("found \(value), wanted \(wanted)"), "\(line)")
      }
    }
  }

  @Test func aStagesParametersAreWrittenAsEver() throws {
    let c = RunConfiguration(data: "a.csv", encoder: "e")
    #expect(
      c.layoutParameters(features: 50_000) == [
        "pixels": "50", "discretization": "bin", "perplexity": "30.0", "iterations": "1000", "seed": "1701",
        "shares": "0.2 0.2", "sees validation": "false", "layout": "tsne", "metric": "euclidean",
        "init": "random", "tsne learning rate": "200", "channels": "grey", "representations": "",
        "tsne exact limit": "46340",
      ])
    #expect(
      c.model.parameters == [
        "model": "efficientnet_lite0", "normalization": "global", "epochs": "15", "batch": "32",
        "seed": "1701", "rates": "(convolutions: 5e-05, classifier: 0.001)", "decay": "0.0",
        "slice": "frozen ", "schedule": "constant", "smoothing": "0.0", "patience": "none",
        "upsampling": "3", "bypass": "false", "head": "paper", "noise": "0.0",
      ])
    var joint = c.model
    (joint.network.head, joint.network.start) = (.linear, .joint)
    #expect(joint.parameters["start"] == "joint")
    #expect(try JSONDecoder().decode(TrainedModel.Options.self, from: JSONEncoder().encode(joint)) == joint)
    let changed = try Self.changed()
    #expect(changed.layoutParameters()["tsne learning rate"] == "1e2")
    #expect(changed.layoutParameters()["representations"] == "tsne,pca")
    #expect(changed.model.parameters["slice"] == "trainable 3e-05")
    #expect(
      changed.layoutParameters()["split"] == "stratified" && changed.layoutParameters()["fold"] == "2 of 5")
    #expect(changed.model.parameters["class weights"] == "good=2,bad=0.5")
    #expect(
      c.evaluationParameters.isEmpty && changed.evaluationParameters == ["class weights": "good=2,bad=0.5"])
  }

  @Test func recipes() throws {
    let (usual, standard, paper) = (RunConfiguration(data: "", encoder: ""), Recipe.standard, Recipe.paper)
    #expect(standard.layout.pixels == 0 && standard.layout.discretization == .lsa)
    #expect(standard.model().normalization == .pixel)
    #expect(standard.model(.vgg16).training == usual.model.training)
    #expect(standard.model().network.head == .linear && standard.model().network.bypass)
    #expect(standard.model().architecture == .patches16 && standard.model().network.start == .joint)
    #expect(standard.model(.alexnet).network.start == .path)
    #expect(standard.pooling == .mean && paper.pooling == .cls)
    #expect(standard.fit == .training && !standard.paperStates)
    var layout = usual.layout
    layout.tsneExactLimit = TSNE().exactLimit
    #expect(paper.layout == layout && paper.model().network == usual.model.network)
    #expect(paper.model().normalization == .batch && paper.model().training.slice == .batchNormOnly)
    #expect(paper.fit == .all && paper.paperStates)
    for recipe in Recipe.allCases {
      try recipe.layout.check()
      try recipe.model().check()
      for network in Architecture.allCases { try recipe.model(network).check() }
    }
  }

  @Test func learningRatesKeepTheirSpelling() throws {
    #expect(TSNE.LearningRate(200).text == "200" && TSNE.LearningRate(0.5).text == "0.5")
    let automatic = try TSNE.LearningRate("auto")
    #expect(TSNE.LearningRate(nil) == automatic && automatic.value == nil)
    #expect(try TSNE.LearningRate("1e2").value == 100)
    let usual = try TSNE.LearningRate("200")
    #expect(LayoutOptions().tsneLearningRate == usual)
  }
}

extension OptionCodingTests {
  /// What a program of version 1 wrote of the defaults.
  private static let usualFile = """
    {
      "batch" : 32,
      "bypass" : false,
      "channels" : "grey",
      "data" : "a.csv",
      "discretization" : "bin",
      "encoder" : "e",
      "encoding" : "auto",
      "epochs" : 15,
      "head" : "paper",
      "header" : true,
      "iterations" : 1000,
      "labelSmoothing" : 0,
      "labels" : "",
      "layout" : "tsne",
      "metric" : "euclidean",
      "model" : "efficientnet_lite0",
      "noise" : 0,
      "normalization" : "global",
      "paperStates" : false,
      "perplexity" : 30,
      "pixels" : 50,
      "pooling" : "cls",
      "quotes" : "auto",
      "repeats" : 1,
      "schedule" : "constant",
      "seed" : 1701,
      "seesValidation" : false,
      "separator" : "auto",
      "slice" : "frozen",
      "testShare" : 0.2,
      "tsneExactLimit" : 46340,
      "tsneLearningRate" : "200",
      "tsneStart" : "random",
      "upsampling" : 3,
      "validationShare" : 0.2,
      "version" : 1,
      "weightDecay" : 0
    }

    """

  /// What it wrote of `changed()`.
  private static let changedFile = """
    {
      "batch" : 9,
      "bypass" : true,
      "channels" : "several",
      "classWeights" : "good=2,bad=0.5",
      "classifierRate" : 0.25,
      "convolutionRate" : 1e-05,
      "data" : "a.csv",
      "discretization" : "lsa",
      "encoder" : "e",
      "encoding" : "latin1",
      "epochs" : 2,
      "firstState" : 2,
      "fold" : 2,
      "folds" : 5,
      "head" : "linear",
      "header" : false,
      "iterations" : 250,
      "labelColumn" : "l",
      "labelSmoothing" : 0.1,
      "labels" : "merge,a=b",
      "lastState" : 5,
      "layout" : "pca",
      "metric" : "absolute-correlation",
      "model" : "wide_resnet50_2",
      "networkProducts" : "s2",
      "noise" : 0.5,
      "normalization" : "batch",
      "paperStates" : true,
      "patience" : 4,
      "perplexity" : 12.5,
      "pixels" : 0,
      "pooling" : "mean",
      "products" : "s3",
      "quotes" : "backslash",
      "repeats" : 3,
      "representations" : "tsne,pca",
      "schedule" : "linear",
      "seed" : 18446744073709551615,
      "seesValidation" : true,
      "separator" : ";",
      "slice" : "trainable",
      "sliceRate" : 3e-05,
      "splitMethod" : "stratified",
      "test" : "t.csv",
      "testShare" : 0.3,
      "textColumn" : "t",
      "trainingRows" : 77,
      "tsneExactLimit" : 500,
      "tsneLearningRate" : "1e2",
      "tsneStart" : "pca",
      "upsampling" : 4,
      "validationShare" : 0.1,
      "version" : 1,
      "weightDecay" : 0.5,
      "weights" : "w.pth"
    }

    """
}
