// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Ranks {
  /// Runs a program that a launcher of MPI may have started several times; on its own it runs as it is.
  ///
  /// Of several ranks all come to the end together. An error in one of them ends all: rank 0 says it in one line on
  /// standard error, with the rank and its host, and every process ends with 1, or with 2 for a mistake in the input.
  /// The body is to be left by its end or by an error, not by `exit`.
  ///
  /// - Parameter body: the program; gets this process's rank, nil where it is on its own.
  /// - Returns: what the body returns.
  /// - Throws: what the body throws, in a process on its own; `TesseraError` where a rank did not end with the others.
  public static func run<R>(_ body: (Ranks?) throws -> R) throws -> R {
    let environment = ProcessInfo.processInfo.environment
    guard let started = RankEnvironment(environment) else { return try body(nil) }
    let communicator: MPICommunicator
    do {
      communicator = try MPICommunicator(
        library: try started.library(environment), start: try started.startLimit(environment))
    } catch {
      // All ranks fail at this; the launcher ends the others when rank 0 has said it.
      if started.rank > 0 { sleep(10) }
      tell("\(error)")
      leave((error as? TesseraError)?.kind == .input ? 2 : 1)
    }
    let (result, code) = Ranks(communicator).finish(body, tell: tell)
    guard let result else {
      communicator.close(code: code, atMost: .seconds(5))
      leave(code)
    }
    guard communicator.close(code: 0) else {
      throw TesseraError.failure(
        "ranks", found: "one that did not end with the others within 20 s",
        wanted: "all at their end; the results are whole")
    }
    return result
  }

  private static func tell(_ line: String) {
    let program = CommandLine.arguments.first.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "ranks"
    StandardError.write("\(program): \(line)\n")
  }

  /// Ends the process at once: a thread of it may wait in MPI without end.
  private static func leave(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }
}

extension DeviceSelection {
  /// Opens devices for a process that may be one of several ranks, which share those of their hosts.
  ///
  /// - Parameters:
  ///   - list: as `openAll` has it. Of `auto` each rank of a host takes the device of its place there, if there are
  ///     several that are no CPU.
  ///   - ranks: this process among the others; nil: it has the host to itself.
  ///   - threads: of the CPU; nil: a rank's share of the cores.
  ///   - warn: gets what is wrong with devices that are passed over.
  /// - Returns: the devices, the first of the list being the main one.
  /// - Throws: what `openAll` does.
  public static func openAll(
    _ list: String, ranks: Ranks?, threads: Int? = nil, warn: (String) -> Void = { _ in }
  ) throws -> DeviceGroup {
    guard let communicator = ranks?.communicator else {
      return try openAll(list, threads: threads, warn: warn)
    }
    return try openAll(
      communicator.device(list), threads: threads ?? communicator.threads, warn: warn)
  }
}

extension Communicator {
  /// The device of this rank, where none is named: of several the one of its place on the host.
  package func device(_ name: String) -> String {
    guard name == "auto" else { return name }
    let found = DeviceSelection.survey().devices.filter { $0.info.kind != .cpu }
    return found.count > 1 ? found[place % found.count].info.selection : name
  }

  /// Threads of this rank's processor, where none are named: the host's cores are shared among its ranks, and a
  /// launcher may have given this one even fewer.
  package var threads: Int {
    let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN)) / max(1, neighbours)
    return max(1, min(cores, ProcessInfo.processInfo.activeProcessorCount))
  }
}
