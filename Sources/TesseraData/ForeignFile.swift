// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Files of other kinds in the place of a data set, told by their first bytes with the conversion that helps.
enum ForeignFile {
  private static let wanted = "CSV, TSV, JSON lines, a JSON array, or a folder of classes"

  /// Throws for a file that is no text, or text in a format that is not read.
  static func refuse(_ bytes: [UInt8], path: String) throws {
    if bytes.starts(with: Array("__label__".utf8)) {
      throw TesseraError.input(
        path, found: "lines in fastText's format",
        wanted:
          "columns: sed 's/^__label__\\([^ ]*\\) /\\1\\t/' FILE > FILE.tsv, then --no-header --label-column 1 "
          + "--text-column 2 --quotes none")
    }
    guard let kind = FileKind.recognise(bytes) else { return }
    switch kind {
    // What is wrong with these is said where they are read; the marks of some kinds may begin a text too.
    case .empty, .json, .utf16, .gzip, .flax, .onnx, .tensorflow: return
    case .zip:
      throw TesseraError.input(
        path, found: kind.name,
        wanted: "\(wanted); unzip it and name the file within, or save an .xlsx as CSV in UTF-8")
    default: throw kind.refusal(path, bytes.prefix(2048), wanted: wanted)
    }
  }
}
