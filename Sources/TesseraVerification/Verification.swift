// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The result of running the catalogue on two backends.
public struct Verification: Sendable, Codable {
  /// A case whose bits differ, or that failed on the device.
  public struct Mismatch: Sendable, Codable {
    /// The primitive.
    public let primitive: String
    /// The case's shape and attributes.
    public let label: String
    /// First difference or error, in one line.
    public let what: String
  }

  /// The name of the backend whose bits are wanted.
  public let reference: String
  /// The name of the backend that was checked.
  public let device: String
  /// Cases run.
  public private(set) var cases = 0
  /// Numbers compared.
  public private(set) var values = 0
  /// Cases by primitive.
  public private(set) var casesByPrimitive: [String: Int] = [:]
  /// SHA-256 of the reference's values: equal for every instruction set and thread count.
  public private(set) var fingerprint = ""
  /// The same by primitive.
  public private(set) var fingerprints: [String: String] = [:]
  /// What differed.
  public private(set) var mismatches: [Mismatch] = []

  /// Runs cases on both backends and compares bits.
  ///
  /// - Parameters:
  ///   - cases: what to run.
  ///   - reference: the backend whose bits are wanted.
  ///   - device: the backend that is checked.
  ///   - progress: called before each case with its number, the total and the case.
  public static func run(
    _ cases: [CatalogueCase] = Catalogue.cases, reference: any Backend, device: any Backend,
    progress: (Int, Int, CatalogueCase) -> Void = { _, _, _ in }
  ) throws -> Verification {
    var result = Verification(reference: reference.name, device: device.name)
    var (whole, parts) = (Fingerprint(), [String: Fingerprint]())
    for (number, item) in cases.enumerated() {
      progress(number, cases.count, item)
      let wanted = try item.run(reference)
      result.cases += 1
      result.casesByPrimitive[item.primitive, default: 0] += 1
      result.values += wanted.reduce(0) { $0 + $1.bits.count }
      for output in wanted {
        whole.add(item.primitive + item.label, output)
        parts[item.primitive, default: Fingerprint()].add(item.label, output)
      }
      var what: String?
      do {
        what = Catalogue.difference(wanted, try item.run(device))
      } catch {
        what = "\(error)"
      }
      if let what {
        result.mismatches.append(Mismatch(primitive: item.primitive, label: item.label, what: what))
      }
    }
    result.fingerprint = whole.digits()
    result.fingerprints = parts.mapValues { $0.digits() }
    return result
  }

  private init(reference: String, device: String) {
    self.reference = reference
    self.device = device
  }
}

extension Fingerprint {
  fileprivate mutating func add(_ label: String, _ output: CaseOutput) {
    add(label)
    add(output.name)
    output.bits.withUnsafeBytes { add($0) }
  }
}
