// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Rows {
  func memory() {
    let d = device
    function("MemoryBackend.allocate(_:_:)")
    for shape in [
      [-1], [-2, -3], [.max], [.min], [1 << 16, 1 << 16], [.max, .max], [1 << 40, 0, 1 << 40],
    ] {
      refuses("\(shape)") { try d.allocate(shape, .float32) }
    }
    gives("a scalar", 1) { try d.allocate([], .int32).count }
    gives("nothing", 0) { try d.allocate([3, 0], .float32).count }
    function("MemoryBackend.tensor(_:_:)")
    refuses("too few floats") { try d.tensor([1 as Float], [2]) }
    refuses("too many integers") { try d.tensor([1, 2, 3] as [Int32], [2]) }
    refuses("a negative extent") { try d.tensor([1 as Float], [-1]) }
    gives("NaN stays", true) { try d.floats(try d.tensor([Float.nan], [1]))[0].isNaN }
    refuses("too few bytes") { try d.tensor([1] as [UInt8], [2]) }
    refuses("a negative extent of bytes") { try d.tensor([1] as [Int8], [-1]) }
    function("MemoryBackend.convert(_:into:)")
    for type in ElementType.allCases {
      refuses("fewer \(type)") { try d.convert(try self.floats(2), into: try d.allocate([1], type)) }
      gives("nothing to \(type)", []) {
        try d.text(of: try d.converted(try d.allocate([0], .float32), to: type)) == "[]" ? [] : [1]
      }
    }
    refuses("itself") {
      let x = try self.floats(2)
      try d.convert(x, into: x)
    }
    for s in strangers {
      refuses(s.name) { try d.convert(try s.make(2, .float32), into: try d.allocate([2], .float16)) }
      refuses("into \(s.name)") { try d.convert(try self.floats(2), into: try s.make(2, .float32)) }
    }
    function("MemoryBackend.converted(_:to:)")
    for s in strangers { refuses(s.name) { try d.converted(try s.make(2, .float32), to: .int8) } }
    for (name, call) in [
      ("float16 filled", { try d.fill($0, with: 1) }),
      (
        "float16 transposed",
        { try d.transpose($0, rows: 1, columns: 2, into: try d.allocate([2], .float16)) }
      ),
      (
        "float16 by strides",
        { try d.copy($0, to: try d.allocate([2], .float16), strided: StridedCopy([2])) }
      ),
      ("float16 squared", { try d.unary(.square, $0, alpha: 0, beta: 0, into: $0) }),
      (
        "float16's axes",
        { try d.swapAxes($0, outer: 1, a: 1, b: 2, inner: 1, into: try d.allocate([2], .float16)) }
      ),
    ] as [(String, (Tensor) throws -> Void)] {
      refuses(name) { try call(try d.allocate([2], .float16)) }
    }
    function("MemoryBackend.floats(_:)")
    refuses("integers") { try d.floats(try self.ints(2)) }
    for s in strangers { refuses(s.name) { try d.floats(try s.make(2, .float32)) } }
    gives("nothing", []) { try d.floats(try d.allocate([0], .float32)) }
    function("MemoryBackend.ints(_:)")
    refuses("floats") { try d.ints(try self.floats(2)) }
    for s in strangers { refuses(s.name) { try d.ints(try s.make(2, .int32)) } }
    gives("nothing", []) { try d.ints(try d.allocate([0], .int32)) }
    function("MemoryBackend.upload(_:to:offset:)")
    for (offset, count) in [(-1, 1), (0, 3), (2, 1), (.max, 1), (.min, 1), (1, 2)] {
      refuses("\(count) from \(offset) of 2") {
        try [Float](repeating: 0, count: count).withUnsafeBytes {
          try d.upload($0, to: try self.floats(2), offset: offset)
        }
      }
    }
    refuses("half an element") {
      try [UInt8](repeating: 0, count: 6).withUnsafeBytes {
        try d.upload($0, to: try self.floats(2), offset: 0)
      }
    }
    for s in strangers {
      refuses(s.name) {
        try [Float(0)].withUnsafeBytes { try d.upload($0, to: try s.make(1, .float32), offset: 0) }
      }
    }
    works("nothing") { try [Float]().withUnsafeBytes { try d.upload($0, to: try self.floats(2), offset: 2) } }
    function("MemoryBackend.download(_:offset:into:)")
    for (offset, count) in [(-1, 1), (0, 3), (2, 1), (.max, 1), (.min, 1), (1, 2)] {
      refuses("\(count) from \(offset) of 2") {
        var values = [Float](repeating: 0, count: count)
        try values.withUnsafeMutableBytes { try d.download(try self.floats(2), offset: offset, into: $0) }
        return values
      }
    }
    for s in strangers {
      refuses(s.name) {
        var values: [Float] = [0]
        try values.withUnsafeMutableBytes { try d.download(try s.make(1, .float32), offset: 0, into: $0) }
        return values
      }
    }
    function("MemoryBackend.synchronize()")
    works("nothing to wait for") { try d.synchronize() }
    kernel("MemoryBackend.fill(_:with:)", [.out(3)], atLeast: true) { try d.fill($0[0], with: 1) }
    // A tensor is filled whatever its size.
    removeLast { $0.what.contains("empty") || $0.what.contains("an element less") }
    gives("with NaN", true) {
      let x = try self.floats(1)
      try d.fill(x, with: .nan)
      return try d.floats(x)[0].isNaN
    }
    kernel("MemoryBackend.copy(_:to:)", [.floats(4), .out(4)]) { try d.copy($0[0], to: $0[1]) }
    let region = CopyRegion(rows: 2, columns: 2, sourceStride: 2, destinationStride: 2)
    kernel("MemoryBackend.copy(_:to:region:)", [.floats(4), .out(4)], atLeast: true) {
      try d.copy($0[0], to: $0[1], region: region)
    }
    let paths: [(String, WritableKeyPath<CopyRegion, Int>)] = [
      ("rows", \.rows), ("columns", \.columns), ("source offset", \.sourceOffset),
      ("source stride", \.sourceStride),
      ("destination offset", \.destinationOffset), ("destination stride", \.destinationStride),
    ]
    for (name, path) in paths {
      for value in [-1, 5, Int.max, Int.min, 1 << 40] {
        refuses("\(name) \(value)") {
          var r = region
          r[keyPath: path] = value
          try d.copy(try self.floats(4), to: try self.floats(4), region: r)
          return "nothing refused"
        }
      }
    }
    refuses("rows on one another") {
      try d.copy(
        try self.floats(4), to: try self.floats(4),
        region: CopyRegion(rows: 2, columns: 2, sourceStride: 2, destinationStride: 1))
    }
    kernel("MemoryBackend.transpose(_:rows:columns:into:)", [.floats(6), .out(6)]) {
      try d.transpose($0[0], rows: 2, columns: 3, into: $0[1])
    }
    extents(2) { try d.transpose(try self.floats(6), rows: $0[0], columns: $0[1], into: try self.floats(6)) }
    kernel("MemoryBackend.swapAxes(_:outer:a:b:inner:into:)", [.floats(12), .out(12)]) {
      try d.swapAxes($0[0], outer: 1, a: 2, b: 3, inner: 2, into: $0[1])
    }
    extents(4) {
      try d.swapAxes(
        try self.floats(12), outer: $0[0], a: $0[1], b: $0[2], inner: $0[3], into: try self.floats(12))
    }
    function("MemoryBackend.span(_:category:_:)")
    refuses("a body that throws") { try d.span("x") { throw TesseraError.failure("here", found: "it") } }
    function("Tensor.init(shape:elementType:storage:)")
    for shape in [[-1], [1000], [.max, .max], [.max, 2]] {
      refuses("\(shape) over 8 bytes") {
        try Tensor(shape: shape, elementType: .float32, storage: try self.floats(2).storage)
      }
    }
    function("Tensor.reshaped(_:)")
    for shape in [[-2, -3], [5], [.max, .max], [0], [-6]] {
      refuses("\(shape) of 6") { try self.floats(6).reshaped(shape) }
    }
    gives("itself", [2, 3]) { try self.floats(6).reshaped([2, 3]).shape }
    function("CopyRegion.init(rows:columns:sourceOffset:sourceStride:destinationOffset:destinationStride:)")
    gives("anything, looked at when it is used", -1) {
      CopyRegion(rows: -1, columns: .max, sourceStride: 0, destinationStride: 0).rows
    }
  }

  /// Extents, all of them right but one: negative, too large for 32 bits and for a product. (Where a
  /// product of them is right by chance, as of two negative ones, too.)
  func extents(_ count: Int, _ call: @escaping ([Int]) throws -> Void) {
    for at in 0..<count {
      for value in [-1, 1 << 31, 1 << 40, Int.max, Int.min] {
        refuses("extent \(at) \(value)") {
          var values = [Int](repeating: 1, count: count)
          values[at] = value
          try call(values)
          return "nothing refused"
        }
      }
    }
    guard count > 1 else { return }
    refuses("two negative extents") {
      try call([-2, -3] + [Int](repeating: 1, count: count - 2))
      return "nothing refused"
    }
    refuses("a product that wraps round to what there is") {
      try call([1 << 32, 1 << 32] + [Int](repeating: 6, count: count - 2))
      return "nothing refused"
    }
  }
}
