// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraData
import TesseraImages
import Testing

@testable import TesseraPipeline

/// Images of several channels: by hidden state and by representation.
@Suite struct ChannelTests {
  private let device = Result { try CPUBackend(threads: 1) }

  private func embeddings(layers: String? = "1...3", scale: Float = 1) -> Embeddings {
    Embeddings(
      features: Floats(drawn(3, 20 * 30).map { $0 * scale }), columns: 30,
      labels: (0..<20).map { Int32($0 % 2) },
      classes: ["a", "b"],
      source: layers.map { ["layers": $0] } ?? [:])
  }

  private let split = Split(training: Array(0..<12), validation: Array(12..<16), test: Array(16..<20))

  private func plan(_ change: (inout LayoutOptions) -> Void) throws -> LayoutPlan {
    var options = LayoutOptions()
    (options.pixels, options.perplexity, options.iterations) = (7, 3, 60)
    change(&options)
    return try options.plan()
  }

  private func make(_ embeddings: Embeddings, _ change: (inout LayoutOptions) -> Void) throws
    -> FeatureLayout
  {
    try FeatureLayout.make(embeddings, split: split, try plan(change), on: DeviceGroup(try device.get()))
  }

  @Test func eachHiddenStateHasALayoutOfItsOwn() throws {
    let (embeddings, device) = (embeddings(), try device.get())
    let layout = try make(embeddings) { $0.channels = .layer }
    #expect(layout.channels.map(\.name) == ["layer 1", "layer 2", "layer 3"])
    #expect(layout.channels.map(\.features) == [Array(0..<10), Array(10..<20), Array(20..<30)])
    #expect(layout.channels.allSatisfy { $0.divergence != nil && $0.pixels.pixels == 7 })
    // A channel is what the layout of its features alone would be, under the scaler of them all.
    let rows = [0, 5, 19]
    let scaled = try layout.scaler.apply(embeddings.features, columns: 30, rows: rows, on: device)
    let images = try layout.render(embeddings.features, columns: 30, rows: rows, on: device)
    #expect(images.count == 3 * 3 * 49)
    for row in 0..<3 {
      for (c, channel) in layout.channels.enumerated() {
        let own = Array(scaled[row * 30 + c * 10..<row * 30 + c * 10 + 10])
        let begin = (row * 3 + c) * 49
        #expect(try channel.pixels.render(own, count: 1) == Array(images[begin..<begin + 49]))
      }
    }
    let auto = try make(embeddings) { ($0.channels, $0.pixels, $0.discretization) = (.layer, 0, .lsa) }
    #expect(auto.side == 4 && auto.channels.allSatisfy { $0.pixels.collisions.most == 1 })
  }

  @Test func severalRepresentationsOfAllFeatures() throws {
    var calls: [(Int, Int)] = []
    let representations = try RepresentationList("pca,tsne:correlation,tsne")
    let plan = try plan { ($0.channels, $0.representations) = (.several, representations) }
    let layout = try FeatureLayout.make(embeddings(), split: split, plan, on: DeviceGroup(try device.get())) {
      done, all, _ in calls.append((done, all))
    }
    #expect(layout.channels.map(\.name) == ["pca", "tsne:correlation", "tsne:euclidean"])
    #expect(layout.channels.allSatisfy { $0.features == Array(0..<30) })
    #expect(layout.channels.map { $0.divergence != nil } == [false, true, true])
    #expect(calls.allSatisfy { $0.1 == 180 } && calls.map(\.0) == [110, 120, 170, 180])
    // Each is what it is alone.
    let grey = try make(embeddings()) { $0.metric = .correlation }
    #expect(grey.channels[0].coordinates == layout.channels[1].coordinates)
    let usual = try make(embeddings()) { $0.channels = .several }
    #expect(usual.channels.map(\.name) == ["tsne:euclidean", "tsne:correlation", "pca"])
  }

  @Test func aMapOverImagesIsReadAtTheFeaturesPixels() throws {
    func channel(_ features: [Int], _ pixels: [Int32]) throws -> LayoutChannel {
      LayoutChannel(
        name: "", features: features, coordinates: [Float](repeating: 0, count: 2 * features.count),
        pixels: try PixelLayout(pixels: 4, pixelOfFeature: pixels), divergence: nil)
    }
    let layout = FeatureLayout(
      scaler: Scaler(minimum: [0, 0, 0, 0], maximum: 1),
      channels: [try channel([0, 1], [0, 15]), try channel([1, 3], [0, 6])], split: split)
    // 4 x 4 pixels under a map of 2 x 2.
    #expect(layout.values(of: [1, 2, 4, 8], side: 2) == [1, (8 + 1) / 2, 0, 2])
  }

  @Test func layoutsAndImagesReadBack() throws {
    try withTemporaryFolder { folder in
      for change: (inout LayoutOptions) -> Void in [
        { _ in }, { ($0.layout, $0.perplexity, $0.iterations) = (.pca, 30, 1000) },
        { $0.channels = .layer }, { $0.channels = .several },
        { ($0.layout, $0.perplexity, $0.iterations) = (.random, 30, 1000) },
      ] {
        let (layout, path) = (try make(embeddings(), change), folder + "/l")
        let digits = try layout.write(to: path)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let back = try FeatureLayout.read(path)
        #expect(back.channels.map(\.name) == layout.channels.map(\.name))
        #expect(back.channels.map(\.divergence) == layout.channels.map(\.divergence))
        #expect(try back.write(to: path) == digits)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
        let images = try ImageSet.make(embeddings(), back, split: split, on: try device.get())
        _ = try images.write(to: path)
        let again = try ImageSet.read(path)
        #expect(again.images == images.images && again.channels == layout.channels.count && again.pixels == 7)
        try again.writePictures(to: folder + "/pictures")
      }
      // One channel is written as before there were several.
      let grey = try TensorFile.open(
        {
          _ = try make(embeddings()) { _ in }.write(to: folder + "/g")
          return folder + "/g"
        }())
      #expect(
        grey.names.sorted() == [
          "coordinates", "maximum", "minimum", "pixel_of_feature", "rows.test", "rows.training",
          "rows.validation",
        ])
      #expect(Set(grey.metadata.keys) == ["divergence", "fingerprint", "kind", "numerics", "pixels"])
    }
  }

  @Test(.tags(.opencl)) func placesAreDrawnBySeedAndChannelAlone() throws {
    let cpu = try CPUBackend(threads: 1)
    func places(_ seed: UInt64, _ channel: Int, _ device: any Backend) throws -> [UInt32] {
      try LayoutMethod.drawnPlaces(97, seed: seed, channel: channel, on: device).map(\.bitPattern)
    }
    let first = try places(1, 0, cpu)
    #expect(first.count == 2 * 97 && Set(first).count > 190)
    #expect(first.allSatisfy { (0..<1).contains(Float(bitPattern: $0)) })
    let (channel, seed) = (try places(1, 1, cpu), try places(2, 0, cpu))
    #expect(first != channel && first != seed && channel != seed)
    if TestDevices.hasOpenCL { #expect(try places(1, 0, OpenCLBackend(try TestDevices.first())) == first) }
    // The features' values do not matter: embeddings of other rows have the same places.
    let change = { (o: inout LayoutOptions) in (o.layout, o.perplexity, o.iterations) = (.random, 30, 1000) }
    let (one, other) = (try make(embeddings(), change), try make(embeddings(scale: 3), change))
    #expect(one.channels[0].coordinates == other.channels[0].coordinates)
    #expect(one.channels[0].divergence == nil && one.channels[0].name == "random")
  }

  @Test func wrongChannelsAreRefused() throws {
    for (names, wanted) in [
      ("", "representations: found , wanted tsne, pca or random"), ("pca,pca", "pca twice"),
      ("tsne,tsne:euclidean", "tsne:euclidean twice"), ("pca:cosine", "wanted pca alone"),
      ("tsne:", "representations: found , wanted euclidean"),
      ("tsne:cosine,", "found , wanted tsne, pca or random"),
    ] {
      let error = #expect(throws: TesseraError.self) { try Representation.list(names) }
      #expect(error?.description.contains(wanted) == true, "\(error?.description ?? "")")
    }
    let list = try RepresentationList("pca")
    #expect(throws: TesseraError.self) { try plan { $0.representations = list } }
    #expect(throws: TesseraError.self) { try plan { ($0.channels, $0.metric) = (.several, .cosine) } }
    #expect(throws: TesseraError.self) { try plan { ($0.channels, $0.layout) = (.several, .pca) } }
    #expect(throws: TesseraError.self) { try ImageChannels(named: "rgb", for: "channels") }
    for layers in ["1...7", "2...2", "x", nil] {
      #expect(throws: TesseraError.self) { try make(embeddings(layers: layers)) { $0.channels = .layer } }
    }
  }

  @Test func hostileLayoutFilesAreRefused() throws {
    try withTemporaryFolder { folder in
      func read(_ entries: String, features: [Int32], pixels: [Int32]) throws -> FeatureLayout {
        var writer = SafetensorsWriter(metadata: ["pixels": "4", "channels": entries])
        writer.add("minimum", [Float](repeating: 0, count: 5), shape: [5])
        writer.add("maximum", [Float(1)], shape: [1])
        writer.add("channel.0.features", features, shape: [features.count])
        writer.add("channel.0.pixel_of_feature", pixels, shape: [pixels.count])
        writer.add("channel.0.coordinates", [Float](arrayLiteral: 0, 1, 2, 3), shape: [2, 2])
        for rows in ["training", "validation", "test"] { writer.add("rows.\(rows)", [Int32](), shape: [0]) }
        _ = try writer.write(to: folder + "/l")
        return try FeatureLayout.read(folder + "/l")
      }
      let sound = try read(#"[{"name":"a"}]"#, features: [1, 4], pixels: [0, 15])
      #expect(sound.channels.count == 1)
      for (entries, features, pixels) in [
        (#"[]"#, [1, 4], [0, 15]), ("{", [1, 4], [0, 15]),
        (#"[{"name":"a"},{"name":"b"}]"#, [1, 4], [0, 15]),
        (#"[{"name":"a"}]"#, [4, 1], [0, 15]), (#"[{"name":"a"}]"#, [1, 1], [0, 15]),
        (#"[{"name":"a"}]"#, [1, 5], [0, 15]), (#"[{"name":"a"}]"#, [-1, 2], [0, 15]),
        (#"[{"name":"a"}]"#, [1, 4], [0, 16]), (#"[{"name":"a"}]"#, [1, 4], [0, 1, 2]),
        (#"[{"name":"a"}]"#, [1, 2, 4], [0, 1, 2]),
      ] as [(String, [Int32], [Int32])] {
        #expect(throws: TesseraError.self) { try read(entries, features: features, pixels: pixels) }
      }
    }
  }
}
