// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// The commit, from whoever builds. Git is not asked: SwiftPM keeps what a manifest said for as long as its
// text and its environment stay, and would so go on naming a commit long gone. Digits alone are taken.
let told = Context.environment["TESSERA_COMMIT"] ?? ""
let commit = told.count == 40 && told.allSatisfy { $0.isHexDigit && $0.isASCII } ? told : ""

let package = Package(
  name: "tessera",
  products: [
    .executable(name: "tessera", targets: ["tessera"]),
    .library(name: "TesseraCompute", targets: ["TesseraCompute"]),
    .library(name: "TesseraNN", targets: ["TesseraNN"]),
    // What a device is proved and measured by; no other library needs them.
    .library(name: "TesseraVerification", targets: ["TesseraVerification"]),
    .library(name: "TesseraBenchmark", targets: ["TesseraBenchmark"]),
    .library(
      name: "Tessera",
      targets: ["TesseraData", "TesseraText", "TesseraImages", "TesseraVision", "TesseraPipeline"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // Layer 0: the kernels. OpenCL C is embedded with #embed; the CPU's C is compiled once for each instruction set.
    .target(
      name: "Kernels", path: "Kernels", exclude: ["README.md", "NUMERICS.md"],
      sources: ["embed.c", "kernel_list.c", "isa"], publicHeadersPath: "include",
      cSettings: [.headerSearchPath(".")]),
    // Layer 1.
    .target(name: "COpenCL"),
    .target(name: "CMPI"),
    .target(name: "CSHA256"),
    .target(name: "CAllocation"),
    // What can be fetched by name; tools/fetch reads the one list too.
    .target(name: "CAssets", exclude: ["assets.json"]),
    .target(name: "CBuild", cSettings: [.define("TSR_COMMIT", to: "\"\(commit)\"")]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    // Layer 2.
    .target(
      name: "TesseraCompute",
      dependencies: ["CBuild", "CMPI", "COpenCL", "CSHA256", "Kernels"]),
    // Layer 3: networks; beside them the proof and the measurement of devices, which no library above needs.
    .target(name: "TesseraNN", dependencies: ["TesseraCompute"]),
    .target(name: "TesseraVerification", dependencies: ["TesseraCompute"]),
    .target(name: "TesseraBenchmark", dependencies: ["TesseraCompute", "TesseraVerification", "Kernels"]),
    // Layer 4. TesseraData reads tables of texts and classes.
    .target(name: "TesseraData", dependencies: ["TesseraCompute", "CZlib"]),
    .target(name: "TesseraText", dependencies: ["TesseraCompute"]),
    // What is fetched by name into the cache, and what the cache holds; the command line alone needs it.
    .target(name: "TesseraAssets", dependencies: ["TesseraCompute", "CAssets", "CZlib"]),
    .target(name: "TesseraImages", dependencies: ["TesseraCompute", "CZlib"]),
    .target(name: "TesseraVision", dependencies: ["TesseraCompute", "TesseraNN"]),
    // Layer 5.
    .target(
      name: "TesseraPipeline",
      dependencies: [
        "TesseraCompute", "TesseraNN", "TesseraData", "TesseraText", "TesseraImages", "TesseraVision",
      ]),
    // Layer 6.
    .executableTarget(
      name: "tessera",
      dependencies: [
        "TesseraCompute", "TesseraVerification", "TesseraBenchmark", "TesseraData", "TesseraText",
        "TesseraImages", "TesseraNN", "TesseraVision", "TesseraPipeline", "TesseraAssets",
        "CAllocation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // Tests, one target a library.
    .target(
      name: "TestSupport", dependencies: ["TesseraCompute"], path: "Tests/TestSupport",
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraComputeTests",
      dependencies: [
        "TesseraCompute", "TesseraVerification", "TesseraBenchmark", "CSHA256", "Kernels",
        "TestSupport",
      ],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraNNTests", dependencies: ["TesseraCompute", "TesseraNN", "TestSupport"],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraTextTests",
      dependencies: ["TesseraCompute", "TesseraText", "TestSupport"],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraImagesTests",
      dependencies: ["TesseraCompute", "TesseraImages", "TestSupport", "CZlib"],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraVisionTests",
      dependencies: ["TesseraCompute", "TesseraNN", "TesseraVision", "TestSupport"],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraDataTests",
      dependencies: ["TesseraCompute", "TesseraData", "TestSupport"],
      resources: [.copy("Golden")]),
    .testTarget(
      name: "TesseraPipelineTests",
      dependencies: [
        "TesseraCompute", "TesseraNN", "TesseraData", "TesseraText", "TesseraImages", "TesseraVision",
        "TesseraPipeline", "TestSupport",
      ],
      resources: [.copy("Golden")]),
    // Calls with wrong arguments, in processes of their own: a trap ends one of these, not the tests.
    .executableTarget(
      name: "misuse",
      dependencies: [
        "TesseraCompute", "TesseraVerification", "TesseraBenchmark", "TesseraNN", "TesseraData",
        "TesseraText", "TesseraImages", "TesseraVision", "TesseraPipeline", "TestSupport",
      ],
      path: "Tests/Misuse"),
    .testTarget(name: "MisuseTests", dependencies: ["misuse", "TestSupport"]),
    .testTarget(
      name: "TesseraCommandTests",
      dependencies: [
        "tessera", "TesseraAssets", "TesseraCompute", "TesseraData", "TesseraPipeline", "TestSupport",
        "CZlib",
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu2x
)

// A file imports what it uses: members of a module that another file imports are not seen.
for target in package.targets where target.type != .system {
  target.swiftSettings = [.enableUpcomingFeature("MemberImportVisibility")]
}
