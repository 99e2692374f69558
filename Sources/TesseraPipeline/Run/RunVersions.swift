// SPDX-License-Identifier: Apache-2.0
/// The versions of what a run's folder holds.
package enum RunVersions {
  /// The layout of the folder.
  package static let folder = RunConfiguration.currentVersion
  /// The form of the manifest.
  package static let manifest = RunManifest.currentVersion
  /// The procedure of each stage that is not at version 1.
  package static let stages = StageRecord.versions
}
