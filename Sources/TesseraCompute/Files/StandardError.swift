// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Standard error, where there is one: Foundation's handle ends the process when nothing can be written.
package enum StandardError {
  /// Writes a text as far as it can be written.
  package static func write(_ text: String) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { Foundation.write(2, $0.baseAddress, $0.count) }
      guard count > 0 || count < 0 && errno == EINTR else { return }
      done += max(0, count)
    }
  }
}
