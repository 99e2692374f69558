// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Reference files that the scripts in `tools/golden` made.
public struct Golden: Sendable {
  private let bundle: Bundle

  /// Files of PyTorch (`tools/golden/weights.py`), which several test targets read.
  public static let shared = Golden(.module)

  /// The files of a test target.
  public init(_ bundle: Bundle) { self.bundle = bundle }

  /// The path of a file.
  public func path(_ name: String) -> String {
    bundle.bundleURL.appendingPathComponent("Golden/\(name)").path
  }

  /// A JSON file.
  public func json<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
    try JSONDecoder().decode(type, from: try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// A safetensors file.
  public func tensors(_ name: String) throws -> TensorFile { try TensorFile.open(path(name)) }
}

/// The largest distance between numbers of two lists, and where; infinite for different lengths or a NaN.
public func largestDifference(_ a: [Float], _ b: [Float]) -> (value: Float, at: Int) {
  guard a.count == b.count else { return (.infinity, min(a.count, b.count)) }
  var worst: (value: Float, at: Int) = (0, 0)
  for (i, (x, y)) in zip(a, b).enumerated() {
    let difference = abs(x - y)
    if !(difference <= worst.value) { worst = (difference.isNaN ? .infinity : difference, i) }
  }
  return worst
}

/// A folder that is gone when the closure ends.
public func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "tessera-test-\(UUID().uuidString)"
  ).path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}
