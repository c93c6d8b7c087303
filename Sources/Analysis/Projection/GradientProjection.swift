import Backend
import Graph
import Planner

/// Random features of per-sample gradients: `g = R·∇f/√k` of every output of a model at every sample (the features of TRAK
/// without its other steps: Park et al. 2023), whose products estimate the tangent kernel.
///
/// Features depend on the seed, the weights and the samples; neither the batch size nor the memory changes a bit on one
/// device.
public final class GradientProjection {
    /// Samples on a device: inputs `[N, …]` and their number.
    public typealias Samples = EmpiricalNTK.Samples

    /// How features are computed.
    public struct Options: Sendable {
        /// Samples of one pass of the model.
        public var batchSize = 128
        /// Bytes for gradients, the random matrix and the model's own values.
        public var memory = 1 << 30
        /// Whether the whole random matrix is held on the device; chosen by the memory unless given.
        public var holdsMatrix: Bool?

        /// The usual.
        public init() {}
    }

    /// Number of outputs of the model.
    public let outputs: Int
    /// Gradients of one sample: one for each output, or one for their sum.
    public let rowsPerSample: Int
    /// Number of parameters.
    public let parameters: Int
    /// The random matrix.
    public let projection: RandomProjection
    /// Whether the whole matrix is held; otherwise it is made again for every panel of samples.
    public let holdsMatrix: Bool
    /// Bytes that were planned for. More than `memory` where two samples do not fit.
    public let plannedBytes: Int
    /// Samples whose features are computed together, in order; the last ones may be fewer.
    public let panels: [Range<Int>]

    private let x: Samples
    private let panel: Int
    private let extractor: FeatureExtractor
    private let pass: ProjectionPass
    private let gradients: [String: DeviceArray]

    /// Prepares features of samples `x`; of the sum of all outputs if `sumsOutputs` (Mohamadi et al. 2023). `fixed` gives
    /// inputs of the forward program that are neither parameters nor samples. Throws if the device cannot.
    public init(
        _ forward: @escaping @Sendable (Int) -> Program, _ layout: ParameterLayout, parameters: DeviceArray,
        fixed: [String: DeviceSlice], x: Samples, sumsOutputs: Bool = false, projection: RandomProjection,
        _ options: Options = Options(), on backend: any Backend
    ) throws(BackendError) {
        precondition(x.count > 0, "features of no samples")
        let precision = parameters.precision, kind = sumsOutputs ? KernelKind.pseudo : .full
        outputs = forward(1).outputs[0].shape[1]
        let rows = kind.cotangents(outputs)
        (self.x, self.projection, self.parameters, rowsPerSample) = (x, projection, layout.count, rows)
        let room = try Room(
            forward, layout, kind, rows: rows, samples: x.count, projection, options, backend, precision)
        (holdsMatrix, plannedBytes, panel) = (room.holds, room.bytes, room.panel)
        let size = panel, count = x.count
        panels = stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
        var bound = fixed
        for entry in layout.entries { bound[entry.name] = parameters[entry.range] }
        try SampleProbe.check(forward, bound, x, on: backend, precision)
        extractor = try FeatureExtractor(
            room.program, kind, batch: room.batch, bound: bound, on: backend, precision)
        var gradients: [String: DeviceArray] = [:]
        for chunk in room.chunks {
            gradients[chunk.name] = try backend.allocate(panel * rows * chunk.parameters.count, precision)
        }
        self.gradients = gradients
        pass = try ProjectionPass(
            projection, room.chunks, rows: panel * rows, holds: room.holds, on: backend, precision)
    }

    /// Features `[n, O, k]` of the samples of a panel; `[n, 1, k]` of the sum of outputs. Throws where a gradient is not
    /// finite, which no feature would show.
    public func features(_ samples: Range<Int>) throws(BackendError) -> [Double] {
        // The last panel takes as many samples of the one before as it lacks: all passes are of one size.
        let first = min(samples.lowerBound, x.count - panel)
        let perSample = x.array.count / x.count
        try extractor.extract(
            x.array[first * perSample..<(first + panel) * perSample], count: panel, into: gradients)
        let line = rowsPerSample * projection.dimensions
        let values = try pass.features(gradients)[(samples.lowerBound - first) * line..<panel * line]
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            let row = bad / projection.dimensions
            throw BackendError(
                .program,
                "the gradient of output \(row % rowsPerSample) at sample \(first + row / rowsPerSample) is not finite"
            )
        }
        return Array(values)
    }
}

/// How many samples are computed together within a memory.
private struct Room {
    let program: FeatureProgram
    let chunks: [ParameterChunk]
    let batch: Int, panel: Int, bytes: Int
    let holds: Bool

    init(
        _ forward: @Sendable (Int) -> Program, _ layout: ParameterLayout, _ kind: KernelKind, rows: Int,
        samples: Int, _ projection: RandomProjection, _ options: GradientProjection.Options,
        _ backend: any Backend, _ precision: Precision
    ) throws(BackendError) {
        let size = precision.bytes, perSample = rows * layout.count * size
        let matrix = layout.count * projection.elementsPerParameter * size
        // One sample alone would hide what is repeated for every sample.
        let least = min(2, samples)
        var batch = max(least, min(options.batchSize, samples, 1024 / rows))
        while true {
            let (program, chunks) = FeatureProgram.chunks(forward, layout, batch: batch, kind: kind)
            var arena = try backend.plan(program.batched, precision, sumsInOrder: true).arenaBytes
            if let single = program.single {
                arena += try backend.plan(single, precision, sumsInOrder: true).arenaBytes
            }
            let values = arena, widest = chunks.map(\.parameters.count).max() ?? 0
            /// Bytes for a panel of samples.
            func needed(_ panel: Int, holds: Bool) -> Int {
                values + panel * perSample + (holds ? matrix : 0)
                    + ProjectionPass.bytes(projection, widest, rows: panel * rows, precision)
            }
            let fits = needed(batch, holds: false) <= options.memory
            if !fits, batch > least {
                batch = max(least, batch / 2)
                continue
            }
            func most(_ holds: Bool) -> Int {
                let perPanel = needed(1, holds: holds) - needed(0, holds: holds)
                let room = (options.memory - needed(0, holds: holds)) / perPanel
                // A held matrix needs no large panels; one that is made again is made as seldom as can be.
                return max(batch, min(samples, room, holds ? 2048 / rows : samples))
            }
            // Made once anyway, it need not be held.
            let holds =
                options.holdsMatrix
                ?? (most(false) < samples && needed(batch, holds: true) <= options.memory)
            let panel = most(holds), count = (samples + panel - 1) / panel
            (self.program, self.chunks, self.batch, self.holds) = (program, chunks, batch, holds)
            // Panels of one size, a multiple of 8 where there are several.
            let even = (samples + count - 1) / count
            self.panel = max(batch, count == 1 ? samples : min(panel, (even + 7) / 8 * 8))
            bytes = needed(self.panel, holds: holds)
            return
        }
    }
}
