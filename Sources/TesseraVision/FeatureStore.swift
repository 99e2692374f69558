// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// The slice's output: computed once for every image while that cannot change and something holds it, and
/// copied out batch by batch; else computed for each batch.
package final class FeatureStore {
  private let network: ImageClassifier
  private let images: FeatureRows
  private let mode: BackboneMode
  private let noise: Float
  private var cache: (any FeatureCache)?
  /// Extents of one image's features.
  private var shape: [Int] = []
  /// What goes up next; kept, so that a step allocates nothing.
  private var staged: [Float] = []
  private static let chunk = 64

  /// What a step of training or evaluation reads.
  struct Batch {
    /// The slice's output (rows, ...); it takes part in the tape if the slice is trained.
    let features: Variable
    /// The images (rows, channels, pixels, pixels), if the network has a bypass.
    let images: Tensor?
  }

  /// A store of normalised images.
  ///
  /// - Parameters:
  ///   - noise: standard deviation of what is added to the pixels in training; features cannot be kept then.
  ///   - limits: where features may be kept.
  ///   - devices: those that compute what is kept; the network's is the main one.
  init(
    _ network: ImageClassifier, images: FeatureRows, _ mode: BackboneMode, noise: Float = 0,
    limits: FeatureLimits,
    devices: DeviceGroup, progress: (Int, Int) throws -> Void
  ) throws {
    self.network = network
    self.images = images
    (self.mode, self.noise) = (mode, noise)
    let count = images.count
    guard mode == .frozen, noise == 0, !network.standardizesBatches, count > 0 else { return }
    let probe = try network.features(of: images.gather([0])[...])
    shape = Array(probe.shape.dropFirst())
    let size = shape.reduce(1, *)
    if let ranks = devices.ranks {
      // Each rank holds a part in its host's memory, as a processor does; the leader's stands for the others'.
      let bytes = count * size * 4 / (ranks.members.count + 1)
      let room = limits.bytes(on: network.device)
      guard bytes <= (network.device.isGPU ? room.host : max(room.host, room.device)) else { return }
    } else {
      switch limits.place(of: count * size * 4, on: network.device) {
      case .device:
        cache = DeviceFeatureCache(count: count, rowSize: size, chunk: Self.chunk, on: network.device)
      case .host: cache = try MappedFeatureCache(count: count, rowSize: size, folder: nil)
      case .file: cache = try MappedFeatureCache(count: count, rowSize: size, folder: limits.folder)
      case nil: return
      }
    }
    try fill(count, size, devices, progress)
  }

  /// Computes what is kept.
  private func fill(
    _ count: Int, _ size: Int, _ devices: DeviceGroup, _ progress: (Int, Int) throws -> Void
  ) throws {
    let (images, chunk) = (images, Self.chunk)
    let copies = try network.copies(on: devices)
    let ranked = copies.shared.map { RankedFeatureCache(count: count, rowSize: size, chunk: chunk, on: $0) }
    guard let cache = ranked ?? cache else { return }
    self.cache = cache
    @Sendable func rows(_ number: Int) -> Range<Int> { number * chunk..<min(count, (number + 1) * chunk) }
    let coding = PartCoding<Int>(
      input: { number in
        defer { images.release(rows(number)) }
        return NetworkWork.keeping(images.gather(rows(number)), from: rows(number).lowerBound, chunk: chunk)
      },
      output: { number, answer in
        ranked?.note(chunk: number, of: try NetworkWork.keeper(answer))
        return rows(number).count
      })
    var done = 0
    try copies.mapDynamic((count + chunk - 1) / chunk, coding: coding) { network, device, number in
      _ = try splittingOnOutOfMemory(rows(number)) { rows in
        try cache.keep(
          try network.features(of: images.gather(rows)[...]), from: rows.lowerBound, of: device)
        images.release(rows)
        return [0]
      }
      return rows(number).count
    } take: { _, rows in
      done += rows
      try progress(done, count)
    }
  }

  /// A store of a plan's images.
  package static func make(
    _ network: ImageClassifier, _ plan: TrainingPlan, _ devices: DeviceGroup,
    progress: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> FeatureStore {
    try network.device.span("slice's output") {
      try FeatureStore(
        network, images: plan.images, plan.options.slice, noise: plan.options.noise, limits: plan.limits,
        devices: devices, progress: progress)
    }
  }

  /// A store of another rank's member, which is given what its batches are made of.
  init(given network: ImageClassifier, _ mode: BackboneMode, noise: Float) {
    self.network = network
    images = FeatureRows(Floats([]), columns: network.channels * network.pixels * network.pixels)
    (self.mode, self.noise) = (mode, noise)
  }

  /// The same for a copy of the network on another device, if kept features are open to it.
  init(_ store: FeatureStore, for copy: ImageClassifier) {
    network = copy
    (images, mode, noise) = (store.images, store.mode, store.noise)
    (shape, cache) = (store.shape, store.cache)
  }

  /// Whether other devices can make batches of it: not of what the main device keeps.
  var isOpenToAllDevices: Bool { !(cache is DeviceFeatureCache) }

  /// What a batch is made of, for another rank.
  struct Given {
    /// The slice's output; empty where it is not kept.
    var features: [Float] = []
    /// Extents of one image's features; empty where they are not kept.
    var shape: [Int] = []
    /// The images, where they are needed.
    var images: [Float] = []
  }

  /// What is kept by several ranks.
  var ranked: RankedFeatureCache? { cache as? RankedFeatureCache }

  /// Extents of the features of one image that are kept; empty where none are.
  var keptShape: [Int] { cache == nil ? [] : shape }

  /// What the next batch is made of, on another rank than the leader.
  var given: Given?

  /// The images of some rows, where batches need them.
  func neededImages(_ rows: [Int]) -> [Float] {
    guard cache == nil || network.bypass != nil else { return [] }
    defer { for row in rows { images.release(row..<row + 1) } }
    return images.gather(rows)
  }

  /// Features and images of some rows.
  func batch(_ rows: [Int], _ context: Context) throws -> Batch {
    let isKept = cache != nil || given?.shape.isEmpty == false
    let images: Tensor? = !isKept || network.bypass != nil ? try upload(rows) : nil
    if isKept {
      let out = try network.device.allocate([rows.count] + (given?.shape ?? shape), .float32)
      if let given {
        try network.device.upload([given.features], to: [out])
      } else {
        try cache?.copy(rows, into: out, on: network.device)
      }
      return Batch(features: Variable(out), images: images)
    }
    guard let images else {
      throw TesseraError.failure("features", found: "no images", wanted: "images or kept features")
    }
    if noise > 0, context.training {
      let drawn = try network.device.allocate(images.shape, .float32)
      try network.device.randomNormal(
        try context.nextStream(for: images.shape), mean: 0, deviation: noise, into: drawn)
      try network.device.binary(.add, images, drawn, into: images)
    }
    let large = try network.upsampled(images, rows.count)
    let features = try network.slice(large, mode == .frozen ? network.evaluation() : context)
    return Batch(features: features, images: images)
  }

  /// The images of some rows, in one transfer: a device takes as long for a small one.
  private func upload(_ rows: [Int]) throws -> Tensor {
    let tensor = try network.device.allocate(
      [rows.count, network.channels, network.pixels, network.pixels], .float32)
    if let given {
      try network.device.upload([given.images], to: [tensor])
      return tensor
    }
    images.gather(rows, into: &staged)
    // What is read at random would pile up in memory, all of a mapped file.
    for row in rows { images.release(row..<row + 1) }
    try staged.withUnsafeBytes { try network.device.upload($0, to: tensor, offset: 0) }
    return tensor
  }
}
