// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Work that ranks do for a leader, on threads in their place.
@Suite struct RankTests {
  /// Squares numbers; fails at negative ones.
  private final class Squares: AssistedWork {
    static let kind = "squares"
    private let offset: Int

    init(_ content: Payload, devices: DeviceGroup, _ communicator: any Communicator) throws {
      var reader = MessageReader(content)
      offset = try reader.int()
      guard offset < 1000 else { throw TesseraError.device("squares", found: "\(offset)", wanted: "less") }
    }

    func part(_ content: Payload, device: Int) throws -> Payload {
      var reader = MessageReader(content)
      let number = try reader.int()
      guard number >= 0 else {
        throw TesseraError.failure("squares", found: "\(number)", wanted: "0 or more")
      }
      // Parts do not end in the order in which they were given out.
      usleep(UInt32(number * 7919 % 13) * 100)
      var writer = MessageWriter()
      writer.add(number * number + offset)
      return writer.payload
    }
  }

  private func devices(_ count: Int) throws -> DeviceGroup {
    DeviceGroup(
      try CPUBackend(threads: 1), helpers: try (1..<max(1, count)).map { _ in try CPUBackend(threads: 1) })
  }

  private func squares(
    _ numbers: [Int], own: Int, assistants: [Int], offset: Int = 3
  ) throws -> (result: Result<[Int: Int], any Error>, codes: [Int32]) {
    let own = try devices(own)
    return try RankThreads.lead(try assistants.map(devices), [Squares.self]) { team in
      var writer = MessageWriter()
      writer.add(offset)
      let shared = try SharedModel(team, kind: Squares.kind, writer.payload)
      let model = Replicated(own, shared: shared) { _ in offset }
      var found: [Int: Int] = [:]
      let coding = PartCoding<Int>(
        input: { part in
          var writer = MessageWriter()
          writer.add(numbers[part])
          return writer.payload
        },
        output: { _, answer in
          var reader = MessageReader(answer)
          return try reader.int()
        })
      try model.mapDynamic(numbers.count, coding: coding) { offset, _, part in
        guard numbers[part] >= 0 else { throw TesseraError.failure("here", found: "\(numbers[part])") }
        usleep(300)
        return numbers[part] * numbers[part] + offset
      } take: {
        found[$0] = $1
      }
      return found
    }
  }

  @Test(arguments: [0, 1, 2, 3, 7, 50])
  func everyPartIsDoneOnceWhoeverDoesIt(_ parts: Int) throws {
    for (own, assistants) in [(1, [1]), (1, [1, 1, 1]), (2, [2, 1]), (1, [3]), (1, [1, 1, 1, 1, 1, 1])] {
      let numbers = (0..<parts).map { $0 * 3 }
      let (result, codes) = try squares(numbers, own: own, assistants: assistants)
      let found = try result.get()
      #expect(
        found.count == parts && numbers.indices.allSatisfy { found[$0] == numbers[$0] * numbers[$0] + 3 })
      #expect(codes.allSatisfy { $0 == 0 })
    }
  }

  @Test func anErrorOfARankNamesItAndEndsAll() throws {
    for _ in 0..<5 {
      let (result, codes) = try squares([4, 5, -1, 6, 7, -1, 8, 9], own: 1, assistants: [1, 1])
      let error = #expect(throws: TesseraError.self) { _ = try result.get() }
      let place = error?.place ?? ""
      #expect(place == "here" || place.contains("rank") && place.hasSuffix(": squares"), "\(place)")
      #expect(codes == [1, 1])
    }
  }

  @Test func aModelThatARankCannotHoldEndsAll() throws {
    let (result, codes) = try squares([1, 2, 3, 4, 5, 6], own: 1, assistants: [1, 1], offset: 1000)
    let error = #expect(throws: TesseraError.self) { _ = try result.get() }
    #expect(error?.place.contains("rank") == true && error?.found == "1000", "\(String(describing: error))")
    #expect(codes == [1, 1])
  }

  @Test func ranksOfAnotherBuildAreRefused() throws {
    let ranks = ThreadCommunicator.group(of: 2)
    _ = try RankAssistant(
      ranks[1], devices: DeviceGroup(try CPUBackend(threads: 1)), build: "other", kinds: [])
    let error = #expect(throws: TesseraError.self) { _ = try RankTeam(leading: ranks[0], build: "mine") }
    #expect(error?.kind == .input && error?.found.contains("other") == true)
  }

  @Test func messagesComeApartAsTheyWerePutTogether() throws {
    var inner = MessageWriter()
    inner.add([1.5, .nan, -0.0] as [Float])
    var writer = MessageWriter()
    writer.add(-7)
    writer.add("rank \u{1F3AC}\u{0}")
    writer.add([] as [Float])
    writer.add([Int32.min, .max])
    writer.add(inner.payload)
    var reader = MessageReader(writer.payload)
    #expect(try reader.int() == -7)
    #expect(try reader.text() == "rank \u{1F3AC}\u{0}")
    #expect(try reader.floats().isEmpty)
    #expect(try reader.ints() == [.min, .max])
    var nested = MessageReader(try reader.nested())
    #expect(try nested.floats().map(\.bitPattern) == [1.5, .nan, -0.0].map { Float($0).bitPattern })
    #expect(throws: TesseraError.self) { _ = try reader.int() }
  }

  @Test func messagesThatAreCutOffOrLieAreRefused() throws {
    for count in [-1, 3, 1 << 40, .max, .min] {
      var writer = MessageWriter()
      writer.add(count)
      writer.add(1)
      var floats = MessageReader(writer.payload), nested = MessageReader(writer.payload)
      #expect(throws: TesseraError.self) { _ = try floats.floats() }
      if count != 3 { #expect(throws: TesseraError.self) { _ = try nested.nested() } }
    }
    var command = MessageWriter()
    command.add([9, 9] as [Int32])
    #expect(throws: TesseraError.self) { _ = try RankCommand(command.payload) }
  }

  @Test func longMessagesAreOne() {
    let parts = (0..<3).map { number in
      [UInt8](repeating: UInt8(number), count: number * 5).withUnsafeBytes { Payload(copying: $0) }
    }
    let joined = Payload.joined(parts).withBytes { Array($0) }
    #expect(joined == [UInt8](repeating: 1, count: 5) + [UInt8](repeating: 2, count: 10))
  }

  @Test func whatLaunchersTell() throws {
    let openMPI = ["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4", "PMIX_RANK": "2"]
    let known = RankEnvironment(openMPI)
    #expect(known?.kind == "openmpi" && known?.rank == 2 && known?.size == 4)
    #expect(RankEnvironment(["PMI_RANK": "1", "PMI_SIZE": "2"])?.kind == "mpich")
    #expect(RankEnvironment(["PMI_RANK": "1", "SLURM_NTASKS": "2"])?.size == 2)
    #expect(RankEnvironment(["PMIX_RANK": "0", "SLURM_NTASKS": "8"])?.kind == "openmpi")
    // One process needs no others; a batch script's own process is none of its tasks.
    #expect(RankEnvironment(["PMI_RANK": "0", "PMI_SIZE": "1"]) == nil)
    #expect(try known?.startLimit([:]) == .seconds(18))
    #expect(try known?.startLimit(["TESSERA_MPI_START": "300"]) == .seconds(300))
    for text in ["", "0", "-1", "1.5", "forever", "999999999999"] {
      #expect(throws: TesseraError.self) { try known?.startLimit(["TESSERA_MPI_START": text]) }
    }
    #expect(RankEnvironment(["SLURM_NTASKS": "8", "SLURM_PROCID": "0"]) == nil)
    #expect(RankEnvironment([:]) == nil)
    let error = #expect(throws: TesseraError.self) {
      _ = try known?.library(["TESSERA_CACHE": "/nonexistent"])
    }
    #expect(error?.wanted.contains("tools/mpi-shim") == true)
  }
}
