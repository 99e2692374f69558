// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A training as it stands between two steps, in a file: what goes on from it has the bits of what never stopped.
///
/// The file is safetensors: parameters and buffers under PyTorch's names behind `model.`, what the optimiser keeps
/// behind `optimizer.`, averages behind `average.`; the number of steps in the metadata. Random numbers and orders of
/// rows follow from seed, step and epoch, so nothing else is needed.
public enum TrainingCheckpoint {
  private static let kind = "tessera training checkpoint"

  /// Writes a file, whole or not at all.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - module: what is trained.
  ///   - optimizer: what trains it.
  ///   - average: the averages of its parameters, if there are any.
  ///   - device: where they are.
  ///   - metadata: text of your own that comes back when it is read.
  /// - Returns: the fingerprint of names, shapes and elements: equal for trainings that stand equal.
  /// - Throws: `TesseraError` for a file that cannot be written.
  @discardableResult
  public static func save(
    to path: String, _ module: any Module, _ optimizer: any Optimizer, average: ExponentialAverage? = nil,
    on device: any Backend, metadata: [String: String] = [:]
  ) throws -> String {
    let own = ["kind": kind, "steps": "\(optimizer.steps)"]
    if let name = metadata.keys.sorted().first(where: { own.keys.contains($0) }) {
      throw TesseraError.failure(
        "writing \(path)", found: "metadata \(name)", wanted: "other names than kind and steps")
    }
    var writer = SafetensorsWriter(metadata: metadata.merging(own) { _, own in own })
    for (name, tensor) in tensors(module, optimizer, average) { writer.add(name, tensor, on: device) }
    return try writer.write(to: path)
  }

  /// Reads a file into a training of the same kind. Nothing changes unless all is there.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - module: as it was when the file was written.
  ///   - optimizer: over its parameters.
  ///   - average: averages over them, if the file is to have some.
  ///   - device: where they are.
  /// - Returns: the metadata that were given.
  /// - Throws: `TesseraError` for a file that is no such checkpoint, of another network or optimiser, or of another
  ///   version of the numerics.
  @discardableResult
  public static func load(
    from path: String, _ module: any Module, _ optimizer: any Optimizer, average: ExponentialAverage? = nil,
    on device: any Backend
  ) throws -> [String: String] {
    let file = try TensorFile.open(path)
    guard file.metadata["kind"] == kind, let steps = Int(file.metadata["steps"] ?? "") else {
      throw TesseraError.input(path, found: "no training's checkpoint", wanted: "what save wrote")
    }
    try file.checkNumerics()
    let wanted = tensors(module, optimizer, average)
    if let stranger = Set(file.names).subtracting(wanted.map(\.name)).min() {
      throw TesseraError.input(path, found: "a tensor \(stranger)", wanted: "those of this training alone")
    }
    let read = try wanted.map { name, tensor in
      let found = try file.tensor(name, on: device)
      guard found.shape == tensor.shape, found.elementType == tensor.elementType else {
        throw TesseraError.input(
          "\(path): \(name)", found: "\(found.elementType) \(found.shape)",
          wanted: "\(tensor.elementType) \(tensor.shape)")
      }
      return found
    }
    try optimizer.restore(steps: steps)
    for (tensor, (_, target)) in zip(read, wanted) { try device.copy(tensor, to: target) }
    let own: Set = ["kind", "steps", "numerics", "fingerprint"]
    return file.metadata.filter { !own.contains($0.key) }
  }

  private static func tensors(
    _ module: any Module, _ optimizer: any Optimizer, _ average: ExponentialAverage?
  ) -> [(name: String, tensor: Tensor)] {
    module.state.map { ("model.\($0.name)", $0.state.tensor) }
      + optimizer.state.map { ("optimizer.\($0.name)", $0.tensor) }
      + (average?.state ?? []).map { ("average.\($0.name)", $0.tensor) }
  }
}
