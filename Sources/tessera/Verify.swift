// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraCompute
import TesseraPipeline
import TesseraVerification
import TesseraVision

/// Every primitive, CPU bits against device bits.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Compares every primitive on a device with the CPU, or a finished run with itself, bit for bit.",
    discussion: """
      With --run DIR, compares every file of a finished run with its record, recomputes the run (--full) or rows
      of its embeddings and images (--sample 1%) on a device (the CPU unless --device says another), compares
      bits and says what was compared. Ends with 1 at the first difference, which is named.

      With --operation FILE, recomputes one operation of a training, on the CPU unless --device says another,
      and ends with 1 if its maker claims other bits. With --against it says which of two parties is right.
      With --run and --against, two makers of runs that should be equal and are not find the operation that
      parts them, by files that they send each other (--reply).
      """)

  @OptionGroup var options: DeviceOptions
  @OptionGroup var proof: RunProofOptions
  @OptionGroup var operation: OperationProofOptions
  @Flag(help: "Also each elementary function and conversion over all 2^32 inputs, against float64 too.")
  var exhaustive = false
  @Option(help: "With --exhaustive, only every N-th input.")
  var stride = 1
  @Flag(help: "Small cases only, for simulators.")
  var small = false
  @Flag(help: "Also products and convolutions with every candidate of tessera tune.")
  var everyTile = false
  @Option(
    help:
      "Only primitives of this name, with --exhaustive also a function or a conversion (unary, convert: all); may be repeated."
  )
  var only: [String] = []
  @Option(help: "Also N cases of drawn shapes and attributes.")
  var random = 0
  @Option(help: "With --random or --sample, what is drawn.")
  var seed = RandomStream.usualSeed
  @Option(help: "The instruction set of the CPU that is compared with (the best by default).")
  var reference: String?
  @Flag(help: "Also 20 training steps of every network, against the published fingerprints.")
  var training = false
  @Flag(help: "Only each reduction's error on data with structure, beside float64 and pairwise float32.")
  var sums = false
  @Flag(help: "JSON instead of text.")
  var json = false

  private struct Result: Codable {
    let verification: Verification
    let functions: [FunctionCheck.Result]
    /// Products with every candidate's tiles.
    let tiles: [Verification]
    /// By network: what 20 training steps on the device gave, and whether that is what is published.
    let training: [String: TrainingResult]?
    /// Files that kernels were read from, in place of the binary's text; nil if none.
    let kernels: [String]?
    /// Of an OpenCL device: the platform's version and the driver's.
    let driver: String?
    /// The program and the machine; instruction set and threads are the reference's.
    let provenance: Provenance
  }

  private struct SumsResult: Codable {
    let device: String
    /// The errors, one of each reduction on each kind of data.
    let sums: [SumCheck.Result]
    /// As a comparison's.
    let kernels: [String]?, driver: String?
    let provenance: Provenance
  }

  private struct TrainingResult: Codable {
    let fingerprint: String, equal: Bool
  }

  /// Checks that no option is without effect.
  func validate() throws {
    let others =
      exhaustive || stride != 1 || small || everyTile || random != 0 || training || sums || !only.isEmpty
      || reference != nil
    let isDispute = operation.against != nil && operation.operation == nil
    try proof.validate(besides: others, seed: seed, dispute: isDispute)
    try operation.validate(
      besides: others || proof.run != nil || seed != RandomStream.usualSeed, run: proof.run != nil)
    if proof.run != nil || operation.operation != nil { return }
    try validatePrimitives()
  }

  private func validatePrimitives() throws {
    if stride != 1, !exhaustive {
      throw TesseraError.input("stride", found: "\(stride) alone", wanted: "--exhaustive with it")
    }
    if seed != RandomStream.usualSeed, random == 0 {
      throw TesseraError.input("seed", found: "\(seed) alone", wanted: "--random or --sample with it")
    }
    let others = exhaustive || small || everyTile || random != 0 || training
    if sums, others || reference != nil {
      throw TesseraError.input(
        "sums", found: "options of the comparison of bits", wanted: "--sums without them")
    }
  }

  /// Verifies; a mismatch is a failure.
  func run() throws {
    if proof.run != nil, let other = operation.against, operation.operation == nil {
      return try proof.dispute(other, reply: operation.reply, options, json: json)
    }
    if proof.run != nil { return try proof.verify(options, seed: seed, json: json) }
    if operation.operation != nil { return try operation.verify(options, json: json) }
    guard (1...1 << 20).contains(stride) else {
      throw TesseraError.input("stride", found: "\(stride)", wanted: "1 to \(1 << 20)")
    }
    guard (0...1 << 20).contains(random) else {
      throw TesseraError.input("random", found: "\(random)", wanted: "0 to \(1 << 20)")
    }
    // Before a device is opened, whose programs may take a while.
    if sums { try requireKnown(SumCheck.primitives) }
    let cases = sums ? [] : try chosenCases()
    let name = options.firstBesideCPU
    try options.use(for: "verify", selection: name, allowNonconforming: true) {
      try sums ? verifySums($0) : verify(cases, on: $0)
    }
  }

  /// The catalogue's cases that are asked for.
  ///
  /// - Throws: for a name of `--only` that none of them has.
  private func chosenCases() throws -> [CatalogueCase] {
    var cases = Catalogue.cases + Catalogue.drawn(random, seed: seed)
    if small { cases = cases.filter(\.isSmall) }
    guard !only.isEmpty else { return cases }
    let functions = FunctionCheck.functions.map(\.name) + ConversionCheck.conversions.map(\.name)
    try requireKnown(Set(cases.map(\.primitive)).ordered() + (exhaustive ? functions : []))
    return cases.filter { only.contains($0.primitive) }
  }

  @_optimize(none)
  private func verify(_ cases: [CatalogueCase], on device: any Backend) throws {
    let cpu = try CPUBackend(threads: options.threads, instructionSet: reference)
    let progress = options.progress
    progress.begin("verifying \(cases.count) cases on \(device.name)")
    let verification = try Verification.run(cases, reference: cpu, device: device) { done, all, item in
      progress.update(item.primitive, done: done, of: all, unit: "cases")
    }
    let tiles = everyTile ? try verifyTiles(device, cpu) : []
    let functions = exhaustive ? try verifyFunctions(device, cpu) : []
    let trained = training ? try train(on: device) : nil
    if json {
      let (kernels, driver) = origin(device)
      try printJSON(
        Result(
          verification: verification, functions: functions, tiles: tiles, training: trained,
          kernels: kernels, driver: driver,
          provenance: Provenance(cpu, kernels: DeviceGroup(device).kernelSources)))
    } else {
      printTable(verification, trained ?? [:])
    }
    let wrong = functions.filter { $0.mismatches > 0 || $0.worstUlp > $0.bound }
    let other = (trained ?? [:]).values.filter { !$0.equal }
    let mismatches = (tiles + [verification]).reduce(0) { $0 + $1.mismatches.count }
    guard mismatches == 0, wrong.isEmpty, other.isEmpty else {
      throw TesseraError.failure(
        "verify",
        found: "\(mismatches) mismatches, \(wrong.count) functions outside their bounds, "
          + "\(other.count) networks with other fingerprints than published",
        wanted: "none")
    }
  }

  /// Functions over all inputs.
  private func verifyFunctions(_ device: any Backend, _ cpu: CPUBackend) throws -> [FunctionCheck.Result] {
    let progress = options.progress
    func isWanted(_ name: String, of primitive: String) -> Bool {
      only.isEmpty || only.contains(name) || only.contains(primitive)
    }
    let chosen = FunctionCheck.functions.filter { isWanted($0.name, of: "unary") }
    let functions = try chosen.map { function in
      progress.begin("\(function.name) over all inputs", quietly: true)
      let result = try FunctionCheck.run(function, stride: stride, cpu: cpu, device: device) { done, all in
        progress.update(function.name, done: done, of: all, unit: "inputs")
      }
      if !json { print(result.line) }
      return result
    }
    let converting = ConversionCheck.conversions.filter { isWanted($0.name, of: "convert") }
    let conversions = try converting.map { conversion in
      progress.begin("\(conversion.name) over all inputs", quietly: true)
      let result = try ConversionCheck.run(conversion, stride: stride, cpu: cpu, device: device) {
        done, all in
        progress.update(conversion.name, done: done, of: all, unit: "inputs")
      }
      if !json { print(result.line) }
      return result
    }
    return functions + conversions
  }

  @_optimize(none)
  private func printTable(_ verification: Verification, _ trained: [String: TrainingResult]) {
    for (primitive, count) in verification.casesByPrimitive.ordered(by: { $0.key < $1.key }) {
      let wrong = verification.mismatches.filter { $0.primitive == primitive }
      print("\(primitive): \(count) cases, \(wrong.count) mismatches")
      for mismatch in wrong.prefix(3) { print("  \(mismatch.label): \(mismatch.what)") }
    }
    for (name, result) in trained.ordered(by: { $0.key < $1.key }) {
      let verdict = result.equal ? "as published" : "NOT as published"
      print("\(name), \(TrainingCheck.steps) steps: \(result.fingerprint), \(verdict)")
    }
    print("fingerprint of the values: \(verification.fingerprint)")
    print(
      "\(verification.cases) cases, \(verification.values) values, \(verification.mismatches.count) mismatches: "
        + "\(verification.device) against \(verification.reference)")
  }

  /// The errors of sums, a table's row each; one beyond its bound is a failure.
  private func verifySums(_ device: any Backend) throws {
    let what = only.isEmpty ? "\(SumCheck.count) sums" : "sums of \(only.joined(separator: ", "))"
    options.progress.begin("\(what) on \(device.name)")
    if !json {
      print(
        "| primitive | shape | data | error | pairwise float32 | |\n| --- | --- | --- | --- | --- | --- |")
    }
    let results = try SumCheck.run(on: device, only: only) { if !json { print($0.line) } }
    if json {
      let cpu = try device.unprofiled as? CPUBackend ?? CPUBackend(threads: options.threads)
      let (kernels, driver) = origin(device)
      try printJSON(
        SumsResult(
          device: device.name, sums: results, kernels: kernels, driver: driver,
          provenance: Provenance(cpu, kernels: DeviceGroup(device).kernelSources)))
    }
    let wrong = results.filter { !$0.holds }
    guard wrong.isEmpty else {
      throw TesseraError.failure("verify", found: "\(wrong.count) sums beyond their bounds", wanted: "none")
    }
  }

  /// Throws for a name of `--only` that is none of these.
  private func requireKnown(_ names: [String]) throws {
    guard let stranger = only.first(where: { !names.contains($0) }) else { return }
    throw TesseraError.input("only", found: stranger, wanted: names.joined(separator: ", "))
  }

  /// Files that an OpenCL device's kernels were read from, and its platform's version and driver.
  private func origin(_ device: any Backend) -> (kernels: [String]?, driver: String?) {
    let files = device.info.kernelFiles
    return (files.isEmpty ? nil : files, device.info.driver?.text)
  }

  /// Products and convolutions with the tiles of every candidate that the device can run.
  private func verifyTiles(_ device: any Backend, _ cpu: CPUBackend) throws -> [Verification] {
    let device = try device.requireTunable("every-tile")
    let cases = Catalogue.productCases.filter {
      (!small || $0.isSmall) && (only.isEmpty || only.contains($0.primitive))
    }
    return try device.candidates().map { name, backend in
      options.progress.begin("verifying tiles \(name)", quietly: true)
      let result = try Verification.run(cases, reference: cpu, device: backend)
      if !json {
        print("tiles \(name): \(result.cases) cases, \(result.mismatches.count) mismatches")
        for mismatch in result.mismatches.prefix(3) {
          print("  \(mismatch.primitive) \(mismatch.label): \(mismatch.what)")
        }
      }
      return result
    }
  }

  private func train(on device: any Backend) throws -> [String: TrainingResult] {
    var results: [String: TrainingResult] = [:]
    for architecture in Architecture.allCases {
      options.progress.begin("\(architecture.rawValue), \(TrainingCheck.steps) training steps", quietly: true)
      let found = try TrainingCheck.fingerprint(architecture, on: device)
      results[architecture.rawValue] = TrainingResult(
        fingerprint: found, equal: found == TrainingCheck.published[architecture])
    }
    return results
  }
}
