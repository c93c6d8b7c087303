import Foundation
import Testing

@testable import Data

@Suite struct DataSourceTests {
    @Test(
        arguments: [
            ("digits", "digits", Split.train, nil),
            ("digits:test", "digits", .test, nil),
            ("fashion-mnist:train:100", "fashion-mnist", .train, 100),
            ("a/b", "a/b", .train, nil),
            ("a:b", "a:b", .train, nil),
            ("a:b:test", "a:b", .test, nil),
            ("a:b:test:5", "a:b", .test, 5),
            ("train", "train", .train, nil),
        ] as [(String, String, Split, Int?)])
    func parsing(text: String, name: String, split: Split, count: Int?) throws {
        let source = try DataSource(parsing: text)
        #expect(source == DataSource(name: name, split: split, count: count))
        #expect(try DataSource(parsing: source.description) == source)
    }

    @Test func parseErrors() throws {
        expectError("'trian'", "'train' or 'test'") { try DataSource(parsing: "mnist:trian") }
        expectError("'100'", "'train' or 'test'") { try DataSource(parsing: "mnist:100") }
        for count in ["0", "-5", "1.5", "many", "", "99999999999999999999"] {
            expectError("'\(count)'", "positive whole number") {
                try DataSource(parsing: "mnist:test:\(count)")
            }
        }
        expectError("not understood") { try DataSource(parsing: "mnist:test:5:6") }
        expectError("not understood") { try DataSource(parsing: "") }
        expectError("not understood") { try DataSource(parsing: ":test") }
        expectError("positive") { try DataSource(parsing: "x/y:test:zero") }
        try withFolder { folder in
            expectError("'trian'") { try DataSource(parsing: "\(folder):trian") }
            let odd = folder + "/a:train"
            try FileManager.default.createDirectory(atPath: odd, withIntermediateDirectories: false)
            #expect(try DataSource(parsing: odd) == DataSource(name: odd))
            #expect(try DataSource(parsing: odd + ":test") == DataSource(name: odd, split: .test))
        }
    }

    @Test func digits() throws {
        let set = try DataSource(parsing: "digits:test:20").load()
        #expect(set.labels == Array(0..<10) + Array(0..<10))
        #expect(set.inputs.shape == [20, 1, 8, 8])
    }

    @Test func namedSetInDataFolder() throws {
        try withFolder { base in
            let folder = base + "/mnist"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            let environment = ["LANDSCAPE_DATA": base]
            let source = try DataSource(parsing: "mnist:train:2")
            expectError("'mnist'", folder, "./data/mnist", "LANDSCAPE_DATA", "holds no data files") {
                try source.load(environment: environment)
            }
            try write(IDXTests.images, folder + "/train-images-idx3-ubyte")
            try write(IDXTests.labels, folder + "/train-labels-idx1-ubyte")
            let set = try source.load(environment: environment)
            #expect(set.name == "mnist" && set.classes == 10)
            #expect(set.labels == [0, 1])
            #expect(set.inputs.floats == [1, 2, 3, 4, 5, 6, 7, 8].map { $0 / 255 })
            expectError("cifar-100-binary.tar.gz", base + "/cifar100/cifar-100-binary") {
                try DataSource(name: "cifar100").load(environment: environment)
            }
        }
    }

    @Test func missingSets() throws {
        expectError("'cifar10'", "/home/someone/.local/share/landscape/cifar10", "cifar-10-binary.tar.gz") {
            try DataSource(name: "cifar10").load(environment: ["HOME": "/home/someone"])
        }
        #expect(NamedSet.fashionMNIST.candidates([:]).last == "/usr/share/datasets/fashion-mnist")
        expectError("neither a folder nor a known set", "digits, mnist") {
            try DataSource(name: "no/such").load()
        }
    }

    @Test func arrayFolder() throws {
        try withFolder { folder in
            let source = DataSource(name: folder)
            expectError(folder, "holds no data set", "x.npy") { try source.load() }
            let x = NDArray(shape: [3, 2, 2], storage: .uint8([0, 255, 0, 51, 1, 2, 3, 4, 5, 6, 7, 8]))
            try Npy.write(x, to: folder + "/x.npy")
            expectError("no y for the train split", "'train_y.npy' or 'y.npy'") { try source.load() }
            try Npy.write(NDArray(shape: [3, 1], integers: [1, 0, 4]), to: folder + "/y.npy")
            let set = try source.load()
            #expect(set.inputs.shape == [3, 1, 2, 2] && set.inputs.floats[..<4] == [0, 1, 0, 0.2])
            #expect(set.labels == [1, 0, 4] && set.classes == 5 && set.targets == nil)
            expectError("no x for the test split") { try DataSource(name: folder, split: .test).load() }
            try Npy.write(NDArray(shape: [3], integers: [0, 1, -1]), to: folder + "/y.npy")
            expectError("sample 2 has label -1") { try source.load() }
            try Npy.write(NDArray(shape: [3], integers: [0, 1, 1_000_000]), to: folder + "/y.npy")
            expectError("y.npy", "1000000", "below 1,000,000") { try source.load() }
            try Npy.write(NDArray(shape: [2], integers: [0, 1]), to: folder + "/y.npy")
            expectError("y has 2 rows, but x has 3") { try source.load() }
            try Npy.write(NDArray(shape: [3], doubles: [0.5, 1, 2]), to: folder + "/y.npy")
            #expect(try source.load().targets == NDArray(shape: [3, 1], doubles: [0.5, 1, 2]))
            try Npy.write(NDArray(shape: [6], floats: [0, 0, 0, 0, 0, 0]), to: folder + "/x.npy")
            expectError("x has shape [6]") { try source.load() }
            try Npy.write(NDArray(shape: [3, 2], floats: [0, 0, 0, .nan, 0, 0]), to: folder + "/x.npy")
            expectError("sample 1 holds NaN") { try source.load() }
        }
    }

    @Test func splitArraysAndArchives() throws {
        try withFolder { folder in
            let x = NDArray(shape: [2, 1], floats: [-1, 2])
            try Npy.write(x, to: folder + "/train_x.npy")
            try Npy.write(NDArray(shape: [2], integers: [0, 1]), to: folder + "/train_y.npy")
            try Npz([
                .init(name: "x", array: x), .init(name: "y", array: NDArray(shape: [2], integers: [2, 0])),
            ])
            .write(to: folder + "/test.npz")
            let train = try DataSource(name: folder).load()
            #expect(train.inputs == x && train.labels == [0, 1] && train.classes == 3)
            #expect(try DataSource(parsing: folder + ":test:1").load().labels == [0])
            try Npz([.init(name: "x", array: x)]).write(to: folder + "/test.npz")
            expectError("test.npz", "no array called 'y'") {
                try DataSource(parsing: folder + ":test").load()
            }
        }
    }

    /// Real files, where the Debian package `dataset-fashion-mnist` is installed.
    @Test(.enabled(if: isFolder("/usr/share/datasets/fashion-mnist")))
    func fashionMNIST() throws {
        let set = try DataSource(parsing: "fashion-mnist:test:1000").load(environment: [:])
        #expect(set.inputs.shape == [1000, 1, 28, 28] && set.classes == 10)
        #expect((0..<10).allSatisfy { c in set.labels?.count { $0 == c } == 100 })
    }
}
