// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// All that a training goes on from: weights and running statistics, the optimiser, the position. Random
/// numbers follow from seed and position.
struct TrainingState {
  let network: ImageClassifier
  let optimizer: Adam

  init(_ network: ImageClassifier, _ optimizer: Adam) {
    (self.network, self.optimizer) = (network, optimizer)
  }

  /// The tensors by the names that checkpoints have.
  var tensors: [(name: String, tensor: Tensor)] {
    network.state.map { (Self.modelPrefix + $0.name, $0.tensor) }
      + optimizer.state.map { (Self.optimizerPrefix + $0.name, $0.tensor) }
  }

  /// What the names of the network's tensors and of the optimiser's begin with.
  static let modelPrefix = "model.", optimizerPrefix = "adam."

  /// SHA-256 of the state at a place: the digest of the record before, the place, the optimiser's steps, the
  /// losses of the rows since that record, then every tensor with its name. So the last one stands for the
  /// whole history.
  ///
  /// - Parameters:
  ///   - place: where the training is.
  ///   - losses: of the rows since the record before, in their order.
  ///   - last: the digest of that record; nil if there is none.
  func digest(at place: TrainingPlace, losses: [Float], after last: String?) throws -> String {
    var print = Fingerprint()
    print.add(last ?? "")
    print.add("\(place.epoch) \(place.step) \(optimizer.steps)")
    losses.withUnsafeBytes { print.add($0) }
    for (name, tensor) in tensors {
      print.add(name)
      try print.add(tensor, on: network.device)
    }
    return print.digits()
  }

  /// Adds all tensors to a file that is written.
  func add(to writer: inout SafetensorsWriter) {
    for (name, tensor) in tensors { writer.add(name, tensor, on: network.device) }
  }

  /// Takes the state of a file over.
  ///
  /// - Parameter steps: steps that the optimiser has done.
  /// - Throws: `TesseraError` for a tensor that is missing or has another shape.
  func load(_ file: TensorFile, steps: Int) throws {
    try network.load(file, prefix: Self.modelPrefix)
    for (name, tensor) in optimizer.state {
      let values = try file.floats(Self.optimizerPrefix + name, shape: tensor.shape)
      try values.withUnsafeBytes { try network.device.upload($0, to: tensor, offset: 0) }
    }
    try optimizer.restore(steps: steps)
  }
}
