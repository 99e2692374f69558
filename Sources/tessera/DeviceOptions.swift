import ArgumentParser
import TesseraCompute
import TesseraPipeline

/// The device and how much to say; shared by the commands that compute.
struct DeviceOptions: ParsableArguments {
  @Option(help: "cpu, opencl, opencl:N, opencl:NAME or auto.")
  var device = "auto"

  @Option(help: "CPU threads (default: all cores). Changes no bit.")
  var threads: Int?

  @Flag(help: "Use a device even if it fails the conformance probe.")
  var insist = false

  @Flag(help: "Say nothing but results.")
  var quiet = false

  @Flag(help: "Say more.")
  var verbose = false

  /// The chosen device.
  func open() throws -> any Backend {
    try DeviceSelection.open(device, threads: threads, insist: insist)
  }

  /// Where progress goes: the terminal, plain lines, or nowhere.
  var progress: ProgressLine { ProgressLine(quiet: quiet) }
}
