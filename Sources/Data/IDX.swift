/// IDX files, the format of MNIST and its relatives, plain or packed by gzip.
public enum IDX {
    /// The array in the IDX file at `path`; gzip is recognised by content, not by name.
    ///
    /// Bytes become uint8, other whole numbers int64, floats keep their precision. Throws if the file cannot
    /// be read, is no IDX file, or has bytes missing or left over.
    public static func read(_ path: String) throws(DataError) -> NDArray {
        try decode(try Gzip.readPlainOrPacked(path), name: path)
    }

    /// The array in the unpacked `bytes` of an IDX file; `name` stands for it in errors. Throws as `read`
    /// does.
    public static func decode(_ bytes: [UInt8], name: String) throws(DataError) -> NDArray {
        guard bytes.count >= 4 else {
            throw DataError("\(name): truncated: \(bytes.count) bytes, an IDX file has at least 4")
        }
        let kinds: [UInt8: NumberKind] = [
            0x08: .uint8, 0x09: .int8, 0x0B: .int16, 0x0C: .int32, 0x0D: .float32, 0x0E: .float64,
        ]
        guard bytes[0] == 0, bytes[1] == 0, let kind = kinds[bytes[2]], bytes[3] > 0 else {
            let found = bytes[..<4].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(
                separator: " ")
            throw DataError(
                "\(name): not an IDX file: it begins with \(found), expected 00 00, a type (08, 09, 0b to 0e)"
                    + " and the number of axes")
        }
        let start = 4 + 4 * Int(bytes[3])
        guard bytes.count >= start else {
            throw DataError("\(name): truncated: \(bytes.count) bytes, the IDX header alone has \(start)")
        }
        let shape = stride(from: 4, to: start, by: 4).map { at in
            bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        guard let count = elementCount(shape, size: kind.size) else {
            throw DataError("\(name): the sizes \(shape) in the IDX header are too large for this machine")
        }
        let (expected, found) = (count * kind.size, bytes.count - start)
        guard found == expected else {
            let what = found < expected ? "truncated" : "bytes left over at the end"
            throw DataError(
                "\(name): \(what): sizes \(shape) of \(kind) take \(expected) bytes, found \(found)")
        }
        return NDArray(
            shape: shape,
            storage: decodeNumbers(bytes, at: start, count: count, kind: kind, bigEndian: true))
    }

    /// The images `[N, 1, H, W]` and labels of an MNIST-like folder.
    ///
    /// Reads `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, for the test split `t10k-...`, with
    /// `.gz` or not, and with `.idx` in place of `-idx`. Bytes are scaled to [0, 1]; the number of classes is
    /// one more than the largest label of both splits. Throws if a file is missing or damaged, or if the two
    /// do not match.
    public static func dataset(
        folder: String, split: Split, name: String? = nil
    ) throws(DataError) -> Dataset {
        try samples(folder: folder, split: split).dataset(name: name ?? folder, split: split)
    }

    static func samples(folder: String, split: Split) throws(DataError) -> RawSamples {
        let imagesPath = try path(.images, split, in: folder)
        let images = try read(imagesPath)
        guard images.shape.count == 3 else {
            throw DataError("\(imagesPath): images have sizes \(images.shape), expected [N, height, width]")
        }
        let labels = try labels(split, in: folder)
        guard labels.count == images.shape[0] else {
            throw DataError(
                "\(imagesPath): \(images.shape[0]) images, but the label file has \(labels.count) labels")
        }
        let present = try find(.labels, split.other, in: folder) != nil
        let others = present ? try IDX.labels(split.other, in: folder) : []
        return RawSamples(
            inputs: images.reshaped([images.shape[0], 1, images.shape[1], images.shape[2]]), labels: labels,
            classes: try RawSamples.classCount(labels, and: others, name: imagesPath))
    }

    /// Whether the folder holds a file of this kind, of either split.
    static func isFormat(of folder: String) throws(DataError) -> Bool {
        for split in Split.allCases where try find(.images, split, in: folder) != nil { return true }
        return false
    }

    private enum Part: String {
        case images = "images-idx3-ubyte"
        case labels = "labels-idx1-ubyte"
    }

    private static func labels(_ split: Split, in folder: String) throws(DataError) -> [Int] {
        let path = try path(.labels, split, in: folder)
        let array = try read(path)
        guard array.shape.count == 1, let labels = array.integers else {
            throw DataError("\(path): labels have sizes \(array.shape), expected [N] whole numbers")
        }
        return labels
    }

    private static func find(_ part: Part, _ split: Split, in folder: String) throws(DataError) -> String? {
        let present = Set(try names(inFolder: folder))
        let stem = (split == .train ? "train-" : "t10k-") + part.rawValue
        let spellings = [stem, stem.replacing("-idx", with: ".idx")].flatMap { [$0, $0 + ".gz"] }
        return spellings.first { present.contains($0) }.map { join(folder, $0) }
    }

    private static func path(_ part: Part, _ split: Split, in folder: String) throws(DataError) -> String {
        if let path = try find(part, split, in: folder) { return path }
        let expected = (split == .train ? "train-" : "t10k-") + part.rawValue
        throw DataError(
            "folder '\(folder)' has no \(split) \(part), expected a file '\(expected)' or '\(expected).gz'")
    }
}
