// SPDX-License-Identifier: Apache-2.0
/// A rectangle copied between two row-major arrays; extents, offsets and strides in elements.
public struct CopyRegion: Hashable, Codable, Sendable {
  /// Rows copied.
  public var rows: Int
  /// Columns copied.
  public var columns: Int
  /// First element in the source.
  public var sourceOffset: Int
  /// Distance between rows in the source.
  public var sourceStride: Int
  /// First element in the destination.
  public var destinationOffset: Int
  /// Distance between rows in the destination.
  public var destinationStride: Int

  /// A region of `rows` x `columns` elements.
  public init(
    rows: Int, columns: Int, sourceOffset: Int = 0, sourceStride: Int, destinationOffset: Int = 0,
    destinationStride: Int
  ) {
    self.rows = rows
    self.columns = columns
    self.sourceOffset = sourceOffset
    self.sourceStride = sourceStride
    self.destinationOffset = destinationOffset
    self.destinationStride = destinationStride
  }
}

/// Allocation, transfers and copies.
public protocol MemoryBackend: AnyObject, Sendable {
  /// The device's name, as shown to the user.
  var name: String { get }
  /// Bytes of memory that tensors may take: the device's; what is free of the host's, where that is the same.
  var memory: Int { get }
  /// The most bytes of memory that it took for tensors at a time.
  var highWaterMark: Int { get }
  /// What measures the backend's work; nil where nothing does.
  var profiler: Profiler? { get }
  /// Allocates an uninitialised tensor from the backend's pool.
  func allocate(_ shape: [Int], _ type: ElementType) throws -> Tensor
  /// Copies host bytes into elements from `offset` on.
  func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor, offset: Int) throws
  /// Waits for the work enqueued so far and copies elements from `offset` on to the host.
  func download(_ tensor: Tensor, offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws
  /// Waits until all enqueued work is done; throws what went wrong in it.
  func synchronize() throws
  /// Sets every element of a float32 tensor.
  func fill(_ tensor: Tensor, with value: Float) throws
  /// y gets the elements of x in its own type; x and y are of equal counts, in memory of their own.
  ///
  /// To float16 and bfloat16: to nearest, ties to even; what is too large becomes infinity, a NaN the type's one NaN.
  /// To integers: towards zero; what is beyond the type becomes its least or greatest number, NaN 0. From int32:
  /// to nearest. All else is exact. Between two types of which neither is float32 it goes by way of float32.
  func convert(_ x: Tensor, into y: Tensor) throws
  /// Copies a rectangle of elements of any type.
  func copy(_ source: Tensor, to destination: Tensor, region: CopyRegion) throws
  /// Copies the elements of extents between two arrays with strides of their own, both float32 or both int32.
  ///
  /// - Parameters:
  ///   - source: what is read.
  ///   - destination: what is written; its other elements stay.
  ///   - p: extents and strides.
  func copy(_ source: Tensor, to destination: Tensor, strided p: StridedCopy) throws
  /// y (columns, rows) = transpose of x (rows, columns), both float32 or both int32.
  func transpose(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws
  /// y (outer, b, a, inner) = x (outer, a, b, inner), both float32 or both int32; with a groups of b channels, a channel shuffle.
  func swapAxes(_ x: Tensor, outer: Int, a: Int, b: Int, inner: Int, into y: Tensor) throws
}

extension MemoryBackend {
  /// No profiler: a backend that can be measured says otherwise.
  public var profiler: Profiler? { nil }

  /// A float tensor from host values; of one axis, unless a shape is given.
  public func tensor(_ values: [Float], _ shape: [Int]? = nil) throws -> Tensor {
    let tensor = try allocate(shape ?? [values.count], .float32)
    try checkCount(values.count, tensor)
    try values.withUnsafeBytes { try upload($0, to: tensor, offset: 0) }
    return tensor
  }

  /// An integer tensor from host values; of one axis, unless a shape is given. Literals without a type are
  /// floats.
  @_disfavoredOverload
  public func tensor(_ values: [Int32], _ shape: [Int]? = nil) throws -> Tensor {
    let tensor = try allocate(shape ?? [values.count], .int32)
    try checkCount(values.count, tensor)
    try values.withUnsafeBytes { try upload($0, to: tensor, offset: 0) }
    tensor.noteBounds(values)
    return tensor
  }

  /// A tensor of signed bytes from host values; of one axis, unless a shape is given.
  ///
  /// - Parameters:
  ///   - values: the elements in row-major order.
  ///   - shape: the extents.
  /// - Throws: `TesseraError` for another number of values than the shape has.
  @_disfavoredOverload
  public func tensor(_ values: [Int8], _ shape: [Int]? = nil) throws -> Tensor {
    try bytes(values, shape, .int8)
  }

  /// A tensor of unsigned bytes from host values; of one axis, unless a shape is given.
  ///
  /// - Parameters:
  ///   - values: the elements in row-major order.
  ///   - shape: the extents.
  /// - Throws: `TesseraError` for another number of values than the shape has.
  @_disfavoredOverload
  public func tensor(_ values: [UInt8], _ shape: [Int]? = nil) throws -> Tensor {
    try bytes(values, shape, .uint8)
  }

  private func bytes<T: BitwiseCopyable>(
    _ values: [T], _ shape: [Int]?, _ type: ElementType
  ) throws -> Tensor {
    let tensor = try allocate(shape ?? [values.count], type)
    try checkCount(values.count, tensor)
    try values.withUnsafeBytes { try upload($0, to: tensor, offset: 0) }
    return tensor
  }

  /// The elements in another type, as `convert(_:into:)` makes them.
  ///
  /// - Parameters:
  ///   - x: of this device.
  ///   - type: the type wanted.
  /// - Returns: a new tensor of x's shape; x itself, where it is of that type.
  /// - Throws: `TesseraError` for a tensor of another device.
  public func converted(_ x: Tensor, to type: ElementType) throws -> Tensor {
    guard x.elementType != type else { return x }
    let y = try allocate(x.shape, type)
    try convert(x, into: y)
    return y
  }

  /// An uninitialised float tensor.
  package func empty(_ shape: Int...) throws -> Tensor { try empty(shape) }

  /// An uninitialised float tensor.
  package func empty(_ shape: [Int]) throws -> Tensor { try allocate(shape, .float32) }

  /// Copies a whole tensor.
  public func copy(_ source: Tensor, to destination: Tensor) throws {
    try checkCount(source.count, destination)
    try copy(
      source, to: destination,
      region: CopyRegion(
        rows: 1, columns: source.count, sourceStride: source.count, destinationStride: source.count))
  }

  /// Reads a tensor of float32, float16 or bfloat16 back.
  ///
  /// - Throws: `TesseraError` for a tensor of integers.
  public func floats(_ tensor: Tensor) throws -> [Float] {
    if [.float16, .bfloat16].contains(tensor.elementType) {
      return try floats(try converted(tensor, to: .float32))
    }
    try require("floats", [(tensor, tensor.count)])
    return try [Float](unsafeUninitializedCapacity: tensor.count) { buffer, count in
      try download(tensor, offset: 0, into: UnsafeMutableRawBufferPointer(buffer))
      count = tensor.count
    }
  }

  /// Reads a tensor of int32, int8 or uint8 back.
  ///
  /// - Throws: `TesseraError` for a tensor of floats.
  public func ints(_ tensor: Tensor) throws -> [Int32] {
    if [.int8, .uint8].contains(tensor.elementType) {
      return try ints(try converted(tensor, to: .int32))
    }
    try require("ints", [], ints: [(tensor, tensor.count)])
    return try [Int32](unsafeUninitializedCapacity: tensor.count) { buffer, count in
      try download(tensor, offset: 0, into: UnsafeMutableRawBufferPointer(buffer))
      count = tensor.count
    }
  }

  private func checkCount(_ count: Int, _ tensor: Tensor) throws {
    guard count == tensor.count else {
      throw TesseraError.failure(
        "tensor", found: "\(count) values", wanted: "\(tensor.count) for shape \(tensor.shape)")
    }
  }
}
