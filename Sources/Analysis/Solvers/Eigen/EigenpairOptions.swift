import Planner

/// Settings of the eigenvalue search.
public struct EigenpairOptions: Sendable {
    /// Residuals are accepted below this fraction of their eigenvalue, or below the rounding noise of the
    /// operator, 16 ε‖A‖, whichever is larger.
    public var tolerance: Double?
    /// Residuals, or errors, below this fraction of ‖A‖ are accepted as well: what is asked of values that may be zero. At least 16 ε.
    public var floor: Double
    /// Whether the tolerance is for residuals or for the values themselves.
    public var acceptance: EigenpairAcceptance
    /// Most products of one search (of the first, or of one that looks for copies); nil: as many as the restarts allow.
    public var steps: Int?
    /// Vectors kept on the device before a restart, without those found; nil: 2·count + 20, at least 100, and up to 400
    /// while they take 128 MiB at most; no more than fit with their products into half of the free memory.
    public var basis: Int?
    /// Vectors given to the operator at once. One needs the fewest products; more pay where the operator multiplies a block
    /// much faster.
    public var blockSize: Int
    /// Most restarts of one search.
    public var restarts: Int
    /// Most products of all searches together.
    public var products: Int?
    /// Probability at which another copy of a value, if there is one, may be missed: what the search for copies aims at.
    public var missRisk: Double
    /// Also hand out the state every so many products, not only at restarts.
    public var saveEvery: Int?
    /// Seed of the start vectors.
    public var seed: UInt64

    /// Defaults: a tolerance that fits the precision (1e-5 or 1e-10), one vector at a time, a risk of 0.01, at most 300 restarts.
    public init(
        tolerance: Double? = nil, floor: Double = 0, acceptance: EigenpairAcceptance = .residuals,
        steps: Int? = nil,
        basis: Int? = nil, blockSize: Int = 1,
        restarts: Int = 300, products: Int? = nil, missRisk: Double = 0.01, saveEvery: Int? = nil,
        seed: UInt64 = 0
    ) {
        (self.tolerance, self.steps, self.basis, self.blockSize) = (tolerance, steps, basis, blockSize)
        (self.floor, self.acceptance) = (floor, acceptance)
        self.missRisk = missRisk
        (self.restarts, self.products, self.saveEvery, self.seed) = (restarts, products, saveEvery, seed)
    }

    /// The tolerance in a precision.
    func tolerance(_ precision: Precision) -> Double {
        tolerance ?? (precision == .float32 ? 1e-5 : 1e-10)
    }

    /// Vectors of the basis and of a block for `count` pairs of a matrix, with `start` vectors given.
    func sizes(_ count: Int, start: Int, in space: VectorSpace) -> (basis: Int, block: Int) {
        let n = space.dimension
        let row = max(1, n * space.precision.bytes)
        // The basis, its products and what a restart keeps of both; the pairs found, those to be proved with their products, blocks,
        // and the check of the complement.
        let rows = space.backend.freeMemory / 2 / row - 3 * count - 4 * max(blockSize, start) - 32
        let fitting = rows < 1 ? 0 : rows / 3
        // Rows that are not needed cost nothing; restarts cost products where eigenvalues lie close.
        let usual = max(100, 2 * count + 20, min(400, (128 << 20) / row))
        let wished = min(n, basis ?? usual)
        // Fewer are no Krylov space.
        let least = min(n, max(8, start + 4))
        let size = max(least, min(wished, fitting))
        return (size, max(1, min(blockSize, size / 4, n)))
    }
}
