import Testing

@testable import Data

@Suite struct CIFARTests {
    private func record(_ labels: [UInt8], _ pixel: UInt8) -> [UInt8] {
        labels + [UInt8](repeating: pixel, count: 3071) + [255]
    }

    @Test func tenClasses() throws {
        try withFolder { folder in
            try write(record([3], 10) + record([9], 20), folder + "/data_batch_2.bin")
            try write(record([0], 30), folder + "/data_batch_10.bin")
            try write(record([7], 51), folder + "/test_batch.bin")
            let train = try CIFAR.cifar10.dataset(folder: folder, split: .train)
            #expect(train.inputs.shape == [3, 3, 32, 32])
            #expect(train.labels == [3, 9, 0])
            #expect(train.classes == 10)
            #expect(train.inputs.rows(1..<2).floats.first == Float(20) / 255)
            let test = try CIFAR.cifar10.dataset(folder: folder, split: .test)
            #expect(test.labels == [7])
            #expect(test.inputs.floats.suffix(2) == [0.2, 1])
        }
    }

    @Test func hundredClasses() throws {
        try withFolder { folder in
            try write(record([19, 99], 10) + record([0, 42], 51), folder + "/train.bin")
            let train = try CIFAR.cifar100.dataset(folder: folder, split: .train)
            #expect(train.labels == [99, 42])
            #expect(train.classes == 100)
            #expect(train.inputs.rows(1..<2).floats.first == 0.2)
            expectError(folder, "test.bin") { try CIFAR.cifar100.dataset(folder: folder, split: .test) }
        }
    }

    @Test func badFiles() throws {
        try withFolder { folder in
            let path = folder + "/test_batch.bin"
            func load() throws -> Dataset { try CIFAR.cifar10.dataset(folder: folder, split: .test) }
            for bytes in [[], [1], Array(record([1], 0).dropLast()), record([1], 0) + [2]] as [[UInt8]] {
                try write(bytes, path)
                expectError(path, "\(bytes.count) bytes", "multiple of 3073") { try load() }
            }
            try write(record([1], 0) + record([10], 0), path)
            expectError(path, "record 1 has label 10", "0 to 9") { try load() }
            try write(record([20, 5], 0), folder + "/test.bin")
            expectError("coarse label 20") { try CIFAR.cifar100.dataset(folder: folder, split: .test) }
            try write(record([1, 100], 0), folder + "/test.bin")
            expectError("label 100") { try CIFAR.cifar100.dataset(folder: folder, split: .test) }
        }
    }
}
