// SPDX-License-Identifier: Apache-2.0
/// An API by which devices are found and opened: the CPU path, OpenCL. A new one is a folder with a
/// conforming type, and an entry in `DeviceSelection.providers`.
package protocol DeviceProvider: Sendable {
  /// The word that selections of its devices begin with: `opencl`.
  var scheme: String { get }
  /// What selections look like, for help and messages. The scheme alone stands for the one device, or for
  /// the first of several, which `scheme:NUMBER` and `scheme:NAME` select then.
  var forms: [String] { get }
  /// The API's name, for messages: `OpenCL`.
  var title: String { get }
  /// Looks for devices; finds none where the API is not installed.
  func survey() -> DeviceSurvey
}

extension DeviceProvider {
  /// Whether a selection is of this provider's devices.
  func selects(_ selection: String) -> Bool {
    selection == scheme || forms.count > 1 && selection.hasPrefix(scheme + ":")
  }

  /// A device of the API, for messages: `an OpenCL device`.
  var oneDevice: String { ("AEIOU".contains(title.prefix(1)) ? "an " : "a ") + title + " device" }
}

/// A device that a provider has found.
package struct FoundDevice: Sendable {
  /// What is known before it is opened.
  package let info: DeviceInfo
  /// Opens it; throws `TesseraError` if it cannot be used. Whether its bits are right, the caller sees to.
  package let open: @Sendable (DeviceSettings) throws -> any KernelDispatching
}

/// What devices are opened with.
package struct DeviceSettings: Sendable {
  /// The CPU path with the wanted number of threads: a device of its own, and what others are proved by.
  package let reference: CPUBackend
  /// The text of kernels that are compiled at run time.
  package var sources: KernelSources = .embedded
  /// Tiles by device; what suits a device if nil.
  package var tuning: TuningFile?
  /// What measures the device's work; nothing does if nil.
  package var profiler: Profiler?
  /// The variables that may ask for a variant of kernels; empty: the device's own.
  package var environment: [String: String] = [:]

  /// The settings of a device that is only looked at.
  package init(reference: CPUBackend) { self.reference = reference }
}

/// What providers have found, and what kept other devices from being found.
package struct DeviceSurvey: Sendable {
  /// Every device that answered.
  package var devices: [FoundDevice] = []
  /// A line for each platform or device that did not.
  package var problems: [String] = []
  /// Why there may be fewer devices than there ought to be, a line each; on machines without such hardware
  /// all of that is as it should be.
  package var absences: [String] = []
  /// Whether a platform answered that it has no device.
  package var hasIdlePlatform = false
  /// What to do about a driver that is installed and was not found.
  package var hints: [String] = []

  /// Adds what another provider has found.
  mutating func add(_ other: DeviceSurvey) {
    devices += other.devices
    problems += other.problems
    absences += other.absences
    hasIdlePlatform = hasIdlePlatform || other.hasIdlePlatform
    hints += other.hints
  }
}
