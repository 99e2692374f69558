// SPDX-License-Identifier: Apache-2.0
/// What is known of a device: how it is selected, what it is, what its driver tells, and how it was opened.
public struct DeviceInfo: Sendable {
  /// What a device is good at.
  public enum Kind: String, Sendable {
    /// Few threads, each of them quick. It computes in the host's memory.
    case cpu
    /// Very many work-items at a time: it wants much work at once.
    case gpu
  }

  /// How a user selects it: `cpu`, `opencl:0`.
  public let selection: String
  /// Its name; of the CPU path with its instruction set and thread count, once it is opened.
  public let name: String
  /// What it is good at.
  public let kind: Kind
  /// Whether it is the CPU path, whose bits all others have to give.
  public let isReference: Bool
  /// Compute units; of the CPU path threads.
  public let computeUnits: Int
  /// The instruction set of the CPU path, once it is opened; nil for other devices.
  public let instructionSet: String?
  /// What its driver tells; nil where there is no driver.
  public let driver: DriverInfo?
  /// The options that its programs are built with, once it is opened; nil where none are built.
  public package(set) var buildOptions: String?
  /// Files that its kernels were read from, in place of the binary's text.
  public package(set) var kernelFiles: [String] = []
  /// The text that its kernels are built from, once it is opened; nil where none are built.
  package var kernelSources: KernelSources?

  /// What a provider of devices knows.
  package init(
    selection: String, name: String, kind: Kind, isReference: Bool = false, computeUnits: Int,
    instructionSet: String? = nil, driver: DriverInfo? = nil
  ) {
    self.selection = selection
    self.name = name
    self.kind = kind
    self.isReference = isReference
    self.computeUnits = computeUnits
    self.instructionSet = instructionSet
    self.driver = driver
  }

  /// How a user selects it, with its name.
  package var title: String { isReference ? selection : "\(selection) (\(name))" }
}

/// What a device's driver tells of itself and of the device.
public struct DriverInfo: Sendable {
  /// The platform's name.
  public let platform: String
  /// The platform's version.
  public let platformVersion: String
  /// The driver's version.
  public let driver: String
  /// The version of the API that the device has.
  public let version: String
  /// What it is, in the API's words: `CPU`, `GPU`, `accelerator`, or more than one of them.
  public let type: String
  /// The highest clock in MHz that the driver tells; 0 where it tells none.
  public let clock: Int
  /// The API's extensions that the device has.
  public let extensions: [String]
  /// Bytes of global memory.
  public let globalMemory: Int
  /// Bytes of local memory, which a work-group shares.
  public let localMemory: Int
  /// Bytes of the largest allocation.
  public let maxAllocation: Int
  /// Work-items of the largest work-group.
  public let maxWorkGroup: Int
  /// Whether division and square root are correctly rounded natively.
  public let roundsDivision: Bool
  /// Whether denormals are kept.
  public let keepsDenormals: Bool

  /// The platform's version and the driver's, for reports.
  package var text: String { "\(platformVersion); driver \(driver)" }
}
