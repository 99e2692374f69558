// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraData
import TesseraPipeline
import TesseraText

/// Reviews to features.
struct Embed: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Turns reviews into feature vectors.")

  @OptionGroup var data: DataOptions
  @OptionGroup var encoder: EncoderOptions
  @OptionGroup(title: "Device") var device: DeviceOptions
  @Flag(help: "The reviews have no classes.")
  var unlabelled = false
  @Option(help: "File to write (safetensors).")
  var out: String
  @Flag(help: "JSON instead of text.")
  var json = false

  /// Embeds and writes.
  func run() throws {
    try AtomicFile.requireWritable(out)
    let set = try DataSet.read(data.source(), format: data.format(), labelled: !unlabelled)
    try data.format().requireEffect(on: [set])
    try device.useAll(for: "embed") { devices in
      let progress = device.progress
      let computed = json ? try ComputedBy(devices, threads: device.threads) : nil
      var cut = 0
      tell(set, progress)
      let folder = try encoder.folder()
      let options = try encoder.taken.options()
      let model = try TransformerEncoder(folder: folder, devices: devices, products: options.products)
      for note in model.notes { DeviceOptions.warn(note) }
      let states = try options.states(layers: model.configuration.layers)
      model.weightNotes.forEach(progress.note)
      progress.begin("embedding \(set.texts.count) reviews on \(devices.name)")
      let journal = EmbeddingJournal(
        out + EmbeddingJournal.ending, data: set,
        encoder: try EncoderFolder(folder).fingerprint(), options, kernels: devices.kernelSources)
      let result = try Embeddings.make(
        set, by: Embedder(model, states: states, pooling: options.pooling, batch: encoder.taken.batch),
        journal: journal,
        progress: { progress.update("embedding", done: $0, of: set.texts.count, unit: "reviews") },
        cut: {
          cut = $0
          progress.noteCut($0, of: set.texts.count, at: $1)
        })
      let digits = try result.write(to: out)
      journal.remove()
      guard let computed else { return print("embeddings \(digits)") }
      let found = EmbeddedTexts(
        data: set.summary, dataFingerprint: set.fingerprint, cut: cut, features: result.columns,
        states: Array(states), pooling: options.pooling, products: options.products.rawValue)
      try printJSON(StageResult(file: out, fingerprint: digits, found: found, computed: computed))
    }
  }

  /// What the data hold.
  private func tell(_ set: DataSet, _ progress: ProgressLine) {
    progress.note("data: \(set.summary.line)")
    let single = unlabelled ? [] : set.summary.classes.filter { $0.rows == 1 }
    guard !single.isEmpty else { return }
    let names = single.prefix(5).map(\.name).joined(separator: ", ") + (single.count > 5 ? ", ..." : "")
    progress.note("one row alone of \(names): a run needs two rows of each class")
  }
}
