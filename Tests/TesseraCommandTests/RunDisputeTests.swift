// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Two runs of the same work, one by changed kernels: the makers find the operation that parts them, and a third
/// machine says who is right.
@Suite(.enabled(if: TestDevices.hasOpenCL), .tags(.opencl, .slow)) struct RunDisputeTests {
  /// A kernel's text with a change, and where the runs part by it.
  private struct Change {
    let family: String, from: String, to: String
    let stage: String, operation: String
  }

  private let changes = [
    Change(
      family: "optimizer/optimizer.cl", from: "tsr_fma(1.0f - p.beta1, g - first[i], first[i])",
      to: "(1.0f - p.beta1) * g + p.beta1 * first[i]", stage: "model", operation: "adam"),
    Change(
      family: "reduction/rows.cl", from: "tsr_canonical((x[i * p.cols + j] - largest) - norm)",
      to: "tsr_canonical((x[i * p.cols + j] - largest) - norm * 1.000001f)", stage: "evaluation",
      operation: "logSoftmax"),
    Change(
      family: "tsne/tsne.cl", from: "gains[i] + 0.2f", to: "(gains[i] + 0.1f) + 0.1f", stage: "layout",
      operation: "tsneUpdate"),
  ]

  private func arguments(_ folder: String, _ out: String, _ more: [String]) -> [String] {
    [
      "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", folder + "/" + out,
      "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "60", "--epochs", "1",
      "--batch", "8", "--bypass", "none", "--quiet",
    ] + more
  }

  private func text(_ name: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent("Kernels/" + name), encoding: .utf8)
  }

  private func succeed(_ arguments: [String]) throws {
    let result = try Command.run(arguments)
    try #require(result.code == 0, "\(result.errors)")
  }

  @Test func aChangedKernelIsFoundByOneOperation() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(32).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      try succeed(arguments(folder, "honest", ["--device", "cpu"]))
      for change in changes { try settle(change, folder) }
      // Of equal runs there is nothing to settle.
      try succeed(arguments(folder, "again", ["--device", "opencl"]))
      let equal = try Command.run(["verify", "--run", folder + "/honest", "--against", folder + "/again"])
      #expect(equal.code == 0 && equal.output.contains("every stage has the same results"), "\(equal)")
    }
  }

  private func settle(_ change: Change, _ folder: String) throws {
    let kernels = folder + "/kernels"
    try FileManager.default.createDirectory(atPath: kernels, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: kernels) }
    let (own, changed) = (try text(change.family), folder + "/changed")
    try #require(own.contains(change.from), "\(change.family)")
    let name = URL(fileURLWithPath: change.family).lastPathComponent
    try Data(own.replacing(change.from, with: change.to).utf8).write(
      to: URL(fileURLWithPath: kernels + "/" + name))
    let theirs = ["--device", "opencl", "--kernels", kernels, "--quiet"]
    try? FileManager.default.removeItem(atPath: changed)
    try succeed(arguments(folder, "changed", theirs.dropLast()))
    let (first, second, third) = (folder + "/1.json", folder + "/2.json", folder + "/3.safetensors")
    let one = try Command.run([
      "verify", "--run", folder + "/honest", "--against", changed, "--reply", first, "--quiet",
    ])
    #expect(one.code == 1 && one.output.contains("\(change.stage) is the first stage that differs"), "\(one)")
    let two = try Command.run(
      ["verify", "--run", changed, "--against", first, "--reply", second] + theirs)
    #expect(two.code == 1 && two.output.contains("is the first that differs"), "\(two)")
    let three = try Command.run([
      "verify", "--run", folder + "/honest", "--against", second, "--reply", third, "--quiet",
    ])
    #expect(three.code == 1 && three.output.contains(", \(change.operation) of "), "\(three)")
    // The third machine, with any conforming device: the honest party is right.
    for device in ["cpu", "opencl"] {
      let settled = try Command.run([
        "verify", "--operation", third, "--against", second, "--device", device, "--quiet",
      ])
      #expect(settled.code == 0, "\(settled)")
      #expect(
        settled.output.contains("first: right") && settled.output.contains("second: wrong"), "\(settled)")
    }
  }

  @Test func whatIsNoEvidenceIsRefused() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(32).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      try succeed(arguments(folder, "honest", ["--device", "cpu"]))
      try succeed(arguments(folder, "other", ["--device", "cpu", "--label-smoothing", "0.1"]))
      func answer(_ to: String, _ more: String...) throws -> Command.Result {
        try Command.run(["verify", "--run", folder + "/honest", "--against", to, "--quiet"] + more)
      }
      let other = try answer(folder + "/other")
      #expect(other.code == 2 && other.errors.contains("other inputs or settings of model"), "\(other)")
      let zeros = String(repeating: "0", count: 64)
      for (text, found) in [
        ("{}", "a file that cannot be read"),
        (
          #"{"before":"","numerics":4,"place":{"rows":{"stage":"layout"}},"parts":[],"version":1}"#,
          "the rows of layout"
        ),
        (#"{"before":"","numerics":4,"place":{"rows":{"stage":"images"}},"version":1}"#, "neither parts nor"),
        (
          #"{"before":"","numerics":3,"place":{"rows":{"stage":"images"}},"parts":[],"version":1}"#,
          "numerics 3"
        ),
        (
          #"{"before":"x","numerics":4,"place":{"training":{"state":9}},"parts":[],"version":1}"#,
          "state 9 of the training"
        ),
        (
          #"{"before":"","numerics":4,"place":{"layout":{"channel":-1,"state":0}},"parts":[],"version":1}"#,
          "channel -1"
        ),
        (
          #"{"before":"\#(zeros)","numerics":4,"place":{"training":{"state":0}},"parts":[],"version":1}"#,
          "after another state"
        ),
        (
          #"{"before":"","numerics":4,"operations":[],"part":99,"place":{"rows":{"stage":"images"}},"version":1}"#,
          "part 99"
        ),
      ] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/evidence.json"))
        let result = try answer(folder + "/evidence.json")
        #expect(result.code == 2 && result.errors.contains(found), "\(text): \(result)")
      }
      #expect(try answer(folder + "/nothing").code == 2)
      #expect(try answer(folder + "/other", "--full").code == 2)
      #expect(try answer(folder + "/other", "--seed", "5").code == 2)
      #expect(try Command.run(["verify", "--run", folder + "/honest", "--full", "--reply", "x"]).code == 2)
    }
  }
}
