import Backend

/// A moment of an eigenvalue search from which it goes on with the same bits: at a restart, between two searches, or every `saveEvery` products.
///
/// It holds no vectors itself: during the call that hands it out they lie on the device, later in a file.
public struct EigenpairState {
    /// All numbers.
    let numbers: EigenpairNumbers
    /// Vector `index`: first those locked, then the basis, the next block, and the products with the basis.
    let vector: (_ index: Int) throws(BackendError) -> [Double]
}

/// The numbers of a state.
struct EigenpairNumbers: Codable, Equatable {
    /// What the search is, which decides all bits.
    struct Search: Codable, Equatable {
        var dimension: Int, precision: String, end: SpectrumEnd, count: Int, seed: UInt64
        var tolerance: Double, floor: Double, acceptance: EigenpairAcceptance, blockSize: Int
    }
    /// What was spent, and where the search is.
    struct Counters: Codable, Equatable {
        var products = 0, checkProducts = 0, restarts = 0
        /// Searches begun; products and restarts of this one, and products at its last Ritz values.
        var round = 0, roundProducts = 0, roundRestarts = 0, looked = 0
        /// Whether this search looks for copies; random vectors drawn; searches from vectors whose proof failed.
        var isCheck = false, drawn = 0, repairs = 0
        /// Whether there are Ritz values to look at before the next step.
        var looksAtOnce = false
        /// Whether residuals decide, because values were not parted from the others.
        var isStrict = false
        var norm = 0.0, risk = 1.0
    }
    var search: Search
    var counters: Counters
    /// Vectors of the basis at most, and of the room for a block.
    var basisSize: Int, blockRows: Int
    var lockedValues: [Double], lockedResiduals: [Double]
    /// T and C, row by row.
    var projected: [[Double]], coupling: [[Double]]
    var copies: [HiddenCopies]
    var history: [EigenpairProgress]

    /// How many vectors belong to it: those locked, the basis, the next block and the products with the basis.
    var rows: Int { lockedValues.count + 2 * projected.count + coupling.count }

    /// Throws if it belongs to another search.
    func check(fits wanted: Search) throws(BackendError) {
        var found: [String] = []
        func compare<Value: Equatable>(_ name: String, _ key: KeyPath<Search, Value>) {
            let (mine, theirs) = (search[keyPath: key], wanted[keyPath: key])
            if mine != theirs { found.append("\(name) \(mine) instead of \(theirs)") }
        }
        compare("dimension", \.dimension)
        compare("precision", \.precision)
        compare("end", \.end.rawValue)
        compare("count", \.count)
        compare("seed", \.seed)
        compare("tolerance", \.tolerance)
        compare("floor", \.floor)
        compare("acceptance", \.acceptance.rawValue)
        compare("block size", \.blockSize)
        if found.isEmpty { return }
        throw BackendError(
            .program, "the saved state is of another eigenvalue search: \(found.joined(separator: ", "))")
    }
}
