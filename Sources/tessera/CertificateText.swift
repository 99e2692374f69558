// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraPipeline

extension RunCertificate {
  /// What was compared, for people: a line for each stage.
  var text: String {
    var lines = ["\(files) files as the run recorded them"]
    for stage in stages {
      let verdict = stage.stage == difference?.stage ? "DIFFERENT" : "equal"
      switch stage.extent {
      case .whole: lines.append("\(stage.stage): recomputed, \(verdict)")
      case .nothing: lines.append("\(stage.stage): not recomputed")
      case .rows, .stretches:
        let passes = (stage.passes ?? [:]).ordered { $0.key < $1.key }
          .map { "\($0.key) wrong: \(Self.percent($0.value))" }
        lines.append(
          "\(stage.stage): \(stage.rows ?? 0) of \(stage.total ?? 0) \(stage.extent.rawValue) recomputed, \(verdict)"
            + " (chance to pass with \(passes.joined(separator: ", ")))")
      }
    }
    if let products { lines.append("the encoder's linear layers are exact sums, \(products)") }
    if let networkProducts {
      lines.append("the network's linear layers and convolutions are exact sums, \(networkProducts)")
    }
    let makers = Set(makers.values.map { Self.told($0.device ?? "a device untold", $0.version) }).ordered()
    let verifier = Self.told(device, verifier.version)
    lines.append("made on \(makers.joined(separator: ", ")), recomputed on \(verifier)")
    return lines.map { $0 + "\n" }.joined()
  }

  private static func told(_ device: String, _ version: String?) -> String {
    device + (version.map { " by tessera \($0)" } ?? "")
  }

  private static func percent(_ share: Double) -> String {
    let digits = (share * 10_000).rounded() / 100
    return digits == 0 && share > 0 ? "below 0.01%" : "\(digits)%"
  }
}
