// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Results that are lost are a failure; files never become standard streams; arguments are what they are.
@Suite struct StandardStreamsTests {
  @Test(arguments: ["--version", "--help", "verify --device cpu --only rowSum --quiet"])
  func lostResultsAreAFailure(_ arguments: String) throws {
    for place in [">/dev/full", ">&-"] {
      let result = try Command.shell("\"$TESSERA\" \(arguments) \(place)")
      #expect(result.code == 1)
      #expect(result.errors.hasPrefix("tessera: standard output: found "), "\(result.errors)")
    }
    #expect(try Command.shell("\"$TESSERA\" \(arguments) 2>&- | head -c 1").code == 0)
  }

  @Test func withClosedStreamsFilesAreWhole() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(20).utf8).write(to: URL(fileURLWithPath: folder + "/r.csv"))
      for (name, streams) in [("whole", ""), ("closed", "<&- >&- 2>&-")] {
        _ = try Command.shell(
          "\"$TESSERA\" embed --data \(folder)/r.csv --encoder \(folder)/encoder --out \(folder)/\(name) "
            + "--device cpu --quiet \(streams)")
      }
      let whole = FileManager.default.contents(atPath: folder + "/whole")
      #expect(whole != nil && FileManager.default.contents(atPath: folder + "/closed") == whole)
    }
  }

  @Test func aRefusalIsOneWhoeverListens() throws {
    for streams in ["2>&-", "2>/dev/full", "<&- >&- 2>&-"] {
      #expect(try Command.shell("\"$TESSERA\" report --run /nothing \(streams)").code == 2)
    }
  }

  @Test func argumentsThatAreNotUTF8AreRefused() throws {
    let result = try Command.shell("\"$TESSERA\" report --run \"$(printf '/\\377')\"")
    #expect(result.code == 2)
    #expect(
      result.errors.hasPrefix("tessera: argument 3: found bytes that are not UTF-8"), "\(result.errors)")
  }
}
