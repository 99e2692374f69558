// SPDX-License-Identifier: Apache-2.0
extension DeviceSelection {
  /// The APIs, in the order in which `auto` and `all` take their devices. A new one is one entry here.
  package static let providers: [any DeviceProvider] = [CPUProvider(), OpenCLProvider()]

  /// What a selection of one device may be, for help and messages.
  package static var forms: String { providers.flatMap(\.forms).joined(separator: ", ") + " or auto" }

  /// All devices of all providers.
  package static func survey() -> DeviceSurvey {
    providers.reduce(into: DeviceSurvey()) { $0.add($1.survey()) }
  }

  /// The device of a selection.
  ///
  /// - Parameters:
  ///   - name: one of `forms`, no list and not `auto`.
  ///   - warn: called with a line for everything that did not answer beside it.
  /// - Throws: `TesseraError` for an unknown selection and for a device that is not there.
  static func find(_ name: String, _ warn: (String) -> Void) throws -> FoundDevice {
    guard let provider = providers.first(where: { $0.selects(name) }) else {
      throw TesseraError.input("device", found: name.isEmpty ? "an empty name" : name, wanted: forms)
    }
    let survey = provider.survey()
    let devices = survey.devices
    let there = devices.map(\.info.title).joined(separator: ", ")
    let key = String(name.dropFirst(provider.scheme.count + 1))
    let found =
      name == provider.scheme
      ? devices.first
      : Int(key).map { n in devices.first { $0.info.selection == "\(provider.scheme):\(n)" } }
        ?? devices.first { $0.info.name.lowercased().contains(key.lowercased()) && !key.isEmpty }
    guard let found else {
      // It may be the one that did not answer.
      if let problem = survey.problems.first {
        throw TesseraError.failure(
          "device \(name)", found: problem, wanted: there.isEmpty ? "a device that answers" : there)
      }
      // Nothing is installed at all, or something that ought to give devices gives none.
      let why = survey.absences.isEmpty ? "none is installed" : survey.absences.joined(separator: "; ")
      throw TesseraError(
        there.isEmpty && survey.hasIdlePlatform ? .failure : .input, at: "device", found: "no device \(name)",
        wanted: there.isEmpty ? "\(provider.oneDevice) (\(why))" : there)
    }
    for problem in survey.problems { warn("\(problem); \(found.info.title) computes") }
    return found
  }
}
