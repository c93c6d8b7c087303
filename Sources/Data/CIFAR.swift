/// The binary folders of CIFAR-10 and CIFAR-100: 32x32 colour images, a record of label bytes and 3,072
/// pixels each.
public enum CIFAR: Sendable, CaseIterable {
    /// `data_batch_*.bin` and `test_batch.bin`; one label byte, 10 classes.
    case cifar10
    /// `train.bin` and `test.bin`; a coarse and a fine label byte, of which the fine one counts, 100 classes.
    case cifar100

    /// The number of classes.
    public var classes: Int { self == .cifar10 ? 10 : 100 }

    private static let pixels = 3 * 32 * 32
    private var labelBytes: Int { self == .cifar10 ? 1 : 2 }

    /// The images `[N, 3, 32, 32]`, scaled to [0, 1], and labels of a folder; any number of records per file.
    ///
    /// Throws if there is no file of the split, if a file's size is no multiple of the record, or if a label
    /// is out of range.
    public func dataset(
        folder: String, split: Split, name: String? = nil
    ) throws(DataError) -> Dataset {
        try samples(folder: folder, split: split).dataset(name: name ?? folder, split: split)
    }

    func samples(folder: String, split: Split) throws(DataError) -> RawSamples {
        let found = try files(folder: folder, split: split)
        guard !found.isEmpty else {
            let files =
                self == .cifar10
                ? ["data_batch_1.bin", "test_batch.bin"] : ["train.bin", "test.bin"]
            let expected = files[split == .train ? 0 : 1]
            throw DataError(
                "folder '\(folder)' has no \(split) images, expected a file '\(expected)'"
            )
        }
        var pixels: [UInt8] = []
        var labels: [Int] = []
        for file in found {
            try append(path: join(folder, file), pixels: &pixels, labels: &labels)
        }
        return RawSamples(
            inputs: NDArray(shape: [labels.count, 3, 32, 32], storage: .uint8(pixels)), labels: labels,
            classes: classes)
    }

    /// Whether the folder holds files of this set, of either split.
    func isFormat(of folder: String) throws(DataError) -> Bool {
        for split in Split.allCases where try !files(folder: folder, split: split).isEmpty { return true }
        return false
    }

    private func append(
        path: String, pixels: inout [UInt8], labels: inout [Int]
    ) throws(DataError) {
        let bytes = try readBytes(path)
        let record = labelBytes + Self.pixels
        guard !bytes.isEmpty, bytes.count % record == 0 else {
            throw DataError(
                "\(path): \(bytes.count) bytes, expected a multiple of \(record), the size of a record")
        }
        pixels.reserveCapacity(pixels.count + bytes.count / record * Self.pixels)
        for start in stride(from: 0, to: bytes.count, by: record) {
            let label = Int(bytes[start + labelBytes - 1])
            guard label < classes else {
                throw DataError(
                    "\(path): record \(start / record) has label \(label), expected 0 to \(classes - 1)")
            }
            if self == .cifar100, bytes[start] >= 20 {
                throw DataError(
                    "\(path): record \(start / record) has coarse label \(bytes[start]), expected 0 to 19")
            }
            labels.append(label)
            pixels += bytes[start + labelBytes..<start + record]
        }
    }

    /// The names of the files of a split, by number.
    private func files(folder: String, split: Split) throws(DataError) -> [String] {
        let present = try names(inFolder: folder)
        switch (self, split) {
        case (.cifar10, .train):
            return present.filter { $0.hasPrefix("data_batch_") && $0.hasSuffix(".bin") }
                .sorted { ($0.count, $0) < ($1.count, $1) }
        case (.cifar10, .test): return present.filter { $0 == "test_batch.bin" }
        case (.cifar100, .train): return present.filter { $0 == "train.bin" }
        case (.cifar100, .test): return present.filter { $0 == "test.bin" }
        }
    }
}
