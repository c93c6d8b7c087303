import Backend
import Data

/// The search behind `Eigenpairs`: one search of a Krylov space after the other, each in the complement of what was found,
/// until one of them finds nothing more.
final class EigenpairSearch {
    /// How a search of one Krylov space ended.
    enum Outcome {
        /// The wanted values; what more there is remains to be looked for.
        case found
        /// The wanted values, and all others are known to lie on their side of the splits.
        case complete
        /// Nothing beyond those locked.
        case nothing
        /// No dimension is left.
        case exhausted
        /// Out of products or restarts, with the best there is.
        case gaveUp
    }

    let matrix: any LinearOperator
    let space: VectorSpace
    let wanted: WantedValues
    let options: EigenpairOptions
    let identity: EigenpairNumbers.Search
    let basisSize: Int, blockRows: Int
    let locked: LockedPairs
    var lanczos: BlockLanczos?
    var counters = EigenpairNumbers.Counters()
    /// What a search for copies has seen, for each end.
    var copies: [HiddenCopies] = []
    var history: [EigenpairProgress] = []
    /// Where the values found are parted from all others, once that is known.
    var splits: [SpectrumSplit] = []
    /// Vectors near the wanted ones, and combinations of them to begin with.
    let start: [DeviceSlice]
    var firstVectors: [[Double]] = []
    let progress: ((EigenpairProgress) -> Void)?
    let save: ((EigenpairState) throws(BackendError) -> Void)?

    init(
        _ end: SpectrumEnd, _ count: Int, of matrix: any LinearOperator, _ options: EigenpairOptions,
        start: [DeviceSlice], resuming state: EigenpairState?, progress: ((EigenpairProgress) -> Void)?,
        save: ((EigenpairState) throws(BackendError) -> Void)?
    ) throws(BackendError) {
        (self.matrix, space, self.options) = (matrix, matrix.space, options)
        (self.start, self.progress, self.save) = (start, progress, save)
        wanted = WantedValues(end, max(0, min(count, matrix.dimension)))
        let sizes = options.sizes(wanted.count, start: start.count, in: matrix.space)
        identity = EigenpairNumbers.Search(
            dimension: matrix.dimension, precision: space.precision.rawValue, end: end, count: wanted.count,
            seed: options.seed, tolerance: options.tolerance(space.precision),
            floor: options.floor,
            acceptance: options.acceptance, blockSize: options.blockSize)
        try state?.numbers.check(fits: identity)
        basisSize = state?.numbers.basisSize ?? sizes.basis
        blockRows = state?.numbers.blockRows ?? sizes.block
        locked = LockedPairs(matrix.space)
        if let state { try restore(state) }
    }

    /// Searches until nothing more is found.
    func run() throws(BackendError) -> Eigenpairs {
        var isComplete = wanted.count == 0
        if lanczos == nil, wanted.count > 0, counters.round == 0 { try begin() }
        while wanted.count > 0 {
            let (outcome, pairs) = try searchSpace()
            if outcome == .nothing { isComplete = true; break }
            if outcome == .exhausted { lanczos = nil }
            if try !lock(pairs, after: outcome) { continue }
            if outcome == .complete {
                isComplete = true
                report([], [])
                break
            }
            if outcome == .exhausted { (isComplete, counters.risk) = (true, 0); break }
            let isSpent = counters.products >= options.products ?? .max
            if outcome == .gaveUp, locked.count >= wanted.count || isSpent { break }
            // Every search adds a value that displaces another; far more of them than values is no spectrum.
            if max(locked.count, counters.round) >= 2 * wanted.count + 16 { break }
            try beginAgain()
            try handOut()
        }
        return try result(isComplete)
    }

    // MARK: Searches

    /// Another vector to begin with: of the given ones, then random. Random vector i is the same whatever the block size.
    func draw() -> [Double] {
        if !firstVectors.isEmpty { return firstVectors.removeFirst() }
        var random = RandomStream(seed: options.seed, purpose: "Lanczos start \(counters.drawn)")
        counters.drawn += 1
        return random.normals(space.dimension)
    }

    /// A search in the complement of what was found.
    func beginAgain() throws(BackendError) {
        lanczos = nil
        lanczos = try BlockLanczos(
            matrix, avoiding: [locked.rows], blockRows: blockRows, norm: counters.norm)
        counters.round += 1
        counters.isStrict = false
        (counters.roundProducts, counters.roundRestarts, counters.looked) = (0, 0, 0)
        counters.repairs = 0
        lookForCopies()
    }

    /// If all values are there, what follows only looks for more.
    func lookForCopies() {
        let (floor, ceiling) = wanted.limits(locked.values)
        counters.isCheck = locked.count >= wanted.count
        copies = counters.isCheck ? [floor, ceiling].compactMap { $0.map(HiddenCopies.init) } : []
        counters.risk = 1
    }

    /// What a product is for.
    enum Purpose { case search, check }

    /// Counts products.
    func count(_ products: Int, _ purpose: Purpose) {
        counters.products += products
        counters.roundProducts += products
        if purpose == .check { counters.checkProducts += products }
    }
}
