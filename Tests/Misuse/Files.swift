// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

extension Rows {
  /// A file with a matrix of floats and one of integers.
  func tensorFile() throws -> TensorFile {
    let path = folder + "/tensors-\(UUID().uuidString).safetensors"
    var writer = SafetensorsWriter(metadata: ["numerics": "x"])
    writer.add("floats", [1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    writer.add("ints", [1, 2] as [Int32], shape: [2])
    _ = try writer.write(to: path)
    return try TensorFile.open(path)
  }

  /// Paths that no file can be read from.
  var unreadable: [String] {
    [
      "", "/no/such/file", "/", folder, folder + "/no\u{0}such", folder + "/empty", folder + "/text",
      "/dev/null",
    ]
  }
  /// Paths that no file can be written to.
  var unwritable: [String] { ["", "/", folder, "/proc/no/such", folder + "/text/below"] }

  func files() {
    let d = device
    function("TensorFile.open(_:)")
    for path in unreadable { refuses("'\(path.suffix(8))'") { try TensorFile.open(path).path } }
    function("TensorFile.checkNumerics()")
    refuses("of a version that is none") { try self.tensorFile().checkNumerics() }
    function("TensorFile.contains(_:)")
    gives("no such name", [false, false]) {
      [try self.tensorFile().contains(""), try self.tensorFile().contains("no")]
    }
    function("TensorFile.shape(_:)")
    for name in ["", "no", "__metadata__"] { refuses("'\(name)'") { try self.tensorFile().shape(name) } }
    function("TensorFile.floats(_:shape:)")
    for name in ["", "no", "ints"] { refuses("'\(name)'") { try self.tensorFile().floats(name) } }
    for shape in [[], [6], [3, 2], [-2, -3], [.max, .max]] {
      refuses("\(shape)") { try self.tensorFile().floats("floats", shape: shape) }
    }
    function("TensorFile.mappedFloats(_:shape:)")
    for name in ["", "no", "ints"] { refuses("'\(name)'") { try self.tensorFile().mappedFloats(name) } }
    for shape in [[], [6], [3, 2], [-2, -3], [.max, .max]] {
      refuses("\(shape)") { try self.tensorFile().mappedFloats("floats", shape: shape) }
    }
    function("TensorFile.tensor(_:as:on:)")
    for name in ["", "no", "__metadata__"] {
      refuses("'\(name)'") { try self.tensorFile().tensor(name, on: d) }
    }
    gives("integers as bytes", [1, 2]) {
      try d.ints(try self.tensorFile().tensor("ints", as: .uint8, on: d)).map(Int.init)
    }
    function("Floats.init(_:)")
    gives("no values", true) { Floats([] as [Float]).isEmpty }
    function("Floats.init(arrayLiteral:)")
    gives("no values", 0) { ([] as Floats).count }
    function("Floats.withUnsafeBufferPointer(_:)")
    gives("no values", 0) { ([] as Floats).withUnsafeBufferPointer(\.count) }
    refuses("a function that throws") {
      try ([1] as Floats).withUnsafeBufferPointer { _ in
        throw TesseraError.failure("here", found: "it", wanted: "")
      }
    }
    function("Floats.=(a:b:)")
    gives("more and fewer values", false) { ([1, 2] as Floats) == [1] }
    gives("a NaN, which is equal to none", false) { ([.nan] as Floats) == [.nan] }
    function("TensorFile.ints(_:shape:)")
    for name in ["", "no", "floats"] { refuses("'\(name)'") { try self.tensorFile().ints(name) } }
    for shape in [[], [1], [-2], [.max, .max]] {
      refuses("\(shape)") { try self.tensorFile().ints("ints", shape: shape) }
    }
    function("TensorFile.copy(_:shape:to:offset:on:)")
    for (name, shape, offset) in [
      ("no", [2, 3], 0), ("ints", [2], 0), ("floats", [6], 0), ("floats", [2, 3], 3), ("floats", [2, 3], -1),
      ("floats", [2, 3], .max), ("floats", [2, 3], .min),
    ] as [(String, [Int], Int)] {
      refuses("\(name) \(shape) at \(offset)") {
        try self.tensorFile().copy(name, shape: shape, to: try self.floats(8), offset: offset, on: d)
      }
    }
    refuses("into integers") {
      try self.tensorFile().copy("floats", shape: [2, 3], to: try self.ints(6), on: d)
    }
    for s in strangers {
      refuses("into \(s.name)'s") {
        try self.tensorFile().copy("floats", shape: [2, 3], to: try s.make(6, .float32), on: d)
      }
    }
    function("SafetensorsWriter.init(metadata:)")
    gives("keys that the writer has itself", true) {
      let path = self.folder + "/own.safetensors"
      _ = try SafetensorsWriter(metadata: ["fingerprint": "mine"]).write(to: path)
      return try TensorFile.open(path).metadata["fingerprint"] != nil
    }
    function("SafetensorsWriter.add(_:_:shape:)")
    for shape in [[2], [-1], [.max, .max], [0]] {
      refuses("one float of shape \(shape)") {
        var writer = SafetensorsWriter()
        writer.add("x", [1 as Float], shape: shape)
        return try writer.write(to: self.folder + "/wrong.safetensors")
      }
      refuses("one integer of shape \(shape)") {
        var writer = SafetensorsWriter()
        writer.add("x", [1 as Int32], shape: shape)
        return try writer.write(to: self.folder + "/wrong.safetensors")
      }
    }
    function("SafetensorsWriter.add(_:shape:making:)")
    for shape in [[2], [-1], [.max, .max], [0]] {
      refuses("one float of shape \(shape)") {
        var writer = SafetensorsWriter()
        writer.add("x", shape: shape) { take in try [1 as Float].withUnsafeBufferPointer(take) }
        return try writer.write(to: self.folder + "/wrong.safetensors")
      }
    }
    refuses("a part that throws") {
      var writer = SafetensorsWriter()
      writer.add("x", shape: [1]) { _ in throw TesseraError.failure("here", found: "it", wanted: "") }
      return try writer.write(to: self.folder + "/wrong.safetensors")
    }
    function("SafetensorsWriter.add(_:_:on:)")
    for s in strangers {
      refuses("a tensor of \(s.name)") {
        var writer = SafetensorsWriter()
        writer.add("x", try s.make(2, .float32), on: d)
        return try writer.write(to: self.folder + "/wrong.safetensors")
      }
    }
    function("SafetensorsWriter.write(to:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try SafetensorsWriter().write(to: path) } }
    for names in [["x", "x"], ["__metadata__"]] {
      refuses("tensors \(names)") {
        var writer = SafetensorsWriter()
        for name in names { writer.add(name, [1 as Float], shape: [1]) }
        return try writer.write(to: self.folder + "/wrong.safetensors")
      }
    }
    plainFiles()
  }

  private func plainFiles() {
    function("AtomicFile.init(_:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try AtomicFile(path) } }
    function("AtomicFile.write(_:)")
    works("nothing") { try AtomicFile(self.folder + "/one").write(Data()) }
    refuses("after the end") {
      let file = try AtomicFile(self.folder + "/one")
      try file.commit()
      try file.write(Data([1]))
    }
    function("AtomicFile.commit()")
    refuses("twice") {
      let file = try AtomicFile(self.folder + "/two")
      try file.commit()
      try file.commit()
    }
    function("AtomicFile.write(_:to:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try AtomicFile.write(Data([1]), to: path) } }
    function("AtomicFile.requireWritable(_:)")
    for path in unwritable { refuses("'\(path.suffix(8))'") { try AtomicFile.requireWritable(path) } }
    function("Fingerprint.init()")
    gives("of nothing", "e3b0c442") { String(Fingerprint().digits().prefix(8)) }
    function("Fingerprint.add(_:)")
    gives("no bytes", "e3b0c442") {
      var print = Fingerprint()
      print.add(UnsafeRawBufferPointer(start: nil, count: 0))
      return String(print.digits().prefix(8))
    }
    function("Fingerprint.digits()")
    gives("64 digits", 64) { Fingerprint().digits().count }
    function("Fingerprint.ofFile(_:)")
    for path in ["", "/no/such", folder] { refuses("'\(path.suffix(8))'") { try Fingerprint.ofFile(path) } }
    function("InputFile.read(_:wanted:atMost:pipes:mapped:)")
    for path in ["", "/no/such", folder] {
      refuses("'\(path.suffix(8))'") { try InputFile.read(path, wanted: "x", atMost: 10).count }
    }
    for limit in [0, -1, Int.min] {
      refuses("at most \(limit)") {
        try InputFile.read(self.folder + "/text", wanted: "x", atMost: limit).count
      }
    }
    function("InputFile.readIfThere(_:atMost:)")
    for path in ["", "/no/such", folder] {
      gives("'\(path.suffix(8))'", true) { InputFile.readIfThere(path) == nil }
    }
    gives("at most -1", true) { InputFile.readIfThere(self.folder + "/text", atMost: -1) == nil }
    function("OutputFolder.make(_:)")
    for path in ["", "/proc/no/such", folder + "/text/below"] {
      refuses("'\(path.suffix(8))'") { try OutputFolder.make(path) }
    }
  }
}
