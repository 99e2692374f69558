// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
  name: "tessera",
  products: [
    .executable(name: "tessera", targets: ["tessera"]),
    .library(name: "TesseraCompute", targets: ["TesseraCompute"]),
    .library(name: "TesseraNN", targets: ["TesseraNN"]),
    .library(
      name: "Tessera", targets: ["TesseraText", "TesseraImages", "TesseraVision", "TesseraPipeline"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // Storey 0: OpenCL C kernels and shared arithmetic headers, embedded with #embed.
    .target(
      name: "Kernels", path: "Kernels", exclude: ["README.md", "NUMERICS.md", "cl"],
      sources: ["embed.c", "kernel_list.c"], publicHeadersPath: "include"),
    // Storey 1.
    .target(name: "COpenCL"),
    .target(name: "CSHA256"),
    .target(name: "CAllocation"),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CPUKernels", dependencies: ["Kernels"]),
    // Storey 2.
    .target(
      name: "TesseraCompute",
      dependencies: ["COpenCL", "CPUKernels", "CSHA256", "Kernels"]),
    // Storey 3.
    .target(name: "TesseraNN", dependencies: ["TesseraCompute"]),
    // Storey 4.
    .target(name: "TesseraText", dependencies: ["TesseraCompute"]),
    .target(name: "TesseraImages", dependencies: ["TesseraCompute", "CZlib"]),
    .target(name: "TesseraVision", dependencies: ["TesseraNN"]),
    // Storey 5.
    .target(
      name: "TesseraPipeline",
      dependencies: ["TesseraText", "TesseraImages", "TesseraVision", "TesseraNN", "CZlib"]),
    // Storey 6.
    .executableTarget(
      name: "tessera",
      dependencies: [
        "TesseraPipeline", "CAllocation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // Tests, one target a storey.
    .target(name: "TestSupport", dependencies: ["TesseraCompute"], path: "Tests/TestSupport"),
    .testTarget(
      name: "TesseraComputeTests",
      dependencies: ["TesseraCompute", "CPUKernels", "CSHA256", "Kernels", "TestSupport"],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraNNTests", dependencies: ["TesseraNN", "TestSupport"], resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraTextTests",
      dependencies: ["TesseraText", "TestSupport"],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraImagesTests", dependencies: ["TesseraImages", "TestSupport", "CZlib"],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraVisionTests", dependencies: ["TesseraVision", "TestSupport"],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraPipelineTests", dependencies: ["TesseraPipeline", "TestSupport"],
      resources: [.copy("Golden")]),
    // Calls with wrong arguments, in processes of their own: a trap ends one of these, not the tests.
    .executableTarget(
      name: "misuse",
      dependencies: [
        "TesseraPipeline", "TesseraText", "TesseraImages", "TesseraVision", "TesseraNN", "TestSupport",
      ],
      path: "Tests/Misuse"),
    .testTarget(name: "MisuseTests", dependencies: ["misuse", "TestSupport"]),
    .testTarget(
      name: "TesseraCommandTests", dependencies: ["tessera", "TesseraPipeline", "TestSupport"],
      resources: [.copy("Golden")]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu2x
)
