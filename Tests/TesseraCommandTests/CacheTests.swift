// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraAssets
import TesseraCompute
import Testing

/// Assets by name, and what the cache holds.
@Suite struct CacheTests {
  /// A cache folder with something of each kind, and something that is not Tessera's.
  private func withCache(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      for (name, bytes) in [
        ("programs/a", 2000), ("programs/b", 3000), ("tiles.json", 10), (".fetch/minilm-l6/x", 500),
        ("efficientnet-lite0/efficientnet-lite0-57934424.pth", 100), ("mine/notes.txt", 7),
      ] {
        let file = URL(fileURLWithPath: folder).appendingPathComponent(name)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(count: bytes).write(to: file)
      }
      try body(folder)
    }
  }

  @Test func itIsListedAndClearedByName() throws {
    try withCache { folder in
      let environment = ["TESSERA_CACHE": folder]
      let text = try Command.run(["cache"], environment: environment)
      #expect(text.code == 0 && text.output.hasPrefix(folder + "\n"), "\(text.errors)")
      #expect(text.output.contains("programs  5 KiB of at most 512 MiB in 2 files"), "\(text.output)")
      #expect(!text.output.contains("mine"))
      struct Listed: Decodable {
        struct Part: Decodable { let name: String, files: Int, bytes: Int }
        let folder: String, programLimit: Int, parts: [Part]
      }
      let json = try Command.run(["cache", "list", "--json"], environment: environment)
      let listed = try JSONDecoder().decode(Listed.self, from: Data(json.output.utf8))
      #expect(listed.programLimit == 512 << 20)
      #expect(listed.parts.map(\.name) == ["programs", "tiles", "unfinished", "efficientnet-lite0"])
      #expect(listed.parts.map(\.bytes) == [5000, 10, 500, 100])
      let wrong = try Command.run(["cache", "clear", "programs", "mine"], environment: environment)
      #expect(
        wrong.code == 2 && wrong.errors.contains("cache clear: found mine, wanted all or some of programs"))
      #expect(FileManager.default.fileExists(atPath: folder + "/programs/a"))
      #expect(
        try Command.run(["cache", "clear", "programs", "minilm-l6"], environment: environment).code == 0)
      #expect(!FileManager.default.fileExists(atPath: folder + "/programs"))
      let all = try Command.run(["cache", "clear", "all"], environment: environment)
      #expect(all.output.split(separator: "\n").count == 3, "\(all.output)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["mine"])
      #expect(try Command.run(["cache"], environment: environment).output.contains("nothing"))
    }
  }

  @Test func aLimitThatIsNoneIsRefused() throws {
    for wrong in ["1G", "-1", "x"] {
      let result = try Command.run(["cache"], environment: ["TESSERA_PROGRAM_CACHE": wrong])
      #expect(result.code == 2)
      #expect(result.errors.contains("TESSERA_PROGRAM_CACHE: found \(wrong), wanted MiB"), "\(result.errors)")
    }
    let small = try Command.run(
      ["cache", "list", "--json"], environment: ["TESSERA_PROGRAM_CACHE": "3", "TESSERA_CACHE": "/nowhere"])
    #expect(small.output.contains("\"programLimit\" : 3145728"), "\(small.output)\(small.errors)")
  }

  @Test func aNameThatWasNotFetchedSaysHow() throws {
    try withTemporaryFolder { folder in
      let environment = ["TESSERA_CACHE": folder]
      let data = folder + "/r.csv"
      try Data(TinyEncoder.reviews(20).utf8).write(to: URL(fileURLWithPath: data))
      let out = folder + "/out"
      for (arguments, wanted) in [
        (
          ["embed", "--data", data, "--encoder", "minilm-l6"],
          "encoder: found minilm-l6, which is not in \(folder)"
        ),
        (["embed", "--data", "snippets", "--encoder", "minilm-l6"], "data: found snippets, which is not in"),
        (
          ["run", "--data", data, "--encoder", "x", "--weights", "efficientnet-lite0"],
          "weights: found efficientnet-lite0, which is not in"
        ),
      ] {
        let result = try Command.run(arguments + ["--out", out], environment: environment)
        #expect(result.code == 2 && result.errors.contains(wanted), "\(result.errors)")
        #expect(result.errors.contains("wanted tessera fetch "), "\(result.errors)")
      }
    }
  }

  @Test func aFetchedAssetIsFoundByItsName() throws {
    try withTemporaryFolder { folder in
      let store = AssetStore(folder: URL(fileURLWithPath: folder))
      #expect(try store.path(of: "./minilm-l6", option: "encoder") == "./minilm-l6")
      #expect(try store.path(of: "no-such-name", option: "encoder") == "no-such-name")
      for name in ["efficientnet-lite0", "minilm-l6"] {
        let asset = try Asset.named(name)
        let place = try store.place(asset)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for file in asset.files ?? [] {
          let path = place.appendingPathComponent(file.name)
          try Data().write(to: path)
          let handle = try FileHandle(forWritingTo: path)
          try handle.truncate(atOffset: UInt64(file.bytes))
          try handle.close()
        }
      }
      #expect(try store.path(of: "minilm-l6", option: "encoder") == folder + "/minilm-l6")
      #expect(
        try store.path(of: "efficientnet-lite0", option: "weights")
          == folder + "/efficientnet-lite0/efficientnet-lite0-57934424.pth")
    }
  }

  /// The whole way by name, where the assets are there.
  @Test(.tags(.assets, .slow), .enabled(if: Assets.hasEncoder && Assets.hasSnippets))
  func anEncoderAndDataAreTakenByName() throws {
    try withTemporaryFolder { folder in
      let named = try Command.run([
        "bench", "text", "--data", "snippets", "--encoder", "minilm-l6", "--rows", "50", "--repeats", "1",
        "--json",
      ])
      let placed = try Command.run([
        "bench", "text", "--data", Assets.snippets, "--encoder", Assets.encoder, "--rows", "50", "--repeats",
        "1",
        "--json",
      ])
      func ids(_ result: Command.Result) -> String? {
        result.output.split(separator: "\n").first { $0.contains("\"ids\"") }.map(String.init)
      }
      #expect(named.code == 0 && ids(named) != nil && ids(named) == ids(placed), "\(named.errors)")
    }
  }
}
