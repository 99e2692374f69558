import Foundation
import Kernels

/// Opens devices by the names that users give.
public enum DeviceSelection {
  /// A backend for `cpu`, `opencl`, `opencl:N`, `opencl:NAME` or `auto`.
  ///
  /// `auto` is the first OpenCL device that is not a CPU and passes the conformance probe, else the CPU.
  ///
  /// - Parameters:
  ///   - name: the selection.
  ///   - threads: CPU threads; all cores if nil.
  ///   - insist: use an OpenCL device even if it fails the probe.
  /// - Throws: `TesseraError` for an unknown selection, an absent device or one that fails the probe.
  public static func open(_ name: String, threads: Int? = nil, insist: Bool = false) throws -> any Backend {
    let cpu = try CPUBackend(threads: threads)
    if name == "cpu" { return cpu }
    let devices = OpenCLDevice.all()
    if name == "auto" {
      for device in devices where !device.isCPU {
        if let backend = try? checked(device, cpu, insist: false) { return backend }
      }
      return cpu
    }
    guard name == "opencl" || name.hasPrefix("opencl:") else {
      throw TesseraError.input("device", found: name, wanted: "cpu, opencl, opencl:N, opencl:NAME or auto")
    }
    let there = devices.map { "opencl:\($0.index) (\($0.name))" }.joined(separator: ", ")
    let wanted = there.isEmpty ? "an OpenCL device (none is installed)" : there
    let key = String(name.dropFirst(7))
    let found =
      name == "opencl"
      ? devices.first
      : Int(key).map { n in devices.first { $0.index == n } }
        ?? devices.first { $0.name.lowercased().contains(key.lowercased()) && !key.isEmpty }
    guard let found else { throw TesseraError.input("device", found: "no device \(name)", wanted: wanted) }
    return try checked(found, cpu, insist: insist)
  }

  /// Opens a device and refuses it if it fails the probe, unless the user insists.
  private static func checked(_ device: OpenCLDevice, _ cpu: CPUBackend, insist: Bool) throws -> OpenCLBackend
  {
    let variant = ProcessInfo.processInfo.environment["TESSERA_OPENCL_VARIANT"]
    let backend = try OpenCLBackend(
      device, variant: variant == "wide" ? .wide : variant == "narrow" ? .narrow : nil)
    let result = try conformance(of: backend, against: cpu)
    if let failure = result.failure, !insist {
      throw TesseraError.failure(
        "device opencl:\(device.index) (\(device.name))", found: "it breaks \(failure)",
        wanted: "a conforming device, or --insist")
    }
    return backend
  }

  /// Runs the conformance probe on an OpenCL device.
  public static func conformance(of backend: OpenCLBackend, against cpu: CPUBackend) throws -> Conformance {
    try Conformance.probe(backend, against: cpu)
  }
}
