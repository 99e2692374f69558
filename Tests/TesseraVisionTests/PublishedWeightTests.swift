// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// Weights of slices as people save them: the same network, or a refusal that says why.
@Suite struct PublishedWeightTests {
  private let golden = Golden(.module)

  private func network(_ architecture: Architecture, channels: Int = 3) throws -> ImageClassifier {
    try ImageClassifier(
      architecture, classes: 2, pixels: 50, channels: channels, seed: 1, device: try CPUBackend(threads: 1))
  }

  /// A slice with drawn values, its tensors by name.
  private func published(_ architecture: Architecture) throws -> [String: (values: [Float], shape: [Int])] {
    let network = try network(architecture)
    try drawState(network.slice.state.map { ($0.name, $0.state.tensor) }, from: 300, on: network.device)
    var tensors: [String: (values: [Float], shape: [Int])] = [:]
    for (name, state) in network.slice.state {
      tensors[name] = (try network.device.floats(state.tensor), state.tensor.shape)
    }
    return tensors
  }

  /// What a network holds after loading: every bit of the slice; and what is told.
  private func loaded(
    _ architecture: Architecture, _ tensors: [String: (values: [Float], shape: [Int])],
    name: (String) -> String = { $0 }
  ) throws -> (bits: [UInt32], notes: [String]) {
    try withTemporaryFolder { folder in
      var writer = SafetensorsWriter()
      for (key, tensor) in tensors { writer.add(name(key), tensor.values, shape: tensor.shape) }
      _ = try writer.write(to: folder + "/w")
      let network = try network(architecture)
      let notes = try network.loadSlice(try TensorFile.open(folder + "/w"))
      let bits = try network.slice.state.flatMap {
        try network.device.floats($0.state.tensor).map(\.bitPattern)
      }
      return (bits, notes.map { $0.replacingOccurrences(of: folder, with: "") })
    }
  }

  private func refusal(
    _ architecture: Architecture, _ tensors: [String: (values: [Float], shape: [Int])]
  ) -> String {
    do {
      _ = try loaded(architecture, tensors)
      return "accepted"
    } catch { return "\(error)" }
  }

  /// The pairs were found by the order of calls in timm's own network, whose outputs are then the same
  /// (tools/golden/timm_names.py).
  @Test func timmsNamesGiveTheSameLite0() throws {
    let pairs = try golden.json("timm_names.json", as: [[String]].self)
    let names = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
    let tensors = try published(.efficientnetLite0)
    #expect(Set(names.keys) == Set(tensors.keys))
    let own = try loaded(.efficientnetLite0, tensors)
    #expect(own.notes.isEmpty)
    for prefix in ["", "module.", "model.backbone."] {
      let other = try loaded(.efficientnetLite0, tensors) { prefix + (names[$0] ?? "") }
      #expect(other.bits == own.bits)
      #expect(other.notes.count == (prefix.isEmpty ? 1 : 2))
      #expect(other.notes.last?.contains("timm's names: read as its tf_efficientnet_lite0") == true)
    }
    // EfficientNet-B0 has the same shapes and squeeze-and-excite, Lite1 one block more in a stage.
    for (stranger, plain) in [
      ("blocks.1.0.se.conv_reduce.weight", "_blocks.1._se_reduce.weight"),
      ("blocks.1.2.conv_pw.weight", "_blocks.2._se_expand.bias"),
    ] {
      for (name, renamed) in [(stranger, true), (plain, false)] {
        var more: [String: (values: [Float], shape: [Int])] = [name: ([1], [1])]
        for (key, tensor) in tensors { more[renamed ? names[key] ?? "" : key] = tensor }
        #expect(
          refusal(.efficientnetLite0, more).contains("found \(name), which efficientnet_lite0 does not have"))
      }
    }
  }

  @Test(arguments: Architecture.allCases) func prefixesChangeNoBit(_ architecture: Architecture) throws {
    let tensors = try published(architecture)
    let plain = try loaded(architecture, tensors)
    #expect(plain.notes.isEmpty)
    let prefix = "state_dict.module.backbone."
    let found = try loaded(architecture, tensors) { prefix + $0 }
    #expect(found.bits == plain.bits)
    #expect(found.notes == ["/w: the prefix \"\(prefix)\" is taken off the names"])
    // What is kept after the slice and beside it is left.
    var whole = tensors
    for name in [
      "fc.weight", "classifier.6.bias", "features.99.weight", "layer4.0.conv1.weight", "num_batches_tracked",
    ] {
      whole[name] = ([1], [1])
    }
    #expect(try loaded(architecture, whole).bits == plain.bits)
  }

  /// The ImageNet example wraps AlexNet's and VGG's `features` alone.
  @Test func aWrappedPartIsRead() throws {
    let tensors = try published(.vgg16)
    let plain = try loaded(.vgg16, tensors)
    let found = try loaded(.vgg16, tensors) {
      $0.replacingOccurrences(of: "features.", with: "state_dict.features.module.")
    }
    #expect(found.bits == plain.bits)
    #expect(found.notes.first?.hasSuffix("; \"module\" within names is left out") == true)
  }

  /// torchvision's vit_b_16 has the patches' kernels and much else; ViT-B/32's are larger, ViT-L/16's are more.
  @Test func aVisionTransformersPatchEmbeddingIsRead() throws {
    var whole = try published(.patches16)
    #expect(whole["conv_proj.weight"]?.shape == [768, 3, 16, 16] && whole["conv_proj.bias"]?.shape == [768])
    let plain = try loaded(.patches16, whole)
    for name in ["class_token", "encoder.pos_embedding", "encoder.layers.encoder_layer_0.mlp.0.weight"] {
      whole[name] = ([1], [1])
    }
    #expect(try loaded(.patches16, whole).bits == plain.bits)
    for shape in [[768, 3, 32, 32], [1024, 3, 16, 16]] {
      whole["conv_proj.weight"] = ([Float](repeating: 1, count: shape.reduce(1, *)), shape)
      let text = refusal(.patches16, whole)
      #expect(text.contains("conv_proj.weight") && text.contains("[768, 3, 16, 16]"), "\(text)")
    }
  }

  @Test func anotherNetworksWeightsAreRefusedAndTheirsNamed() throws {
    for (given, wanted) in [
      (Architecture.vgg16, Architecture.alexnet), (.resnext50, .wideResNet50), (.alexnet, .vgg16),
      (.resnet18, .resnext50), (.wideResNet50, .resnet18),
    ] {
      let text = refusal(wanted, try published(given))
      #expect(text.hasSuffix("; it fits --model \(given.rawValue)"), "\(text)")
    }
    // VGG16 with batch norm: convolutions are elsewhere, and norms where VGG16 has none.
    var normed: [String: (values: [Float], shape: [Int])] = [:]
    for (own, place) in zip([0, 2, 5, 7, 10], [0, 3, 7, 10, 14]) {
      for (name, tensor) in try published(.vgg16) where name.hasPrefix("features.\(own).") {
        normed[name.replacingOccurrences(of: "features.\(own).", with: "features.\(place).")] = tensor
      }
      normed["features.\(place + 1).running_mean"] = ([Float](repeating: 0, count: 64), [64])
    }
    #expect(
      refusal(.vgg16, normed).contains(
        "features.1.running_mean tells of batch norm, which vgg16 does not have there"),
      "\(refusal(.vgg16, normed))")
    // ResNeXt with squeeze-and-excite has every tensor of ResNeXt.
    var excited = try published(.resnext50)
    excited["layer1.0.se.fc1.weight"] = ([1], [1])
    #expect(
      refusal(.resnext50, excited).contains(
        "found layer1.0.se.fc1.weight, which resnext50_32x4d does not have"))
    excited["layer1.0.se.fc1.weight"] = nil
    excited["layer1.3.conv1.weight"] = ([1], [1])
    #expect(refusal(.resnext50, excited).contains("found layer1.3.conv1.weight"))
    // ResNet-34 has every tensor of ResNet-18, and one block more in the stage.
    var longer = try published(.resnet18)
    longer["layer1.2.conv1.weight"] = ([1], [1])
    #expect(
      refusal(.resnet18, longer).contains("found layer1.2.conv1.weight, which resnet18 does not have"))
  }

  @Test func weightsThatAreNotFiniteAreRefused() throws {
    for name in ["conv1.weight", "layer1.2.bn3.running_var"] {
      var tensors = try published(.resnext50)
      tensors[name]?.values[3] = .infinity
      for channels in [1, 3] {
        let text = try withTemporaryFolder { folder in
          do {
            var writer = SafetensorsWriter()
            for (key, tensor) in tensors { writer.add(key, tensor.values, shape: tensor.shape) }
            _ = try writer.write(to: folder + "/w")
            try network(.resnext50, channels: channels).loadSlice(try TensorFile.open(folder + "/w"))
            return "accepted"
          } catch { return "\(error)" }
        }
        #expect(text.contains("\(name): found 1 of ") && text.contains("the first at 3"), "\(text)")
      }
    }
  }
}
