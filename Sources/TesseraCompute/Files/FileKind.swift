// SPDX-License-Identifier: Apache-2.0
/// What a file is, told by its first bytes: for messages that say what was brought in place of what was
/// wanted, and what to do about it.
package enum FileKind: Sendable, CaseIterable, Equatable {
  /// Nothing at all.
  case empty
  /// Stand-ins for a file that was not fetched, and answers of a server in place of a file.
  case lfsPointer, html, xml, json
  /// Archives and compressed files.
  case zip, gzip, bzip2, xz, zstandard, lz4, sevenZip, rar, tar
  /// Weights of our formats: a safetensors file and a pickle, as in PyTorch's files that are no zip.
  case safetensors, pickle
  /// Weights and arrays of other programs.
  case hdf5, gguf, ggml, onnx, tensorflow, flax, numpy
  /// Tables of other programs.
  case parquet, arrow, orc, sqlite, oldOffice
  /// Other files.
  case pdf, png, jpeg, gif, elf
  /// Text in another encoding than UTF-8.
  case utf16, utf32

  /// What it is, for "found ...".
  package var name: String {
    switch self {
    case .empty: "an empty file"
    case .lfsPointer: "a Git LFS pointer, a few lines that stand for the file itself"
    case .html: "an HTML page"
    case .xml: "an XML document"
    case .json: "a JSON document"
    case .zip: "a zip archive"
    case .gzip: "a file compressed by gzip"
    case .bzip2: "a file compressed by bzip2"
    case .xz: "a file compressed by xz"
    case .zstandard: "a file compressed by zstd"
    case .lz4: "a file compressed by lz4"
    case .sevenZip: "a 7-Zip archive"
    case .rar: "a RAR archive"
    case .tar: "a tar archive"
    case .safetensors: "a safetensors file"
    case .pickle: "a Python pickle"
    case .hdf5: "an HDF5 file, as Keras and TensorFlow write weights"
    case .gguf: "a GGUF file, llama.cpp's"
    case .ggml: "a GGML file, whisper.cpp's and bert.cpp's"
    case .onnx: "an ONNX model"
    case .tensorflow: "a TensorFlow checkpoint or model"
    case .flax: "a Flax file (msgpack)"
    case .numpy: "a NumPy array"
    case .parquet: "a Parquet table"
    case .arrow: "an Arrow or Feather table"
    case .orc: "an ORC table"
    case .sqlite: "an SQLite database"
    case .oldOffice: "a document of an old Microsoft Office (.xls, .doc)"
    case .pdf: "a PDF document"
    case .png: "a PNG picture"
    case .jpeg: "a JPEG picture"
    case .gif: "a GIF picture"
    case .elf: "an executable program"
    case .utf16: "text in UTF-16"
    case .utf32: "text in UTF-32"
    }
  }

  /// What to do to have the file that was meant, or its content in a form that is read; empty where nothing
  /// helps.
  package var advice: String {
    switch self {
    case .empty: "make or fetch it again"
    case .lfsPointer: "fetch the file itself: git lfs install && git lfs pull"
    case .html, .xml: "fetch the file itself: what was saved is a page or an answer of the server"
    case .json: ""
    case .zip, .sevenZip, .rar: "unpack it and name the file within"
    case .tar: "unpack it (tar -xf) and name the file within"
    case .gzip: "unpack it with gunzip, or tar -xzf"
    case .bzip2: "unpack it with bunzip2, or tar -xjf"
    case .xz: "unpack it with unxz, or tar -xJf"
    case .zstandard: "unpack it with unzstd"
    case .lz4: "unpack it with unlz4"
    case .safetensors, .pickle: ""
    case .hdf5, .tensorflow:
      "convert it: transformers' from_pretrained(FOLDER, from_tf=True).save_pretrained(OTHER)"
    case .flax: "convert it: transformers' from_pretrained(FOLDER, from_flax=True).save_pretrained(OTHER)"
    case .gguf, .ggml: "take the model's own repository, with model.safetensors"
    case .onnx: "take the PyTorch or safetensors file that it was made from"
    case .numpy: "convert it: safetensors.numpy.save_file({NAME: numpy.load(FILE)}, OTHER)"
    case .parquet: "convert it: pandas.read_parquet(FILE).to_csv(OTHER, index=False)"
    case .arrow: "convert it: pandas.read_feather(FILE).to_csv(OTHER, index=False)"
    case .orc: "convert it: pandas.read_orc(FILE).to_csv(OTHER, index=False)"
    case .sqlite: "export the table: sqlite3 -header -csv FILE 'select * from TABLE' > OTHER"
    case .oldOffice: "save it as CSV in UTF-8"
    case .pdf, .png, .jpeg, .gif, .elf: ""
    case .utf16: "convert it: iconv -f UTF-16 -t UTF-8"
    case .utf32: "convert it: iconv -f UTF-32 -t UTF-8"
    }
  }

  /// The refusal of a file that is of this kind where another was wanted.
  ///
  /// - Parameters:
  ///   - path: where it is.
  ///   - start: its first bytes, of which a page's title or an answer's text is shown.
  ///   - wanted: what was wanted.
  package func refusal(_ path: String, _ start: some Collection<UInt8>, wanted: String) -> TesseraError {
    let excerpt = excerpt(start)
    return .input(
      path, found: name + (excerpt.isEmpty ? "" : " (\(excerpt))"),
      wanted: wanted + (advice.isEmpty ? "" : "; \(advice)"))
  }

  /// Of a page its title, of other texts their beginning.
  private func excerpt(_ start: some Collection<UInt8>) -> String {
    let most = 60
    var text = String(decoding: start.prefix(2048), as: UTF8.self)
    switch self {
    case .json, .xml: break
    case .html:
      let lower = text.lowercased()
      guard lower.count == text.count, let open = lower.firstRange(of: "<title>"),
        let close = lower[open.upperBound...].firstRange(of: "</title>")
      else { return "" }
      let from = lower.distance(from: lower.startIndex, to: open.upperBound)
      let length = lower.distance(from: open.upperBound, to: close.lowerBound)
      text = String(text.dropFirst(from).prefix(length))
    default: return ""
    }
    let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count > most ? line.prefix(most) + "..." : line
  }
}
