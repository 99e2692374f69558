// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The page as files: itself, and each of its figures as SVG with its numbers as CSV.
extension ReportPage {
  /// The page's name in a run's folder.
  package static let name = "report.html"

  private static let prefix = "figure-"

  /// Whether a file of `pictures` is one of a page's figures.
  static func isFigure(_ name: String) -> Bool {
    name.hasPrefix(prefix) && (name.hasSuffix(".svg") || name.hasSuffix(".csv"))
  }

  /// Writes the page into its run's folder, and its figures into `pictures` in it, in the place of those of an earlier
  /// page.
  ///
  /// - Parameter folder: the run's folder.
  /// - Throws: `TesseraError` if they cannot be made or written.
  package func write(in folder: String) throws {
    let root = URL(fileURLWithPath: folder)
    let page = try html()
    try AtomicFile.write(Data(page.utf8), to: root.appendingPathComponent(Self.name).path)
    let pictures = root.appendingPathComponent("pictures")
    for name in RunDirectory.visibleNames(in: pictures.path) where Self.isFigure(name) {
      unlink(pictures.appendingPathComponent(name).path)
    }
    try writeFigures(to: pictures.path)
  }

  /// Writes the figures of the page that was made last.
  ///
  /// - Parameter folder: where they go; it is made if it is not there.
  /// - Throws: `TesseraError` if they cannot be written.
  package func writeFigures(to folder: String) throws {
    try OutputFolder.make(folder)
    let root = URL(fileURLWithPath: folder)
    for figure in shelf.figures {
      for (ending, text) in [("svg", figure.file), ("csv", figure.data.csv)] {
        let name = "\(Self.prefix)\(figure.name).\(ending)"
        try AtomicFile.write(Data(text.utf8), to: root.appendingPathComponent(name).path)
      }
    }
  }
}
