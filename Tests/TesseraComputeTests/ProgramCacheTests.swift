// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Kept programs: a driver gets what was kept, whole, or nothing.
@Suite struct ProgramCacheTests {
  private let key = ProgramCache.key(["a"])
  private let other = ProgramCache.key(["b"])
  private let binary = Data((0..<150).map { UInt8($0) })

  private func withCache(_ body: (ProgramCache, URL) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let cache = ProgramCache(folder: URL(fileURLWithPath: folder).appendingPathComponent("programs"))
      cache.keep(binary, key)
      try body(cache, try #require(cache.file(key)))
    }
  }

  @Test func whatIsKeptIsFoundUnderItsKey() throws {
    try withCache { cache, _ in
      #expect(cache.binary(key) == binary)
      #expect(cache.binary(other) == nil)
      cache.keep(Data(), other)
      #expect(cache.binary(other) == nil)
    }
    #expect(ProgramCache.key(["ab", "c"]) != ProgramCache.key(["a", "bc"]))
  }

  @Test func aFileCutOffAtAnyLengthIsNotTrusted() throws {
    try withCache { cache, file in
      let whole = try Data(contentsOf: file)
      for length in 0..<whole.count {
        try whole.prefix(length).write(to: file)
        #expect(cache.binary(key) == nil, "\(length) bytes")
      }
      try (whole + [0]).write(to: file)
      #expect(cache.binary(key) == nil)
      try whole.write(to: file)
      #expect(cache.binary(key) == binary)
    }
  }

  @Test func aFileWithAnyByteChangedIsNotTrusted() throws {
    try withCache { cache, file in
      let whole = try Data(contentsOf: file)
      for at in whole.indices {
        var damaged = whole
        damaged[at] ^= 1
        try damaged.write(to: file)
        #expect(cache.binary(key) == nil, "byte \(at)")
      }
    }
  }

  @Test func anotherDriversFileAndAnotherVersionsAreNotTrusted() throws {
    try withCache { cache, file in
      cache.keep(binary, other)
      let others = try Data(contentsOf: try #require(cache.file(other)))
      try others.write(to: file)
      #expect(cache.binary(key) == nil)
      // As this program kept them before there was a checksum.
      try binary.write(to: file)
      #expect(cache.binary(key) == nil)
      // Kept again, it is good again.
      cache.keep(binary, key)
      #expect(cache.binary(key) == binary)
    }
  }

  @Test func racingWritersAndReadersMeetWholeFiles() throws {
    try withCache { cache, _ in
      // Drivers may give different binaries for the same source.
      let binaries = (0..<4).map { Data(repeating: UInt8($0), count: 1 << 16) }
      DispatchQueue.concurrentPerform(iterations: 64) { turn in
        if turn % 2 == 0 { cache.keep(binaries[turn / 2 % 4], key) }
        if let found = cache.binary(key) { #expect(found == binary || binaries.contains(found)) }
      }
      #expect(cache.binary(key) != nil)
      let names = try FileManager.default.contentsOfDirectory(atPath: cache.folder?.path ?? "")
      #expect(names == [key])
    }
  }

  @Test func aFolderThatCannotBeMadeIsNoError() throws {
    try withTemporaryFolder { folder in
      try Data().write(to: URL(fileURLWithPath: folder + "/file"))
      let cache = ProgramCache(folder: URL(fileURLWithPath: folder + "/file/programs"))
      cache.keep(binary, key)
      #expect(cache.binary(key) == nil)
    }
    let none = ProgramCache(folder: nil)
    none.keep(binary, key)
    #expect(none.binary(key) == nil)
  }

  @Test func theLeastRecentlyUsedProgramsGoAboveTheLimit() throws {
    try withTemporaryFolder { folder in
      var cache = ProgramCache(folder: URL(fileURLWithPath: folder).appendingPathComponent("programs"))
      let keys = (0..<6).map { ProgramCache.key(["\($0)"]) }
      cache.keep(binary, keys[0])
      let size = try Data(contentsOf: try #require(cache.file(keys[0]))).count
      cache.limit = 3 * size
      func age(_ key: String, _ seconds: Double) throws {
        let date = Date(timeIntervalSinceNow: -seconds)
        try FileManager.default.setAttributes(
          [.modificationDate: date], ofItemAtPath: try #require(cache.file(key)).path)
      }
      for (number, key) in keys[..<3].enumerated() {
        cache.keep(binary, key)
        try age(key, 1000 - Double(number))
      }
      #expect(keys[..<3].allSatisfy { FileManager.default.fileExists(atPath: cache.file($0)?.path ?? "") })
      // The oldest is used, so that the next one goes.
      #expect(cache.binary(keys[0]) == binary)
      cache.keep(binary, keys[3])
      #expect(cache.binary(keys[1]) == nil)
      #expect([0, 2, 3].allSatisfy { cache.binary(keys[$0]) == binary })
      cache.limit = size
      try age(keys[0], 10)
      cache.keep(binary, keys[4])
      #expect([0, 1, 2, 3].allSatisfy { cache.binary(keys[$0]) == nil } && cache.binary(keys[4]) == binary)
      // One that does not fit alone is not kept, and takes no other's place.
      cache.limit = size - 1
      cache.keep(binary, keys[5])
      #expect(cache.binary(keys[5]) == nil && cache.binary(keys[4]) == binary)
    }
  }

  @Test func aLimitIsANumberOfMiB() throws {
    func limit(_ text: String) throws -> Int {
      try ProgramCacheLimit.limit([ProgramCacheLimit.variable: text])
    }
    #expect(try ProgramCacheLimit.limit([:]) == 512 << 20 && limit("") == 512 << 20)
    #expect(try limit("0") == 0 && limit("7") == 7 << 20)
    for wrong in ["-1", "1.5", "1G", " 1", "99999999999999999999"] {
      #expect(throws: TesseraError.self) { try limit(wrong) }
    }
  }

  @Test func programsOfPoCLAreKeptWhereThatIsAskedFor() {
    let (pocl, size) = ("Portable Computing Language", ProgramCacheLimit.variable)
    #expect(!ProgramCacheLimit.isKept(of: pocl, [:]) && !ProgramCacheLimit.isKept(of: pocl, [size: ""]))
    #expect(ProgramCacheLimit.isKept(of: pocl, [size: "512"]))
    #expect(ProgramCacheLimit.isKept(of: "NVIDIA CUDA", [:]))
    for platform in [pocl, "NVIDIA CUDA"] { #expect(!ProgramCacheLimit.isKept(of: platform, [size: "0"])) }
  }

  @Test func thePlaceFollowsTheEnvironment() {
    func path(_ environment: [String: String]) -> String? {
      CacheFolder.base(environment)?.path
    }
    #expect(path(["XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/x/tessera")
    #expect(path(["TESSERA_CACHE": "/t", "XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/t")
    #expect(path(["TESSERA_CACHE": "", "XDG_CACHE_HOME": "/x"]) == "/x/tessera")
    for ignored in ["", "relative"] {
      #expect(path(["XDG_CACHE_HOME": ignored, "HOME": "/h"]) == "/h/.cache/tessera")
    }
    #expect(path([:]) == nil && path(["HOME": ""]) == nil)
  }

  /// The command with a cache of its own, whose files are spoilt between calls, and two at once.
  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func spoiltProgramsAreBuiltAgain() throws {
    try withTemporaryFolder { folder in
      let own = ProcessInfo.processInfo.environment
      // PoCL's own cache stays where it is: building is quicker.
      let environment = [
        "XDG_CACHE_HOME": folder, "TESSERA_CACHE": "", ProgramCacheLimit.variable: "512",
        "POCL_CACHE_DIR": own["POCL_CACHE_DIR"] ?? (own["HOME"] ?? folder) + "/.cache/pocl/kcache",
      ]
      let cache = ProgramCache(folder: CacheFolder.base(environment)?.appendingPathComponent("programs"))
      let place = try #require(cache.folder)
      func kept() throws -> [(file: URL, data: Data)] {
        try FileManager.default.contentsOfDirectory(atPath: place.path).sorted().map {
          let file = place.appendingPathComponent($0)
          return (file, try Data(contentsOf: file))
        }
      }
      let verify = "\"$TESSERA\" verify --device opencl --small --only unary --quiet"
      func check(_ what: String, _ line: String) throws {
        let result = try Command.shell(line, environment: environment)
        #expect(result.code == 0 && result.errors.isEmpty, "\(what): \(result.errors)")
        let all = try kept()
        #expect(!all.isEmpty)
        for (file, _) in all { #expect(cache.binary(file.lastPathComponent) != nil, "\(what)") }
      }
      try check("two processes at once", "\(verify) & \(verify) && wait $!")
      // PoCL 3.1 aborts the process on such a binary.
      for (file, data) in try kept() { try data.prefix(data.count / 2).write(to: file) }
      try check("cut off", verify)
      // As if each were another driver's.
      let whole = try kept()
      for (number, (file, _)) in whole.enumerated() {
        try whole[(number + 1) % whole.count].data.dropFirst(number % 2).write(to: file)
      }
      try check("exchanged", verify)
    }
  }

  /// NVIDIA's compiler takes no macros with `...` (OpenCL C 1.2, 6.9 f); others do.
  @Test(arguments: [
    "maps", "rows", "normalization", "pooling", "random", "indexing", "optimizer", "memory", "tsne",
    "tsne_sparse", "attention",
    "gemm", "implicit_gemm", "integer_gemm", "integer_view",
    "peaks",
  ]) func programsHaveNoVariadicMacros(_ family: String) throws {
    let text = try KernelSources.embedded.program(family)
    #expect(!text.contains("__VA_ARGS__"))
    for line in text.split(separator: "\n") where line.contains("#define") {
      #expect(!line.contains("...)"), "\(line)")
    }
  }

  @Test func aLogIsToldByItsFirstError() {
    #expect(OpenCLPrograms.firstError("") == nil)
    #expect(OpenCLPrograms.firstError("no luck") == "no luck")
    #expect(
      OpenCLPrograms.firstError("warning: a\nk:1:2: error: b\n^\n1 error generated.") == "k:1:2: error: b")
    #expect(
      OpenCLPrograms.firstError("k:1: error: b\nk:2: ERROR: c\nk:3: error: d") == "k:1: error: b (and 2 more)"
    )
  }
}
