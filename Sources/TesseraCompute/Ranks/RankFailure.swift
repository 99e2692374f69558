// SPDX-License-Identifier: Apache-2.0
/// How errors travel between ranks.
enum RankFailure {
  /// An error as a message, with the host where it happened.
  static func message(_ error: any Error, on host: String) -> Payload {
    let known = error as? TesseraError ?? .failure("rank", found: "\(error)")
    var writer = MessageWriter()
    for text in ["\(known.kind)", host, known.place, known.found, known.wanted, known.device ?? ""] {
      writer.add(text)
    }
    return writer.payload
  }

  /// The error of a message, whose place begins with the rank and its host.
  static func error(_ message: Payload, from rank: Int) -> TesseraError {
    var reader = MessageReader(message)
    do {
      let (kind, host, place) = (try reader.text(), try reader.text(), try reader.text())
      let (found, wanted, device) = (try reader.text(), try reader.text(), try reader.text())
      let whole = "rank \(rank) on \(host): " + (device.isEmpty ? place : "\(device): \(place)")
      return TesseraError(kind == "input" ? .input : .failure, at: whole, found: found, wanted: wanted)
    } catch {
      return .failure("rank \(rank)", found: "an error that cannot be read")
    }
  }

  /// The end of the work with an exit code.
  static func end(_ message: Payload) -> RankEnd {
    var reader = MessageReader(message)
    return RankEnd(code: Int32(clamping: (try? reader.int()) ?? 1))
  }

  /// The message of an end.
  static func endMessage(_ code: Int32) -> Payload {
    var writer = MessageWriter()
    writer.add(Int(code))
    return writer.payload
  }
}
