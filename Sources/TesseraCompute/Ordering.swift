// SPDX-License-Identifier: Apache-2.0
extension Sequence {
  /// What `sorted(by:)` gives, for names, options and other short lists.
  ///
  /// The compiler copies the library's sort for every call with a closure of its own, which were 62 copies
  /// and a thirtieth of the package's build. This one is compiled once. It takes longer for an element, so
  /// what grows with a data set uses `sorted(by:)`.
  @_semantics("optimize.sil.specialize.generic.never")
  @inline(never)
  package func ordered(by areInIncreasingOrder: (Element, Element) -> Bool) -> [Element] {
    sorted(by: areInIncreasingOrder)
  }
}

extension Sequence where Element: Comparable {
  /// What `sorted()` gives, for names, options and other short lists; see `ordered(by:)`.
  @_semantics("optimize.sil.specialize.generic.never")
  @inline(never)
  package func ordered() -> [Element] { sorted() }
}
