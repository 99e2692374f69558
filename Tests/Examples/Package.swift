// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// Programs as a package that depends on Tessera has them. `tools/check/examples` builds and runs them.
let network: Target.Dependency = .product(name: "TesseraNN", package: "tessera")

let package = Package(
  name: "examples",
  dependencies: [.package(name: "tessera", path: "../..")],
  targets: ["xor", "digits", "reviews", "kernel"].map { name in
    .executableTarget(name: name, dependencies: [network])
  } + [
    .target(name: "DigitRows"),
    .executableTarget(name: "devices", dependencies: [network, "DigitRows"]),
    .executableTarget(name: "proof", dependencies: [network, "DigitRows"]),
    .executableTarget(
      name: "steps", dependencies: [network, .product(name: "TesseraBenchmark", package: "tessera")]),
    // The encoder's tokens come from the product of the whole pipeline.
    .executableTarget(
      name: "finetune", dependencies: [network, .product(name: "Tessera", package: "tessera")]),
  ],
  swiftLanguageModes: [.v6]
)
