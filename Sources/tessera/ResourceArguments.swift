// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraVision

/// What a training may use, on the command line. The defaults are those of `TrainingResources`.
struct ResourceArguments: ParsableArguments {
  @Option(
    help: """
      GiB of the device's memory for the frozen slice's output, kept between epochs (default: half of it). \
      Changes no bit.
      """)
  var featureMemory: Int?
  @Option(
    help: """
      GiB of the machine's memory for it where the device's do not suffice (default: half). Changes no bit.
      """)
  var featureHostMemory: Int?
  @Option(
    help: """
      GiB of disk for it, in the output folder, where memory does not suffice (default: half of what is \
      free). Changes no bit.
      """)
  var featureDisk: Int?
  @Option(
    help: """
      Whether several devices share batches that compute the slice: where that is faster (measured), always \
      or never. Changes no bit.
      """)
  var splitBatches = TrainingResources().splitting

  /// The resources, without a place for checkpoints.
  func resources() -> TrainingResources {
    var resources = TrainingResources()
    resources.limits.device = featureMemory.map { $0 << 30 }
    resources.limits.host = featureHostMemory.map { $0 << 30 }
    resources.limits.file = featureDisk.map { $0 << 30 }
    resources.splitting = splitBatches
    return resources
  }

  /// Checks ranges.
  func validate() throws {
    for (name, size) in [
      ("feature-memory", featureMemory), ("feature-host-memory", featureHostMemory),
      ("feature-disk", featureDisk),
    ] {
      guard let size, !(0...65_536).contains(size) else { continue }
      throw TesseraError.input(name, found: "\(size)", wanted: "0 to 65536")
    }
  }
}
