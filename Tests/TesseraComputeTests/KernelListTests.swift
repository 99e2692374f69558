// SPDX-License-Identifier: Apache-2.0
import Kernels
import Testing

@testable import TesseraBenchmark
@testable import TesseraCompute
@testable import TesseraVerification

/// The list of kernels, `Kernels/include/kernels.def`, against the kernels' text and the catalogue.
@Suite struct KernelListTests {
  @Test func everyKernelHasANameOfItsOwn() {
    #expect(Kernel.all.count == Int(tsr_kernel_count()) && Kernel.all.count > 100)
    #expect(Set(Kernel.all.map(\.name)).count == Kernel.all.count)
  }

  /// A name that a macro puts together stands in the text as the macro's argument.
  @Test func everyKernelIsInItsFamily() throws {
    let macros = [
      ("tsr_unary_grad_", "TSR_UNARY_GRAD("), ("tsr_unary_", "TSR_UNARY("),
      ("tsr_binary_channels_", "TSR_BINARY("), ("tsr_binary_", "TSR_BINARY("),
    ]
    for kernel in Kernel.all {
      let text = try KernelSources.embedded.program(kernel.family)
      let macro = macros.first { kernel.name.hasPrefix($0.0) }
      let wanted = macro.map { $0.1 + kernel.name.dropFirst($0.0.count) + "," } ?? kernel.name
      #expect(text.contains(wanted), "\(kernel.name) in \(kernel.family).cl")
    }
  }

  @Test func theCPUHasAFunctionForEachOfItsKernels() {
    for kernel in Kernel.all {
      for index in 0..<tsr_cpu_table_count() {
        let table = tsr_cpu_table_at(index)
        #expect((tsr_cpu_kernel_function(table, kernel) != nil) == kernel.isForCPU, "\(kernel.name)")
      }
    }
  }

  /// What the conformance probe, the checks of functions, the benchmark and shuffles run, not the
  /// catalogue; and what a convolution's gradient runs inside, which the CPU's profiler counts as one.
  private static let elsewhere: Set<Kernel> = [
    .softwareDivide, .softwareSqrt, .uncontracted, .fmaPeak, .randomWords, .copyGrid,
  ]

  @Test func everyKernelHasACatalogueCase() throws {
    let profiler = Profiler()
    let device = ProfiledBackend(try CPUBackend(), profiler: profiler)
    for item in Catalogue.cases where item.isSmall { _ = try item.run(device) }
    let ran = Set(try #require(profiler.summary().devices.first).kernels.map(\.name))
    for kernel in Kernel.all where kernel.isForCPU && !Self.elsewhere.contains(kernel) {
      #expect(ran.contains(kernel.name), "no case runs \(kernel.name)")
    }
    #expect(ran.isDisjoint(with: Self.elsewhere.map(\.name)))
  }
}
