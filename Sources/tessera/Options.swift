// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraImages
import TesseraPipeline
import TesseraText
import TesseraVision

/// The encoder and what is taken from it.
struct EncoderOptions: ParsableArguments {
  @Option(
    help: """
      Folder of a BERT, MPNet or DistilBERT: config.json, vocab.txt or a WordPiece tokenizer.json, weights, \
      and what tokenizer_config.json and the like say. A sentence-transformers folder will do.
      """)
  var encoder: String
  @Option(help: "Hidden states, such as 6...11; 0 is the embedding layer (default: all others).")
  var layers: String?
  @Option(help: "What stands for a text: cls or mean.")
  var pooling = "cls"
  @Option(name: .customLong("embedding-batch"), help: "Reviews at once. Changes no bit.")
  var batch = 256

  /// Checks what can be checked without the encoder.
  func validate() throws {
    _ = try states()
    guard Pooling(rawValue: pooling) != nil else {
      throw TesseraError.input("pooling", found: pooling, wanted: "cls or mean")
    }
    guard (1...1 << 20).contains(batch) else {
      throw TesseraError.input("embedding-batch", found: "\(batch)", wanted: "1 to 1048576")
    }
  }

  /// The hidden states; nil for the default.
  func states() throws -> ClosedRange<Int>? {
    guard let layers else { return nil }
    let parts = layers.split(separator: ".", omittingEmptySubsequences: true).map { Int($0) }
    guard let first = parts.first.flatMap({ $0 }), let last = parts.last.flatMap({ $0 }), parts.count <= 2,
      first >= 0, first <= last, !layers.hasPrefix("-")
    else { throw TesseraError.input("layers", found: layers, wanted: "such as 6...11") }
    return first...last
  }
}

/// The layout.
struct LayoutOptions: ParsableArguments {
  @Option(
    name: .customLong("pixels"),
    help: "Pixels a side of an image; auto: as few as give every feature one (default: the recipe's).")
  var pixelsOrAuto: String?
  @Option(
    help:
      "How places become pixels: bin, qtb (quantiles) or lsa (each feature its own pixel) (default: the recipe's)."
  )
  var discretization: String?
  @Option(help: "What gives features their places: tsne, or pca (the first two principal components).")
  var layout = "tsne"
  @Option(help: "t-SNE's metric: euclidean, cosine, correlation or absolute-correlation.")
  var metric = "euclidean"
  @Option(name: .customLong("init"), help: "t-SNE's start: random or pca.")
  var start = "random"
  @Option(
    name: .customLong("tsne-learning-rate"), help: "t-SNE's learning rate; auto: features / 48, at least 50.")
  var learningRate = "200"
  @Option(
    name: .customLong("tsne-exact-limit"),
    help:
      "Most features whose affinities t-SNE takes of all pairs, up to \(TSNE.mostExact); of more, those of nearest neighbours."
  )
  var exactLimit = TSNE().exactLimit
  @Option(
    help: "Channels of the images: grey, layer (one for each hidden state) or several (representations).")
  var channels = "grey"
  @Option(help: "Layouts of several channels (default: tsne:euclidean,tsne:correlation,pca).")
  var representations: String?
  @Option(help: "t-SNE's perplexity.")
  var perplexity: Float = 30
  @Option(help: "t-SNE's iterations.")
  var iterations = 1000
  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 1701

  /// Writes the options into a run's configuration; `paper` takes the official code's grid where nothing is chosen.
  func apply(to c: inout RunConfiguration, paper: Bool = false) {
    c.pixels = pixels ?? (paper ? 50 : 0)
    c.discretization = discretization ?? (paper ? "bin" : "lsa")
    (c.layout, c.metric) = (layout, metric)
    (c.tsneStart, c.tsneLearningRate, c.tsneExactLimit) = (start, learningRate, exactLimit)
    (c.channels, c.representations) = (channels, representations)
    (c.perplexity, c.iterations, c.seed) = (perplexity, iterations, seed)
  }

  /// Pixels a side; 0 for auto, nil if nothing is chosen.
  private var pixels: Int? { pixelsOrAuto.map { $0 == "auto" ? 0 : Int($0) ?? -1 } }

  /// Checks ranges.
  func validate() throws {
    if let pixels, let pixelsOrAuto, pixelsOrAuto != "auto", !(1...4096).contains(pixels) {
      throw TesseraError.input("pixels", found: pixelsOrAuto, wanted: "1 to 4096, or auto")
    }
    guard (1...1_000_000).contains(iterations) else {
      throw TesseraError.input("iterations", found: "\(iterations)", wanted: "1 to 1000000")
    }
    guard (0...TSNE.mostExact).contains(exactLimit) else {
      throw TesseraError.input("tsne-exact-limit", found: "\(exactLimit)", wanted: "0 to \(TSNE.mostExact)")
    }
    guard perplexity.isFinite, perplexity >= 1 else {
      throw TesseraError.input("perplexity", found: "\(perplexity)", wanted: "1 or more")
    }
  }
}

/// The network and how it is trained.
struct TrainingOptions: ParsableArguments {
  @Option(help: "Network: \(Architecture.allCases.map(\.rawValue).joined(separator: ", ")).")
  var model = "efficientnet_lite0"
  @Option(
    help: """
      Pretrained weights of the network's slice: safetensors or PyTorch's .pth, also in nested dictionaries and under a \
      prefix; what else is in the file is left and never run (default: drawn by seed).
      """)
  var weights: String?
  @Option(help: "Standardisation of pixels: global, centered, pixel or batch (default: the recipe's).")
  var normalization: String?
  @Option(
    help: "The pretrained slice: frozen, moving (its batch norms) or trainable (default: the recipe's).")
  var slice: String?
  @Option(name: .customLong("slice-lr"), help: "Learning rate of a trainable slice (default: the head's).")
  var sliceRate: Float?
  @Option(help: "Learning rates over the steps: constant or linear (to 0).")
  var schedule = "constant"
  @Option(help: "Share of the target that all classes have in common.")
  var labelSmoothing: Float = 0
  @Option(help: "Epochs to wait for a better one on validation before training ends (default: all are run).")
  var patience: Int?
  @Option(help: "Passes over the training rows.")
  var epochs = 15
  @Option(help: "Rows a step.")
  var batch = 32
  @Option(
    name: .customLong("conv-lr"), help: "Learning rate of the head's convolutions (default: the model's).")
  var convolutionRate: Float?
  @Option(name: .customLong("classifier-lr"), help: "Learning rate of the classifier (default: the model's).")
  var classifierRate: Float?
  @Option(help: "L2 penalty.")
  var weightDecay: Float = 0
  @Option(
    help:
      "GiB of the device's memory for the frozen slice's output, kept between epochs (default: half of it). Changes no bit."
  )
  var featureMemory: Int?
  @Option(
    help:
      "GiB of the machine's memory for it where the device's do not suffice (default: half). Changes no bit.")
  var featureHostMemory: Int?
  @Option(
    help:
      "GiB of disk for it, in the output folder, where memory does not suffice (default: half of what is free). Changes no bit."
  )
  var featureDisk: Int?
  @Option(
    help:
      "Whether several devices share batches that compute the slice: measured (where that is faster), always or never. Changes no bit."
  )
  var splitBatches = "measured"

  @Option(
    help:
      "What follows the slice: paper (convolutions), or linear (one layer on all of its output) (default: the recipe's)."
  )
  var head: String?
  @Option(help: "The factor of the nearest upsampling in front of the slice.")
  var upsampling = 3
  @Option(
    help:
      "A path from the pixels around slice and head to the logits: none or linear (default: the recipe's).")
  var bypass: String?
  @Option(help: "Standard deviation of noise on the normalised pixels, drawn anew in every step.")
  var noise: Float = 0

  /// Writes the options into a configuration; `paper` takes the official code's habits where nothing is chosen.
  func apply(to c: inout RunConfiguration, paper: Bool = false) {
    (c.model, c.weights) = (model, weights)
    c.normalization = normalization ?? (paper ? "batch" : "pixel")
    c.slice = slice ?? (paper ? "moving" : "frozen")
    (c.sliceRate, c.schedule) = (sliceRate, schedule)
    (c.labelSmoothing, c.patience) = (labelSmoothing, patience)
    (c.epochs, c.batch, c.weightDecay) = (epochs, batch, weightDecay)
    (c.convolutionRate, c.classifierRate) = (convolutionRate, classifierRate)
    (c.upsampling, c.noise) = (upsampling, noise)
    c.head = head ?? (paper ? "paper" : "linear")
    c.bypass = bypass.map { $0 == "linear" } ?? !paper
  }

  /// Where the frozen slice's output may be kept.
  var limits: FeatureLimits {
    var limits = FeatureLimits()
    limits.device = featureMemory.map { $0 << 30 }
    limits.host = featureHostMemory.map { $0 << 30 }
    limits.file = featureDisk.map { $0 << 30 }
    return limits
  }

  /// Whether devices share batches.
  var splitting: BatchSplitting { BatchSplitting(rawValue: splitBatches) ?? .measured }

  /// Checks ranges.
  func validate() throws {
    guard BatchSplitting(rawValue: splitBatches) != nil else {
      throw TesseraError.input("split-batches", found: splitBatches, wanted: "measured, always or never")
    }
    guard (0...100_000).contains(epochs) else {
      throw TesseraError.input("epochs", found: "\(epochs)", wanted: "0 to 100000")
    }
    guard (1...65_536).contains(batch) else {
      throw TesseraError.input("batch", found: "\(batch)", wanted: "1 to 65536")
    }
    for (name, size) in [
      ("feature-memory", featureMemory), ("feature-host-memory", featureHostMemory),
      ("feature-disk", featureDisk),
    ] {
      guard let size, !(0...65_536).contains(size) else { continue }
      throw TesseraError.input(name, found: "\(size)", wanted: "0 to 65536")
    }
    guard [nil, "none", "linear"].contains(bypass) else {
      throw TesseraError.input("bypass", found: bypass ?? "", wanted: "none or linear")
    }
    guard (1...8).contains(upsampling) else {
      throw TesseraError.input("upsampling", found: "\(upsampling)", wanted: "1 to 8")
    }
    guard noise >= 0, noise < 1000 else {
      throw TesseraError.input("noise", found: "\(noise)", wanted: "0 or more, below 1000")
    }
    guard labelSmoothing >= 0, labelSmoothing < 1 else {
      throw TesseraError.input("label-smoothing", found: "\(labelSmoothing)", wanted: "0 or more, below 1")
    }
    if let patience, patience < 1 {
      throw TesseraError.input("patience", found: "\(patience)", wanted: "1 or more")
    }
    for (name, rate) in [
      ("conv-lr", convolutionRate), ("slice-lr", sliceRate), ("classifier-lr", classifierRate),
      ("weight-decay", weightDecay),
    ] {
      if let rate, !(rate >= 0 && rate < 10) {
        throw TesseraError.input(name, found: "\(rate)", wanted: "0 to 10")
      }
    }
  }
}
