// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

extension Rows {
  func contractions() {
    products()
    convolutions()
    distances()
    attention()
  }

  private func products() {
    let d = device
    let p = Matmul(m: 2, n: 3, k: 4)
    kernel("ContractionBackend.matmul(_:_:_:bias:into:)", [.floats(8), .floats(12), .out(6)], atLeast: true) {
      try d.matmul(p, $0[0], $0[1], bias: nil, into: $0[2])
    }
    let column: [Float] = [1, 2, 3]
    func product(_ p: Matmul, _ bias: [Float]?) throws -> [Float] {
      let (a, b) = (try d.tensor([1, 0] as [Float], [2, 1]), try d.tensor([1, 1, 1] as [Float], [1, 3]))
      let c = try d.allocate([2, 3], .float32)
      try d.matmul(p, a, b, bias: try bias.map { try d.tensor($0, [$0.count]) }, into: c)
      return try d.floats(c)
    }
    let small = Matmul(m: 2, n: 3, k: 1)
    gives("a bias without a kind is per column", [2, 3, 4, 1, 2, 3] as [Float]) { try product(small, column) }
    gives("a bias of rows", [11, 11, 11, 20, 20, 20] as [Float]) {
      var p = small
      p.bias = .row
      return try product(p, [10, 20])
    }
    gives("an activation", [1, 1, 1, 0, 0, 0] as [Float]) {
      var p = small
      p.activation = .relu
      return try product(p, nil)
    }
    refuses("a bias of rows without a kind") { try product(small, [10, 20]) }
    for kind in [BiasKind.column, .row] {
      refuses("\(kind) without a bias") {
        var p = small
        p.bias = kind
        return try product(p, nil)
      }
    }
    refuses("a bias of integers") {
      try d.matmul(
        p, try self.floats(8), try self.floats(12), bias: try self.ints(3), into: try self.floats(6))
    }
    for s in strangers {
      refuses("a bias of \(s.name)") {
        try d.matmul(
          p, try self.floats(8), try self.floats(12), bias: try s.make(3, .float32), into: try self.floats(6))
      }
    }
    let call: (Matmul) throws -> Void = {
      try d.matmul($0, try self.floats(8), try self.floats(12), bias: nil, into: try self.floats(6))
    }
    fields(
      p,
      [
        ("m", \.m), ("n", \.n), ("k", \.k), ("batch", \.batch), ("a.rowStride", \.a.rowStride),
        ("a.columnStride", \.a.columnStride), ("b.rowStride", \.b.rowStride),
        ("b.columnStride", \.b.columnStride), ("c.rowStride", \.c.rowStride), ("a.offset", \.a.offset),
        ("b.offset", \.b.offset), ("c.offset", \.c.offset), ("chunk", \.chunk),
      ], call)
    for value in [-1, Int.min, 1 << 31] {
      refuses("batch strides \(value)") {
        var q = p
        (q.a.batchStride, q.b.batchStride, q.c.batchStride) = (value, value, value)
        try call(q)
        return "nothing refused"
      }
    }
    refuses("chunk 0") {
      var q = p
      q.chunk = 0
      try call(q)
      return "nothing refused"
    }
    for products in [Products.s3, .s2] {
      gives("\(products) products", [2, 3, 4, 1, 2, 3] as [Float]) {
        var q = small
        q.products = products
        return try product(q, column)
      }
      refuses("\(products) products in chunks") {
        var q = small
        (q.products, q.chunk) = (products, 8)
        return try product(q, nil)
      }
      refuses("\(products) products of more than 2^28 terms") {
        var q = small
        (q.products, q.k, q.a.columnStride, q.b.rowStride) = (products, (1 << 28) + 1, 0, 0)
        return try product(q, nil)
      }
    }
    // From files and into them, as the compiler writes that.
    refuses("products that there are not") {
      var q = p
      q.products = .s3
      let text = String(decoding: try JSONEncoder().encode(q), as: UTF8.self).replacing("s3", with: "tf32")
      return try JSONDecoder().decode(Matmul.self, from: Data(text.utf8))
    }
    gives("what is read back", true) {
      var q = p
      q.products = .s2
      return try JSONDecoder().decode(Matmul.self, from: try JSONEncoder().encode(q)) == q
    }
    for change in [
      { $0.products = .fp32 }, { $0.batch = 2 }, { $0.sampleGroup = -1 }, { $0.sampleGroup = .max },
    ]
      as [@Sendable (inout Matmul) -> Void]
    {
      refuses("groups of samples without a meaning") {
        var q = small
        (q.products, q.sampleGroup) = (.s3, 8)
        change(&q)
        return try product(q, nil)
      }
    }
    refuses("products in one another's place") {
      var q = p
      (q.batch, q.c.batchStride) = (2, 1)
      try d.matmul(q, try self.floats(8), try self.floats(12), bias: nil, into: try self.floats(12))
      return "nothing refused"
    }
    gives("k of 0", [0, 0] as [Float]) {
      let c = try self.floats(2)
      try d.matmul(
        Matmul(m: 1, n: 2, k: 0), try d.allocate([0], .float32), try d.allocate([0], .float32),
        bias: nil, into: c)
      return try d.floats(c)
    }
    works("nothing to compute") {
      try d.matmul(
        Matmul(m: 0, n: 3, k: 4), try self.floats(0), try self.floats(12), bias: nil,
        into: try self.floats(0))
    }
  }

  private func convolutions() {
    let d = device
    let p = Convolution(batch: 2, inChannels: 2, size: (3, 3), outChannels: 2, kernel: (2, 2), groups: 1)
    let (x, w, y) = (36, 16, 16)
    let shape: [(String, WritableKeyPath<Convolution, Int>)] = [
      ("batch", \.batch), ("inChannels", \.inChannels), ("height", \.height), ("width", \.width),
      ("outChannels", \.outChannels), ("kernel.height", \.kernel.height), ("kernel.width", \.kernel.width),
      ("stride.height", \.stride.height), ("stride.width", \.stride.width),
      ("dilation.height", \.dilation.height), ("dilation.width", \.dilation.width), ("groups", \.groups),
      ("output.height", \.output.height), ("output.width", \.output.width),
    ]
    kernel("ContractionBackend.conv2d(_:_:_:bias:into:)", [.floats(x), .floats(w), .floats(2), .out(y)]) {
      try d.conv2d(p, $0[0], $0[1], bias: $0[2], into: $0[3])
    }
    let forward: (Convolution) throws -> Void = {
      try d.conv2d($0, try self.floats(x), try self.floats(w), bias: nil, into: try self.floats(y))
    }
    fields(
      p, shape + [("padding.height", \.padding.height), ("padding.width", \.padding.width)],
      [-1, 1 << 31, .max, .min], forward)
    fields(p, shape, [0], forward)
    kernel("ContractionBackend.conv2dGradData(_:_:_:into:)", [.floats(y), .floats(w), .out(x)]) {
      try d.conv2dGradData(p, $0[0], $0[1], into: $0[2])
    }
    fields(p, shape, [-1, 0, .max, .min]) {
      try d.conv2dGradData($0, try self.floats(y), try self.floats(w), into: try self.floats(x))
    }
    kernel("ContractionBackend.conv2dGradWeight(_:_:_:into:)", [.floats(x), .floats(y), .out(w)]) {
      try d.conv2dGradWeight(p, $0[0], $0[1], into: $0[2])
    }
    fields(p, shape, [-1, 0, .max, .min]) {
      try d.conv2dGradWeight($0, try self.floats(x), try self.floats(y), into: try self.floats(w))
    }
    for products in [Products.s3, .s2] {
      var exact = p
      exact.products = products
      fields(
        exact, shape + [("padding.height", \.padding.height), ("padding.width", \.padding.width)],
        [-1, 1 << 31, .max, .min], forward)
      fields(exact, shape, [-1, 0, .max, .min]) {
        try d.conv2dGradData($0, try self.floats(y), try self.floats(w), into: try self.floats(x))
      }
      fields(exact, shape, [-1, 0, .max, .min]) {
        try d.conv2dGradWeight($0, try self.floats(x), try self.floats(y), into: try self.floats(w))
      }
    }
    // From files and into them, as the compiler writes that.
    refuses("products that there are not") {
      var q = p
      q.products = .s3
      let text = String(decoding: try JSONEncoder().encode(q), as: UTF8.self).replacing("s3", with: "tf32")
      return try JSONDecoder().decode(Convolution.self, from: Data(text.utf8))
    }
    gives("what is read back", true) {
      var q = p
      q.products = .s2
      return try JSONDecoder().decode(Convolution.self, from: try JSONEncoder().encode(q)) == q
    }
    // Of a shape that takes fewer multiplications: nothing is computed of a field before it is checked.
    let tiled = Convolution(
      batch: 2, inChannels: 16, size: (8, 8), outChannels: 16, kernel: (3, 3), padding: 1)
    let (image, kernels) = (tiled.inputCount, tiled.weightCount)
    let all = shape + [("padding.height", \.padding.height), ("padding.width", \.padding.width)]
    fields(tiled, all, [-1, 1 << 31, .max, .min]) {
      try d.conv2d(
        $0, try self.floats(image), try self.floats(kernels), bias: nil, into: try self.floats(image))
    }
    fields(tiled, all, [-1, 1 << 31, .max, .min]) {
      try d.conv2dGradData($0, try self.floats(image), try self.floats(kernels), into: try self.floats(image))
    }
    fields(tiled, all, [-1, 1 << 31, .max, .min]) {
      try d.conv2dGradWeight(
        $0, try self.floats(image), try self.floats(image), into: try self.floats(kernels))
    }
    refuses("an activation of a gradient for the data") {
      var q = p
      q.activation = .relu
      try d.conv2dGradData(q, try self.floats(y), try self.floats(w), into: try self.floats(x))
      return "nothing refused"
    }
    refuses("an activation of a gradient for the weights") {
      var q = p
      q.activation = .gelu
      try d.conv2dGradWeight(q, try self.floats(x), try self.floats(y), into: try self.floats(w))
      return "nothing refused"
    }
    function("Convolution.init(batch:inChannels:size:outChannels:kernel:stride:padding:dilation:groups:)")
    func made(
      _ n: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1, kernel: Int = 2
    ) -> Convolution {
      Convolution(
        batch: n, inChannels: n, size: (n, n), outChannels: n, kernel: (kernel, kernel), stride: stride,
        padding: padding,
        dilation: dilation, groups: groups)
    }
    gives("a kernel larger than the image", 0) { made(3, kernel: 7).output.height }
    for stride in [0, -1, .min, .max, 1 << 31] {
      gives("stride \(stride)", -1) { made(3, stride: stride).output.height }
    }
    for padding in [-1, .max, .min] {
      gives("padding \(padding)", -1) { made(3, padding: padding).output.height }
    }
    for dilation in [0, -1, .max] {
      gives("dilation \(dilation)", -1) { made(3, dilation: dilation).output.width }
    }
    for size in [1 << 31, .max, .min, -1] { gives("extents \(size)", -1) { made(size).output.height } }
    gives("its counts, beyond Int", [Int.max, .max, .max]) {
      let p = Convolution(
        batch: 1 << 30, inChannels: 1 << 30, size: (1 << 30, 1 << 30), outChannels: 1 << 30,
        kernel: (1 << 20, 1 << 20))
      return [p.inputCount, p.weightCount, p.multiplyAdds]
    }
    gives("its counts without groups", [0, 0]) {
      [made(3, groups: 0).weightCount, made(3, groups: -2).multiplyAdds]
    }
  }

  private func distances() {
    let d = device
    kernel("ContractionBackend.squaredDistances(_:points:dims:into:)", [.floats(6), .out(9)]) {
      try d.squaredDistances($0[0], points: 3, dims: 2, into: $0[1])
    }
    extents(2) {
      try d.squaredDistances(try self.floats(6), points: $0[0], dims: $0[1], into: try self.floats(6))
    }
    kernel("ContractionBackend.squaredDistances(_:rows:columns:points:dims:into:)", [.floats(6), .out(2)]) {
      try d.squaredDistances($0[0], rows: 0..<1, columns: 1..<3, points: 3, dims: 2, into: $0[1])
    }
    for (rows, columns) in [
      (-1..<0, 0..<2), (0..<1, 2..<4), (3..<4, 0..<2), (Int.max - 1..<Int.max, 0..<2),
      (Int.min..<Int.min + 1, 0..<2),
    ] {
      refuses("rows \(rows), columns \(columns)") {
        try d.squaredDistances(
          try self.floats(6), rows: rows, columns: columns, points: 3, dims: 2, into: try self.floats(2))
        return "nothing refused"
      }
    }
    extents(2) {
      try d.squaredDistances(
        try self.floats(6), rows: 0..<1, columns: 0..<1, points: $0[0], dims: $0[1], into: try self.floats(1))
    }
    function("Backend.nearestNeighbours(of:points:dims:rows:nearest:neighbours:finish:)")
    func nearest(_ points: Int, _ dims: Int, _ rows: Range<Int>?, _ x: Tensor, _ k: [Int]) throws -> [Int32] {
      let (a, b) = (try d.allocate(k, .float32), try d.allocate(k, .int32))
      try d.nearestNeighbours(of: x, points: points, dims: dims, rows: rows, nearest: a, neighbours: b)
      return try d.ints(b)
    }
    gives("three points on a line", [1, 0, 1]) {
      try nearest(3, 1, nil, try d.tensor([0, 1, 3] as [Float], [3]), [3, 1])
    }
    for points in [-1, .max, .min, 1 << 31, 4] {
      refuses("\(points) points") { try nearest(points, 1, nil, try self.floats(3), [3, 1]) }
    }
    for dims in [-1, .max, 2] {
      refuses("\(dims) dims") { try nearest(3, dims, nil, try self.floats(3), [3, 1]) }
    }
    for rows in [-1..<2, 0..<9, 5..<6] {
      refuses("rows \(rows)") { try nearest(3, 1, rows, try self.floats(3), [3, 1]) }
    }
    for k in [[3], [3, 0], [2, 1], [3, 1, 1]] {
      refuses("nearest \(k)") { try nearest(3, 1, nil, try self.floats(3), k) }
    }
    refuses("points of integers") { try nearest(3, 1, nil, try self.ints(3), [3, 1]) }
    for s in strangers {
      refuses("points of \(s.name)") { try nearest(3, 1, nil, try s.make(3, .float32), [3, 1]) }
    }
  }

  private func attention() {
    let d = device
    let p = PackedAttention(tokens: 3, heads: 2, width: 2, span: 2, scale: 0.5)
    for composed in [false, true] {
      let call: (PackedAttention, Tensor, [Int], Tensor?, Tensor) throws -> Void = {
        composed
          ? try d.composedAttention($0, $1, lengths: $2, bias: $3, into: $4)
          : try d.attention($0, $1, lengths: $2, bias: $3, into: $4)
      }
      kernel(
        "AttentionBackend.\(composed ? "composedAttention" : "attention")(_:_:lengths:bias:into:)",
        [.floats(36), .floats(6), .out(12)]
      ) {
        try call(p, $0[0], [2, 1], $0[1], $0[2])
      }
      let run: (PackedAttention, [Int]) throws -> Void = {
        try call($0, try self.floats(36), $1, try self.floats(6), try self.floats(12))
      }
      fields(
        p, [("tokens", \.tokens), ("heads", \.heads), ("width", \.width), ("span", \.span)],
        [-1, 0, .max, .min]
      ) { try run($0, [2, 1]) }
      fields(p, [("scale", \.scale)], [.nan, .infinity]) { try run($0, [2, 1]) }
      for lengths in [[], [3], [1, 1], [4], [-1, 4], [.max, .min], [.max, .max], [.min, 3]] {
        refuses("lengths \(lengths)") {
          try run(p, lengths)
          return "nothing refused"
        }
      }
      refuses("no bias for a span") {
        try call(p, try self.floats(36), [2, 1], nil, try self.floats(12))
        return "nothing refused"
      }
    }
  }
}
