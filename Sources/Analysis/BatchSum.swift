import Backend
import Graph
import Planner

/// A program over one batch, run over all batches of a risk, its results added up: for one vector, or for several at
/// once.
///
/// What does not depend on the vector can be held: it is computed once for as many batches as a quarter of the free
/// memory holds, and every further run is cheaper by that. Batches that do not fit into memory are made smaller.
final class BatchSum {
    /// Vectors of one block.
    static let blockSize = 4

    private let risk: Risk
    private let layout: ParameterLayout
    private let holds: Bool
    /// The program and its scalars at a batch size.
    private let make: (_ batchSize: Int) -> (program: Program, scalars: [String])
    /// Nil while they are made again with smaller batches, and if that failed.
    private var passes: Passes?

    /// A sum of programs with inputs `v of …`, `sum of …` and outputs `result …`; vectors are laid out as `layout` says.
    init(
        of risk: Risk, over layout: ParameterLayout, holds: Bool,
        _ make: @escaping (_ batchSize: Int) -> (program: Program, scalars: [String])
    ) throws(BackendError) {
        (self.risk, self.layout, self.holds, self.make) = (risk, layout, holds, make)
        _ = try prepare(from: risk.batchSize)
    }

    private func prepare(from batchSize: Int) throws(BackendError) -> Passes {
        // Their memory first.
        passes = nil
        let (size, made) = try SmallerBatches.fit(batchSize, on: risk.space.backend) {
            size throws(BackendError) in
            let (program, scalars) = make(size)
            return try Passes(
                program, over: layout, of: risk, batchSize: size, scalars: scalars, holds: holds)
        }
        (risk.batchSize, passes) = (size, made)
        return made
    }

    /// Runs again with smaller batches if the device has too little memory.
    private func retrying<Result>(
        _ body: (Passes) throws(BackendError) -> Result
    ) throws(BackendError) -> Result {
        while true {
            do throws(BackendError) {
                if let passes { return try body(passes) }
                return try body(try prepare(from: risk.batchSize))
            } catch {
                guard let size = passes?.batchSize,
                    let smaller = SmallerBatches.next(after: error, size, on: risk.space.backend)
                else { throw error }
                _ = try prepare(from: smaller)
            }
        }
    }

    /// The scalars in order; the vector result lies in `into`. `vector` is read as `v of …`.
    func run(
        at parameters: DeviceSlice? = nil, vector: DeviceSlice? = nil, into result: DeviceSlice? = nil
    ) throws(BackendError) -> [Double] {
        try retrying { passes throws(BackendError) in
            try passes.single.run(at: parameters, vector: vector, into: result)
        }
    }

    /// The vector results for several vectors, as many at once as a block holds.
    func run(vectors: [DeviceSlice], into results: [DeviceSlice]) throws(BackendError) {
        precondition(vectors.count == results.count, "\(vectors.count) vectors into \(results.count) results")
        try retrying { passes throws(BackendError) in
            var next = 0
            while next < vectors.count {
                let width = min(Self.blockSize, vectors.count - next)
                if let block = try passes.block(width) {
                    let range = next..<next + block.width
                    try block.run(vectors: Array(vectors[range]), into: Array(results[range]))
                    next += block.width
                } else {
                    _ = try passes.single.run(vector: vectors[next], into: results[next])
                    next += 1
                }
            }
        }
    }
}

/// A sum at one batch size: its passes over the data for one vector and for several, and what they hold in common.
private final class Passes {
    let batchSize: Int
    let single: BatchPass
    private let program: Program
    private let layout: ParameterLayout
    private let risk: Risk
    private let held: HeldValues?
    private var blocks: BatchPass?
    private var hasTriedBlocks = false

    init(
        _ program: Program, over layout: ParameterLayout, of risk: Risk, batchSize: Int, scalars: [String],
        holds: Bool
    ) throws(BackendError) {
        (self.program, self.layout, self.risk, self.batchSize) = (program, layout, risk, batchSize)
        func pass(_ held: HeldValues?) throws(BackendError) -> BatchPass {
            let parts = try PassParts(
                program, over: layout, of: risk, batchSize: batchSize, held: held, width: 1)
            return try BatchPass(parts, of: risk, batchSize: batchSize, scalars: scalars, held: held)
        }
        let held =
            holds
            ? try ifThereIsMemory { () throws(BackendError) in
                let backend = risk.space.backend
                let held = try HeldValues(
                    program, whatVariesWith: { $0.hasPrefix("v of ") },
                    batchCount: risk.data.batchCount(of: batchSize), most: backend.freeMemory / 4,
                    on: backend, risk.space.precision)
                // Before the pass has memory of its own: the two together would take more.
                try held?.fill { risk.inputs(of: $0, batchSize: batchSize) }
                return held
            } : nil
        // Holding is a luxury.
        let holding =
            held == nil ? nil : try ifThereIsMemory { () throws(BackendError) in try pass(held) }
        self.held = holding == nil ? nil : held
        if let holding {
            single = holding
        } else {
            single = try pass(nil)
        }
    }

    /// The pass for blocks of at most `width` vectors; nil if there are too few, too little memory for several, or
    /// nothing to gain: products of large matrices with few samples move more weights into a block than they save.
    func block(_ width: Int) throws(BackendError) -> BatchPass? {
        if width < 2 { return nil }
        if !hasTriedBlocks {
            hasTriedBlocks = true
            blocks = try largestBlock()
        }
        return blocks.flatMap { $0.width <= width ? $0 : nil }
    }

    /// The largest block that there is memory for, if it moves fewer bytes per vector than single passes.
    private func largestBlock() throws(BackendError) -> BatchPass? {
        var width = BatchSum.blockSize
        while width > 1 {
            let parts = try PassParts(
                program, over: layout, of: risk, batchSize: batchSize, held: held, width: width)
            if parts.bytesPerVector >= single.parts.bytesPerVector { return nil }
            let made = try ifThereIsMemory { () throws(BackendError) in
                try BatchPass(parts, of: risk, batchSize: batchSize, scalars: [], held: held)
            }
            if let made { return made }
            width /= 2
        }
        return nil
    }
}

/// What `body` makes; nil if the device has too little memory for it.
func ifThereIsMemory<Result>(
    _ body: () throws(BackendError) -> Result?
) throws(BackendError) -> Result? {
    do throws(BackendError) {
        return try body()
    } catch {
        if error.kind == .outOfMemory { return nil }
        throw error
    }
}
