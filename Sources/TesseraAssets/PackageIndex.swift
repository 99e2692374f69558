// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// A package index by PyPI's simple interface (PEP 503): a page a project, whose links end with the SHA-256 of
/// what they lead to.
struct PackageIndex {
  /// Where it is, without a slash at the end.
  let base: String

  /// The index that `PIP_INDEX_URL` names, as for pip, else PyPI.
  static func standard(_ environment: [String: String]) -> PackageIndex {
    let named = environment["PIP_INDEX_URL"] ?? ""
    var base = named.isEmpty ? "https://pypi.org/simple" : named
    while base.hasSuffix("/") { base.removeLast() }
    return PackageIndex(base: base)
  }

  /// Where an archive is.
  ///
  /// - Throws: `TesseraError` for an index that cannot be reached or has no file with this SHA-256.
  func url(of archive: Asset.Archive, sha256: String) throws -> String {
    let page = "\(base)/\(archive.project)/" + (base.hasPrefix("file:") ? "index.html" : "")
    let text = String(decoding: try Curl.page(page), as: UTF8.self)
    guard let link = Self.link(in: text, sha256: sha256),
      let url = URL(string: link, relativeTo: URL(string: page))
    else {
      throw TesseraError.failure(
        page, found: "no file with the SHA-256 \(sha256)", wanted: "\(archive.project) \(archive.version)")
    }
    return url.absoluteString
  }

  /// The target of the link that ends with a SHA-256.
  static func link(in page: String, sha256: String) -> String? {
    guard let end = page.range(of: "#sha256=\(sha256)"),
      let begin = page[..<end.lowerBound].range(of: "href=", options: .backwards)
    else { return nil }
    let target = page[begin.upperBound..<end.lowerBound].drop { $0 == "\"" || $0 == "'" }
    guard !target.contains(where: { "\"'<> ".contains($0) }) else { return nil }
    return target.replacingOccurrences(of: "&amp;", with: "&")
  }
}
