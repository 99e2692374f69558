// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

@Suite struct SafetensorsTests {
  private func file(_ header: String, data: Int, length: UInt64? = nil) -> Data {
    var bytes = Data()
    withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { bytes.append(contentsOf: $0) }
    return bytes + Data(header.utf8) + Data(repeating: 0, count: data)
  }

  private func message(_ data: Data) -> String {
    do {
      _ = try SafetensorsFormat.read("w.safetensors", data)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func writtenFilesReadBackAndAreEqualByteForByte() throws {
    try withTemporaryFolder { folder in
      var prints: Set<String> = []
      for name in ["a", "b"] {
        var writer = SafetensorsWriter(metadata: ["kind": "test"])
        writer.add("z", [1.5, -0.0, .infinity], shape: [3])
        writer.add("a", [Int32](arrayLiteral: -7, 9), shape: [2, 1])
        writer.add("empty", [Float](), shape: [0, 4])
        prints.insert(try writer.write(to: "\(folder)/\(name)"))
      }
      #expect(prints.count == 1)
      let bytes = try ["a", "b"].map { try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")) }
      #expect(bytes[0] == bytes[1])
      let file = try TensorFile.open(folder + "/a")
      #expect(file.names == ["a", "empty", "z"] && file.metadata["kind"] == "test")
      #expect(file.metadata["fingerprint"] == prints.first)
      #expect(try file.floats("z").map(\.bitPattern) == [Float(1.5), -0.0, .infinity].map(\.bitPattern))
      #expect(try file.ints("a", shape: [2, 1]) == [-7, 9] && file.floats("empty", shape: [0, 4]) == [])
      #expect(throws: TesseraError.self) { try file.floats("z", shape: [1, 3]) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a", "b"])
    }
  }

  /// 64-bit integers that 32 bits hold are read; the first that they do not is named, and none is changed.
  @Test func integersBeyond32BitsAreRefused() throws {
    try withTemporaryFolder { folder in
      func open(_ values: [Int64]) throws -> TensorFile {
        let header =
          #"{"w":{"dtype":"I64","shape":[\#(values.count)],"data_offsets":[0,\#(8 * values.count)]}}"#
        var data = file(header, data: 0)
        values.withUnsafeBytes { data.append(contentsOf: $0) }
        try data.write(to: URL(fileURLWithPath: folder + "/w"))
        return try TensorFile.open(folder + "/w")
      }
      let (least, most) = (Int64(Int32.min), Int64(Int32.max))
      #expect(try open([least, -1, most]).ints("w") == [.min, -1, .max])
      let cpu = try CPUBackend(threads: 1)
      for value in [least - 1, most + 1, .max] {
        let wrong = try open([0, value, 1])
        for read in [{ _ = try wrong.ints("w") }, { _ = try wrong.tensor("w", on: cpu) }] {
          let error = #expect(throws: TesseraError.self) { try read() }
          #expect(error?.found == "\(value), element 1" && error?.wanted == "integers of 32 bits")
        }
      }
    }
  }

  private static let lies: [(String, String)] = [
    (#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}"#, "a header that is not a JSON object"),
    (#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[16,32]}}"#, "data offsets"),
    (#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[-16,0]}}"#, "data offsets"),
    (#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}"#, "data offsets"),
    (#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,1e30]}}"#, "data offsets"),
    (#"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}}"#, "16 bytes for shape [3] of F32"),
    (#"{"w":{"dtype":"F32","shape":[65536,65536,65536,65536],"data_offsets":[0,16]}}"#, "shape"),
    (#"{"w":{"dtype":"F32","shape":[-1,-4],"data_offsets":[0,16]}}"#, "shape"),
    (#"{"w":{"dtype":"F32","shape":[0.5],"data_offsets":[0,2]}}"#, "shape"),
    (#"{"w":{"dtype":"C64","shape":[3],"data_offsets":[0,16]}}"#, "16 bytes for shape [3] of C64"),
    (#"{"w":{"shape":[2],"data_offsets":[0,16]}}"#, "an entry without"),
    (#"{"w":7}"#, "an entry without"), (#"[1]"#, "a header that is not a JSON object"),
    (#"{"__metadata__":{"a":1}}"#, "metadata that is not text"),
    (
      #"{"v":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#,
      "tensors v and w that overlap"
    ),
  ]

  @Test(arguments: lies) func aLyingHeaderIsRefused(_ header: String, _ found: String) {
    let text = message(file(header, data: 16))
    #expect(text.hasPrefix("w.safetensors") && text.contains("found " + found), "\(text)")
  }

  @Test func truncatedFilesAreRefused() {
    let good = file(#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#, data: 16)
    #expect(message(good) == "")
    for count in 0..<good.count { #expect(message(good.prefix(count)) != "", "\(count) bytes") }
    #expect(message(good.dropLast()).contains("a download that broke off"))
    #expect(message(file("{}", data: 0, length: .max)).contains("wanted a header that fits the file"))
    #expect(
      message(Data("Entry not found\n".utf8))
        == "w.safetensors: found neither safetensors nor PyTorch weights by its first bytes "
        + "(the text \"Entry not found\"), wanted safetensors or PyTorch weights")
    #expect(message(Data("weights\0of a kind".utf8)).contains("(77 65 69 67 68 74 73 00)"))
    #expect(message(file("{}", data: 0, length: 0)).contains("found a header of 0 bytes"))
  }

  @Test func damagedHeadersNeverCrash() {
    let good = [UInt8](file(#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#, data: 16))
    for at in good.indices {
      for change in [UInt8(1), 0x10, 0x80, 0xff] {
        var bytes = good
        bytes[at] ^= change
        _ = message(Data(bytes))
      }
    }
  }

  @Test func halvesAreExact() {
    for (bits, value) in [
      (0x3c00, 1), (0xc000, -2), (0x0001, 0x1p-24), (0x7bff, 65504), (0x03ff, 0x1.ff8p-15),
    ]
      as [(UInt16, Float)]
    {
      #expect(TensorFile.half(bits) == value)
    }
    #expect(TensorFile.half(0x7c00) == .infinity && TensorFile.half(0x7e00).isNaN)
  }

  /// Types that are not read, known and not yet known, beside one that is.
  @Test(arguments: ["BOOL", "F8_E4M3", "F8_E5M2", "I16", "U16", "U32", "U64", "C64", "F4", "X9"])
  func aTensorThatIsNotWantedIsNoObstacle(_ type: String) throws {
    let bits = ["I16": 16, "U16": 16, "U32": 32, "U64": 64, "C64": 64, "F4": 4, "X9": 9][type] ?? 8
    let bytes = (2 * bits + 7) / 8
    let header =
      #"{"a":{"dtype":"\#(type)","shape":[2],"data_offsets":[0,\#(bytes)]},"#
      + #""w":{"dtype":"F32","shape":[1],"data_offsets":[\#(bytes),\#(bytes + 4)]}}"#
    let read = try SafetensorsFormat.read("f", file(header, data: bytes + 4))
    #expect(read.names == ["a", "w"])
    #expect(try read.floats("w", shape: [1]) == [0])
    let wanted = "floating-point numbers (F32, F64, F16 or BF16)"
    #expect(throws: TesseraError.input("f: a", found: type, wanted: wanted)) { try read.floats("a") }
    #expect(throws: TesseraError.self) { try read.ints("a") }
    #expect(throws: TesseraError.self) { try read.shape("a") }
  }

  @Test func weightsThatAreNotFiniteAreRefused() throws {
    try withTemporaryFolder { folder in
      let device = try CPUBackend(threads: 1)
      let tensor = try device.allocate([4], .float32)
      for bad in [Float.nan, .infinity, -.infinity] {
        var writer = SafetensorsWriter()
        writer.add("w", [1, 2, bad, bad], shape: [4])
        _ = try writer.write(to: folder + "/w")
        let file = try TensorFile.open(folder + "/w")
        let wanted = TesseraError.input(
          "\(folder)/w: w", found: "2 of 4 numbers NaN or infinite, the first at 2", wanted: "finite weights")
        #expect(throws: wanted) { try file.weights("w", shape: [4]) }
        #expect(throws: wanted) { try file.copy("w", shape: [4], to: tensor, on: device) }
        #expect(try file.floats("w").count == 4)
      }
    }
  }

  @Test func aMissingFileIsNamed() {
    do {
      _ = try TensorFile.open("/nowhere/w.safetensors")
      Issue.record("nothing was read")
    } catch {
      #expect(
        "\(error)"
          == "/nowhere/w.safetensors: found no readable file (No such file or directory), "
          + "wanted safetensors or PyTorch weights"
      )
    }
  }

  /// Headers of 128, 384, 640 ... bytes make the length's first bytes those of a pickle.
  @Test func everyLengthOfAHeaderReadsBack() throws {
    try withTemporaryFolder { folder in
      for length in stride(from: 0, through: 1500, by: 8) {
        var writer = SafetensorsWriter(metadata: ["x": String(repeating: "y", count: length)])
        writer.add("a", [Float(length)], shape: [1])
        _ = try writer.write(to: folder + "/f")
        #expect(try TensorFile.open(folder + "/f").floats("a") == [Float(length)])
      }
    }
  }
}
