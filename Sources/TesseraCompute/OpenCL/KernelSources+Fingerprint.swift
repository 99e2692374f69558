// SPDX-License-Identifier: Apache-2.0
extension KernelSources {
  /// SHA-256 over the name and the text of every kernel file and shared header, in the order of the package's
  /// list. A text from a folder counts under the name of the one that it replaces, so that a folder with the
  /// binary's own texts has the binary's digits.
  package var fingerprint: String {
    var print = Fingerprint()
    for name in Self.names {
      print.add(name)
      print.add(text(of: name)?.text ?? "")
    }
    return print.digits()
  }
}

extension DeviceGroup {
  /// The text that the group's kernels are built from: every device has the same; the binary's own where
  /// none builds any.
  package var kernelSources: KernelSources {
    all.lazy.compactMap(\.info.kernelSources).first ?? .embedded
  }
}
