// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraPipeline

/// What `run --json` and `report --json` print. `run` is the same of both.
struct RunResult: Encodable {
  /// The layout of this object.
  let version = 1
  /// What the run's folder tells.
  let run: RunSummary
  /// The page that `report` wrote; nil if none.
  var page: String?
  /// Where was computed, by which program; of a report what made the page.
  let computed: ComputedBy

  private enum CodingKeys: String, CodingKey {
    case version, run, page
  }

  /// Writes one object.
  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(version, forKey: .version)
    try values.encode(run, forKey: .run)
    try values.encodeIfPresent(page, forKey: .page)
    try computed.encode(to: encoder)
  }
}

/// What `run --folds --json` prints.
struct CrossValidationResult: Encodable {
  /// The layout of this object.
  let version = 1
  /// What the folds come to.
  let folds: CrossValidationSummary
  /// Where was computed, by which program.
  let computed: ComputedBy

  private enum CodingKeys: String, CodingKey {
    case version, folds
  }

  /// Writes one object.
  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(version, forKey: .version)
    try values.encode(folds, forKey: .folds)
    try computed.encode(to: encoder)
  }
}

/// What `evaluate --json` prints.
struct EvaluationResult: Encodable {
  /// The layout of this object.
  let version = 1
  /// The run's folder.
  let folder: String
  /// What the reviews hold, and the fingerprint of their rows.
  let data: DataSummary, dataFingerprint: String
  /// Texts that are longer than the encoder takes.
  let cut: Int
  /// Accuracy on the reviews, and the epoch that the run's network was kept of.
  let evaluation: EvaluationSummary
  /// Where was computed, by which program.
  let computed: ComputedBy

  private enum CodingKeys: String, CodingKey {
    case version, folder, data, dataFingerprint, cut, evaluation
  }

  /// Writes one object.
  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(version, forKey: .version)
    try values.encode(folder, forKey: .folder)
    try values.encode(data, forKey: .data)
    try values.encode(dataFingerprint, forKey: .dataFingerprint)
    try values.encode(cut, forKey: .cut)
    try values.encode(evaluation, forKey: .evaluation)
    try computed.encode(to: encoder)
  }
}

/// Devices and program of a command that prints JSON; the fields of its one object that others have too.
struct ComputedBy: Encodable {
  /// The devices' names; nil where nothing was computed.
  let device: String?
  /// Of an OpenCL device: the platform's version and the driver's.
  let driver: String?
  /// Files that kernels were read from, in place of the program's own; nil if none.
  let kernels: [String]?
  /// The program and the machine.
  let provenance: Provenance

  /// Of devices.
  ///
  /// - Parameter threads: of the CPU path, where it is none of the devices.
  @_optimize(none)
  init(_ devices: DeviceGroup, threads: Int?) throws {
    let cpu = devices.all.lazy.compactMap { $0.unprofiled as? CPUBackend }.first
    let files = devices.kernelSources.files
    device = devices.name
    driver = devices.all.lazy.compactMap(\.info.driver?.text).first
    kernels = files.isEmpty ? nil : files
    provenance = Provenance(try cpu ?? CPUBackend(threads: threads), kernels: devices.kernelSources)
  }

  /// Of a command that computed nothing.
  init(threads: Int?) throws {
    (device, driver, kernels) = (nil, nil, nil)
    provenance = Provenance(try CPUBackend(threads: threads))
  }
}
