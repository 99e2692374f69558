// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// Programs as a package that depends on Tessera has them. `tools/check/examples` builds and runs them.
let package = Package(
  name: "examples",
  dependencies: [.package(name: "tessera", path: "../..")],
  targets: ["xor", "digits", "reviews"].map { name in
    .executableTarget(name: name, dependencies: [.product(name: "TesseraNN", package: "tessera")])
  },
  swiftLanguageModes: [.v6]
)
