// SPDX-License-Identifier: Apache-2.0

/// What was probably meant by a mistyped word.
enum Suggestion {
  /// The name that a word is nearest to, or that alone begins with it; nil where none is near.
  static func nearest(to word: String, of names: [String]) -> String? {
    let typed = word.lowercased()
    let beginning = names.filter { $0.hasPrefix(typed) }
    if typed.count >= 2, beginning.count == 1 { return beginning[0] }
    // A third of the letters may be wrong, two at most.
    let most = min(2, (typed.count + 1) / 3)
    let near = names.map { (name: $0, distance: distance(typed, $0)) }.filter { $0.distance <= most }
    return near.min { $0.distance < $1.distance }?.name
  }

  /// Letters left out, put in, replaced or exchanged with the next one (optimal string alignment).
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8.prefix(64)), Array(b.utf8.prefix(64)))
    var (before, above) = ([Int](), Array(0...b.count))
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(row[j] + 1, above[j + 1] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
        row.append(least)
      }
      (before, above) = (above, row)
    }
    return above[b.count]
  }
}
