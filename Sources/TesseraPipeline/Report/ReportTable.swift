// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraImages

/// What a report of a run of a table shows of its columns.
struct ReportTable {
  /// The columns' names.
  let names: [String]
  /// The features that the layout was fitted on, and those of the rows looked at in the end.
  let features: Embeddings, tested: Embeddings
  private let scaling: ColumnScaling

  /// Of a run; nil of a run of texts.
  init?(_ run: FinishedRun) throws {
    guard let options = run.configuration.table else { return nil }
    let path = try run.checked(Pipeline.Files.embeddings)
    names = try TableFeatures.scaler(path).names
    features = try Embeddings.read(path)
    tested =
      run.configuration.test == nil
      ? features : try Embeddings.read(run.checked(Pipeline.Files.testEmbeddings))
    scaling = options.scaling
  }

  /// The features of a row of those looked at in the end.
  func row(_ number: Int) -> [Float] {
    tested.features[number * tested.columns..<(number + 1) * tested.columns]
  }

  /// A row in a line: its number, and the columns that are furthest from the mean of the training rows.
  func line(_ number: Int) -> String {
    guard scaling == .standard else { return "row \(number + 1)" }
    let values = row(number)
    let far = values.indices.ordered { (abs(values[$1]), $0) < (abs(values[$0]), $1) }.prefix(4)
    let told = far.map { "\(names[$0]) \(values[$0] < 0 ? "" : "+")\(decimal(Double(values[$0]), 1))" }
    return "row \(number + 1), in deviations from the mean: \(told.joined(separator: ", "))"
  }

  /// Columns that a list on the page names at the most.
  private static let most = 1000

  /// The pixels of a channel's columns as a list.
  func list(_ channel: LayoutChannel) -> String {
    let (own, pixels) = (channel.features.map { names[$0] }, channel.pixels)
    let rows = own.indices.prefix(Self.most).map { at -> [String] in
      let pixel = Int(pixels.pixelOfFeature[at])
      return [own[at], "\(pixel / pixels.pixels + 1)", "\(pixel % pixels.pixels + 1)"]
    }
    let more = own.count > rows.count ? "<p class=\"note\">The first \(rows.count) of \(own.count).</p>" : ""
    return "<details><summary>Columns and their pixels</summary>"
      + HTMLPage.table(["column", "pixel's row", "pixel's column"], rows) + more + "</details>"
  }
}
