// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where built programs, tiles and fetched assets are kept: `$TESSERA_CACHE`, else `$XDG_CACHE_HOME/tessera`,
/// else `~/.cache/tessera`.
package enum CacheFolder {
  /// The folder; nil where there is no home. Who writes into it makes it.
  package static let base = base(ProcessInfo.processInfo.environment)

  /// The folder by some environment variables.
  package static func base(_ environment: [String: String]) -> URL? {
    if let own = environment["TESSERA_CACHE"], !own.isEmpty { return URL(fileURLWithPath: own) }
    func folder(_ name: String) -> URL? {
      // The specification of XDG has empty and relative paths ignored.
      environment[name].flatMap { $0.hasPrefix("/") ? URL(fileURLWithPath: $0) : nil }
    }
    let base = folder("XDG_CACHE_HOME") ?? folder("HOME")?.appendingPathComponent(".cache")
    return base?.appendingPathComponent("tessera")
  }
}
