// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

/// `tessera verify --operation`: what it says and how it ends.
@Suite struct OperationProofTests {
  /// A sum by an honest party and one by another that claims something else: files and lists of records.
  private func withParties(_ body: (_ folder: String, _ device: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      func list() throws -> [OperationRecord] {
        let recorded = RecordedBackend(try CPUBackend())
        let x = try recorded.tensor([Float](arrayLiteral: 1, 2, 3), [3]),
          y = try recorded.tensor([Float](arrayLiteral: 4, 5, 6), [3])
        try recorded.start(capturing: 0)
        try recorded.binary(.add, x, y, into: x)
        let recording = try recorded.stop()
        try recording.captured?.write(to: folder + "/op.safetensors")
        return recording.operations
      }
      let text = String(decoding: try JSONEncoder().encode(try list()), as: UTF8.self)
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/honest.json"))
      let claim = try #require(text.range(of: #""after":""#))
      let lie = text.replacingCharacters(
        in: claim.upperBound..<text.index(claim.upperBound, offsetBy: 4), with: "0000")
      try Data(lie.utf8).write(to: URL(fileURLWithPath: folder + "/liar.json"))
      try body(folder, TestDevices.hasOpenCL ? "opencl" : "cpu")
    }
  }

  private func verify(_ words: String...) throws -> Command.Result {
    try Command.run(["verify", "--quiet", "--operation"] + words)
  }

  @Test(.tags(.opencl)) func oneOperationIsRecomputed() throws {
    try withParties { folder, device in
      let file = folder + "/op.safetensors"
      let alone = try verify(file)
      #expect(alone.code == 0 && alone.errors.isEmpty, "\(alone)")
      #expect(
        alone.output.hasPrefix("operation 0, binary, on cpu") && alone.output.hasSuffix("first: right\n"))
      let both = try verify(file, "--device", device, "--against", folder + "/liar.json")
      #expect(both.code == 0 && both.output.hasSuffix("first: right\nsecond: wrong\n"), "\(both)")
      let json = try verify(file, "--json", "--against", folder + "/honest.json")
      let fields = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
      #expect(
        json.code == 0 && fields?["isEqual"] as? Bool == true && fields?["isOtherEqual"] as? Bool == true)
      #expect((fields?["verdict"] as? [String: Any])?["operation"] as? String == "binary")
    }
  }

  @Test func aFileWithAnotherClaimEndsWithOne() throws {
    try withParties { folder, _ in
      let file = folder + "/op.safetensors"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      let claim = try #require(bytes.range(of: Data(#"\"after\":\""#.utf8)))
      bytes[claim.upperBound] = bytes[claim.upperBound] == 0x30 ? 0x31 : 0x30
      try bytes.write(to: URL(fileURLWithPath: file))
      let result = try verify(file, "--against", folder + "/honest.json")
      #expect(result.code == 1 && result.output.hasSuffix("first: wrong\nsecond: right\n"), "\(result)")
      #expect(result.errors.contains("found other bits claimed than recomputed, wanted equal bits"))
      try bytes.prefix(bytes.count - 1).write(to: URL(fileURLWithPath: file))
      #expect(try verify(file).code == 2)
    }
  }

  @Test func optionsWithoutEffectAreRefused() throws {
    for (words, part) in [
      (["--against", "a"], "against: found a alone, wanted --run or --operation with it"),
      (["--operation", "a", "--small"], "operation: found options of other verifications"),
      (["--operation", "a", "--seed", "3"], "operation: found options of other verifications"),
      (["--operation", "a", "--run", "r", "--full"], "operation: found options of other verifications"),
      (["--operation", "/no/such"], "/no/such: found no readable file"),
    ] {
      let result = try Command.run(["verify"] + words)
      #expect(result.code == 2 && result.errors.contains(part), "\(words): \(result)")
    }
  }
}
