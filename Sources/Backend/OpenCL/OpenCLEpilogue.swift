import Planner

/// A product or convolution with its epilogue: applied by the kernels that complete its results where all of them have
/// a place for it, else in place by a launch of its own.
///
/// A kernel's place is the macro `FINISH`, with `FINISH_OPERANDS` and `FINISH_CONSTANTS` in its list of parameters. The
/// chain's numbers lie before the kernel's own: first where the kernel's results begin in the whole result.
struct OpenCLEpilogue: OpenCLKernel {
    /// What a kernel hands over. Elements are counted from the first that the launch was given.
    enum Place {
        /// `FINISH(y, first, count)` after it wrote a run of results to `y`.
        case runs
        /// `FINISH(value, i)` is the value to write.
        case values
    }

    private let product: any OpenCLKernel
    private let epilogue: Elementwise
    private let target: OpenCLTarget

    init(_ product: any OpenCLKernel, _ epilogue: Elementwise, _ target: OpenCLTarget) {
        (self.product, self.epilogue, self.target) = (product, epilogue, target)
    }

    var scratch: Int { product.scratch }

    func launches(_ memory: StepMemory) -> [Launch] {
        var factors = memory, loads = memory
        factors.operands = Array(memory.operands.prefix(2))
        // Load 0 is the product.
        loads.operands = [memory.result] + memory.operands.dropFirst(2)
        let launches = product.launches(factors)
        let starts = launches.map { start(of: $0, in: memory.result) }
        let areAllPlaces = zip(launches, starts).allSatisfy { $1 == nil || $0.finish != nil }
        if !areAllPlaces { return launches + OpenCLElementwise(epilogue, target).launches(loads) }
        return zip(launches, starts).map { launch, start in
            start.map { finishing(launch, from: $0, loads) } ?? launch
        }
    }

    /// The element of the result at which a launch begins to write, nil if it writes elsewhere.
    private func start(of launch: Launch, in result: Buffer) -> Int? {
        let places = launch.buffers.lazy.filter { $0.place == result.place }.map { $0.offset - result.offset }
        return places.first { (0..<epilogue.count).contains($0) }
    }

    /// The launch with the chain in its kernel.
    private func finishing(_ launch: Launch, from start: Int, _ memory: StepMemory) -> Launch {
        let chain = ChainText(epilogue, hasRuns: launch.finish == .runs, inPlace: [0])
        var launch = launch
        launch.preamble = chain.geometry(start, target)
        launch.source = launch.source.behind(Self.text(chain, numbers: launch.preamble.count))
        launch.buffers += chain.operands.map { memory.operands[$0] }
        launch.constants = epilogue.constants
        return launch
    }

    /// The chain as a kernel finds it, its `numbers` before the kernel's geometry.
    private static func text(_ chain: ChainText, numbers: Int) -> String {
        func list(_ parameters: [String]) -> String { parameters.map { ", " + $0 }.joined() }
        let walk = "g - \(numbers)"
        let finish =
            chain.hasRuns
            ? "#define FINISH(y, first, count) "
                + chain.call("finish", y: "y", geometry: walk, "first, count")
            : "#define FINISH(value, i) "
                + chain.call("value", y: "value", geometry: walk, "(g - \(numbers))[0] + (i)")
        return chain.text(andThen: chain.hasRuns ? chain.finish : "") + """
            #define FINISH_OPERANDS \(list(chain.operandParameters))
            #define FINISH_CONSTANTS \(list(chain.constantParameters))
            \(finish)

            """
    }
}
