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
  /// Sets every element of a float tensor.
  func fill(_ tensor: Tensor, with value: Float) throws
  /// Copies a rectangle of elements of either type.
  func copy(_ source: Tensor, to destination: Tensor, region: CopyRegion) throws
  /// Copies the elements of extents between two arrays with strides of their own, of either type.
  ///
  /// - Parameters:
  ///   - source: what is read.
  ///   - destination: what is written; its other elements stay.
  ///   - p: extents and strides.
  func copy(_ source: Tensor, to destination: Tensor, strided p: StridedCopy) throws
  /// y (columns, rows) = transpose of x (rows, columns).
  func transpose(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws
  /// y (outer, b, a, inner) = x (outer, a, b, inner); with a groups of b channels, a channel shuffle.
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

  /// Reads a float tensor back.
  ///
  /// - Throws: `TesseraError` for a tensor of integers.
  public func floats(_ tensor: Tensor) throws -> [Float] {
    try require("floats", [(tensor, tensor.count)])
    return try [Float](unsafeUninitializedCapacity: tensor.count) { buffer, count in
      try download(tensor, offset: 0, into: UnsafeMutableRawBufferPointer(buffer))
      count = tensor.count
    }
  }

  /// Reads an integer tensor back.
  ///
  /// - Throws: `TesseraError` for a tensor of floats.
  public func ints(_ tensor: Tensor) throws -> [Int32] {
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
