// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

/// Arrays as NumPy and safetensors write them (`tools/golden/arrays.py`), and files that are broken.
@Suite struct ArrayTableTests {
  private struct Told: Decodable {
    let arrays: [String: [[Double?]]], labels: [String], names: [String]
  }

  private let golden = Golden(.module)

  private func told() throws -> Told { try golden.json("arrays/arrays.json", as: Told.self) }

  private func refusal(_ path: String, _ change: (inout TableRequest) -> Void = { _ in }) -> String {
    var request = TableRequest()
    change(&request)
    do {
      return "read: \(try NumberTable.read(path, request).summary.line)"
    } catch {
      return "\(error)".replacingOccurrences(
        of: #"[^ ]*/Golden/arrays/"#, with: "", options: .regularExpression)
    }
  }

  private func unlabelled(_ request: inout TableRequest) { request.labelled = false }

  @Test func everyTypeOfNumbersIsReadAsNumPyDoes() throws {
    for (name, rows) in try told().arrays {
      var request = TableRequest()
      request.labelled = false
      let table = try NumberTable.read(golden.path("arrays/\(name).npy"), request)
      let wanted = rows.flatMap { $0 }
      let found = table.values.gather(0..<table.count)
      #expect(found.count == wanted.count && table.names == ["column 1", "column 2", "column 3"], "\(name)")
      for (a, b) in zip(found, wanted) {
        #expect(b.map { $0 == a } ?? a.isNaN, "\(name): \(a), \(b ?? .nan)")
      }
    }
  }

  @Test func aColumnMayBeTheLabel() throws {
    var request = TableRequest()
    request.format.label = "2"
    let table = try NumberTable.read(golden.path("arrays/b1.npy"), request)
    #expect(table.names == ["column 1", "column 3"] && table.classes == ["False", "True"])
    let truth = try #require(told().arrays["b1"]).map { Int32($0[1] ?? -1) }
    #expect(table.labels == truth)
    #expect(refusal(golden.path("arrays/i1.npy")).contains("3 columns without names"))
    request.format.label = "4"
    #expect(throws: TesseraError.self) { try NumberTable.read(golden.path("arrays/b1.npy"), request) }
  }

  @Test func archivesHaveFeaturesLabelsAndNames() throws {
    let (stored, packed) = (golden.path("arrays/stored.npz"), golden.path("arrays/packed.npz"))
    let table = try NumberTable.read(stored, TableRequest())
    let told = try told()
    let wanted = try #require(told.arrays["f8"]).flatMap { $0.compactMap { $0 } }
    #expect(table.names == told.names && table.values.gather(0..<7) == wanted)
    #expect(table.classes == ["False", "True"])
    let other = try NumberTable.read(packed, TableRequest())
    #expect(other.values.gather(0..<7) == wanted && other.classes == ["no", "yes"])
    #expect(other.labels.map { other.classes[Int($0)] } == told.labels)
    let bytes = golden.path("arrays/bytes.npz")
    #expect(
      refusal(bytes).contains(
        "found the arrays kind, other, wanted features in features, X, x, data, arr_0 (--array"))
    #expect(refusal(bytes) { $0.columns.array = "other" }.contains("(--label-column names another)"))
    let named = refusal(bytes) { ($0.columns.array, $0.format.label) = ("other", "kind") }
    #expect(named.contains("7 rows; 2 classes: no 4, yes 3"), "\(named)")
    #expect(
      refusal(bytes) { ($0.columns.array, $0.format.label) = ("kind", "kind") }.contains(
        "elements of the type |S3"))
    // Columns by name, ignored and in another order.
    let less = refusal(stored) { $0.columns.ignored = ["Größe"] }
    #expect(less.contains("2 features: width, z"))
    var request = TableRequest()
    request.wanted = ["z", "width", "Größe"]
    let turned = try NumberTable.read(stored, request)
    #expect(turned.values.gather(0..<1) == [wanted[2], wanted[0], wanted[1]])
    request.wanted = ["z", "width"]
    #expect(throws: TesseraError.self) { try NumberTable.read(stored, request) }
  }

  @Test func whatNumPyHasAndWeHaveNotIsTold() {
    func text(_ name: String) -> String { refusal(golden.path("arrays/\(name).npy"), unlabelled) }
    #expect(
      text("big-endian").contains(
        "type >f8, wanted little-endian numbers: A.astype(A.dtype.newbyteorder('<'))"))
    #expect(text("objects").contains("type |O, wanted numbers: A.astype('float64')"))
    #expect(text("structured").contains("a structured array, wanted one of plain numbers"))
    #expect(refusal(golden.path("arrays/f8.npy")) { $0.columns.array = "X" }.contains("X of an .npy"))
    #expect(
      refusal(golden.path("arrays/stored.npz")) { $0.format.header = false }.contains(
        "no-header: found data that are NumPy arrays"))
  }

  /// An `.npy` with a header of one's own and so many bytes.
  private func array(_ header: String, _ bytes: Int, version: UInt8 = 1) -> Data {
    var data = Data([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0])
    withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
    if version > 1 { data.append(contentsOf: [0, 0]) }
    return data + Data(header.utf8) + Data(repeating: 0, count: bytes)
  }

  @Test func brokenArraysAreRefused() throws {
    let usual = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
    try withTemporaryFolder { folder in
      func text(_ data: Data) throws -> String {
        let path = "\(folder)/a.npy"
        try data.write(to: URL(fileURLWithPath: path))
        return refusal(path, unlabelled)
      }
      #expect(try text(array(usual, 48)).hasPrefix("read: 2 rows"))
      #expect(try text(array(usual, 48, version: 2)).hasPrefix("read: 2 rows"))
      #expect(try text(array(usual, 40)).contains("found shape [2, 3], 48 bytes"))
      #expect(try text(array(usual, 49)).contains("found 49 bytes for shape [2, 3], wanted 48"))
      #expect(try text(array(usual, 48, version: 9)).contains("version 9 of the format"))
      for (header, words) in [
        ("{}", "a header without descr"),
        (usual.replacing("(2, 3)", with: "(6,)"), "found shape [6], wanted rows by columns"),
        (usual.replacing("(2, 3)", with: "()"), "found shape []"),
        (usual.replacing("(2, 3)", with: "(1, 2, 3)"), "shape [1, 2, 3]"),
        (usual.replacing("(2, 3)", with: "(0, 3)"), "shape"),
        (usual.replacing("(2, 3)", with: "(-2, 3)"), "a header without"),
        (
          usual.replacing("(2, 3)", with: "(9223372036854775807, 9223372036854775807)"),
          "extents that a file can hold"
        ),
        (usual.replacing("(2, 3)", with: "(99999999999999999999, 1)"), "whole numbers"),
        (usual.replacing("'<f8'", with: "'<c16'"), "type <c16"),
        (usual.replacing("'<f8'", with: "'<M8[ns]'"), "type <M8[ns]"),
      ] {
        let found = try text(array(header, 48))
        #expect(found.contains(words) && !found.hasPrefix("read"), "\(header): \(found)")
      }
      let whole = array(usual, 48)
      for count in 0..<whole.count {
        #expect(try !text(whole.prefix(count)).hasPrefix("read"), "\(count) bytes")
      }
    }
  }

  @Test func brokenArchivesAreRefused() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: golden.path("arrays/packed.npz")))
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.npz"
      for count in stride(from: 0, to: whole.count, by: 7) {
        try whole.prefix(count).write(to: URL(fileURLWithPath: path))
        #expect(!refusal(path).hasPrefix("read"), "\(count) bytes")
      }
      for place in stride(from: 0, to: whole.count, by: 3) {
        var other = whole
        other[place] ^= 0xff
        try other.write(to: URL(fileURLWithPath: path))
        _ = refusal(path)
      }
    }
  }

  @Test func safetensorsHaveNamesAndClassesInTheirMetadata() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/t.safetensors"
      var writer = SafetensorsWriter(metadata: ["names": "[\"a\",\"b\"]", "classes": "[\"no\",\"yes\"]"])
      writer.add("features", [1, 2, 3, .nan, 5, 6] as [Float], shape: [3, 2])
      writer.add("labels", [0, 1, -1] as [Int32], shape: [3])
      _ = try writer.write(to: path)
      var request = TableRequest()
      request.format.labels = try LabelRules("=")
      let table = try NumberTable.read(path, request)
      #expect(table.names == ["a", "b"] && table.classes == ["no", "yes"] && table.labels == [0, 1])
      #expect(table.missing?.place.hasSuffix("row 2, column b") == true)
      #expect(refusal(path).contains("row 3: found no label"))
      for (key, value) in [("names", "a,b"), ("names", "[\"a\"]"), ("classes", "[\"no\"]")] {
        var other = SafetensorsWriter(metadata: [key: value])
        other.add("features", [1, 2, 3, 4] as [Float], shape: [2, 2])
        other.add("labels", [0, 1] as [Int32], shape: [2])
        _ = try other.write(to: path)
        #expect(!refusal(path).hasPrefix("read"), "\(key) \(value)")
      }
      var flat = SafetensorsWriter()
      flat.add("features", [1, 2] as [Float], shape: [2])
      flat.add("labels", [0, 1, 1] as [Int32], shape: [3])
      _ = try flat.write(to: path)
      #expect(refusal(path).contains("found shape [2], wanted rows by features"))
    }
  }
}
