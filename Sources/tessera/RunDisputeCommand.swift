// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraCompute
import TesseraPipeline

extension RunProofOptions {
  private struct Result: Encodable {
    /// What was found, the file that was written, and what it is.
    let finding: String, reply: String?, isOperation: Bool
    /// Whether the two parties' records of all that was compared are equal.
    let isEqual: Bool
    let device: String, provenance: Provenance
  }

  /// One turn in a dispute with another run's maker. Another's results are a failure.
  ///
  /// - Parameters:
  ///   - other: the other run's folder, or the evidence that its maker sent.
  ///   - reply: where what it, or a third, gets is written.
  ///   - options: the device that made the run.
  ///   - json: whether JSON is printed.
  func dispute(_ other: String, reply: String?, _ options: DeviceOptions, json: Bool) throws {
    guard let run else { return }
    if let reply { try AtomicFile.requireWritable(reply) }
    var sources = RunVerification.Sources()
    (sources.data, sources.test) = (try data.map(Self.fetched("data")), test)
    (sources.weights, sources.encoder) = (
      try weights.map(Self.fetched("weights")), try encoder.map(Self.fetched("encoder"))
    )
    // A run speaks by the device that made it: the CPU, unless another is asked for.
    let selection = options.device == "auto" ? "cpu" : options.device
    try options.use(for: "verify", selection: selection) { device in
      let answer = try RunDispute(run, sources: sources, device: device, progress: options.progress)
        .answer(to: other)
      if let reply, answer.hasReply { try answer.write(to: reply) }
      if json {
        try printJSON(
          Result(
            finding: answer.finding, reply: answer.hasReply ? reply : nil, isOperation: answer.isOperation,
            isEqual: answer.isEqual, device: device.name,
            provenance: try Provenance(
              device.unprofiled as? CPUBackend ?? CPUBackend(threads: options.threads))))
      } else {
        print(answer.finding)
        if let reply, answer.hasReply {
          print(
            answer.isOperation
              ? "wrote \(reply): tessera verify --operation \(reply) on a third machine says who is right"
              : "wrote \(reply): the other party answers with --run THEIRS --against \(reply) --reply FILE")
        }
      }
      guard answer.isEqual else {
        throw TesseraError.failure(other, found: "other results than \(run)'s", wanted: "equal ones")
      }
    }
  }
}
