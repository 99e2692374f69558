// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraText
import TesseraVision

/// An option of `tessera run` as it is called, with its values; a flag has none.
package struct RunOption: Sendable, Equatable {
  /// The name without its hyphens.
  package let name: String
  /// What follows it; of several values the option is given again for each.
  package let values: [String]

  /// The values in one text.
  package var text: String { values.isEmpty ? "yes" : values.joined(separator: ", ") }

  /// The words of a command line.
  package var words: [String] {
    // With = a value may begin with a hyphen.
    values.isEmpty ? ["--\(name)"] : values.map { "--\(name)=\($0)" }
  }
}

extension RunConfiguration {
  /// The options of `tessera run` that make this configuration, whatever the defaults of its recipe are.
  @_optimize(none)
  package var options: [RunOption] {
    var list: [RunOption] = []
    func add(_ name: String, _ value: (any CustomStringConvertible)?) {
      if let value { list.append(RunOption(name: name, values: ["\(value)"])) }
    }
    add("recipe", (embedding.paperStates ? Recipe.paper : .standard).rawValue)
    if let table {
      add("features", data)
      list += table.columns.ignored.map { RunOption(name: "ignore", values: [$0]) }
      add("array", table.columns.array)
      add("missing", table.missing.rawValue)
      add("scaling", table.scaling.rawValue)
    } else {
      add("data", data)
      add("encoder", encoder)
      add("text-column", format.text)
    }
    add("test", test)
    add("label-column", format.label)
    if !format.labels.text.isEmpty { add("labels", format.labels.text) }
    add("separator", format.separator.text)
    add("quotes", format.quotes.rawValue)
    add("encoding", format.encoding.rawValue)
    if !format.header { list.append(RunOption(name: "no-header", values: [])) }
    if table == nil {
      if let first = embedding.firstState, let last = embedding.lastState {
        add("layers", "\(first)...\(last)")
      }
      add("pooling", embedding.pooling.rawValue)
      add("products", embedding.products.rawValue)
    }
    add("validation-share", split.validationShare)
    if split.folds == nil, test == nil { add("test-share", split.testShare) }
    add("training-rows", split.trainingRows)
    add("split", (split.splitMethod ?? .random).rawValue)
    add("folds", split.folds)
    add("repeats", repeats)
    add("seed", seed)
    return list + layoutOptions + networkOptions + trainingOptions
  }

  private var layoutOptions: [RunOption] {
    var list = [
      ("fit", (seesValidation ? FittedRows.all : .training).rawValue),
      ("pixels", layout.pixels == 0 ? "auto" : "\(layout.pixels)"),
      ("discretization", layout.discretization.rawValue), ("channels", layout.channels.rawValue),
      ("layout", layout.layout.rawValue), ("metric", layout.metric.rawValue),
      ("perplexity", "\(layout.perplexity)"), ("iterations", "\(layout.iterations)"),
      ("init", layout.tsneStart.rawValue), ("tsne-learning-rate", layout.tsneLearningRate.text),
      ("tsne-exact-limit", "\(layout.tsneExactLimit)"),
    ]
    if let representations = layout.representations { list.append(("representations", representations.text)) }
    return list.map { RunOption(name: $0.0, values: [$0.1]) }
  }

  private var networkOptions: [RunOption] {
    var list = [
      ("model", model.architecture.rawValue), ("normalization", model.normalization.rawValue),
      ("upsampling", "\(model.network.upsampling)"), ("head", model.network.head.rawValue),
      ("bypass", model.network.bypass ? "linear" : "none"), ("start", model.network.start.rawValue),
      ("network-products", model.network.products.rawValue),
    ]
    if let weights = model.weights { list.append(("weights", weights)) }
    return list.map { RunOption(name: $0.0, values: [$0.1]) }
  }

  private var trainingOptions: [RunOption] {
    let training = model.training
    let rates: [(String, Float?)] = [
      ("slice-lr", training.sliceRate), ("conv-lr", training.convolutionRate),
      ("classifier-lr", training.classifierRate),
    ]
    var list = [
      ("slice", training.slice.rawValue), ("epochs", "\(training.epochs)"), ("batch", "\(training.batch)"),
      ("schedule", training.schedule.rawValue), ("weight-decay", "\(training.weightDecay)"),
      ("label-smoothing", "\(training.labelSmoothing)"), ("noise", "\(training.noise)"),
    ]
    if let patience = training.patience { list.append(("patience", "\(patience)")) }
    list += rates.compactMap { name, rate in rate.map { (name, "\($0)") } }
    list.append(("class-weights", training.classWeights?.text ?? "none"))
    return list.map { RunOption(name: $0.0, values: [$0.1]) }
  }
}
