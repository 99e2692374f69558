// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Memory that runs out ends in one line, wherever it does; `tools/check/cases.d/case_12.py` tries more.
@Suite struct MemoryLimitTests {
  @Test func oneLineSaysHowMuchWasWantedForWhat() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(200).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      func run(_ kibibytes: Int) throws -> Command.Result {
        try Command.shell(
          "ulimit -v \(kibibytes); \"$TESSERA\" run --data \(folder)/reviews.csv --encoder \(folder)/encoder --model vgg16 "
            + "--perplexity 5 --iterations 10 --epochs 1 --device cpu --threads 2 --quiet --out \(folder)/out\(kibibytes)"
        )
      }
      // From what it starts with to what it needs.
      var told = 0
      for kibibytes in stride(from: 70_000, through: 400_000, by: 15_000) {
        let result = try run(kibibytes)
        if result.code == 0 { break }
        // The system's own loader may find no room for the libraries.
        guard result.code != 127 else { continue }
        told += 1
        #expect(result.code == 1 && result.errors.hasPrefix("tessera: "), "\(kibibytes): \(result)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(kibibytes): \(result)")
        #expect(
          result.errors.contains(#/ \d+ bytes| no thread to be had/#) && result.errors.contains("wanted"),
          "\(kibibytes): \(result)")
      }
      #expect(told > 0)
    }
  }
}
