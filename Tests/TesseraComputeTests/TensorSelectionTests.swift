// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// A network's tensors under whatever stands before their names.
@Suite struct TensorSelectionTests {
  private let wanted = [
    WantedTensor("a.0.weight", shape: [2, 3]), WantedTensor("a.0.bias", shape: [2]),
    WantedTensor("b.norm.weight", or: ["b.norm.gamma"], shape: [nil]),
  ]

  /// A file of tensors by name: shapes, all elements of one value.
  private func file<R>(
    _ tensors: [String: ([Int], Float)], _ body: (TensorFile) throws -> R
  ) throws -> R {
    try withTemporaryFolder { folder in
      var writer = SafetensorsWriter()
      for (name, (shape, value)) in tensors {
        writer.add(name, [Float](repeating: value, count: shape.reduce(1, *)), shape: shape)
      }
      _ = try writer.write(to: folder + "/w")
      return try body(try TensorFile.open(folder + "/w"))
    }
  }

  private func whole(_ root: String, _ value: Float = 1) -> [String: ([Int], Float)] {
    [
      "\(root)a.0.weight": ([2, 3], value), "\(root)a.0.bias": ([2], value),
      "\(root)b.norm.weight": ([5], value),
    ]
  }

  private func refusal(_ tensors: [String: ([Int], Float)]) throws -> String {
    try file(tensors) { file in
      do {
        return "accepted under \"\(try file.select(wanted, for: "a net").root)\""
      } catch {
        return "\(error)".replacingOccurrences(of: file.path, with: "w")
      }
    }
  }

  @Test(
    arguments: [
      "", "module.", "_orig_mod.", "model.", "0.auto_model.", "state_dict.module._orig_mod.",
      "net.backbone.encoder.",
      "anything at all.x.", "a.0.", "a.", "module.module.",
    ])
  func everyRootIsTakenOff(_ root: String) throws {
    try file(whole(root)) { file in
      let selection = try file.select(wanted, for: "a net")
      #expect(selection.root == root)
      #expect(selection.name("a.0.weight") == root + "a.0.weight")
      #expect(!selection.isRenamed("a.0.weight"))
      let told = root.isEmpty ? [] : ["\(file.path): the prefix \"\(root)\" is taken off the names"]
      #expect(selection.notes == told)
    }
  }

  /// torchvision's AlexNet and VGG in the ImageNet example wrap a part of the network.
  @Test func wrappersWithinNamesAreLeftOut() throws {
    let tensors: [String: ([Int], Float)] = [
      "sd.a.module.0.weight": ([2, 3], 1), "sd.a.module.0.bias": ([2], 1),
      "sd.b._orig_mod.norm._orig_mod.gamma": ([5], 1),
    ]
    try file(tensors) { file in
      let selection = try file.select(wanted, for: "a net")
      #expect(
        selection.root == "sd." && selection.name("b.norm.weight") == "sd.b._orig_mod.norm._orig_mod.gamma")
      #expect(selection.isRenamed("b.norm.weight") && !selection.isRenamed("a.0.bias"))
      #expect(selection.notes.first?.hasSuffix("\"_orig_mod\", \"module\" within names is left out") == true)
    }
  }

  @Test func amongSeveralTheUsualOneIsTakenAndTold() throws {
    for (taken, left) in [
      ("", "model."), ("state_dict.", "model."), ("model.", "net."), ("model.", "best."), ("x.", "ema."),
      ("model.", "model_ema."), ("student.", "swa_model.module."), ("state_dict.module.", "state_dict_ema."),
    ] {
      try file(whole(taken).merging(whole(left, 2)) { a, _ in a }) { file in
        let selection = try file.select(wanted, for: "a net")
        #expect(selection.root == taken, "\(taken) beside \(left)")
        #expect(
          selection.notes.first?.hasSuffix("other weights that fit, under \"\(left)\", are left") == true)
      }
    }
  }

  @Test func nothingIsChosenBetweenEqualClaims() throws {
    #expect(
      try refusal(whole("student.").merging(whole("teacher.", 2)) { a, _ in a })
        == "w: found different weights that fit under \"student.\", \"teacher.\", "
        + "wanted one a net: torch.save those that are meant alone")
    // The same weights under two names are one.
    #expect(
      try refusal(whole("student.").merging(whole("teacher.")) { a, _ in a }) == "accepted under \"student.\""
    )
    // What does not fit is no claim.
    let other = [
      "teacher.a.0.weight": ([2, 3], Float(2)), "teacher.a.0.bias": ([2], 2),
      "teacher.b.norm.weight": ([5, 1], 2),
    ]
    #expect(
      try refusal(whole("student.").merging(other) { a, _ in a }) == "accepted under \"student.\"")
  }

  @Test func whatIsMissingIsNamedWithTheNearest() throws {
    var tensors = whole("net.")
    tensors["net.a.0.weight"] = nil
    tensors["net.a.1.weight"] = ([2, 3], 1)
    #expect(
      try refusal(tensors)
        == "w: found no tensor a.0.weight [2, 3] under the prefix \"net.\"; the nearest of 3: net.a.1.weight [2, 3], "
        + "net.a.0.bias [2], net.b.norm.weight [5], wanted a net")
    #expect(
      try refusal([:])
        == "w: found no tensor a.0.weight [2, 3] nor 2 more of 3; it holds no tensors, wanted a net")
    let text = try refusal(["a.0.weight": ([3, 2], 1), "c": ([2], 1)])
    #expect(
      text
        == "w: found a.0.weight of shape [3, 2] instead of [2, 3], and no tensor a.0.bias [2] nor 1 more of 3; "
        + "the nearest of 2: c [2], a.0.weight [3, 2], wanted a net")
    #expect(
      try refusal(whole("x.").merging(["x.b.norm.weight": ([5, 1], 1)]) { $1 })
        == "w: x.b.norm.weight: found shape [5, 1], wanted [any]")
  }

  @Test func strangersWithinModulesAreFound() throws {
    var tensors = whole("m.")
    tensors["m.a.0.lora_A.weight"] = ([1, 3], 1)
    tensors["m.a.0.num_batches_tracked"] = ([1], 1)
    tensors["m.c.weight"] = ([1], 1)
    tensors["other.a.0.x"] = ([1], 1)
    try file(tensors) { file in
      let selection = try file.select(wanted, for: "a net")
      #expect(selection.strangers(in: ["a", "b.norm"]) == ["a.0.lora_A.weight"])
      #expect(selection.strangers(in: ["b", "a.1"]) == [])
      #expect(selection.holds("c") && !selection.holds("d"))
    }
  }

  @Test func distancesAreLevenshteins() {
    for (a, b, wanted) in [
      ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ab", 0), ("ab", "ba", 2),
    ] {
      #expect(TensorFile.distance(a, b) == wanted)
    }
  }
}
