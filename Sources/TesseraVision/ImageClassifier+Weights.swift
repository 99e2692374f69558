// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

extension ImageClassifier {
  /// Loads the slice by the names of the published weights, whatever prefix they have in the file. Images
  /// of one channel are grey, three equal colours: the first convolution's kernels are summed over the
  /// colours in ascending order, once; of two channels each has half of that. From three on, channel c
  /// takes the place of colour c mod 3, whose kernel is divided by the number of channels that share it.
  /// Equal channels so give what grey images give, and different ones reach different kernels.
  ///
  /// - Returns: what was done to read the file, for someone to be told: such as a prefix that was taken off
  ///   all names.
  /// - Throws: `TesseraError` for a missing tensor, with the nearest that the file holds; for another
  ///   shape; for weights that are not finite; and for tensors inside the slice that the network does not
  ///   have: the file is of another network.
  @discardableResult public func loadSlice(_ file: TensorFile) throws -> [String] {
    let (selection, notes) = try selectSlice(from: file)
    for (name, state) in slice.state {
      let stored = selection.name(name)
      let values =
        try name == architecture.model.firstWeight && file.shape(stored) != state.tensor.shape
        ? firstWeights(file, stored, state.tensor.shape) : file.weights(stored, shape: state.tensor.shape)
      try values.withUnsafeBytes { try device.upload($0, to: state.tensor, offset: 0) }
    }
    return notes
  }

  /// Finds the slice's tensors in a file, and reads nothing yet.
  ///
  /// - Throws: as `loadSlice`, but for weights that are not finite.
  package func selectSlice(from file: TensorFile) throws -> (selection: TensorSelection, notes: [String]) {
    let wanted = wantedTensors
    let selection: TensorSelection
    do {
      selection = try file.select(wanted, for: "\(architecture.rawValue)'s slice")
    } catch let error as TesseraError {
      throw TesseraError(
        error.kind, at: error.place, found: error.found, wanted: error.wanted + reasons(file, wanted))
    }
    if let stranger = selection.strangers(in: wholeModules).first {
      throw TesseraError.input(
        file.path,
        found: "\(stranger), which \(architecture.rawValue) does not have: weights of another network",
        wanted: "\(architecture.rawValue)'s slice" + reasons(file, wanted))
    }
    let isRenamed = slice.state.contains { selection.isRenamed($0.name) }
    let note = isRenamed ? architecture.model.otherNamesNote.map { ["\(file.path): \($0)"] } : nil
    return (selection, selection.notes + (note ?? []))
  }

  private var wantedTensors: [WantedTensor] {
    let model = architecture.model
    return slice.state.map { name, state in
      let shape = state.tensor.shape
      let others = model.otherName(name).map { [$0] } ?? []
      guard name == model.firstWeight, channels != 3 else {
        return WantedTensor(name, or: others, shape: shape)
      }
      return WantedTensor(name, or: others, shape: coloured(shape), otherShape: shape)
    }
  }

  /// Shape of the first weight for images of three colours.
  private func coloured(_ shape: [Int]) -> [Int] { [shape[0], 3] + shape[2...] }

  /// The first convolution's kernels for other images than those of three colours.
  private func firstWeights(_ file: TensorFile, _ name: String, _ shape: [Int]) throws -> [Float] {
    let colours = try file.weights(name, shape: coloured(shape))
    let area = shape[2] * shape[3]
    return (0..<shape[0] * channels * area).map { at in
      let (out, channel, tap) = (at / (channels * area), at / area % channels, at % area)
      let base = out * 3 * area + tap
      guard channels > 2 else {
        return (colours[base] + colours[base + area] + colours[base + 2 * area]) / Float(channels)
      }
      let colour = channel % 3
      return colours[base + colour * area] / Float((channels - colour + 2) / 3)
    }
  }

  /// Modules that the slice has whole, by all of their names.
  private var wholeModules: [String] {
    slice.names + slice.names.compactMap(architecture.model.otherName) + architecture.model.stages
  }

  /// What more can be said of a file that does not fit: batch norm where the network has none, and networks
  /// that it does fit.
  private func reasons(_ file: TensorFile, _ wanted: [WantedTensor]) -> String {
    let own = Set(wanted.flatMap(\.allNames))
    var text = ""
    let norm = file.names.first { name in
      guard name.hasSuffix(".running_mean") else { return false }
      return file.rests(of: name).contains { rest in
        !own.contains(rest) && slice.names.contains { rest == $0 + ".running_mean" }
      }
    }
    if let norm {
      text += "; \(norm) tells of batch norm, which \(architecture.rawValue) does not have there"
    }
    let others = Architecture.allCases.filter { $0 != architecture && fits(file, $0) }
    if !others.isEmpty { text += "; it fits --model \(others.map(\.rawValue).joined(separator: " or "))" }
    return text
  }

  private func fits(_ file: TensorFile, _ other: Architecture) -> Bool {
    // A network is made only for a file that has its first weight.
    let first = other.model.firstWeight
    let names = [first, other.model.otherName(first) ?? first]
    guard file.names.contains(where: { file.rests(of: $0).contains(where: names.contains) }) else {
      return false
    }
    var options = NetworkOptions()
    options.head = .linear
    guard
      let network = try? ImageClassifier(
        other, classes: 2, pixels: 64, channels: 3, options: options, seed: 0, device: device),
      let selection = try? file.select(network.wantedTensors, for: other.rawValue)
    else { return false }
    return selection.strangers(in: network.wholeModules).isEmpty
  }
}
