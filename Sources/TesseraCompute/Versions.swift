// SPDX-License-Identifier: Apache-2.0
/// The version of Tessera, as `tessera --version` tells it. No fingerprint and no cache's key depends on it.
public let tesseraVersion = "0.2.0"

/// The versions of the files that this module writes.
package enum FileVersions {
  /// The form of a file of product tiles, which `tessera tune` writes.
  package static let productTiles = 1
  /// The form of a kept program, a file of the cache that OpenCL programs are built into.
  package static let programCache = 1
  /// The form of a file of one operation, which a verification recomputes.
  package static let operation = 1
}
