// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// Published weights on images of one, three and other numbers of channels.
@Suite struct ChannelWeightTests {
  private let side = 36

  private func network(_ architecture: Architecture, _ channels: Int) throws -> ImageClassifier {
    try ImageClassifier(
      architecture, classes: 2, pixels: side, channels: channels, seed: 1, device: try CPUBackend())
  }

  /// What the slice makes of images.
  private func features(_ network: ImageClassifier, _ images: [Float]) throws -> [Float] {
    let shape = [images.count / (network.channels * side * side), network.channels, side, side]
    return try network.device.floats(try network.features(try network.device.tensor(images, shape)))
  }

  @Test(arguments: [Architecture.alexnet, .efficientnetLite0])
  func equalChannelsAreGreyAndOthersAreColours(_ architecture: Architecture) throws {
    try withTemporaryFolder { folder in
      let published = try network(architecture, 3)
      try drawState(
        published.slice.state.map { ($0.name, $0.state.tensor) }, from: 300, on: published.device)
      var writer = SafetensorsWriter()
      for (name, state) in published.slice.state { writer.add(name, state.tensor, on: published.device) }
      _ = try writer.write(to: folder + "/w")
      let file = try TensorFile.open(folder + "/w")
      func loaded(_ channels: Int) throws -> ImageClassifier {
        let network = try network(architecture, channels)
        try network.loadSlice(file)
        return network
      }
      let area = side * side
      let colours = drawn(5, 6 * area)
      // Three channels are the published colours.
      #expect(try features(loaded(3), colours) == features(published, colours))
      let grey = (0..<2).flatMap { image in (0..<area).map { colours[image * area + $0] } }
      let equal = (0..<2).flatMap { image in
        (0..<3).flatMap { _ in grey[image * area..<(image + 1) * area] }
      }
      let one = try features(loaded(1), grey)
      let size = one.reduce(1) { max($0, abs($1)) }
      #expect(try largestDifference(one, features(published, equal)).value < 1e-5 * size)
      // Of two, the slice sees the mean.
      let mean = (0..<area).map { (colours[$0] + colours[area + $0]) / 2 }
      let two = try features(loaded(2), Array(colours.prefix(2 * area)))
      #expect(try largestDifference(two, features(loaded(1), mean)).value < 1e-5 * size)
      // From three on: equal channels are grey, channel 3 shares colour 0 with channel 0.
      for channels in 3...7 {
        let many = (0..<channels).flatMap { _ in grey.prefix(area) }
        #expect(
          try largestDifference(features(loaded(channels), many), Array(one.prefix(one.count / 2))).value
            < 1e-5 * size)
      }
      let four = Array(colours.prefix(4 * area))
      let three = (0..<3 * area).map { $0 < area ? (four[$0] + four[3 * area + $0]) / 2 : four[$0] }
      #expect(
        try largestDifference(features(loaded(4), four), features(published, three)).value < 1e-5 * size)
      // A file of as many channels is taken as it is.
      var own = SafetensorsWriter()
      for (name, state) in try loaded(2).slice.state { own.add(name, state.tensor, on: published.device) }
      _ = try own.write(to: folder + "/o")
      let again = try network(architecture, 2)
      try again.loadSlice(try TensorFile.open(folder + "/o"))
      #expect(try features(again, Array(colours.prefix(2 * area))) == two)
      #expect(throws: TesseraError.self) {
        try network(architecture, 4).loadSlice(try TensorFile.open(folder + "/o"))
      }
    }
  }

  @Test(.tags(.opencl)) func trainingOnSeveralChannelsHasTheSameBitsEverywhere() throws {
    let images = drawn(4, 24 * 3 * side * side)
    var plan = TrainingPlan(
      images: images, labels: (0..<24).map { Int32($0 % 2) }, training: Array(0..<18),
      validation: Array(18..<24))
    (plan.options.epochs, plan.options.batch, plan.options.slice) = (1, 8, .trainable)
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 2)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    let results = try devices.map { device in
      let network = try ImageClassifier(
        .alexnet, classes: 2, pixels: side, channels: 3, seed: 1, device: device)
      try Trainer(network, plan).run()
      let evidence = try network.gradCAM(Array(images.prefix(3 * side * side)), of: [1])
      return try network.state.flatMap { try device.floats($0.tensor).map(\.bitPattern) }
        + evidence.maps.map(\.bitPattern)
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
  }
}
