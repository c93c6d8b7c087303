import ArgumentParser

/// Options of kernels of infinite width.
struct InfiniteOptions: ParsableArguments {
    @Flag(help: "The kernels of the infinite-width limit in NTK parametrisation: NTK and NNGP of one output.")
    var infinite = false

    @Option(help: "With --infinite: σ_w of all layers, instead of each layer's own.")
    var weightStd: Double?

    @Option(help: "With --infinite: σ_b of all layers that have a bias, instead of each layer's own.")
    var biasStd: Double?

    @Option(help: "Widths such as 32,64,128: the distance of networks of these widths to the limit.")
    var widthSweep: String?

    @Option(help: "With --width-sweep: networks of each width.")
    var sweepSeeds = 5

    /// Whether the limit is asked for.
    var isAsked: Bool { infinite || widthSweep != nil }

    /// The widths of a sweep.
    var widths: [Int] {
        get throws {
            guard let widthSweep else { return [] }
            let widths = widthSweep.split(separator: ",").compactMap { Int($0) }
            guard widths.count == widthSweep.split(separator: ",").count, !widths.isEmpty,
                widths.allSatisfy({ (1...1 << 20).contains($0) })
            else {
                throw ValidationError(
                    "--width-sweep takes whole numbers such as 32,64,128, found \(widthSweep)")
            }
            return widths
        }
    }

    func validate() throws {
        _ = try widths
        for (name, value) in [("--weight-std", weightStd), ("--bias-std", biasStd)] {
            if let value, !(value >= 0 && value.isFinite) {
                throw ValidationError("\(name) is a number of at least 0, found \(value)")
            }
            if value != nil, !isAsked { throw ValidationError("\(name) needs --infinite or --width-sweep") }
        }
        if !(1...10_000).contains(sweepSeeds) {
            throw ValidationError("--sweep-seeds is between 1 and 10,000, found \(sweepSeeds)")
        }
    }
}
