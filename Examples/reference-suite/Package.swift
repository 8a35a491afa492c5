// swift-tools-version: 6.2
// Benches for qprof's own development: real post-quantum cryptography, nothing of qprof inside.
// SwiftPM keeps symbols and line tables in release builds, which profiles need.
import PackageDescription

func bench(_ name: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["Measure", .product(name: "Crypto", package: "swift-crypto")])
}

let package = Package(
  name: "reference-suite",
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")
  ],
  targets: [
    .target(name: "Measure"),
    bench("ml_dsa"),
    bench("ml_kem"),
  ]
)
