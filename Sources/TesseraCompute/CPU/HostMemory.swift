// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The machine's memory.
public enum HostMemory {
  /// Bytes that can be had without paging: what Linux estimates, or less where a control group sets a limit.
  public static var available: Int {
    var bytes = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    let lines = (text("/proc/meminfo") ?? "").split(separator: "\n")
    if let line = lines.first(where: { $0.hasPrefix("MemAvailable:") }),
      let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    {
      bytes = min(bytes, kibibytes << 10)
    }
    let group = "/sys/fs/cgroup/memory."
    if let limit = text(group + "max").flatMap(number), let used = text(group + "current").flatMap(number) {
      bytes = min(bytes, max(0, limit - used))
    }
    return bytes
  }

  private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  private static func number(_ text: String) -> Int? {
    Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
