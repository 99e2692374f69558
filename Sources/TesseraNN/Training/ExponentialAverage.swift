// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Exponential moving averages of parameters (Polyak and Juditsky 1992): a network with them is often better
/// than with the last step's.
public final class ExponentialAverage {
  private struct Slot {
    let name: String
    let parameter: Parameter
    let average: Tensor
    /// What the parameter had before the average took its place.
    var kept: Tensor?
  }

  private let device: any Backend, share: Float
  private var slots: [Slot]

  /// Averages that begin at the parameters' values.
  ///
  /// - Parameters:
  ///   - device: where the parameters are.
  ///   - parameters: what is averaged.
  ///   - decay: how much of the average stays, 0 up to 1.
  /// - Throws: `TesseraError` for another decay, and what the device does.
  public init(
    device: any Backend, _ parameters: [(name: String, parameter: Parameter)], decay: Float = 0.999
  ) throws {
    guard decay >= 0, decay < 1 else {
      throw TesseraError.failure("an average", found: "a decay of \(decay)", wanted: "0 up to 1")
    }
    (self.device, share) = (device, 1 - decay)
    slots = try parameters.map { name, parameter in
      let average = try device.allocate(parameter.value.shape, .float32)
      try device.copy(parameter.value, to: average)
      return Slot(name: name, parameter: parameter, average: average)
    }
  }

  /// The averages by name, for checkpoints.
  public var state: [(name: String, tensor: Tensor)] { slots.map { ($0.name, $0.average) } }

  /// Takes the parameters of a step in.
  ///
  /// - Throws: `TesseraError` while the averages stand in the parameters' place.
  public func update() throws {
    for slot in slots {
      try requireOwn(slot)
      try device.blend(slot.parameter.value, share: share, into: slot.average)
    }
  }

  /// Does something with the averages in the parameters' place.
  ///
  /// - Parameter body: what is done.
  /// - Returns: what the body does.
  /// - Throws: what the body throws; the parameters are put back all the same.
  public func withAverages<R>(_ body: () throws -> R) throws -> R {
    for index in slots.indices {
      try requireOwn(slots[index])
      let kept = try device.allocate(slots[index].parameter.value.shape, .float32)
      try device.copy(slots[index].parameter.value, to: kept)
      try device.copy(slots[index].average, to: slots[index].parameter.value)
      slots[index].kept = kept
    }
    let result = Result { try body() }
    for index in slots.indices {
      guard let kept = slots[index].kept else { continue }
      try device.copy(kept, to: slots[index].parameter.value)
      slots[index].kept = nil
    }
    return try result.get()
  }

  private func requireOwn(_ slot: Slot) throws {
    guard slot.kept == nil else {
      throw TesseraError.failure(
        "an average", found: "\(slot.name) with its average in place", wanted: "the end of withAverages first"
      )
    }
  }
}
