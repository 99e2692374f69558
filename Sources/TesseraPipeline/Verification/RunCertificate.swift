// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// What a verification of a finished run found: which parts of it were recomputed, by whom, and whether every
/// bit was the recorded one. It says nothing of what was not computed.
public struct RunCertificate: Codable, Sendable {
  /// The layout of a certificate's file.
  public static let currentVersion = 1

  /// The layout of this one.
  public var version = RunCertificate.currentVersion
  /// Who verified: the program, the machine and the moment.
  public let verifier: Provenance
  /// The device on which was recomputed.
  public let device: String
  /// Of an OpenCL device: the platform's version and the driver's.
  public let driver: String?
  /// What the encoder's linear layers are sums of, where that is not fp32's: `s3` or `s2`.
  public let products: String?
  /// What the sums of the network's linear layers and convolutions are, where that is not fp32's: `s3` or `s2`.
  public let networkProducts: String?
  /// Files that kernels were read from, in place of the program's own; nil if none.
  public let kernels: [String]?
  /// Who made each stage: device and program, as far as the run recorded it.
  public let makers: [String: StageMaker]
  /// The run's fingerprints by stage.
  public let fingerprints: [String: String]
  /// Files of the run that were compared with their records.
  public let files: Int
  /// What was recomputed, stage by stage.
  public internal(set) var stages: [Stage] = []
  /// The seed by which rows were drawn; nil where all was recomputed.
  public let seed: UInt64?
  /// The first difference; nil where there is none.
  public internal(set) var difference: Difference?

  /// Whether all that was recomputed has the recorded bits.
  public var isEqual: Bool { difference == nil }

  /// What was recomputed of a stage.
  public struct Stage: Codable, Sendable, Equatable {
    /// The stage's name.
    public let stage: String
    /// How much was recomputed: all of it, some rows, or nothing.
    public let extent: Extent
    /// Rows or stretches that were drawn, of how many; nil where all or nothing was recomputed.
    public var rows: Int?, total: Int?
    /// Stretches that were recomputed, with those on the way to the ones that were drawn; nil of rows.
    public var computed: Int?
    /// The chance that a stage of which a share of the rows or stretches is wrong would have passed, by that
    /// share; nil where none were drawn.
    public var passes: [String: Double]?

    /// How much of a stage was recomputed.
    public enum Extent: String, Codable, Sendable {
      /// All of it, from the data on.
      case whole
      /// Rows by seed, from the recorded results of the stages before.
      case rows
      /// Stretches by seed between recorded states, from the last kept state before each or from the start.
      case stretches
      /// Nothing.
      case nothing
    }
  }

  /// Where a run and its recomputation differ first.
  public struct Difference: Codable, Sendable, Equatable {
    /// The stage, and the file of its results.
    public let stage: String, file: String
    /// The tensor and the element in it; nil where a file is no tensors.
    public var tensor: String?, index: [Int]?
    /// What the run recorded and what was recomputed: bits, or what is there.
    public let recorded: String, recomputed: String

    /// One line.
    public var text: String {
      let element = index.map { $0.isEmpty ? "" : "[\($0.map(String.init).joined(separator: ", "))]" } ?? ""
      let place = tensor.map { ", \($0)\(element)" } ?? ""
      return "\(stage): \(file)\(place): \(recorded) recorded, \(recomputed) recomputed"
    }
  }

  /// The certificate as JSON with sorted keys.
  public func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Reads a certificate.
  ///
  /// - Throws: `TesseraError` for what is none, or one of another version.
  public static func read(_ path: String) throws -> RunCertificate {
    let wanted = "a certificate (made by tessera verify --run)"
    let data = try InputFile.read(path, wanted: wanted, atMost: InputFile.Limit.configuration)
    guard let certificate = try? JSONDecoder().decode(RunCertificate.self, from: data) else {
      throw TesseraError.input(path, found: "a file that cannot be read", wanted: wanted)
    }
    guard certificate.version == currentVersion else {
      throw TesseraError.input(
        path, found: "version \(certificate.version)", wanted: "\(currentVersion), this program's")
    }
    return certificate
  }

  /// Throws unless another certificate is of a run with the same results.
  ///
  /// - Parameters:
  ///   - other: the certificate that is compared with this one.
  ///   - path: the other's file, for the message.
  public func requireSameRun(as other: RunCertificate, _ path: String) throws {
    guard verifier.numerics == other.verifier.numerics else {
      throw TesseraError.failure(
        path, found: "numerics version \(other.verifier.numerics)", wanted: "\(verifier.numerics), this run's"
      )
    }
    for stage in Set(fingerprints.keys).union(other.fingerprints.keys).ordered() {
      let (own, theirs) = (fingerprints[stage] ?? "none", other.fingerprints[stage] ?? "none")
      guard own == theirs else {
        throw TesseraError.failure(
          "\(path): \(stage)", found: "fingerprint \(theirs)", wanted: "\(own), this run's")
      }
    }
  }
}
