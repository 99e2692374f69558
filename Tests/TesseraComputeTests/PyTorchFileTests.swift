// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Files that torch.save made (tools/golden/weights.py), and hostile ones.
@Suite struct PyTorchFileTests {
  private let golden = Golden.shared

  @Test(arguments: ["weights_zip.pth", "weights_legacy.pth"]) func everyKindOfTensorIsRead(_ name: String)
    throws
  {
    let file = try golden.tensors(name)
    let base = (0..<24).map { Float($0) }
    func floats(_ name: String, _ shape: [Int]) throws -> [Float] {
      try file.floats("state_dict." + name, shape: shape)
    }
    #expect(try floats("plain", [4, 6]) == base)
    #expect(try floats("view", [6]) == Array(base[5..<11]))
    #expect(try floats("transposed", [6, 4]) == (0..<24).map { base[$0 % 4 * 6 + $0 / 4] })
    #expect(try floats("scalar", []) == [2.5])
    #expect(try floats("empty", [0, 3]) == [])
    #expect(
      try floats("half", [4]).map(\.bitPattern) == [1.5, -0.0, 65504, 0x1p-24].map { Float($0).bitPattern })
    #expect(try floats("bfloat16", [2])[0] == 1.5)
    #expect(try floats("double", [2]) == [0.1, 0])
    #expect(try file.ints("state_dict.long") == [1, -2, 3])
    #expect(try floats("parameter", [1]) == [7])
    #expect(throws: TesseraError.self) { try file.floats("state_dict.long") }
    #expect(throws: TesseraError.self) { try file.floats("state_dict.nothing") }
  }

  /// The files ask for a program to be run: an inert stand-in takes its place, and the tensor beside it is
  /// read.
  @Test(arguments: ["hostile_zip.pth", "hostile_legacy.pth"]) func programsAreSkippedAndNeverRun(
    _ name: String
  ) throws {
    let file = try golden.tensors(name)
    #expect(file.names == ["w"])
    #expect(try file.floats("w", shape: [24]) == (0..<24).map { Float($0) })
  }

  @Test(arguments: ["beside_zip.pth", "beside_legacy.pth"]) func whatIsKeptBesideWeightsIsNoObstacle(
    _ name: String
  ) throws {
    let file = try golden.tensors(name)
    #expect(try file.floats("model.w", shape: [3]) == [0, 1, 2])
    #expect(try file.floats("model.view", shape: [2]) == [1, 2])
    // Dictionaries within dictionaries, lists, dictionaries of a class of their own, attributes of an object.
    for (name, first) in [
      ("config.inner.w", 1), ("slots.a", 2), ("folds.0.w", 3), ("default.t", 4), ("folds.1.0", 5),
      ("tagged", 0),
    ] as [(String, Float)] {
      #expect(try file.floats(name) == [first, first + 1, first + 2], "\(name)")
    }
    // What is asked for and cannot be read is named.
    let others = [
      ("rng", "U8"), ("bool", "BOOL"), ("int8", "I8"), ("int16", "I16"), ("complex_tensor", "C64"),
      ("sparse", "a sparse tensor"), ("meta", "a tensor without elements"), ("array", "a NumPy array"),
      ("quantised", "a quantised tensor"), ("negated", "a view that is kept negated"),
    ]
    for (name, type) in others
      + (name.contains("zip") ? [("float8", "float8_e4m3fn"), ("uint16", "U16")] : [])
    {
      let error = #expect(throws: TesseraError.self) { try file.floats(name) }
      #expect(error?.found.hasPrefix(type) == true, "\(name): \(String(describing: error))")
    }
  }

  @Test(arguments: 3...5, ["zip", "legacy"]) func everyProtocolOfPicklesIsRead(_ number: Int, _ kind: String)
    throws
  {
    let file = try golden.tensors("protocol_\(number)_\(kind).pth")
    #expect(file.names == ["u", "v.0", "w"])
    #expect(
      try file.floats("w") == [0, 1, 2] && file.floats("v.0") == [0, 1, 2] && file.floats("u") == [0, 2, 4])
  }

  /// torch.save of a network instead of its state dict: its classes are not run, its parameters are what
  /// they are.
  @Test(arguments: ["network_zip.pth", "network_legacy.pth"]) func aNetworkSavedWholeHasItsStateDictsNames(
    _ name: String
  ) throws {
    let file = try golden.tensors(name)
    let norm = ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"].map {
      "net.shared.1." + $0
    }
    #expect(
      file.names == [
        "net.first.bias", "net.first.weight", "net.mask", "net.shared.0.bias", "net.shared.0.weight",
      ]
        + norm)
    for module in ["first", "shared.0"] {
      #expect(try file.floats("net.\(module).weight", shape: [3, 2, 1, 1]) == [0, 1, 2, 3, 4, 5])
    }
  }

  /// Every prefix of a file, and every byte of it changed, ends in an error or in tensors: never in a crash.
  @Test(
    arguments: zip(
      ["weights_zip.pth", "weights_legacy.pth", "beside_zip.pth", "beside_legacy.pth"], [1, 1, 13, 13]))
  func damagedFilesNeverCrash(_ name: String, _ step: Int) throws {
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: golden.path(name))))
    var (errors, reads) = (0, 0)
    func read(_ bytes: [UInt8]) {
      do {
        let file = try PyTorchFile.read("f.pth", Data(bytes))
        for tensor in file.names { _ = try? file.floats(tensor) }
        reads += 1
      } catch {
        #expect(error is TesseraError)
        errors += 1
      }
    }
    for count in stride(from: 2, to: whole.count, by: 7 * step) { read(Array(whole[..<count])) }
    #expect(errors > 100)
    for at in stride(from: 2, to: whole.count, by: step) {
      var bytes = whole
      bytes[at] ^= at % 3 == 0 ? 0xff : UInt8(1 << (at % 8))
      read(bytes)
    }
    #expect(reads > 100)
  }

  private func pickle(_ body: [UInt8]) throws {
    let arena = PickleArena()
    try withExtendedLifetime(arena) {
      var machine = Unpickler(path: "p", data: Data([0x80, 2] + body + [0x2e]), position: 0, arena: arena)
      _ = try machine.run()
    }
  }

  @Test func deepNestsAndCirclesNeitherOverflowNorHang() throws {
    // A tuple in a tuple, a million deep.
    try pickle([0x29] + [UInt8](repeating: 0x85, count: 1_000_000))
    // A list in a list.
    try pickle([UInt8](repeating: 0x5d, count: 500_000) + [UInt8](repeating: 0x61, count: 499_999))
    // A dictionary that holds itself under many names: } q0, then (k h0) pairs. A circle is not followed.
    var body: [UInt8] = [0x7d, 0x71, 0, 0x28]
    for key in UInt8(0)..<200 { body += [0x8c, 1, key % 64 + 32, 0x68, 0] }
    #expect(try legacy(body + [0x75]).names == [])
    // Dictionaries that share the next one twice have 2^40 ways to the last.
    body = [0x7d, 0x71, 0]
    for level in UInt8(1)..<40 {
      body += [0x7d, 0x71, level, 0x28, 0x8c, 1, 97, 0x68, level - 1, 0x8c, 1, 98, 0x68, level - 1, 0x75]
    }
    #expect(throws: TesseraError.self) { try legacy(body) }
  }

  /// A legacy file of one value and no storages.
  private func legacy(_ body: [UInt8]) throws -> TensorFile {
    let magic: [UInt8] = [
      0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
    ]
    let nothing: [UInt8] = [0x80, 2, 0x4e, 0x2e]
    return try PyTorchFile.read(
      "f.pth", Data(magic + nothing + nothing + [0x80, 2] + body + [0x2e, 0x80, 2, 0x5d, 0x2e]))
  }

  /// Every opcode that makes an object of a class or function: GLOBAL, STACK_GLOBAL, INST, OBJ, NEWOBJ,
  /// NEWOBJ_EX, REDUCE, BUILD, extensions and persistent names.
  @Test(
    arguments: [
      "cposix\nsystem\nU\u{2}ls\u{85}R", "U\u{5}posixU\u{6}system\u{93}U\u{2}ls\u{85}R",
      "(U\u{2}lsiposix\nsystem\n",
      "(cposix\nsystem\nU\u{2}lso", "cposix\nPopen\nU\u{2}ls\u{85}\u{81}",
      "cposix\nPopen\nU\u{2}ls\u{85}}\u{92}",
      "cposix\nA\n)R}b", "\u{82}\u{1})R", "Pname\n", "cbuiltins\ngetattr\n)R)R", "cbuiltins\nset\n]\u{85}R",
    ])
  func everyWayToAnObjectIsInert(_ object: String) throws {
    let bytes = object.unicodeScalars.map { UInt8($0.value) }
    let file = try legacy([0x7d, 0x55, 1, 0x61] + bytes + [0x73])
    #expect(file.names == [])
  }

  @Test(
    arguments: [
      [0x52], [0x61], [0x85], [0x68, 9], [0x58, 255, 255, 255, 255], [0x8a, 200], [0x63, 111], [0x51], [0xff],
      [],
      [0x93], [0x71, 1], [0x4e, 0x29, 0x52], [0x75],
    ] as [[UInt8]])
  func brokenPicklesAreRefused(_ body: [UInt8]) {
    #expect(throws: TesseraError.self) { try pickle(body) }
  }

  /// A zip64 archive of one stored member, with the directory's numbers as given.
  private func archive(
    size: UInt64 = 4, offset: UInt64 = 0, directory: UInt64? = nil, record: UInt64? = nil
  ) -> [UInt8] {
    func little(_ value: UInt64, _ bytes: Int) -> [UInt8] {
      (0..<bytes).map { UInt8(truncatingIfNeeded: $0 < 8 ? value >> (8 * UInt64($0)) : 0) }
    }
    func fields(_ parts: (UInt64, Int)...) -> [UInt8] { parts.flatMap { little($0.0, $0.1) } }
    let (name, body) = (Array("a/data.pkl".utf8), [0x80, 2, 0x7d, 0x2e] as [UInt8])
    let long = UInt64(name.count)
    let member = fields((0x0403_4b50, 4), (0, 14), (4, 4), (4, 4), (long, 2), (0, 2)) + name + body
    let extra = fields((1, 2), (24, 2), (size, 8), (size, 8), (offset, 8))
    let entry =
      fields(
        (0x0201_4b50, 4), (0, 16), (.max, 4), (.max, 4), (long, 2), (UInt64(extra.count), 2), (0, 10),
        (.max, 4))
      + name + extra
    let at = UInt64(member.count)
    return member + entry
      + fields((0x0606_4b50, 4), (44, 8), (0, 12), (1, 8), (1, 8), (0, 8), (directory ?? at, 8))
      + fields((0x0706_4b50, 4), (0, 4), (record ?? at + UInt64(entry.count), 8), (1, 4))
      + fields((0x0605_4b50, 4), (0, 4), (.max, 4), (.max, 8), (0, 2))
  }

  @Test func numbersOfWideArchivesBeyondTheFileAreRefused() throws {
    #expect(try PyTorchFile.read("f.pth", Data(archive())).names == [])
    for wild: UInt64 in [.max, .max / 2, UInt64(Int.max - 20), 1 << 60, 1 << 32] {
      for bytes in [
        archive(size: wild), archive(offset: wild), archive(directory: wild), archive(record: wild),
      ] {
        #expect(throws: TesseraError.self) { try PyTorchFile.read("f.pth", Data(bytes)) }
      }
    }
  }
}
