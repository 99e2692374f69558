// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// libFuzzer targets of everything that reads a file from elsewhere; tools/check/fuzz builds and runs them.
let package = Package(
  name: "tessera-fuzz",
  dependencies: [.package(name: "tessera", path: "../../..")],
  targets: [
    .target(name: "CFuzz"),
    .executableTarget(
      name: "tessera-fuzz", dependencies: ["CFuzz", .product(name: "Tessera", package: "tessera")],
      // gold ends in an internal error on the sanitizers' symbols; lld would drop the coverage counters.
      linkerSettings: [
        .unsafeFlags(["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "nostart-stop-gc"])
      ]),
  ],
  swiftLanguageModes: [.v6]
)
