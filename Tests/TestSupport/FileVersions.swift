// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Rewrites the numerics version that a safetensors file's metadata tell; everything else stays as it is.
public func setNumerics(_ path: String, to version: Int) throws {
  let url = URL(fileURLWithPath: path)
  var data = try Data(contentsOf: url)
  let (old, new) = ("\"numerics\":\"\(numericsVersion)\"", "\"numerics\":\"\(version)\"")
  guard old.utf8.count == new.utf8.count, let range = data.range(of: Data(old.utf8)) else {
    throw TesseraError.failure(path, found: "no numerics version to replace", wanted: old)
  }
  data.replaceSubrange(range, with: Data(new.utf8))
  try data.write(to: url)
}
