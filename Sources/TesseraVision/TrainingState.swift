// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// All that a training goes on from: weights and running statistics, the optimiser, the position. Random
/// numbers follow from seed and position.
struct TrainingState {
  private let network: ImageClassifier
  private let optimizer: Adam

  init(_ network: ImageClassifier, _ optimizer: Adam) {
    (self.network, self.optimizer) = (network, optimizer)
  }

  /// The tensors by the names that checkpoints have.
  var tensors: [(name: String, tensor: Tensor)] {
    network.state.map { ("model." + $0.name, $0.tensor) }
      + optimizer.state.map { ("adam." + $0.name, $0.tensor) }
  }

  /// SHA-256 of the state after an epoch: the digest of the epoch before, the epoch's figures, the optimiser's
  /// steps, then every tensor with its name. So the last one stands for the whole history.
  func digest(of record: EpochRecord, after last: EpochRecord?) throws -> String {
    var print = Fingerprint()
    print.add(last?.state ?? "")
    print.add("\(record.epoch) \(record.loss.bitPattern) \(record.correct) \(optimizer.steps)")
    for (name, tensor) in tensors {
      print.add(name)
      try print.add(tensor, on: network.device)
    }
    return print.digits()
  }
}
