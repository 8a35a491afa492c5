// swift-tools-version: 6.2
// Targets in the order data flows. The arrows between them are held by HouseTests.
import PackageDescription

/// Set by `make check` and `make test`: for our targets only, not for those of other packages.
let strict: [SwiftSetting] =
  Context.environment["QPROF_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let swift: [SwiftSetting] =
  strict + [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ]

let c: [CSetting] = [
  .unsafeFlags(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]),
  .define("_GNU_SOURCE"),
]

/// SwiftPM links a C-only dynamic library with swiftc, which would make libswiftCore a NEEDED of
/// a library that goes into programs without Swift. Embedded mode leaves libc.so.6 alone.
///
/// With as few mappings as a library can have: every program that starts pays for each of them,
/// and every fork again.
let withoutSwiftRuntime: [LinkerSetting] = [
  .unsafeFlags(["-enable-experimental-feature", "Embedded"]),
  .unsafeFlags(
    ["norelro", "now"].flatMap { ["-Xlinker", "-z", "-Xlinker", $0] }),
]

let package = Package(
  name: "qprof",
  products: [
    .executable(name: "qprof", targets: ["CLI"]),
    .library(name: "qprof-sampler", type: .dynamic, targets: ["CSamplerAgent"]),
    .library(name: "qprof-heap", type: .dynamic, targets: ["CHeapAgent"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    // In the sampled process.
    .target(name: "CAgentWire"),
    .target(name: "CAgentCore", dependencies: ["CAgentWire"], cSettings: c),
    .target(
      name: "CSamplerAgent", dependencies: ["CAgentCore"], cSettings: c,
      linkerSettings: withoutSwiftRuntime),
    .target(name: "CUnwind", cSettings: c),
    .target(
      name: "CHeapAgent", dependencies: ["CAgentCore", "CSamplerAgent", "CUnwind"],
      cSettings: c + [.unsafeFlags(["-O2", "-fno-omit-frame-pointer"])],
      linkerSettings: withoutSwiftRuntime),

    // C libraries.
    .target(name: "CLinux", cSettings: c),
    .target(
      name: "CLibunwind", cSettings: c, linkerSettings: [.linkedLibrary("unwind-x86_64")]),
    .systemLibrary(name: "CElfutils", providers: [.apt(["libelf-dev", "libdw-dev"])]),
    .target(
      name: "CDemangle", cSettings: c, linkerSettings: [.linkedLibrary("iberty")]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),

    // From samples to a profile.
    .target(name: "ProfileModel", swiftSettings: swift),
    .target(
      name: "Elf", dependencies: ["CElfutils", "CUnwind", "ProfileModel"], swiftSettings: swift),
    .target(
      name: "Capture",
      dependencies: ["CAgentWire", "CLibunwind", "CLinux", "CUnwind", "Elf", "ProfileModel"],
      swiftSettings: swift),
    .target(
      name: "HeapTracker", dependencies: ["CAgentWire", "CLinux", "Capture", "ProfileModel"],
      swiftSettings: swift),
    .target(name: "Sampler", dependencies: ["Capture", "ProfileModel"], swiftSettings: swift),
    .target(
      name: "Symbols", dependencies: ["CDemangle", "CElfutils", "Elf", "ProfileModel"],
      swiftSettings: swift),

    // From a profile to what people and other tools read.
    .target(
      name: "ProfileFormats",
      dependencies: [
        "CZlib", "ProfileModel",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: swift),
    .target(name: "Markup", dependencies: ["ProfileModel"], swiftSettings: swift),
    .target(
      name: "FlameGraph", dependencies: ["Markup", "ProfileModel"],
      resources: [.embedInCode("flame.js")], swiftSettings: swift),
    .target(name: "Reporting", dependencies: ["Markup", "ProfileModel"], swiftSettings: swift),
    .target(
      name: "Benchmarking", dependencies: [.product(name: "TOMLKit", package: "TOMLKit")],
      swiftSettings: swift),
    .executableTarget(
      name: "CLI",
      dependencies: [
        "Benchmarking", "Capture", "FlameGraph", "HeapTracker", "ProfileFormats", "ProfileModel",
        "Reporting", "Sampler", "Symbols",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),

    // Measures what no command shows alone; called by Benchmarks/run.
    .executableTarget(
      name: "unwind-bench",
      dependencies: ["Capture", "Elf", "ProfileFormats", "ProfileModel", "Symbols"],
      path: "Benchmarks/unwind", swiftSettings: swift),
    .executableTarget(
      name: "heap-bench",
      dependencies: ["CAgentCore", "CAgentWire", "Capture", "HeapTracker", "ProfileModel"],
      path: "Benchmarks/tracker", swiftSettings: swift),

    // Tests.
    .target(
      name: "TestSupport", dependencies: ["ProfileModel"], path: "Tests/TestSupport",
      swiftSettings: swift),
    .target(
      name: "CaptureProbe", dependencies: ["CAgentCore"], path: "Tests/CaptureProbe", cSettings: c),
    .testTarget(
      name: "ProfileModelTests", dependencies: ["ProfileModel", "TestSupport"],
      swiftSettings: swift),
    .testTarget(
      name: "ElfTests", dependencies: ["Elf", "ProfileModel", "TestSupport"],
      swiftSettings: swift),
    .testTarget(
      name: "CaptureTests",
      dependencies: [
        "CAgentCore", "CAgentWire", "CUnwind", "Capture", "CaptureProbe", "Elf", "ProfileModel",
        "Sampler", "TestSupport",
      ],
      swiftSettings: swift),
    .target(
      name: "UnwindProbe", dependencies: ["CUnwind"], path: "Tests/UnwindProbe", cSettings: c),
    .target(name: "CFIFuzz", dependencies: ["CUnwind"], path: "Fuzz/CFI", cSettings: c),
    .testTarget(
      name: "CUnwindTests",
      dependencies: ["CFIFuzz", "CUnwind", "Elf", "ProfileModel", "TestSupport", "UnwindProbe"],
      swiftSettings: swift),
    .testTarget(
      name: "HeapTrackerTests",
      dependencies: ["CAgentWire", "Capture", "HeapTracker", "ProfileModel", "TestSupport"],
      swiftSettings: swift),
    .testTarget(
      name: "SymbolsTests", dependencies: ["Elf", "ProfileModel", "Symbols", "TestSupport"],
      swiftSettings: swift),
    .testTarget(
      name: "ProfileFormatsTests", dependencies: ["ProfileFormats", "ProfileModel", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: swift),
    .testTarget(
      name: "FlameGraphTests", dependencies: ["FlameGraph", "ProfileModel", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: swift),
    .testTarget(
      name: "ReportingTests", dependencies: ["ProfileModel", "Reporting", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: swift),
    .testTarget(
      name: "BenchmarkingTests", dependencies: ["Benchmarking", "TestSupport"],
      swiftSettings: swift),
    .testTarget(
      name: "CLITests",
      dependencies: ["CLI", "ProfileFormats", "ProfileModel", "Reporting", "TestSupport"],
      swiftSettings: swift),
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["ProfileFormats", "ProfileModel", "Reporting", "TestSupport"],
      swiftSettings: swift),
  ]
)
