// swift-tools-version: 6.1
import PackageDescription

/// Numeric targets are optimised in debug builds too: unoptimised loops are 35 to 270 times slower.
let numeric: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]
let numericC: [CSetting] = [.unsafeFlags(["-O3", "-Wall", "-Wextra"])]

let package = Package(
    name: "landscape",
    products: [
        .library(
            name: "Landscape",
            targets: ["Graph", "Planner", "Backend", "Models", "Data", "Training", "Analysis", "Report"]),
        .executable(name: "landscape", targets: ["LandscapeCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C targets and system libraries.
        .target(name: "COpenCL", cSettings: numericC, linkerSettings: [.linkedLibrary("dl")]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CDigits", exclude: ["digits.bin", "README.md"], cSettings: numericC),
        .target(
            name: "CKernels",
            exclude: [
                "chains.inc", "vector.inc", "functions.inc", "chain.inc", "reduce.inc", "moves.inc",
                "products.inc",
                "lanes.inc", "tile.inc", "pack.inc", "product.inc", "convolution.inc", "winograd.inc",
            ],
            cSettings: numericC, linkerSettings: [.linkedLibrary("m")]),
        .target(name: "Kernels", exclude: ["cl"], cSettings: numericC),

        // The library, from the mathematics upwards.
        .target(
            name: "Graph", swiftSettings: numeric,
            linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
        .target(name: "Planner", dependencies: ["Graph"], swiftSettings: numeric),
        .target(
            name: "Backend",
            dependencies: ["Planner", "Graph", "Kernels", "CKernels", "COpenBLAS", "COpenCL"],
            swiftSettings: numeric),
        .target(
            name: "Models", dependencies: ["Graph", .product(name: "Yams", package: "Yams")],
            swiftSettings: numeric),
        .target(name: "Data", dependencies: ["CZlib", "CDigits"], swiftSettings: numeric),
        .target(
            name: "Training", dependencies: ["Models", "Data", "Backend", "Planner", "Graph"],
            swiftSettings: numeric),
        .target(
            name: "Analysis", dependencies: ["Graph", "Planner", "Backend", "Data"], swiftSettings: numeric),
        .target(name: "Report"),
        .target(
            name: "Bench",
            dependencies: ["Training", "Analysis", "Models", "Data", "Backend", "Planner", "Graph"],
            path: "Bench", exclude: ["peers"],
            swiftSettings: numeric),
        .executableTarget(
            name: "LandscapeCLI",
            dependencies: [
                "Graph", "Planner", "Backend", "Models", "Data", "Training", "Analysis", "Report", "Bench",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // Tests: one folder per module.
        .target(
            name: "TestSupport", dependencies: ["Graph", "Planner", "Backend"], path: "Tests/TestSupport",
            swiftSettings: numeric),
        .testTarget(name: "GraphTests", dependencies: ["Graph", "TestSupport"], swiftSettings: numeric),
        .testTarget(
            name: "PlannerTests", dependencies: ["Planner", "Graph", "TestSupport"], swiftSettings: numeric),
        .testTarget(
            name: "BackendConformanceTests", dependencies: ["Backend", "Planner", "Graph", "TestSupport"],
            swiftSettings: numeric),
        .testTarget(name: "DataTests", dependencies: ["Data"], swiftSettings: numeric),
        .testTarget(
            name: "ModelsTests", dependencies: ["Models", "Graph", "TestSupport"], swiftSettings: numeric),
        .testTarget(
            name: "TrainingTests",
            dependencies: ["Training", "Models", "Data", "Backend", "Planner", "Graph", "TestSupport"],
            swiftSettings: numeric),
        .testTarget(
            name: "AnalysisTests",
            dependencies: [
                "Analysis", "Training", "Models", "Data", "Backend", "Planner", "Graph", "TestSupport",
            ],
            swiftSettings: numeric),
        .testTarget(
            name: "BenchTests", dependencies: ["Bench", "Analysis", "Backend", "Planner", "Graph"],
            swiftSettings: numeric),
        .testTarget(
            name: "LandscapeCLITests", dependencies: ["LandscapeCLI", "Models", "Data", "Graph"]),
        .testTarget(name: "PackageTests"),
        .testTarget(name: "ReportTests", dependencies: ["Report"]),
    ]
)
