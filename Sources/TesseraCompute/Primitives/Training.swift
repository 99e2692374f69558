// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func randomUniform(_ stream: RandomStream, low: Float, high: Float, into y: Tensor) throws {
    guard low.isFinite, high.isFinite, low <= high, (high - low).isFinite else {
      throw TesseraError.failure(
        "randomUniform", found: "\(low) to \(high)", wanted: "finite bounds, the lower one first")
    }
    try require("randomUniform", [], into: [(y, y.count)])
    try launch(
      .randomUniform, items: y.count, cost: 32,
      try stream.parameters(y.count, low, high),
      [y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func randomNormal(
    _ stream: RandomStream, mean: Float, deviation: Float, into y: Tensor
  ) throws {
    guard mean.isFinite, deviation.isFinite, deviation >= 0 else {
      throw TesseraError.failure(
        "randomNormal", found: "mean \(mean), deviation \(deviation)",
        wanted: "finite numbers, no negative deviation")
    }
    try require("randomNormal", [], into: [(y, y.count)])
    try launch(
      .randomNormalFill, items: y.count, cost: 64,
      try stream.parameters(y.count, mean, deviation), [y])
  }

  /// The raw 32-bit words of a stream, into an int32 tensor.
  @_semantics("optimize.sil.specialize.generic.never")
  func randomWords(_ stream: RandomStream, into y: Tensor) throws {
    try require("randomWords", [], intsInto: [(y, y.count)])
    y.forgetBounds()
    try launch(
      .randomWords, items: y.count, cost: 32, try stream.parameters(y.count, 0, 0),
      [y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func dropout(_ stream: RandomStream, rate: Float, _ x: Tensor, into y: Tensor) throws {
    guard rate >= 0, rate < 1 else {
      throw TesseraError.failure("dropout", found: "rate \(rate)", wanted: "0 <= rate < 1")
    }
    try require("dropout", [(x, x.count)], into: [(y, x.count)], inPlace: true)
    try launch(
      .dropout, items: x.count, cost: 32,
      try stream.parameters(x.count, rate, 1 / (1 - rate)), [x, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func gatherRows(_ table: Tensor, ids: Tensor, columns: Int, into y: Tensor) throws {
    try requireExtents("gatherRows", ids.count, columns)
    try require(
      "gatherRows", [(table, table.count)], ints: [(ids, ids.count)], into: [(y, ids.count * columns)])
    guard columns > 0, table.count % columns == 0 else {
      throw TesseraError.failure(
        "gatherRows", found: "a table of \(table.count) elements", wanted: "rows of \(columns)")
    }
    try requireBounds("gatherRows", "a row", ids, below: table.count / columns)
    let p = tsr_gather_params(
      rows: Int32(ids.count), cols: Int32(columns), classes: Int32(table.count / columns), group: 1)
    try launch(.gather, items: ids.count, cost: columns, p, [table, ids, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func gatherRowsGrad(
    _ dy: Tensor, ids: Tensor, columns: Int, group: Int, into table: Tensor
  ) throws {
    let place = "gatherRowsGrad"
    try requireExtents(place, ids.count, columns)
    try FieldCheck(place: place).require("a group of", group, in: 1...FieldCheck.most)
    try require(place, [(dy, ids.count * columns)], ints: [(ids, ids.count)], into: [(table, table.count)])
    guard columns > 0, table.count % columns == 0, table.count > 0 || ids.count == 0 else {
      throw TesseraError.failure(
        place, found: "a table of \(table.count) elements", wanted: "rows of \(columns)")
    }
    let entries = table.count / columns
    let p = tsr_gather_params(
      rows: Int32(ids.count), cols: Int32(columns), classes: Int32(entries), group: Int32(group))
    let (heads, next) = (try allocate([entries], .int32), try allocate([ids.count], .int32))
    try launch(.gatherLists, items: 1, cost: ids.count + entries, p, [ids, heads, next])
    try launch(
      .gatherGrad, items: entries, cost: columns * (1 + ids.count / max(1, entries)), p,
      [dy, heads, next, table])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func adam(
    _ p: AdamStep, gradient: Tensor, parameter: Tensor, firstMoment: Tensor, secondMoment: Tensor
  ) throws {
    let count = p.count
    let p = try p.checked()
    try require(
      "adam", [(gradient, count)], into: [(parameter, count), (firstMoment, count), (secondMoment, count)])
    try launch(
      .adam, items: count, cost: 8, p,
      [gradient, parameter, firstMoment, secondMoment])
  }
}

extension RandomStream {
  func parameters(_ count: Int, _ a: Float, _ b: Float) throws -> tsr_random_params {
    guard first >= 0, first % 4 == 0, let block = UInt32(exactly: first / 4) else {
      throw TesseraError.failure(
        "random numbers", found: "a first element \(first)", wanted: "a multiple of 4, from 0 to 2^34 - 4")
    }
    return tsr_random_params(
      count: Int32(extent: count), seed_lo: UInt32(truncatingIfNeeded: seed), seed_hi: UInt32(seed >> 32),
      stream_lo: UInt32(truncatingIfNeeded: stream), stream_hi: UInt32(stream >> 32), first: block, a: a, b: b
    )
  }
}
