// swift-tools-version: 6.1
import PackageDescription

// libFuzzer targets of everything that reads a file from elsewhere; tools/check-fuzz builds and runs them.
let package = Package(
  name: "tessera-fuzz",
  dependencies: [.package(name: "tessera", path: "../..")],
  targets: [
    .target(name: "CFuzz"),
    .executableTarget(
      name: "tessera-fuzz", dependencies: ["CFuzz", .product(name: "Tessera", package: "tessera")]),
  ],
  swiftLanguageModes: [.v6]
)
