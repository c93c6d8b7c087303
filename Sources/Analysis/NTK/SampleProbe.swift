import Backend
import Graph
import Planner

/// What a kernel between samples takes for granted, tried before a long computation: that a model's outputs for a sample
/// depend on that sample alone, and that they are the same every time.
enum SampleProbe {
    /// Throws, with what was found, unless both hold for the first samples. `bound` gives the model's weights and fixed
    /// inputs.
    static func check(
        _ forward: (Int) -> Program, _ bound: [String: DeviceSlice], _ samples: EmpiricalNTK.Samples,
        on backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        let batch = 3, width = samples.array.count / max(1, samples.count)
        let program = forward(batch)
        if let missing = program.inputs.first(where: { $0.name != "x" && bound[$0.name] == nil }) {
            throw BackendError(.program, "the model reads \"\(missing.name)\", and nothing gives it")
        }
        let executable = try backend.compile(program, precision, sumsInOrder: true)
        let x = try backend.allocate(batch * width, precision)
        let y = try backend.allocate(program.outputs[0].shape.count, precision)
        /// The outputs for one sample in the first row, others or weaker copies of it beside.
        func outputs(_ first: Int, beside others: [Double]) throws(BackendError) -> [Double] {
            let sample = samples.array[first * width..<(first + 1) * width]
            let values = try backend.download(sample)
            try backend.write(values + others.flatMap { factor in values.map { factor * $0 } }, to: x.all)
            try executable.run(
                inputs: executable.plan.inputs.map { $0.name == "x" ? x.all : bound[$0.name]! },
                outputs: [y.all])
            return Array(try backend.download(y.all).prefix(y.count / batch))
        }
        for first in 0..<min(2, samples.count) {
            let alike = try outputs(first, beside: [1, 1]), again = try outputs(first, beside: [1, 1])
            if let place = differing(alike, again, by: 0) {
                throw BackendError(
                    .device,
                    "the model is not deterministic: output \(place) of sample \(first) is \(alike[place]) and then \(again[place])"
                )
            }
            let apart = try outputs(first, beside: [0.5, -0.25])
            if let place = differing(alike, apart, by: precision.epsilon.squareRoot()) {
                throw BackendError(
                    .program,
                    "samples are not independent: output \(place) of sample \(first) is \(alike[place]) beside copies of it "
                        + "and \(apart[place]) beside other samples, as with batch normalisation in training mode; a tangent "
                        + "kernel between samples needs evaluation mode")
            }
        }
    }

    /// The first element that differs by more than a fraction of the largest.
    private static func differing(_ a: [Double], _ b: [Double], by fraction: Double) -> Int? {
        let largest = a.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
        return zip(a, b).enumerated().first { _, pair in
            // What is not finite will be told by the kernel.
            pair.0.isFinite && pair.1.isFinite && abs(pair.0 - pair.1) > fraction * largest
        }?.offset
    }
}
