// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute

/// What `tessera verify --operation` recomputes: one operation of a training.
struct OperationProofOptions: ParsableArguments {
  @Option(help: "A file of one operation: recompute it and compare bits.")
  var operation: String?
  @Option(
    help: """
      With --run: another run of the same work, or the evidence that its maker sent, to find where they part. \
      With --operation: another party's records of the same step (JSON), to say who is right.
      """)
  var against: String?
  @Option(help: "With --run and --against: write what the other party, or the third, gets to this file.")
  var reply: String?

  private struct Result: Encodable {
    let verdict: OperationVerdict
    let isEqual: Bool, isOtherEqual: Bool?
    /// Of an OpenCL device: the platform's version and the driver's.
    let driver: String?
    /// Files that kernels were read from, in place of the binary's text; nil if none.
    let kernels: [String]?
    let provenance: Provenance
  }

  /// Checks that no option is without effect.
  ///
  /// - Parameters:
  ///   - others: whether options of other verifications are given.
  ///   - run: whether a run's are.
  func validate(besides others: Bool, run: Bool) throws {
    if let reply, !run || against == nil {
      throw TesseraError.input("reply", found: "\(reply) alone", wanted: "--run and --against with it")
    }
    guard operation != nil else {
      guard let against, !run else { return }
      throw TesseraError.input("against", found: "\(against) alone", wanted: "--run or --operation with it")
    }
    if others {
      throw TesseraError.input(
        "operation", found: "options of other verifications", wanted: "--operation without them")
    }
  }

  /// Recomputes; another claim than what comes out is a failure.
  func verify(_ options: DeviceOptions, json: Bool) throws {
    guard let operation else { return }
    let file = try OperationFile.read(operation)
    let others = try against.map { try OperationRecord.readList($0) }
    // A proof is the CPU's, unless another device is asked for.
    let selection = options.device == "auto" ? "cpu" : options.device
    try options.use(for: "verify", selection: selection) { device in
      let verdict = try file.recompute(on: device, against: others)
      if json {
        let kernels = device.info.kernelFiles
        let cpu = try device.unprofiled as? CPUBackend ?? CPUBackend(threads: options.threads)
        try printJSON(
          Result(
            verdict: verdict, isEqual: verdict.isEqual, isOtherEqual: verdict.isOtherEqual,
            driver: device.info.driver?.text, kernels: kernels.isEmpty ? nil : kernels,
            provenance: Provenance(cpu)))
      } else {
        print(verdict.text, terminator: "")
      }
      guard verdict.isEqual else {
        throw TesseraError.failure(
          operation, found: "other bits claimed than recomputed", wanted: "equal bits")
      }
    }
  }
}
