// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// A folder per class with a text file per review, as `aclImdb/train`; `unsup` holds none of a class.
///
/// Texts are `.txt` files in any case; where there are none, files without an ending. Hidden files and what
/// systems leave behind are passed over and counted.
struct FolderFormat: DataSetFormat {
  static let kind = DataKind.folder
  static let options: DataFormatEffects = []

  let path: String
  let encoding: TextEncoding
  let labelled: Bool
  /// Which part of a set that is divided is meant.
  let part: DataSet.Part

  /// What a folder holds.
  private struct Listing {
    var folders: [String] = [], texts: [String] = [], plain: [String] = [], others = 0, hidden = 0
  }

  /// Folders that are parts of a set, not classes.
  private static let parts: [DataSet.Part: [String]] = [
    .training: ["train", "training"], .test: ["test", "testing"],
  ]
  private static let otherParts = ["val", "valid", "validation", "dev", "unsup", "unsupervised"]
  private static let usual = "a folder per class with .txt files, such as aclImdb/train"

  static func recognises(_ source: DataSource) -> Bool { source.isFolder }

  static func read(_ source: DataSource, _ request: DataRequest) throws -> DataRows {
    try FolderFormat(
      path: source.path, encoding: request.format.encoding, labelled: request.labelled, part: request.part
    ).read()
  }

  /// Reads every text.
  func read() throws -> DataRows {
    var result = DataRows(Self.kind)
    let (root, listing) = try dataFolder(&result)
    let classes = listing.folders.filter { $0 != "unsup" }
    if classes.isEmpty, !labelled, !listing.texts.isEmpty || !listing.plain.isEmpty {
      return try flat(root, listing, result)
    }
    guard !classes.isEmpty else {
      let files = listing.texts.count + listing.plain.count + listing.others
      throw TesseraError.input(
        root, found: files > 0 ? "\(files) files and no folders" : "no folders", wanted: Self.usual)
    }
    var listings: [(name: String, path: String, listing: Listing)] = []
    for name in classes {
      let folder = Self.join(root, name)
      listings.append((name, folder, try Self.list(folder)))
    }
    if classes.count < listing.folders.count {
      let unsupervised = try Self.list(Self.join(root, "unsup"))
      result.leaveOut(unsupervised.texts.count + unsupervised.plain.count, "texts of unsup")
    }
    let usesPlain = listings.allSatisfy { $0.listing.texts.isEmpty }
    for (name, folder, found) in listings {
      let files = usesPlain ? found.plain : found.texts
      guard !files.isEmpty else { throw refusal(root, folder, found, listings.map(\.name)) }
      for file in files { result.rows.append(try row(Self.join(folder, file), label: name)) }
    }
    let inside = listings.map(\.listing)
    result.leaveOut(inside.reduce(listing.hidden) { $0 + $1.hidden }, "hidden files and folders")
    let others = inside.reduce(listing.texts.count + listing.plain.count + listing.others) {
      $0 + $1.others + (usesPlain ? 0 : $1.plain.count)
    }
    result.leaveOut(others, "other files")
    result.leaveOut(inside.reduce(0) { $0 + $1.folders.count }, "folders inside classes")
    return result
  }

  /// The folder that holds the folders of the classes.
  private func dataFolder(_ result: inout DataRows) throws -> (String, Listing) {
    let listing = try Self.list(path)
    let known = Set(Self.parts.values.flatMap { $0 } + Self.otherParts)
    let names = Set(listing.folders.map { $0.lowercased() })
    let isDivided =
      !names.isEmpty && names.isSubset(of: known)
      && !names.isDisjoint(with: Self.parts.values.flatMap { $0 })
    if isDivided || names.isSuperset(of: ["train", "test"]) {
      let wanted = Self.parts[part] ?? []
      guard let name = listing.folders.first(where: { wanted.contains($0.lowercased()) }) else {
        throw TesseraError.input(
          path, found: "the folders \(listing.folders.joined(separator: ", "))",
          wanted: "a folder \(wanted.first ?? ""), or the path of the one that is meant")
      }
      result.reading.append("of its folder \(name)")
      let others = listing.folders.filter { $0 != name }
      if !others.isEmpty { result.reading.append("\(others.joined(separator: ", ")) not read") }
      result.leaveOut(listing.hidden, "hidden files beside it")
      let root = Self.join(path, name)
      return (root, try Self.list(root))
    }
    if listing.folders.count == 1, listing.texts.isEmpty, let only = listing.folders.first {
      let folder = Self.join(path, only)
      let inner = try Self.list(folder)
      if !inner.folders.isEmpty, inner.texts.isEmpty {
        throw TesseraError.input(
          path, found: "one folder, \(only), that holds \(Self.some(inner.folders))",
          wanted: "\(Self.usual): give \(folder)")
      }
    }
    return (path, listing)
  }

  private func flat(_ root: String, _ listing: Listing, _ read: DataRows) throws -> DataRows {
    var result = read
    let files = listing.texts.isEmpty ? listing.plain : listing.texts
    for file in files { result.rows.append(try row(Self.join(root, file), label: nil)) }
    result.leaveOut(listing.hidden, "hidden files and folders")
    result.leaveOut(listing.others + (listing.texts.isEmpty ? 0 : listing.plain.count), "other files")
    return result
  }

  private func row(_ file: String, label: String?) throws -> DataRows.Row {
    let data = try InputFile.readAny(file, wanted: "a review", atMost: InputFile.Limit.text)
    let bytes = try encoding.decode([UInt8](data), place: file)
    return .init(text: String(decoding: bytes, as: UTF8.self), label: label, place: .file(file))
  }

  private func refusal(_ root: String, _ folder: String, _ found: Listing, _ classes: [String])
    -> TesseraError
  {
    if !found.folders.isEmpty {
      return .input(
        folder, found: "no .txt files, but the folders \(Self.some(found.folders))",
        wanted: "\(Self.usual): give the folder whose folders are the classes, such as \(folder)")
    }
    let files = found.plain.count + found.others
    let what = files == 0 ? "an empty folder" : "\(files) files, none of them .txt"
    return .input(
      folder, found: what,
      wanted: "texts of the class \(URL(fileURLWithPath: folder).lastPathComponent) "
        + "(.txt files; the folders of \(root) are taken for classes: \(Self.some(classes)))")
  }

  private static func some(_ names: [String]) -> String {
    names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ..." : "")
  }

  /// What stands in a folder, by name; links are followed.
  private static func list(_ folder: String) throws -> Listing {
    let manager = FileManager.default
    let names: [String]
    do {
      names = try manager.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw TesseraError.input(folder, found: "a folder that cannot be read", wanted: usual)
    }
    var listing = Listing()
    for name in names {
      if isHidden(name) {
        listing.hidden += 1
        continue
      }
      var isFolder: ObjCBool = false
      let isThere = manager.fileExists(atPath: join(folder, name), isDirectory: &isFolder)
      if isThere, isFolder.boolValue {
        listing.folders.append(name)
      } else if name.lowercased().hasSuffix(".txt") {
        listing.texts.append(name)
      } else if ending(name) == nil {
        listing.plain.append(name)
      } else {
        listing.others += 1
      }
    }
    return listing
  }

  /// Names that begin with a dot, and those that systems and editors leave behind.
  private static func isHidden(_ name: String) -> Bool {
    let names = [
      "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "@eadir", "lost+found",
    ]
    return name.hasPrefix(".") || name.hasSuffix("~") || names.contains(name.lowercased())
  }

  private static func ending(_ name: String) -> Substring? {
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
    let ending = name[name.index(after: dot)...]
    return ending.isEmpty ? nil : ending
  }

  private static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}
