// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Values that are read only, in memory and in a mapped file, and files that are written part by part.
@Suite struct FloatsTests {
  private let values = drawn(7, 37 * 11)

  /// The same values in memory and in a file; the function sees both.
  private func withBoth(_ body: (Floats) throws -> Void) throws {
    try body(Floats(values))
    try withTemporaryFolder { folder in
      var writer = SafetensorsWriter()
      // A tensor in front: the values do not begin where the file does.
      writer.add("a", [Int32](repeating: 1, count: 3), shape: [3])
      writer.add("x", values, shape: [37, 11])
      _ = try writer.write(to: folder + "/f")
      try body(try TensorFile.open(folder + "/f").mappedFloats("x", shape: [37, 11]))
    }
  }

  @Test func memoryAndMappedFileReadTheSame() throws {
    try withBoth { floats in
      #expect(floats.count == values.count && !floats.isEmpty && floats == Floats(values))
      #expect(floats.array == values && floats[5..<9] == Array(values[5..<9]) && floats[3..<3] == [])
      #expect(
        floats.gather([36, 0, 0], columns: 11) == Array(values[396...]) + values[..<11] + values[..<11])
      // What was let go of comes back.
      floats.release(0..<values.count)
      floats.release(12..<13)
      floats.release(0..<0)
      #expect(floats.array == values)
      var seen: [Float] = []
      floats.forEachBlock(columns: 11) { row, block in
        #expect(row * 11 == seen.count)
        seen += block
      }
      #expect(seen == values)
      let rows = [3, 1, 36, 2]
      var numbers: [Int] = []
      floats.forEachBlock(of: rows, columns: 11) { at, part, block in
        numbers += part
        #expect(Array(block) == floats.gather(part, columns: 11) && at == 0)
      }
      #expect(numbers == rows)
    }
    #expect(Floats([]).isEmpty && Floats([1, 2]) != Floats([1, 3]) && Floats([1]) != Floats([1, 1]))
  }

  @Test func rowsAreStandardisedAsTheyAreRead() throws {
    let (mean, scale) = (drawn(1, 11), drawn(2, 11))
    try withBoth { floats in
      let (plain, rows) = (
        FeatureRows(floats, columns: 11), try FeatureRows(floats, columns: 11, mean: mean, scale: scale)
      )
      #expect(
        plain.count == 37 && rows.count == 37 && plain.gather([2, 4]) == floats.gather([2, 4], columns: 11))
      let wanted = [30, 2].flatMap { row in
        (0..<11).map { (values[row * 11 + $0] - mean[$0]) * scale[$0] }
      }
      #expect(rows.gather([30, 2]) == wanted)
      var (seen, places): ([Float], [Int]) = ([], [])
      rows.forEachBlock(of: [30, 2, 5], size: 2) { at, block in
        places.append(at)
        seen += block
      }
      #expect(seen == wanted + rows.gather([5]) && places == [0, 2])
    }
  }

  /// Of other types, or where elements do not lie at multiples of four, there is nothing to map.
  @Test func otherTypesAreConverted() throws {
    try withTemporaryFolder { folder in
      let json = #"{"x":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#
      var data = withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { Data($0) }
      data += Data(json.utf8) + Data([0x00, 0x3c, 0x00, 0xc0])
      try data.write(to: URL(fileURLWithPath: folder + "/f"))
      #expect(try TensorFile.open(folder + "/f").mappedFloats("x").array == [1, -2])
      let odd = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} "#
      var other = withUnsafeBytes(of: UInt64(odd.utf8.count).littleEndian) { Data($0) }
      other += Data(odd.utf8) + Data([0x00, 0x00, 0x80, 0x3f])
      #expect(other.count % 4 != 0)
      try other.write(to: URL(fileURLWithPath: folder + "/g"))
      #expect(try TensorFile.open(folder + "/g").mappedFloats("x").array == [1])
      #expect(throws: TesseraError.self) { try TensorFile.open(folder + "/g").mappedFloats("x", shape: [2]) }
    }
  }

  /// More values than a device's tensor can have: a file with a hole, of which only the ends are on the disk.
  @Test func moreValuesThanATensorHoldsAreMapped() throws {
    try withTemporaryFolder { folder in
      let count = 2_200_000_000
      let json = #"{"x":{"dtype":"F32","shape":[\#(count / 1000),1000],"data_offsets":[0,\#(4 * count)]}}"#
      let padded = json + String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
      let path = folder + "/f"
      let head = withUnsafeBytes(of: UInt64(padded.utf8.count).littleEndian) { Data($0) } + Data(padded.utf8)
      try head.write(to: URL(fileURLWithPath: path))
      let file = try #require(FileHandle(forWritingAtPath: path))
      try file.truncate(atOffset: UInt64(head.count + 4 * count))
      try file.seek(toOffset: UInt64(head.count + 4 * (count - 1)))
      try file.write(contentsOf: Data([0x00, 0x00, 0x80, 0x3f]))
      try file.close()
      let floats = try TensorFile.open(path).mappedFloats("x")
      #expect(floats.count == count && floats[count - 2..<count] == [0, 1])
      #expect(floats.gather([count / 1000 - 1], columns: 1000).last == 1)
    }
  }

  @Test func aFileIsTheSameHoweverItIsWritten() throws {
    try withTemporaryFolder { folder in
      func write(_ name: String, _ add: (inout SafetensorsWriter) -> Void) throws -> (String, Data) {
        var writer = SafetensorsWriter(metadata: ["kind": "test"])
        writer.add("labels", [Int32](0..<37), shape: [37])
        add(&writer)
        let digits = try writer.write(to: folder + "/" + name)
        return (digits, try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
      }
      let whole = try write("a") { $0.add("x", values, shape: [37, 11]) }
      let floats = try write("b") { $0.add("x", Floats(values), shape: [37, 11]) }
      let parts = try write("c") { writer in
        writer.add("x", shape: [37, 11]) { take in
          for begin in stride(from: 0, to: values.count, by: 100) {
            try values[begin..<min(values.count, begin + 100)].withUnsafeBufferPointer(take)
          }
        }
      }
      #expect(whole == floats && whole == parts)
      #expect(try TensorFile.open(folder + "/c").metadata["fingerprint"] == whole.0)
      // Too few values, too many, and a part that fails leave nothing behind.
      let before = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      for count in [0, 406, 408] {
        #expect(throws: TesseraError.self) {
          try write("d") { writer in
            writer.add("x", shape: [37, 11]) { take in
              try [Float](repeating: 0, count: count).withUnsafeBufferPointer(take)
            }
          }
        }
      }
      #expect(throws: TesseraError.self) {
        try write("e") { writer in
          writer.add("x", shape: [37, 11]) { _ in throw TesseraError.failure("here", found: "it", wanted: "")
          }
        }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before)
    }
  }
}
