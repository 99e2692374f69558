// SPDX-License-Identifier: Apache-2.0
/// An error that ends in one clear line: where, what was found, what was wanted.
public struct TesseraError: Error, Equatable, CustomStringConvertible {
  /// Whose mistake it is; decides the exit code.
  public enum Kind: Sendable, Equatable {
    /// Bad input or a bad argument: exit code 2.
    case input
    /// Something failed while doing what was rightly asked: exit code 1.
    case failure
    /// A device failed at work: exit code 1. The same work may be done on another device.
    case device
  }

  /// Whose mistake it is.
  public let kind: Kind
  /// The place: file, row, tensor, device or option.
  public let place: String
  /// What was found there.
  public let found: String
  /// What was wanted instead; may be empty.
  public let wanted: String
  /// The device that failed at work, where there are several.
  public private(set) var device: String?
  /// Whether it failed for want of memory: less of the work at once may do.
  public private(set) var isOutOfMemory = false

  /// Makes an error of the given kind.
  public init(_ kind: Kind, at place: String, found: String, wanted: String = "") {
    self.kind = kind
    self.place = place
    self.found = found
    self.wanted = wanted
  }

  /// The user's mistake: bad input or a bad argument.
  @inline(never)
  public static func input(_ place: String, found: String, wanted: String = "") -> TesseraError {
    TesseraError(.input, at: place, found: found, wanted: wanted)
  }

  /// A failure while doing what was rightly asked.
  @inline(never)
  public static func failure(_ place: String, found: String, wanted: String = "") -> TesseraError {
    TesseraError(.failure, at: place, found: found, wanted: wanted)
  }

  /// A device that failed at work.
  @inline(never)
  public static func device(_ place: String, found: String, wanted: String = "") -> TesseraError {
    TesseraError(.device, at: place, found: found, wanted: wanted)
  }

  /// A device that has not memory enough.
  @inline(never)
  public static func outOfMemory(_ place: String, found: String, wanted: String = "") -> TesseraError {
    var error = TesseraError(.device, at: place, found: found, wanted: wanted)
    error.isOutOfMemory = true
    return error
  }

  /// The same with the device that failed, for `Kind.device`; one that is known already stays.
  public func on(_ device: String) -> TesseraError {
    var error = self
    if kind == .device { error.device = self.device ?? device }
    return error
  }

  /// What a file or an argument holds may be of any length; a message is to be read.
  private static func shortened(_ text: String) -> String {
    guard text.utf8.count > 600 else { return text }
    return String(text.unicodeScalars.prefix(300)) + "... (\(text.utf8.count) bytes)"
  }

  /// One line, with characters that end it, steer a terminal or turn the order of the text made visible.
  public var description: String {
    let head = device.map { "\($0): \(place)" } ?? place
    let (found, wanted) = (Self.shortened(found), Self.shortened(wanted))
    let text = wanted.isEmpty ? "\(head): \(found)" : "\(head): found \(found), wanted \(wanted)"
    return text.unicodeScalars.map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        "\\u{\(String(scalar.value, radix: 16))}"
      default: String(scalar)
      }
    }.joined()
  }
}
