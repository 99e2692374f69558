// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

extension Profiler {
  /// Writes what was collected as a trace (JSON Trace Event Format), to be looked at with Perfetto or
  /// chrome://tracing: a track for the host, one for each device. Times are microseconds from the
  /// profiler's beginning.
  ///
  /// - Returns: the number of events written, and of those that were dropped because there were too many.
  /// - Throws: `TesseraError` if the file cannot be written.
  @discardableResult
  public func writeTrace(to path: String) throws -> (events: Int, dropped: Int) {
    let kept = snapshot()
    let file = try AtomicFile(path)
    var text =
      "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"dropped\":\(kept.dropped),\"untimed\":\(kept.untimed)},"
    text += "\"traceEvents\":[\n" + Self.metadata("process_name", "tessera", 0)
    for (number, name) in kept.tracks.enumerated() {
      text += ",\n" + Self.metadata("thread_name", name, number + 1)
    }
    let names = kept.names.map(Self.quoted)
    // What encloses comes before what is enclosed.
    for record in kept.records.sorted(by: { ($0.start, $1.end) < ($1.start, $0.end) }) {
      text += ",\n" + Self.event(record, names, kept.begin)
      guard text.utf8.count >= 1 << 16 else { continue }
      try file.write(Data(text.utf8))
      text = ""
    }
    try file.write(Data((text + "\n]}\n").utf8))
    try file.commit()
    return (kept.records.count, kept.dropped)
  }

  private static func metadata(_ kind: String, _ name: String, _ track: Int) -> String {
    "{\"name\":\"\(kind)\",\"ph\":\"M\",\"pid\":1,\"tid\":\(track),\"args\":{\"name\":\(quoted(name))}}"
  }

  private static func event(_ r: ProfileRecord, _ names: [String], _ begin: Int64) -> String {
    var args: [String] = []
    if r.category == .kernel || r.category == .transfer {
      args += ["\"queued\":\(micro(r.queued - begin))", "\"submit\":\(micro(r.submit - begin))"]
    }
    if r.work.bytes > 0 { args.append("\"bytes\":\(r.work.bytes)") }
    if r.work.operations > 0 { args.append("\"flops\":\(r.work.operations)") }
    if r.work.integerOperations > 0 { args.append("\"integerOperations\":\(r.work.integerOperations)") }
    if r.primitive >= 0 { args.append("\"primitive\":\(names[Int(r.primitive)])") }
    return
      "{\"name\":\(names[Int(r.name)]),\"cat\":\"\(r.category.rawValue)\",\"ph\":\"X\",\"pid\":1,\"tid\":\(r.track + 1),"
      + "\"ts\":\(micro(r.start - begin)),\"dur\":\(micro(r.end - r.start)),\"args\":{\(args.joined(separator: ","))}}"
  }

  /// Nanoseconds as microseconds, exactly.
  private static func micro(_ nanoseconds: Int64) -> String {
    let (whole, part) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
    let digits = String(part)
    return (nanoseconds < 0 ? "-" : "") + "\(whole)." + String(repeating: "0", count: 3 - digits.count)
      + digits
  }

  /// A JSON string.
  private static func quoted(_ text: String) -> String {
    let inside = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"", "\\": return "\\\(scalar)"
      case _ where scalar.value < 32:
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: return String(scalar)
      }
    }
    return "\"\(inside.joined())\""
  }
}
