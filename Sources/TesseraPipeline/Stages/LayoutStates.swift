// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraImages
import TesseraVision

/// The recorded states of a channel's layout, as a run's file has them.
struct LayoutHistory: Codable, Equatable {
  /// The channel's name.
  let channel: String
  /// The states in order; none of a layout that has no iterations.
  let states: [TSNERecord]

  init(_ channel: LayoutChannel) { (self.channel, states) = (channel.name, channel.states) }
}

/// The folder of kept states of layouts, a file each.
struct LayoutStates {
  private let folder: URL

  /// In a folder, which is made when something is kept.
  init(folder: String) { self.folder = URL(fileURLWithPath: folder) }

  private func path(_ channel: Int, _ iteration: Int) -> String {
    folder.appendingPathComponent("layout-\(channel)-\(iteration).safetensors").path
  }

  /// Whether a file's name is that of a layout's state; of which channel and iteration.
  static func place(_ name: String) -> (channel: Int, iteration: Int)? {
    guard let found = name.wholeMatch(of: /layout-([0-9]+)-([0-9]+)\.safetensors/),
      let channel = Int(found.1),
      let iteration = Int(found.2)
    else { return nil }
    return (channel, iteration)
  }

  /// Removes all of them: they are of another layout, or are made again.
  func removeAll() {
    for name in names where Self.place(name) != nil { unlink(folder.appendingPathComponent(name).path) }
  }

  private var names: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  }

  /// Keeps a state, if it is one of those that are kept.
  func keep(_ run: TSNERun, channel: Int, by kept: KeptStates) throws {
    let number = (run.iteration + TSNERun.stretch - 1) / TSNERun.stretch
    guard kept.keeps(number) else { return }
    try OutputFolder.make(folder.path)
    var writer = SafetensorsWriter(metadata: ["kind": "state"])
    run.add(to: &writer)
    _ = try writer.write(to: path(channel, run.iteration))
  }

  /// The kept file of a state; nil where there is none.
  func file(_ channel: Int, _ iteration: Int) throws -> TensorFile? {
    let path = path(channel, iteration)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try TensorFile.open(path)
  }

  /// The iterations of a channel whose states are kept.
  func iterations(_ channel: Int) -> Set<Int> {
    Set(names.compactMap(Self.place).filter { $0.channel == channel }.map(\.iteration))
  }
}
