// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// NumPy's file of one array (`.npy`, versions 1 to 3 of numpy.lib.format): a magic number, a header that is a Python
/// dictionary, the elements.
struct NumpyHeader {
  /// The type of the elements as NumPy names it.
  let type: String
  let isColumnMajor: Bool
  let shape: [Int]
  /// Where the elements begin.
  let begin: Int

  private static let magic: [UInt8] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

  /// Reads the header of some bytes.
  ///
  /// - Throws: `TesseraError` for what is no array, or one that was cut short.
  init(_ data: Data, _ place: String) throws {
    func bad(_ found: String, _ wanted: String = "a NumPy array (.npy)") -> TesseraError {
      .input(place, found: found, wanted: wanted)
    }
    guard data.count >= 12, data.starts(with: Self.magic) else { throw bad("no array by its first bytes") }
    let (version, start) = (data[data.startIndex + 6], data[data.startIndex + 6] == 1 ? 10 : 12)
    guard (1...3).contains(version) else { throw bad("version \(version) of the format", "1 to 3") }
    let length = data.withUnsafeBytes { bytes in
      version == 1
        ? Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
        : Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    }
    guard length <= 1 << 20, start + length <= data.count else {
      throw bad("a header of \(length) bytes in a file of \(data.count)", "a header that fits the file")
    }
    let text = String(decoding: data.dropFirst(start).prefix(length), as: UTF8.self)
    if text.contains(/'descr'\s*:\s*\[/) {
      throw bad(
        "a structured array", "one of plain numbers: numpy.lib.recfunctions.structured_to_unstructured(A)")
    }
    guard let type = text.firstMatch(of: /'descr'\s*:\s*'([^']*)'/),
      let order = text.firstMatch(of: /'fortran_order'\s*:\s*(True|False)/),
      let extents = text.firstMatch(of: /'shape'\s*:\s*\(([0-9, ]*)\)/)
    else { throw bad("a header without descr, fortran_order and shape", "all three") }
    var shape: [Int] = []
    for part in extents.1.split(separator: ",") {
      let digits = part.filter { $0 != " " }
      if digits.isEmpty { continue }
      guard let extent = Int(digits) else { throw bad("shape (\(extents.1))", "whole numbers") }
      shape.append(extent)
    }
    (self.type, isColumnMajor, self.shape, begin) = (String(type.1), order.1 == "True", shape, start + length)
  }
}

/// The arrays of a NumPy file, by name; of an `.npy` the one of no name.
struct NumpyArrays {
  let path: String
  /// The bytes of each array's file.
  private let files: [String: Data]
  /// Whether there is a single array without a name.
  let isSingle: Bool

  /// Opens `.npy` or `.npz`.
  ///
  /// - Throws: `TesseraError` for a zip archive that holds no arrays.
  init(_ path: String) throws {
    self.path = path
    let data = try InputFile.readAny(
      path, wanted: TableFormats.wanted, atMost: InputFile.Limit.tensors, mapped: true)
    guard FileKind.recognise(data.prefix(FileKind.prefixCount)) == .zip else {
      (files, isSingle) = (["": data], true)
      return
    }
    let members = try ZipDirectory.read(path, data)
    var files: [String: Data] = [:]
    for (name, member) in members where name.hasSuffix(".npy") {
      let bytes = data[data.startIndex + member.range.lowerBound..<data.startIndex + member.range.upperBound]
      files[String(name.dropLast(4))] =
        member.isCompressed
        ? Data(try Gzip.unpack([UInt8](bytes), place: "\(path): \(name)", isRaw: true)) : bytes
    }
    guard !files.isEmpty else {
      throw TesseraError.input(
        path, found: "a zip archive without NumPy arrays",
        wanted: "\(TableFormats.wanted); unzip it and name the file within, or save an .xlsx as CSV in UTF-8")
    }
    (self.files, isSingle) = (files, false)
  }

  /// The arrays' names.
  var names: [String] { files.keys.ordered() }

  private func place(_ name: String) -> String { name.isEmpty ? path : "\(path): \(name)" }

  /// An array of numbers.
  ///
  /// - Throws: `TesseraError` for elements of another type, and for bytes that are not as many as the shape says.
  func numbers(_ name: String) throws -> NumberArray {
    let (data, header) = try opened(name)
    guard let kind = ElementKind(numpy: header.type) else {
      throw TesseraError.input(
        place(name), found: "elements of the type \(header.type)",
        wanted: header.type.hasPrefix(">")
          ? "little-endian numbers: A.astype(A.dtype.newbyteorder('<'))" : "numbers: A.astype('float64')")
    }
    let array = try NumberArray(
      data, offset: header.begin, kind: kind, shape: header.shape, isColumnMajor: header.isColumnMajor,
      place: place(name))
    let bytes = array.rows * array.columns * kind.byteCount
    guard bytes == data.count - header.begin else {
      throw TesseraError.input(
        place(name), found: "\(data.count - header.begin) bytes for shape \(header.shape)", wanted: "\(bytes)"
      )
    }
    return array
  }

  /// The elements of an array with one axis as text: numbers, or strings (`<U`, `|S`).
  func texts(_ name: String) throws -> [String] {
    let (data, header) = try opened(name)
    guard let match = header.type.wholeMatch(of: /[<|]([US])([0-9]+)/), let length = Int(match.2) else {
      if header.type == "|O" {
        throw TesseraError.input(
          place(name), found: "Python objects", wanted: "numbers or strings: A.astype(str)")
      }
      let array = try numbers(name)
      guard array.columns == 1 else {
        throw TesseraError.input(place(name), found: "shape \(array.shape)", wanted: "one label a row")
      }
      return array.labels()
    }
    let width = length * (match.1 == "U" ? 4 : 1)
    let count = header.shape.first ?? 0
    let (bytes, overflow) = count.multipliedReportingOverflow(by: width)
    guard header.shape.count == 1, !overflow, bytes == data.count - header.begin else {
      throw TesseraError.input(
        place(name), found: "\(data.count - header.begin) bytes for shape \(header.shape) of \(header.type)",
        wanted: "one string a row")
    }
    return data.withUnsafeBytes { raw in
      (0..<count).map { row in
        let own = UnsafeRawBufferPointer(
          rebasing: raw[header.begin + row * width..<header.begin + (row + 1) * width])
        guard match.1 == "U" else { return String(decoding: own.prefix { $0 != 0 }, as: UTF8.self) }
        var text = String.UnicodeScalarView()
        for at in stride(from: 0, to: width, by: 4) {
          let scalar = own.loadUnaligned(fromByteOffset: at, as: UInt32.self)
          guard scalar != 0 else { break }
          text.append(UnicodeScalar(scalar) ?? "\u{fffd}")
        }
        return String(text)
      }
    }
  }

  private func opened(_ name: String) throws -> (Data, NumpyHeader) {
    guard let data = files[name] else {
      throw TesseraError.input(path, found: "no array \(name)", wanted: names.joined(separator: " or "))
    }
    return (data, try NumpyHeader(data, place(name)))
  }
}
