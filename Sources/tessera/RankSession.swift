// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Synchronization
import TesseraCompute
import TesseraImages
import TesseraNN
import TesseraText
import TesseraVision

/// This process as one of several that MPI has started. The leader does what the command says, with the devices
/// of all; the others assist it until it ends.
struct RankSession {
  /// The ranks' messages.
  let communicator: MPICommunicator

  /// Commands that several ranks can do together (`RankedCommand`).
  private static let commands = [
    "run", "embed", "layout", "train", "evaluate", "predict", "verify --run", "bench exchange",
  ]

  /// What ranks compute for the leader.
  static var kinds: [any AssistedWork.Type] {
    [EncoderWork.self, NetworkWork.self, ForcesWork.self, TrainingWork.self, ExchangeWork.self]
  }

  /// Begins where a launcher started several processes; nil in one on its own.
  static func start() throws -> RankSession? {
    let environment = ProcessInfo.processInfo.environment
    guard let ranks = RankEnvironment(environment) else { return nil }
    let communicator = try MPICommunicator(
      library: try ranks.library(environment), start: try ranks.startLimit(environment))
    return RankSession(communicator: communicator)
  }

  /// Has an assistant do its part of a command, and ends it then; the leader goes on.
  ///
  /// - Throws: `TesseraError` for a command that several ranks would each do for themselves.
  static func divide(_ command: any ParsableCommand) throws {
    guard let ranks = RankEnvironment(ProcessInfo.processInfo.environment) else { return }
    if let command = command as? any RankedCommand, command.isShared {
      if ranks.rank > 0 { try command.device.assist() }
      return
    }
    throw TesseraError.input(
      CommandLine.arguments.dropFirst().first ?? "tessera", found: "\(ranks.size) ranks",
      wanted: "one process: ranks are for \(commands.joined(separator: ", "))")
  }

  /// Throws for `--fallback` with several ranks, of which each has devices of its own.
  static func refuseFallback() throws {
    guard let ranks = RankEnvironment(ProcessInfo.processInfo.environment) else { return }
    throw TesseraError.input(
      "fallback", found: "--fallback with \(ranks.size) ranks",
      wanted: "none: the same command goes on, also with --device cpu")
  }

  /// Tells of the error that ends this process, and ends it. Of several ranks the leader says what all have to
  /// say, and a launcher ends all of them as soon as one has ended with an error: an assistant therefore waits
  /// until the leader has spoken, and speaks if it did not.
  static func fail(_ line: String, code: Int32) -> Never {
    fflush(nil)
    guard let rank = RankEnvironment(ProcessInfo.processInfo.environment)?.rank else {
      StandardError.write("tessera: \(line)\n")
      Foundation.exit(code)
    }
    if rank > 0 {
      sleep(10)
      StandardError.write("tessera: rank \(rank): \(line)\n")
    } else if !isTold.withLock({ $0 }) {
      StandardError.write("tessera: \(line)\n")
    }
    // At once: a thread of this process may wait in MPI without end.
    _exit(code)
  }

  /// Whether the error that ends this process was told before the other ranks were ended.
  private static let isTold = Mutex(false)

  /// Throws where a rank did not come to its end with the others; all work is done then.
  static func finish() throws {
    guard isUnfinished.withLock({ $0 }) else { return }
    throw TesseraError.failure(
      "ranks", found: "one that did not end with the others within 20 s",
      wanted: "all at their end; the results are whole")
  }

  private static let isUnfinished = Mutex(false)

  /// What says that all ranks are of one program.
  private static func build(_ kernels: KernelSources) -> String {
    "version \(tesseraVersion), numerics \(numericsVersion), kernels \(kernels.fingerprint.prefix(12))"
  }

  /// Leads the other ranks in some work, and ends them: in order, or with the error's exit code.
  func lead<R>(_ open: () throws -> DeviceGroup, _ body: (DeviceGroup) throws -> R) throws -> R {
    do {
      let devices = try open()
      let team = try RankTeam(leading: communicator, build: Self.build(devices.kernelSources))
      let result = try body(devices.with(ranks: team))
      team.end(code: 0)
      let isOver = communicator.close(code: 0)
      Self.isUnfinished.withLock { $0 = !isOver }
      return result
    } catch {
      let failure = communicator.failure ?? error
      end(failure)
      throw failure
    }
  }

  /// Ends the other ranks because of an error.
  func end(_ error: any Error) {
    let code: Int32 = (error as? TesseraError)?.kind == .input ? 2 : 1
    // The first rank that ends has the launcher end the others, this one before it could say why.
    StandardError.write("tessera: \(error)\n")
    Self.isTold.withLock { $0 = true }
    for rank in 1..<communicator.size { try? communicator.send(RankTeam.endMessage(code), to: rank, .end) }
    Self.after(.seconds(5), exit: code)
    communicator.close(code: code)
  }

  /// Assists the leader until it ends, and ends this process.
  func assist(_ open: () throws -> DeviceGroup) -> Never {
    var code: Int32 = 1
    do {
      let assistant = try open()
      code = try RankAssistant(
        communicator, devices: assistant, build: Self.build(assistant.kernelSources), kinds: Self.kinds
      ).serve()
    } catch {
      code = RankAssistant.report(error, communicator)
    }
    Self.after(.seconds(5), exit: code)
    communicator.close(code: code)
    Foundation.exit(code)
  }

  /// Ends this process some time later, should MPI not come to its end.
  private static func after(_ time: Duration, exit code: Int32) {
    let seconds = UInt32(clamping: time.components.seconds)
    Thread.detachNewThread {
      sleep(seconds)
      _exit(code)
    }
  }
}

/// A command that several ranks can do together: all but the leader assist it, whatever else the command says.
protocol RankedCommand: ParsableCommand {
  /// What each rank computes with.
  var device: DeviceOptions { get }
  /// Whether the command as it is given is one.
  var isShared: Bool { get }
}

extension RankedCommand {
  var isShared: Bool { true }
}

extension Run: RankedCommand {}
extension Embed: RankedCommand {}
extension Layout: RankedCommand {}
extension Train: RankedCommand {}
extension Evaluate: RankedCommand {}
extension Predict: RankedCommand {}

/// A finished run's recomputation is a run. Primitives are compared in one process, and disputes are settled there.
extension Verify: RankedCommand {
  var device: DeviceOptions { proof.devices(options) }
  var isShared: Bool { proof.run != nil && operation.against == nil }
}
