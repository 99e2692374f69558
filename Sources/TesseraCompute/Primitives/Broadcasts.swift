// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func binary(
    _ op: BinaryOperation, _ p: Broadcast, _ a: Tensor, _ b: Tensor, into c: Tensor
  ) throws {
    let place = "binary \(op)"
    let counts = try p.counts(place, operands: 2)
    try require(place, [(a, counts.inputs[0]), (b, counts.inputs[1])], into: [(c, counts.output)])
    guard counts.output > 0 else { return }
    // Without a repetition it is the elementwise kernel, which has the same bits.
    if counts.inputs == [counts.output, counts.output] { return try binary(op, a, b, into: c) }
    let parameters = try p.layout.parameters(place, op: op.broadcastNumber)
    try launch(
      .broadcastBinary, items: parameters.items, cost: 2 * Int(parameters.chunk) + 16, parameters, [a, b, c])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func select(_ p: Broadcast, _ condition: Tensor, _ a: Tensor, _ b: Tensor, into c: Tensor) throws {
    let counts = try p.counts("select", operands: 3)
    try require("select", Array(zip([condition, a, b], counts.inputs)), into: [(c, counts.output)])
    guard counts.output > 0 else { return }
    let parameters = try p.layout.parameters("select")
    try launch(
      .broadcastSelect, items: parameters.items, cost: 4 * Int(parameters.chunk) + 16, parameters,
      [condition, a, b, c])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func copy(_ source: Tensor, to destination: Tensor, strided p: StridedCopy) throws {
    let layout = try p.checked("copy", source: source.count, destination: destination.count)
    guard source.elementType == destination.elementType else {
      throw TesseraError.failure(
        "copy", found: "\(source.elementType) into \(destination.elementType)", wanted: "one type")
    }
    try requireWords("copy by strides", source)
    try requireApart("copy", [source], into: [destination])
    destination.forgetBounds()
    guard !p.extents.contains(0) else { return }
    let parameters = try layout.parameters("copy")
    try launch(
      .copyStrided, items: parameters.items, cost: 2 * Int(parameters.chunk) + 16, parameters,
      [source, destination])
  }
}

extension BinaryOperation {
  /// The number of the operation in `Kernels/elementwise/broadcast.cl`.
  fileprivate var broadcastNumber: Int32 {
    let number =
      switch self {
      case .add: TSR_BROADCAST_ADD
      case .subtract: TSR_BROADCAST_SUBTRACT
      case .multiply: TSR_BROADCAST_MULTIPLY
      case .divide: TSR_BROADCAST_DIVIDE
      case .maximum: TSR_BROADCAST_MAXIMUM
      case .minimum: TSR_BROADCAST_MINIMUM
      case .less: TSR_BROADCAST_LESS
      case .lessOrEqual: TSR_BROADCAST_LESS_OR_EQUAL
      case .equal: TSR_BROADCAST_EQUAL
      }
    return Int32(number)
  }
}
