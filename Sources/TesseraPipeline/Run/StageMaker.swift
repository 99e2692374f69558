// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Who made a stage, as far as the run recorded it: a run of an older version tells the device alone.
public struct StageMaker: Codable, Sendable, Equatable {
  /// The device; in a stage's record it stands beside this.
  public var device: String?
  /// The version of Tessera.
  public var version: String?
  /// SHA-256 of the executable; nil where its file cannot be read.
  public var build: String?
  /// The commit that the executable was built of; nil where the build was not told.
  public var commit: String?
  /// SHA-256 over the names and texts of the OpenCL kernels.
  public var kernelSources: String?

  /// This program.
  ///
  /// - Parameter kernels: the text that OpenCL devices' kernels are built from.
  init(kernels: KernelSources) {
    version = tesseraVersion
    (build, commit) = (Provenance.executableFingerprint, Provenance.commit)
    kernelSources = kernels.fingerprint
  }

  /// What a stage's record tells; nil if nothing.
  init?(_ record: StageRecord) {
    guard record.maker != nil || record.device != nil else { return nil }
    let program = record.maker
    device = record.device
    (version, build) = (program?.version, program?.build)
    (commit, kernelSources) = (program?.commit, program?.kernelSources)
  }
}
