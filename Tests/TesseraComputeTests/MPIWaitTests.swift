// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// An MPI that waits without end, as it does where a process was stopped: nothing of ours waits with it.
@Suite struct MPIWaitTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// A library like that of `tools/mpi-shim`, of one rank, whose calls `start` and `finish` take some seconds.
  private func library(_ folder: String, start: Int, finish: Int) throws -> String {
    let text = """
      #include "tessera_mpi.h"
      #include <string.h>
      #include <unistd.h>
      static int start(int *rank, int *size, int *place, int *neighbours) {
        sleep(\(start));
        *rank = 0, *size = 1, *place = 0, *neighbours = 1;
        return 0;
      }
      static int host(char *name, size_t capacity) { strncpy(name, "here", capacity); return 0; }
      static int probe(int *found, int *source, int *tag, size_t *count, tsr_mpi_transfer **transfer) {
        *found = 0;
        return 0;
      }
      static void finish(void) { sleep(\(finish)); }
      static void end(int code) {}
      const tsr_mpi *tsr_mpi_table(void) {
        static const tsr_mpi table = {TSR_MPI_VERSION, start, host, 0, probe, 0, 0, 0, finish, end};
        return &table;
      }
      """
    let (source, library) = (folder + "/mpi.c", folder + "/mpi\(start)\(finish).so")
    try Data(text.utf8).write(to: URL(fileURLWithPath: source))
    let made = try Command.shell(
      "$(command -v clang || echo cc) -shared -fPIC -w -I '\(Self.root)/Sources/CMPI/include' -o '\(library)' "
        + "'\(source)'")
    try #require(made.code == 0, "\(made.errors)")
    return library
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let time = try ContinuousClock().measure(body)
    return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
  }

  @Test func theStartHasALimit() throws {
    try withTemporaryFolder { folder in
      let library = try library(folder, start: 60, finish: 0)
      let took = seconds {
        let error = #expect(throws: TesseraError.self) {
          try MPICommunicator(library: library, start: .seconds(1))
        }
        #expect(
          error?.description
            == "MPI: found not all ranks at the start after 1 s, wanted every process that was started "
            + "(TESSERA_MPI_START=SECONDS waits longer)")
      }
      #expect(took < 30)
    }
  }

  @Test func theEndHasALimit() throws {
    try withTemporaryFolder { folder in
      let slow = try MPICommunicator(library: try library(folder, start: 0, finish: 60))
      let took = seconds { #expect(!slow.close(code: 0, atMost: .seconds(1))) }
      #expect(took < 30)
      let quick = try MPICommunicator(library: try library(folder, start: 0, finish: 0))
      #expect(quick.host == "here" && quick.size == 1)
      #expect(quick.close(code: 0))
    }
  }
}
