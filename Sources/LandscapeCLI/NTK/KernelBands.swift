import Data

/// A square kernel, and the errors of its entries if they are wanted, written row by row to files that appear complete or
/// not at all.
final class KernelBands {
    private var kernel: NpyStream
    private var errors: NpyStream?
    private let isWide: Bool

    init(_ path: String, _ errorPath: String?, edge: Int, isWide: Bool) throws {
        let shape = [edge, edge]
        self.isWide = isWide
        kernel = try NpyStream(replacing: path, shape: shape, isWide: isWide)
        if let errorPath { errors = try NpyStream(replacing: errorPath, shape: shape, isWide: isWide) }
    }

    /// Appends rows.
    func write(_ estimates: [Double], _ standardErrors: [Double]) throws {
        // What is finite here may not be where it is kept.
        let largest = isWide ? Double.greatestFiniteMagnitude : Double(Float.greatestFiniteMagnitude)
        if let bad = (estimates + standardErrors).first(where: { !(abs($0) <= largest) }) {
            throw CommandError(
                "the kernel's estimates reach \(plain(bad)): weights or samples are too large for "
                    + (isWide ? "float64" : "float32"))
        }
        try kernel.write(estimates)
        try errors?.write(standardErrors)
    }

    /// Puts the files in their places.
    func commit() throws {
        try kernel.commit()
        try errors?.commit()
    }
}
