// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraVision

extension ReportPage {
  /// Time, throughput, device and fingerprint of each stage, and whether this page's device conforms.
  func stages() throws -> String {
    let rows = data.records.map { record -> [String] in
      let seconds = record.seconds.map { "\(decimal($0, 1)) s" } ?? "-"
      return [
        record.stage, seconds, throughput(record) ?? "-", record.device ?? "-", record.fingerprint,
      ]
    }
    return HTMLPage.table(["stage", "time", "throughput", "device", "fingerprint (SHA-256)"], rows)
      + "<p class=\"note\">Numerics contract \(numericsVersion). This page was made on \(escaped(device.name)): "
      + "\(escaped(try conformance())).</p>"
  }

  private func throughput(_ record: StageRecord) -> String? {
    guard let seconds = record.seconds, seconds > 0 else { return nil }
    let split = data.layout.split
    let trained = split.training.count * (data.history.last?.epoch ?? 0)
    let work: (count: Int, unit: String)? =
      switch record.stage {
      case "embeddings": (split.training.count + split.validation.count + split.test.count, "reviews")
      case "test-embeddings": (data.labels.count, "reviews")
      case "layout": (data.layout.channels.reduce(0) { $0 + $1.features.count }, "features")
      case "model" where trained > 0: (trained, "images")
      default: nil
      }
    return work.map { "\(decimal(Double($0.count) / seconds, 1)) \($0.unit)/s" }
  }

  private func conformance() throws -> String {
    guard !device.info.isReference else { return "the CPU, which is the reference" }
    let result = try DeviceSelection.conformance(of: device, against: try CPUBackend())
    return result.failure.map { "it does not conform, it breaks \($0)" } ?? "it passes the conformance probe"
  }
}
