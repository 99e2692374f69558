// SPDX-License-Identifier: Apache-2.0
/// Rows as they were read, before labels become classes, and what was left out on the way.
struct DataRows {
  /// One text, its label if it has one, and where it stands.
  struct Row {
    let text: String
    var label: String?
    let place: Place
    /// Its number among those of a table.
    var number = 0
  }

  /// Where a row stands: a line of the file, or a file of its own.
  enum Place {
    case line(Int)
    case file(String)
    /// A row of an array, from 1.
    case row(Int)

    /// The place, for messages.
    func description(in path: String) -> String {
      switch self {
      case .line(let line): "\(path): line \(line)"
      case .file(let file): file
      case .row(let row): "\(path): row \(row)"
      }
    }
  }

  var rows: [Row] = []
  /// What they were read from.
  let kind: DataKind
  /// How the file was read: columns, dialect, folder.
  var reading: [String] = []
  /// What was left out.
  var leftOut: [DataSummary.LeftOut] = []

  init(_ kind: DataKind) { self.kind = kind }

  /// Counts what was left out, unless there is none.
  mutating func leaveOut(_ count: Int, _ what: String) {
    guard count > 0 else { return }
    leftOut.append(.init(what: what, count: count))
  }
}
