import Backend

/// How samples are cut into tiles, panels and batches so that features and tiles stay within a memory.
///
/// Features are held for panels of samples, each of whole tiles: for all samples if they fit, else for two panels at
/// once, one of rows and one of columns.
struct TilePlan {
    /// Samples of a tile, of a panel, and of a pass through the model.
    let tile: Int, panel: Int, batch: Int
    /// Bytes that are planned for.
    let bytes: Int

    /// What a plan must fit.
    struct Demand {
        /// Samples along rows and columns.
        let rows: Int, columns: Int
        /// Whether rows and columns are the same samples.
        let isSymmetric: Bool
        /// Bytes of features per sample.
        let perSample: Int
        /// Most samples of a pass.
        let batch: Int
        /// Rows of the kernel per sample.
        let block: Int
    }

    /// A plan for `memory` bytes; a `tile` that was asked for stays. `beside` gives the bytes that programs and tiles of
    /// some size take beside features.
    init(
        _ demand: Demand, memory: Int, tile wanted: Int?,
        beside: (_ tile: Int) throws(BackendError) -> Int
    ) throws(BackendError) {
        let largest = max(demand.rows, demand.columns), perSample = max(1, demand.perSample)
        func holdsAll(_ tile: Int) throws(BackendError) -> Bool {
            if !demand.isSymmetric { return false }
            return try beside(tile) + largest * perSample <= memory
        }
        func needed(_ tile: Int) throws(BackendError) -> Int {
            try beside(tile) + (holdsAll(tile) ? largest : 2 * max(tile, demand.batch)) * perSample
        }
        var tile = max(1, min(wanted ?? Self.usual(largest, demand.block), largest))
        while wanted == nil, tile > 16, try needed(tile) > memory { tile = max(16, tile / 2) }
        let tiles = (largest + tile - 1) / tile
        if try holdsAll(tile) {
            panel = tiles * tile
        } else {
            let room = max(0, memory - (try beside(tile)))
            // A panel holds a batch at least, so that batches do not depend on tiles.
            panel =
                min(
                    tiles, max(room / (2 * perSample * tile), (demand.batch + tile - 1) / tile, 1)) * tile
        }
        bytes =
            try beside(tile) + (demand.isSymmetric && panel >= largest ? 1 : 2) * min(panel, largest)
            * perSample
        // Batches of one size, so that few samples are computed twice.
        let smallest = min(panel, demand.rows, demand.columns)
        let passes = (smallest + demand.batch - 1) / demand.batch
        batch = max(min(2, smallest), (smallest + passes - 1) / passes)
        self.tile = tile
    }

    /// About a thousand rows of the kernel, so that all tiles are of one size, as near as can be.
    private static func usual(_ samples: Int, _ rows: Int) -> Int {
        let most = max(16, 1024 / rows), count = max(1, (samples + most - 1) / most)
        return (samples + count - 1) / count
    }
}
