/// A folder of NumPy files, `x` the samples and `y` the answers.
///
/// For a split `train`: `train.npz` with arrays `x` and `y`, or `train_x.npy` and `train_y.npy`, or, for
/// `train` only, `x.npy` and `y.npy`. Here `x` is `[N, d]`, `[N, H, W]` or `[N, C, H, W]`; uint8 is scaled to
/// [0, 1], anything else taken as it is. Whole-number `y` of shape `[N]` or `[N, 1]` are labels; others are
/// values to fit.
enum ArrayFolder {
    /// Whether the folder holds such files, of either split.
    static func isFormat(of folder: String) throws(DataError) -> Bool {
        for split in Split.allCases where try find("x", split, in: folder) != nil { return true }
        return false
    }

    static func samples(folder: String, split: Split) throws(DataError) -> RawSamples {
        let (x, inputPath) = try load("x", split, in: folder)
        let (y, answerPath) = try load("y", split, in: folder)
        let inputs =
            switch x.shape.count {
            case 2, 4: x
            case 3: x.reshaped([x.shape[0], 1, x.shape[1], x.shape[2]])
            default:
                throw DataError(
                    "\(inputPath): x has shape \(x.shape), expected [N, d], [N, H, W] or [N, C, H, W]")
            }
        guard (1...2).contains(y.shape.count) else {
            throw DataError("\(answerPath): y has shape \(y.shape), expected [N] or [N, outputs]")
        }
        guard y.shape[0] == x.shape[0] else {
            throw DataError(
                "\(answerPath): y has \(y.shape[0]) rows, but x has \(x.shape[0]), expected as many")
        }
        guard let labels = labels(y) else {
            let targets = y.shape.count == 2 ? y : y.reshaped([y.shape[0], 1])
            return RawSamples(inputs: inputs, targets: targets, classes: targets.shape[1])
        }
        let present = try find("y", split.other, in: folder) != nil
        let others = present ? Self.labels(try load("y", split.other, in: folder).0) : nil
        let classes = try RawSamples.classCount(labels, and: others ?? [], name: answerPath)
        return RawSamples(inputs: inputs, labels: labels, classes: classes)
    }

    /// `y` as class labels, or nil if it holds values to fit.
    private static func labels(_ y: NDArray) -> [Int]? {
        guard y.shape.count == 1 || y.shape.count == 2 && y.shape[1] == 1 else { return nil }
        return switch y.storage {
        case .int64, .uint8: y.integers
        case .float32, .float64: nil
        }
    }

    /// The array `key` of a split, and the file it came from.
    private static func load(
        _ key: String, _ split: Split, in folder: String
    ) throws(DataError) -> (NDArray, String) {
        guard let path = try find(key, split, in: folder) else {
            let expected =
                "'\(split).npz' or '\(split)_\(key).npy'" + (split == .train ? " or '\(key).npy'" : "")
            throw DataError(
                "folder '\(folder)' has no \(key) for the \(split) split, expected a file \(expected)")
        }
        guard path.hasSuffix(".npz") else { return (try Npy.read(path), path) }
        guard let array = try Npz.read(path, only: [key])[key] else {
            throw DataError("\(path): no array called '\(key)', expected arrays 'x' and 'y'")
        }
        return (array, path)
    }

    private static func find(_ key: String, _ split: Split, in folder: String) throws(DataError) -> String? {
        let present = Set(try names(inFolder: folder))
        let candidates = ["\(split).npz", "\(split)_\(key).npy"] + (split == .train ? ["\(key).npy"] : [])
        return candidates.first { present.contains($0) }.map { join(folder, $0) }
    }
}
