import Testing

@testable import Data

@Suite struct IDXTests {
    @Test(
        arguments: [
            (0x08, [1, 0xFF], .uint8([1, 255])),
            (0x09, [1, 0xFF], .int64([1, -1])),
            (0x0B, [1, 0, 0xFF, 0xFE], .int64([256, -2])),
            (0x0C, [0, 0, 1, 0, 0xFF, 0xFF, 0xFF, 0xFE], .int64([256, -2])),
            (0x0D, [0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0], .float32([1, -2])),
            (0x0E, [0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0], .float64([1, -2])),
        ] as [(UInt8, [UInt8], NDArray.Storage)])
    func types(type: UInt8, data: [UInt8], expected: NDArray.Storage) throws {
        #expect(
            try IDX.decode(idx(type, [1, 2], data), name: "a") == NDArray(shape: [1, 2], storage: expected))
    }

    @Test func truncatedTrailingAndDamaged() {
        let bytes = idx(8, [2, 2], [1, 2, 3, 4])
        for length in 0..<bytes.count {
            expectError("a.idx", "truncated") { try IDX.decode(Array(bytes[..<length]), name: "a.idx") }
        }
        expectError("a.idx", "left over", "found 5") { try IDX.decode(bytes + [0], name: "a.idx") }
        for (at, value) in [(0, 1), (1, 1), (2, 0x0A), (3, 0)] as [(Int, UInt8)] {
            var damaged = bytes
            damaged[at] = value
            expectError("a.idx", "not an IDX file") { try IDX.decode(damaged, name: "a.idx") }
        }
        let huge = idx(8, [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], [])
        expectError("too large") { try IDX.decode(huge, name: "a.idx") }
    }

    static let images = idx(8, [3, 2, 2], [0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8])
    static let labels = idx(8, [3], [2, 0, 1])

    @Test(arguments: [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", Split.train),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", .train),
        ("t10k-images-idx3-ubyte.gz", "t10k-labels.idx1-ubyte", .test),
    ])
    func folder(images: String, labels: String, split: Split) throws {
        try withFolder { folder in
            try write(Self.images, folder + "/" + images)
            try write(Self.labels, folder + "/" + labels)
            let set = try IDX.dataset(folder: folder, split: split)
            #expect(set.inputs.shape == [3, 1, 2, 2])
            #expect(set.inputs.floats[..<4] == [0, 0.2, 0.4, 1])
            #expect(set.labels == [2, 0, 1])
            #expect(set.classes == 3)
            expectError(folder, "no \(split.other) images") {
                try IDX.dataset(folder: folder, split: split.other)
            }
        }
    }

    /// The number of classes comes from both splits.
    @Test func classesOfBothSplits() throws {
        try withFolder { folder in
            try write(Self.images, folder + "/train-images-idx3-ubyte")
            try write(Self.labels, folder + "/train-labels-idx1-ubyte")
            try write(idx(8, [1, 2, 2], [1, 2, 3, 4]), folder + "/t10k-images-idx3-ubyte")
            try write(idx(8, [1], [6]), folder + "/t10k-labels-idx1-ubyte")
            #expect(try IDX.dataset(folder: folder, split: .train).classes == 7)
        }
    }

    @Test func mismatches() throws {
        try withFolder { folder in
            try write(Self.images, folder + "/train-images-idx3-ubyte")
            expectError("no train labels") { try IDX.dataset(folder: folder, split: .train) }
            try write(idx(8, [2], [0, 1]), folder + "/train-labels-idx1-ubyte")
            expectError("3 images", "2 labels") { try IDX.dataset(folder: folder, split: .train) }
            try write(idx(8, [3, 1], [0, 1, 2]), folder + "/train-labels-idx1-ubyte")
            expectError("labels have sizes [3, 1]") { try IDX.dataset(folder: folder, split: .train) }
            try write(idx(8, [12], [UInt8](repeating: 0, count: 12)), folder + "/train-images-idx3-ubyte")
            expectError("[N, height, width]") { try IDX.dataset(folder: folder, split: .train) }
            try write(idx(8, [0, 2, 2], []), folder + "/train-images-idx3-ubyte")
            try write(idx(8, [0], []), folder + "/train-labels-idx1-ubyte")
            expectError("no samples") { try IDX.dataset(folder: folder, split: .train) }
        }
    }
}
