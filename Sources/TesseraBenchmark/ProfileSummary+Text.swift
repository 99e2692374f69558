// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension ProfileSummary {
  /// The summary for people.
  ///
  /// - Parameters:
  ///   - peaks: what devices were measured to do at most, by their names; without, no shares of it are told.
  ///   - memory: the most bytes that devices' tensors took, by their names.
  ///   - most: how many kernels of a device, and stages, are told.
  @_optimize(none)
  public func text(
    peaks: [String: Benchmark.Peaks] = [:], memory: [String: Int] = [:], most: Int = 20
  ) -> String {
    let most = max(0, most)
    var lines = ["profile: \(Self.fixed(seconds, 2)) s"]
    for device in devices { lines += tell(device, peaks[device.name], memory[device.name], most) }
    lines += Self.table(
      "stage", ["total ms", "busy"],
      spans.prefix(most).map { ($0.name, [Self.fixed($0.seconds * 1e3, 1), Self.percent($0.busyShare)]) },
      more: spans.count - most)
    if dropped > 0 { lines.append("\(dropped) records did not fit and are not in the trace") }
    if untimed > 0 { lines.append("\(untimed) commands without times: the device does not tell them") }
    return lines.joined(separator: "\n")
  }

  @_optimize(none)
  private func tell(_ device: Device, _ peaks: Benchmark.Peaks?, _ memory: Int?, _ most: Int)
    -> [String]
  {
    let share = seconds > 0 ? device.busySeconds / seconds : 0
    var lines = [
      "",
      "\(device.name): its queue was busy for \(Self.fixed(device.busySeconds, 2)) s of them "
        + "(\(Self.fixed(share * 100, 1))%)",
    ]
    if let peaks {
      lines.append(
        "measured peaks: \(Self.fixed(peaks.gflops, 0)) GFLOP/s, \(Self.fixed(peaks.gigabytes, 0)) GB/s")
    }
    if let memory { lines.append("most memory in tensors: \(Self.fixed(Double(memory) / 1e6, 2)) MB") }
    let head = ["calls", "total ms", "of busy", "GFLOP/s", "GB/s", "of peak"]
    for (title, items) in [("kernel", device.kernels), ("contraction", device.primitives)]
    where !items.isEmpty {
      lines += Self.table(
        title, head, items.prefix(most).map { ($0.name, Self.figures($0, device.busySeconds, peaks)) },
        more: items.count - most)
    }
    return lines
  }

  private static func figures(_ item: Item, _ busySeconds: Double, _ peaks: Benchmark.Peaks?) -> [String] {
    let gflops = item.seconds > 0 && item.operations > 0 ? item.operations / item.seconds / 1e9 : nil
    let gigabytes = item.seconds > 0 && item.bytes > 0 ? item.bytes / item.seconds / 1e9 : nil
    let bound = peaks.flatMap { peaks in
      [gflops.map { $0 / peaks.gflops }, gigabytes.map { $0 / peaks.gigabytes }].compactMap { $0 }.max()
    }
    let integers =
      item.seconds > 0 && item.integerOperations > 0 ? item.integerOperations / item.seconds / 1e9 : nil
    return [
      "\(item.calls)", fixed(item.seconds * 1e3, 1),
      percent(busySeconds > 0 ? item.seconds / busySeconds : nil),
      gflops.map { fixed($0, 1) } ?? integers.map { fixed($0, 1) + " int8" } ?? "-",
      gigabytes.map { fixed($0, 1) } ?? "-", percent(bound),
    ]
  }

  private static func table(
    _ title: String, _ head: [String], _ rows: [(name: String, cells: [String])], more: Int
  ) -> [String] {
    let width = ([title] + rows.map(\.name)).map(\.count).max() ?? 0
    func line(_ name: String, _ cells: [String]) -> String {
      cells.reduce(name + String(repeating: " ", count: width - name.count)) {
        $0 + String(repeating: " ", count: max(1, 12 - $1.count)) + $1
      }
    }
    let rest = more > 0 ? ["and \(more) more"] : []
    return ["", line(title, head)] + rows.map { line($0.name, $0.cells) } + rest
  }

  private static func percent(_ share: Double?) -> String { share.map { fixed($0 * 100, 1) + "%" } ?? "-" }

  /// A number with so many decimals.
  private static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "-" }
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int((value * Double(scale)).rounded())
    guard decimals > 0 else { return "\(scaled)" }
    let digits = String(scaled.magnitude % UInt(scale))
    return (scaled < 0 ? "-" : "") + "\(scaled.magnitude / UInt(scale))."
      + String(repeating: "0", count: decimals - digits.count) + digits
  }
}
